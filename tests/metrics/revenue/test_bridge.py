"""From our number to Stripe's: each cause is counted from the rows, and all of them add up."""

from __future__ import annotations

from types import ModuleType

import pytest
from sqlmodel import col, select

from models import Coupon, Discount, Subscription
from services.clock import DAY
from services.metrics.revenue import bridge
from services.metrics.revenue.bridge import Apart, Bridge, Rules
from tests.metrics import count
from tests.metrics.build import Account, at

NOW = at("2026-06-15 12:00")
PRO = 4_900_000_000


@pytest.fixture
def account() -> Account:
    told = Account()
    told.add(Coupon(id="half", created=0, percent_off="50", duration="forever"))
    told.add(Coupon(id="some", created=0, percent_off="10", duration="repeating", duration_in_months=6))
    return told


def subscribed(told: Account, name: str, *, since: int = NOW - 9 * DAY, coupon: str = "", **fields: object):
    """A customer who pays 49 dollars a month, less a coupon."""
    kept = {"half": PRO // 2}.get(coupon, PRO)
    sub = told.subscription(told.customer(name, since), since, plan_micros=kept, **fields)
    if coupon:
        told.add(Discount(id=f"di_{name}", created=since, start=since, coupon=coupon, customer=f"cus_{name}",
                          subscription=sub.id))  # fmt: skip
        sub.discounts = [f"di_{name}"]
    return sub


def mrr(database: ModuleType, told: Account, rules: Rules) -> Bridge:
    told.save(database)
    count.see(database, NOW - 3 * DAY)
    count.everybody(database)
    with database.session() as session:
        return bridge.read(session, rules).mrr["usd"]


def amounts(found: Bridge) -> dict[str, int]:
    return {cause.key: cause.amount for cause in found.causes if cause.amount}


def test_where_nothing_differs_the_numbers_are_the_same(database, account) -> None:
    subscribed(account, "ada")
    found = mrr(database, account, Rules())
    assert (found.ours, amounts(found), found.theirs) == (PRO, {}, PRO)
    assert found.unexplained(PRO + 5) == 5


@pytest.mark.parametrize(
    ("discounts", "more"),
    [("none", PRO // 2), ("forever", 0), ("repeating", -PRO // 10), ("all", -PRO // 10)],
)
def test_stripe_may_deduct_other_discounts(database, account, discounts, more: int) -> None:
    subscribed(account, "ada", coupon="half")
    subscribed(account, "bob", coupon="some")
    found = mrr(database, account, Rules(discounts))
    assert amounts(found) == ({"discounts": more} if more else {})
    assert found.theirs == PRO // 2 + PRO + more


def test_stripe_counts_subscriptions_whose_collection_is_paused(database, account) -> None:
    subscribed(account, "ada")
    subscribed(account, "bob", pause_collection="void")
    found = mrr(database, account, Rules())
    assert amounts(found) == {"collection_paused": PRO}
    with database.session() as session:
        people = bridge.read(session, Rules()).customers
    assert (people.ours, amounts(people), people.theirs) == (1, {"collection_paused": 1}, 2)


def test_who_canceled_may_be_gone_at_once(database, account) -> None:
    subscribed(account, "ada")
    subscribed(account, "bob", cancel_at_period_end=True)
    assert amounts(mrr(database, account, Rules())) == {}
    with database.session() as session:
        found = bridge.read(session, Rules(at_once=True)).mrr["usd"]
        people = bridge.read(session, Rules(at_once=True)).customers
    assert (amounts(found), found.theirs) == ({"at_once": -PRO}, PRO)
    assert (amounts(people), people.theirs) == ({"at_once": -1}, 1)


def test_the_rows_behind_a_cause_add_up_to_it(database, account) -> None:
    subscribed(account, "ada", coupon="half")
    subscribed(account, "bob", coupon="half", cancel_at_period_end=True)
    subscribed(account, "cem", pause_collection="void", cancel_at_period_end=True)
    rules = Rules("none", at_once=True)
    causes = amounts(mrr(database, account, rules))
    assert causes == {"discounts": PRO, "collection_paused": PRO, "at_once": -2 * PRO}
    with database.session() as session:
        for key, amount in causes.items():
            assert sum(one.more for one in bridge.behind(session, rules, key, "usd")) == amount


def test_stripe_shows_a_day_that_is_over(database, account) -> None:
    subscribed(account, "ada", since=NOW - 9 * DAY)
    subscribed(account, "bob", since=NOW - 3 * DAY)
    found = mrr(database, account, Rules(day=at("2026-06-12")))
    assert (amounts(found), found.theirs) == ({"timing": -2 * PRO}, 0)
    with database.session() as session:
        later = bridge.read(session, Rules(day=at("2026-06-13"))).mrr["usd"]
        people = bridge.read(session, Rules(day=at("2026-06-12"))).customers
    assert later.theirs == 2 * PRO
    assert (people.ours, people.theirs) == (2, 0)


def test_a_customer_with_another_subscription_is_still_there(database, account) -> None:
    subscribed(account, "ada")
    account.subscription("cus_ada", NOW - 9 * DAY, pause_collection="void")
    mrr(database, account, Rules())
    with database.session() as session:
        people = bridge.read(session, Rules(at_once=True)).customers
    assert (people.ours, amounts(people)) == (1, {})


def test_a_file_names_more_customers_than_a_statement_takes(database, account) -> None:
    """The server takes 65,535 parameters, SQLite 250,000."""
    subscribed(account, "ada")
    account.save(database)
    apart = [Apart(f"cus_{number}", "usd", PRO, 0, -PRO) for number in range(250_001)]
    with database.session() as session:
        *_, last = bridge.named(session, [*apart, Apart("cus_ada", "usd", PRO, 0, -PRO)])
    assert (last.name, last.email) == ("Ada", "ada@example.com")


def test_a_pause_of_collection_is_no_movement_to_stripe(database, account) -> None:
    """Bob is paused since the day before yesterday; Cem was, and is collected from again since today."""
    subscribed(account, "ada")
    account.subscription("cus_ada", NOW - 9 * DAY)
    for name in ("bob", "cem"):
        subscribed(account, name)
    account.save(database)
    count.see(database, NOW - 9 * DAY)
    pause(database, "ada", NOW - DAY, "void", first_only=True)
    pause(database, "bob", NOW - 2 * DAY, "void")
    pause(database, "cem", NOW - 3 * DAY, "void")
    pause(database, "cem", NOW - 3600, None)
    count.everybody(database, now=NOW)
    with database.session() as session:
        for day in (None, at("2026-06-12"), at("2026-06-14"), at("2026-06-15")):
            assert bridge.read(session, Rules(day=day)).mrr["usd"].theirs == 4 * PRO, day
            assert bridge.read(session, Rules(day=day)).customers.theirs == 3, day


def pause(database: ModuleType, name: str, when: int, behaviour: str | None, *, first_only: bool = False):
    with database.transaction() as session:
        asked = select(Subscription).where(col(Subscription.customer) == f"cus_{name}")
        rows = session.exec(asked.order_by(col(Subscription.id))).all()
        for row in rows[: 1 if first_only else None]:
            row.pause_collection, row.mrr_micros = behaviour, 0 if behaviour else PRO
            session.add(row)
    count.see(database, when)
