"""Prices by tiers, packages and currencies: told whole by lists and reads only, and never forgotten again."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa

from models import Customer, CustomerFacts, Price, Subscription, SyncCursor
from services import database as desk
from services.mirror import answers, cursors, poll, pull, rates
from services.stripe_api.client import Answer
from tests.mirror import objects as o
from tests.mirror import truth
from tests.mirror.objects import NOW
from tests.mirror.test_writer import row, store
from tests.support.sandbox import Sandbox

TIERS = [
    {"up_to": 5, "unit_amount": 700, "unit_amount_decimal": "700", "flat_amount": 1000},
    {"up_to": None, "unit_amount": None, "unit_amount_decimal": "600.5", "flat_amount": None},
]
OPTIONS = {
    "usd": {"unit_amount": 1000, "unit_amount_decimal": "1000"},
    "eur": {"unit_amount": 850, "unit_amount_decimal": "850"},
}


def plain_tiered(**fields: Any) -> o.Object:
    """A tiered price as a subscription shows it."""
    given = {"billing_scheme": "tiered", "tiers_mode": "volume", "unit_amount_decimal": None, **fields}
    return {**o.price(**given), "unit_amount": None}


def whole_tiered() -> o.Object:
    return plain_tiered(tiers=TIERS, currency_options={"usd": {"tiers": TIERS}})


def subscribed(price: o.Object, quantity: int, **fields: Any) -> o.Object:
    return o.subscription(items=[o.item("si_1", price, quantity)], **fields)


def worth(id: str = "sub_1") -> tuple[int, int]:
    found = row(Subscription, id)
    return found.mrr_micros, found.unvalued_items


def test_what_a_subscription_shows_of_a_price_takes_nothing_away(database: ModuleType) -> None:
    store(whole_tiered(), at=NOW)
    store(subscribed(plain_tiered(active=False), 6), at=NOW + 50)
    kept = row(Price, "price_1")
    assert [tier["up_to"] for tier in kept.tiers] == [5, None]
    assert set(kept.currency_options) == {"usd"}
    assert (kept.active, kept.as_of) == (True, NOW)
    assert worth() == (3_603_000_000, 0)
    store(plain_tiered(active=False), at=NOW + 60, exact=False)  # an event shows no tiers either
    assert not row(Price, "price_1").active
    assert len(row(Price, "price_1").tiers) == 2


def test_the_subscriptions_currency_decides(database: ModuleType) -> None:
    store(o.price(currency_options=OPTIONS), subscribed(o.price(), 2, currency="eur"))
    assert worth() == (1_700_000_000, 0)


def test_a_package_counts_once(database: ModuleType) -> None:
    package = {"transform_quantity": {"divide_by": 100, "round": "up"}}
    store(subscribed(o.price(**package), 1000))
    assert worth() == (10_000_000_000, 0)


@pytest.mark.parametrize(
    ("price", "currency"),
    [
        (plain_tiered(), "usd"),
        (o.price(), "eur"),
        (
            {**o.price(custom_unit_amount={"minimum": 1}, unit_amount_decimal=None), "unit_amount": None},
            "usd",
        ),
    ],
    ids=["tiers unknown", "no amount in the currency", "the customer decides"],
)
def test_what_cannot_be_valued_is_counted(database: ModuleType, price: o.Object, currency: str) -> None:
    store(subscribed(price, 2, currency=currency))
    assert worth() == (0, 1)


def test_a_number_beyond_32_bits_has_room(database: ModuleType) -> None:
    many = 5_000_000_000
    line = o.line("il_1", quantity=many)
    store(o.invoice(lines=[line]), subscribed(o.price(amount=1), many), o.coupon(max_redemptions=many))
    assert worth() == (many * 1_000_000, 0)


def made(sandbox: Sandbox, **price: Any) -> tuple[str, str]:
    """A subscription of a new customer to a new price, and the price."""
    v1 = sandbox.client().v1
    product = v1.products.create({"name": "Fonts"}).id
    given = {"product": product, "currency": "usd", "recurring": {"interval": "month"}, **price}
    currency, quantity = given.pop("billed_in", "usd"), given.pop("quantity", 1)
    sold = v1.prices.create(given).id
    buyer = v1.customers.create({"email": "fonts@example.com"}).id
    sandbox.add_card(buyer, "pm_card_visa")
    items = [{"price": sold, "quantity": quantity}]
    return v1.subscriptions.create({"customer": buyer, "items": items, "currency": currency}).id, sold


SOLD: tuple[tuple[dict[str, Any], int], ...] = (
    ({"unit_amount": 1000, "currency_options": {"eur": {"unit_amount": 850}}, "billed_in": "eur"}, 850),
    (
        {
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": [{"up_to": 5, "unit_amount": 700}, {"up_to": "inf", "unit_amount": 600}],
            "quantity": 7,
        },
        4700,
    ),
    (
        {"unit_amount": 1000, "transform_quantity": {"divide_by": 100, "round": "up"}, "quantity": 950},
        10_000,
    ),
)


def test_mrr_is_what_the_invoice_asks_for(pulled: ModuleType, sandbox: Sandbox) -> None:
    for fields, amount in SOLD:
        subscription, _ = made(sandbox, **fields)
        poll.once()
        assert worth(subscription) == (amount * 1_000_000, 0)
        invoice = sandbox.client().v1.invoices.list({"subscription": subscription}).data[0]
        assert invoice.total == amount
    assert truth.differences(sandbox) == []


def test_a_currency_that_is_added_later_reaches_those_who_pay_in_it(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    subscription, price = made(sandbox, **SOLD[0][0])
    poll.once()
    sandbox.advance(seconds=5)
    options: Any = {"currency_options": {"eur": {"unit_amount": 900}}}
    sandbox.client().v1.prices.update(price, options)
    sandbox.client().v1.subscriptions.update(subscription, {"metadata": {"later": "than the price"}})
    poll.once()
    assert worth(subscription) == (900_000_000, 0)
    with pulled.session() as session:
        facts = session.get(CustomerFacts, row(Subscription, subscription).customer)
    assert (facts.mrr_micros, facts.currency) == (900_000_000, "eur")


def test_an_answer_on_a_price_that_nobody_told_of_is_read_whole(
    claimed: ModuleType, sandbox: Sandbox
) -> None:
    subscription, _ = made(sandbox, **SOLD[1][0])
    shown = sandbox.client().raw_request("get", f"/v1/subscriptions/{subscription}").data
    answers.apply(Answer(shown, sandbox.now(), "req_1"))
    assert worth(subscription) == (4_700_000_000, 0)


def test_prices_that_were_pulled_before_this_was_asked_are_listed_again(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    """What the migration leaves behind: rows without tiers, and the cursor of prices at its start."""
    subscription, _ = made(sandbox, **SOLD[1][0])
    poll.once()
    with pulled.transaction() as session:
        connection = session.connection()
        connection.execute(sa.update(Price).values(tiers=[], currency_options={}))
        reset = sa.update(SyncCursor).where(SyncCursor.resource.in_(("prices", cursors.DERIVED)))
        connection.execute(reset.values(state="waiting", cursor=None, started_at=None, finished_at=None))
        rates.refresh(session, [row(Subscription, subscription).customer])
    assert worth(subscription) == (0, 1)
    pull.whole_account()
    assert worth(subscription) == (4_700_000_000, 0)
    with desk.session() as session:
        assert session.get(Customer, row(Subscription, subscription).customer) is not None
