"""Numbers that a column holds, but not what is derived from them: nothing else waits for them."""

from __future__ import annotations

from types import ModuleType
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sqlmodel import select

from models import InboxItem, Product, Subscription
from services.metrics import overview
from services.mirror import inbox, progress, pull
from services.stripe_api import client
from tests.mirror import objects as o
from tests.mirror import truth
from tests.mirror.objects import NOW
from tests.mirror.test_facts import known
from tests.mirror.test_pull import AlteredAccount
from tests.support.sandbox import Sandbox

LARGE = 2**62  # a column holds it, but not a million times as much
MOST = 2**63 - 1


def subscriptions(*amounts: int, **fields: Any) -> list[o.Object]:
    """A subscription for each amount, on a price of its own."""
    made = []
    for number, amount in enumerate(amounts):
        price = o.price(f"price_{number}", amount)
        items = [o.item(f"si_{number}", price, subscription=f"sub_{number}")]
        made += [price, o.subscription(f"sub_{number}", items, **fields)]
    return made


class EnormousAccount(AlteredAccount):
    """An account with a price that a column holds, and its worth a month does not."""

    values: ClassVar[dict[str, dict[str, Any]]] = {
        "/v1/prices": {"unit_amount": LARGE, "unit_amount_decimal": str(LARGE)}
    }


def test_a_price_too_large_to_be_valued_does_not_hold_up_the_pull(
    claimed: ModuleType, sandbox: Sandbox
) -> None:
    paying = next(one for one in truth.every(sandbox, "/v1/subscriptions") if one["status"] == "active")
    account = EnormousAccount(sandbox.key, sandbox.url)
    account.struck = frozenset([paying["items"]["data"][0]["price"]["id"]])
    client.configure(account)
    pull.whole_account()
    with claimed.session() as session:
        assert progress.read(session).complete
        row = session.get(Subscription, paying["id"])
        assert row is not None
        assert (row.mrr_micros, row.plan_micros, row.unvalued_items) == (0, 0, 1)
        told = overview.read(session, as_of=sandbox.now(), zone=ZoneInfo("UTC"))
    shown = {figure.key: figure.value for figure in told.by_currency[row.currency]}
    assert shown["unvalued"] >= 1


def test_a_quantity_too_large_to_be_valued_holds_up_no_other_event(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    paying = next(one for one in truth.every(sandbox, "/v1/subscriptions") if one["status"] == "active")
    paying["items"]["data"][0]["quantity"] = LARGE
    product = {**truth.every(sandbox, "/v1/products")[0], "name": "Squad"}
    now = sandbox.now() + 5
    events = [
        {"id": f"evt_{number}", "created": now + number, "type": kind, "data": {"object": about}}
        for number, (kind, about) in enumerate(
            [("customer.subscription.updated", paying), ("product.updated", product)]
        )
    ]
    with pulled.transaction() as session:
        inbox.put(session, events, "poll")
    assert inbox.drain().failed == 0
    with pulled.session() as session:
        assert session.exec(select(InboxItem).where(InboxItem.state == "pending")).all() == []
        row, named = session.get(Subscription, paying["id"]), session.get(Product, product["id"])
    assert row is not None and named is not None
    assert (row.mrr_micros, row.unvalued_items, named.name) == (0, 1, "Squad")


def test_what_fits_one_by_one_and_not_together_is_kept_as_the_most_that_fits(database: ModuleType) -> None:
    half = MOST // 1_000_000
    found = known(o.customer(), *subscriptions(half, half), *subscriptions(half, half, status="trialing"))
    assert (found.mrr_micros, found.plan_micros) == (0, MOST)
    found = known(*subscriptions(half, half, status="past_due"), at=NOW + 1)
    assert (found.mrr_micros, found.status) == (MOST, "past_due")
    owed: dict[str, Any] = {"attempted": True, "attempt_count": 1, "amount": LARGE}
    found = known(o.invoice("in_1", **owed), o.invoice("in_2", **owed), at=NOW + 2)
    assert (found.failed_invoices, found.open_amount) == (2, MOST)


def test_the_dearest_item_is_found_whatever_it_comes_to(database: ModuleType) -> None:
    dear = o.price("price_2", LARGE, product="prod_2")
    items = [o.item("si_1"), o.item("si_2", dear, quantity=LARGE)]
    found = known(o.customer(), o.price(), dear, o.subscription(items=items))
    assert (found.product, found.mrr_micros) == ("prod_2", 0)
