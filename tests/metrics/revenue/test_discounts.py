"""MRR while discounts come and go: a customer's own, and those that end by themselves."""

from __future__ import annotations

from types import ModuleType

import pytest

from models import Coupon, Discount, SubscriptionItem
from services import config
from services.clock import DAY
from services.metrics.revenue import revenue, revenue_history
from services.metrics.revenue.revenue import Revenue
from services.metrics.revenue.revenue_history import View
from tests.metrics import count
from tests.metrics.build import Account, at

NOW = at("2026-06-15")
PRO = 4_900_000_000


@pytest.fixture
def account() -> Account:
    told = Account()
    told.add(Coupon(id="half", created=0, percent_off="50", duration="forever"))
    told.add(Coupon(id="tenth", created=0, percent_off="10", duration="forever"))
    told.add(Coupon(id="spring", created=0, percent_off="50", duration="repeating", duration_in_months=3))
    return told


def discount(account: Account, coupon: str, start: int, end: int | None = None, **of: str) -> None:
    account.add(
        Discount(
            id=f"di_{coupon}", created=start, start=start, end=end, coupon=coupon, customer="cus_ada", **of
        )
    )


def test_what_was_billed_beside_a_free_item_comes_to_what_it_does_now(database, account) -> None:
    start = NOW - 45 * DAY
    account.plan("free", 0, "month")
    sub = account.subscription(account.customer("ada", start), start)
    account.add(
        SubscriptionItem(
            id="si_free", created=start, subscription=sub.id, price="price_free", product="prod_free"
        )
    )
    bill = account.invoice(sub, start)
    account.line(bill, start, start + 30 * DAY, subscription_item="si_1")
    account.line(bill, start, start + 30 * DAY, "free", amount=0, subscription_item="si_free")
    discount(account, "half", start + 40 * DAY)
    account.save(database)
    count.see(database, NOW)
    count.everybody(database, now=NOW)
    with database.session() as session:
        assert revenue.stood(session, start + 10 * DAY).by_currency == {"usd": Revenue(PRO // 2, 1)}


def by_day(database: ModuleType, account: Account, seen: int) -> dict[int, int]:
    """MRR at the end of each day on which it moved, by days since a subscription was first seen."""
    account.save(database)
    count.see(database, seen)
    count.everybody(database, now=NOW)
    with database.session() as session:
        days = revenue_history.daily(session, View("usd"), seen, NOW + DAY)
    return {(day - seen) // DAY: int(level.mrr) for day, level in days}


def test_a_discount_that_a_customer_is_given_takes_the_place_of_the_one_before(database, account) -> None:
    start = NOW - 30 * DAY
    account.subscription(account.customer("ada", start), start)
    discount(account, "half", start)
    discount(account, "tenth", start + 10 * DAY, end=start + 20 * DAY)
    assert by_day(database, account, start) == {0: PRO // 2, 10: PRO * 9 // 10, 20: PRO}


@pytest.mark.parametrize(
    ("deducted", "days"), [("true", {0: PRO // 2, 12: PRO}), ("false", {0: PRO})], ids=["deducted", "not"]
)
def test_a_discount_of_some_months_ends_on_its_day_and_not_with_the_next_invoice(
    database, account, monkeypatch, deducted: str, days: dict[int, int]
) -> None:
    monkeypatch.setenv("MRR_DEDUCTS_REPEATING", deducted)
    config.settings.cache_clear()
    start = NOW - 30 * DAY
    sub = account.subscription(account.customer("ada", start), start, plan="pro", discounts=["di_spring"])
    discount(account, "spring", start, end=start + 12 * DAY, subscription=sub.id)
    found = by_day(database, account, start)
    config.settings.cache_clear()
    assert found == days
