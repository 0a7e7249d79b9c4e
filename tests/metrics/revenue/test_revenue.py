"""MRR and active customers now and 30 days ago, per currency."""

from __future__ import annotations

from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from models import Coupon, Discount, InvoiceItem, RevenueMove, Subscription, Uncounted
from services.clock import DAY
from services.metrics import overview
from services.metrics.revenue import revenue
from services.metrics.revenue.revenue import Revenue
from tests.metrics import count
from tests.metrics.build import Account, at

NOW = at("2026-06-15 12:00")
THEN = NOW - 30 * DAY
PRO, TEAM = 4_900_000_000, 4_083_333_333


@pytest.fixture
def account() -> Account:
    return Account()


def months(account: Account, sub: object, first: int, number: int, **fields: object) -> None:
    """Monthly invoices (of 30 days) from `first` on, with their lines."""
    for index in range(number):
        begins = first + index * 30 * DAY
        account.line(account.invoice(sub, begins, **fields), begins, begins + 30 * DAY)  # type: ignore[arg-type]


def now_and_then(database: ModuleType, account: Account) -> tuple[dict[str, Revenue], dict[str, Revenue]]:
    account.save(database)
    count.see(database, NOW)
    count.everybody(database)
    with database.session() as session:
        return revenue.now(session).by_currency, revenue.stood(session, THEN).by_currency


def test_a_customer_of_three_months_counts_now_and_then(database, account) -> None:
    sub = account.subscription(account.customer("ada", NOW - 75 * DAY), NOW - 75 * DAY)
    months(account, sub, NOW - 75 * DAY, 3)
    assert now_and_then(database, account) == ({"usd": Revenue(PRO, 1)}, {"usd": Revenue(PRO, 1)})


def test_a_yearly_plan_counts_a_twelfth_all_year(database, account) -> None:
    start = NOW - 200 * DAY
    sub = account.subscription(account.customer("ada", start), start, plan="team")
    account.line(account.invoice(sub, start, 49000), start, start + 365 * DAY, "team")
    assert now_and_then(database, account) == ({"usd": Revenue(TEAM, 1)}, {"usd": Revenue(TEAM, 1)})


def test_who_canceled_last_week_counted_then_and_not_now(database, account) -> None:
    customer = account.customer("ada", NOW - 75 * DAY)
    sub = account.subscription(customer, NOW - 75 * DAY, "canceled", ended_at=NOW - 7 * DAY)
    months(account, sub, NOW - 75 * DAY, 3)
    assert now_and_then(database, account) == ({}, {"usd": Revenue(PRO, 1)})


def test_who_was_in_a_trial_then_counts_only_now(database, account) -> None:
    start = THEN - 5 * DAY
    sub = account.trial(account.customer("ada", start), start, status="active")
    months(account, sub, start + 14 * DAY, 1)
    assert now_and_then(database, account) == ({"usd": Revenue(PRO, 1)}, {})


def test_who_was_unpaid_then_had_only_drafts(database, account) -> None:
    start = NOW - 75 * DAY
    sub = account.subscription(account.customer("ada", start), start, "unpaid")
    months(account, sub, start, 3, status="draft", paid_at=None)
    assert now_and_then(database, account) == ({}, {})


def test_a_first_payment_that_never_came_was_never_revenue(database, account) -> None:
    start = THEN - DAY
    sub = account.subscription(account.customer("ada", start), start, "incomplete_expired")
    months(account, sub, start, 1, paid_at=None)
    assert now_and_then(database, account) == ({}, {})


def test_seats_that_were_added_since_are_not_seen_in_the_past(database, account) -> None:
    start = NOW - 75 * DAY
    sub = account.subscription(account.customer("ada", start), start, plan_micros=3 * PRO)
    months(account, sub, start, 3)
    item = next(
        row for row in account.rows if getattr(row, "subscription", "") == sub.id and row.id[:2] == "si"
    )
    item.quantity = 3
    assert now_and_then(database, account) == ({"usd": Revenue(3 * PRO, 1)}, {"usd": Revenue(PRO, 1)})


def test_a_discount_that_ended_does_not_make_the_past_smaller(database, account) -> None:
    start = NOW - 75 * DAY
    sub = account.subscription(account.customer("ada", start), start)
    begins = THEN - DAY
    account.line(
        account.invoice(sub, begins, 2450), begins, begins + 30 * DAY, amount=4900, discount_amount=2450
    )
    assert now_and_then(database, account)[1] == {"usd": Revenue(PRO, 1)}


def test_seats_that_were_added_in_mid_period_count_before_they_are_billed(database, account) -> None:
    start, changed = NOW - 75 * DAY, THEN - 5 * DAY
    sub = account.subscription(account.customer("ada", start), start, plan_micros=3 * PRO)
    months(account, sub, start, 3)
    account.add(
        InvoiceItem(
            id="ii_1",
            created=changed,
            customer=sub.customer,
            subscription=sub.id,
            amount=8000,
            currency="usd",
            quantity=2,
            price="price_pro",
            proration=True,
            period_start=changed,
            period_end=start + 60 * DAY,
        )
    )
    assert now_and_then(database, account)[1] == {"usd": Revenue(2 * PRO, 1)}


def test_prorations_are_not_a_second_subscription(database, account) -> None:
    start = NOW - 75 * DAY
    sub = account.subscription(account.customer("ada", start), start)
    months(account, sub, start, 3)
    account.line(account.invoice(sub, THEN, 1200), THEN, THEN + 20 * DAY, proration=True)
    assert now_and_then(database, account)[1] == {"usd": Revenue(PRO, 1)}


def test_two_subscriptions_are_one_customer(database, account) -> None:
    ada = account.customer("ada", NOW - 75 * DAY)
    for _ in range(2):
        months(account, account.subscription(ada, NOW - 75 * DAY), NOW - 75 * DAY, 3)
    assert now_and_then(database, account) == ({"usd": Revenue(2 * PRO, 1)}, {"usd": Revenue(2 * PRO, 1)})


def test_currencies_are_never_added(database, account) -> None:
    account.plan("yen", 5000, "month", "jpy")
    start = NOW - 75 * DAY
    for name, plan, currency, micros in (("ada", "pro", "usd", PRO), ("bob", "yen", "jpy", 5_000_000_000)):
        sub = account.subscription(
            account.customer(name, start), start, plan=plan, currency=currency, plan_micros=micros
        )
        begins = THEN - DAY
        account.line(account.invoice(sub, begins, micros // 1_000_000), begins, begins + 30 * DAY, plan)
    now, then = now_and_then(database, account)
    assert now == then == {"usd": Revenue(PRO, 1), "jpy": Revenue(5_000_000_000, 1)}


@pytest.mark.parametrize(
    ("price", "interval", "in_a_year"), [(1_500_000_001, "month", 12), (1_000_000_001, "day", 365)]
)
def test_large_amounts_are_exact(database, account, price: int, interval: str, in_a_year: int) -> None:
    account.plan("big", price, interval, "idr")
    start, begins = NOW - 75 * DAY, THEN - DAY
    sub = account.subscription(account.customer("ada", start), start, plan="big", currency="idr")
    account.line(account.invoice(sub, begins, price), begins, begins + 30 * DAY, "big", quantity=2)
    micros = 2 * price * 1_000_000 * in_a_year // 12
    assert now_and_then(database, account)[1] == {"idr": Revenue(micros, 1)}


@pytest.mark.parametrize(("deleted", "then"), [(NOW - 7 * DAY, {"usd": Revenue(PRO, 1)}), (THEN, {})])
def test_what_is_no_longer_in_the_account_counts_no_more(
    database, account, deleted: int, then: dict[str, Revenue]
) -> None:
    """A tombstone keeps the status that it had, here active."""
    start = NOW - 75 * DAY
    sub = account.subscription(account.customer("ada", start), start, deleted=True, as_of=deleted)
    months(account, sub, start, 3)
    assert now_and_then(database, account) == ({}, then)


def test_what_cannot_be_valued_is_counted_beside_mrr(database, account) -> None:
    ada = account.customer("ada", NOW - DAY)
    account.subscription(ada, NOW - DAY, unvalued_items=1)
    account.plan("metered", 0, "month")
    account.subscription(ada, NOW - DAY, plan="metered", unvalued_items=2)
    for left_out in ({"status": "trialing"}, {"pause_collection": "void"}, {"deleted": True}):
        account.subscription(ada, NOW - DAY, plan="metered", unvalued_items=1, **left_out)
    account.save(database)
    count.see(database, NOW)
    count.everybody(database)
    with database.session() as session:
        assert revenue.now(session).by_currency == {"usd": Revenue(PRO, 1, unvalued=2)}
        seen = overview.read(session, as_of=NOW, zone=ZoneInfo("UTC"))
    assert [f.value for f in seen.by_currency["usd"] if f.key == "unvalued"] == [2]


def test_prices_that_no_unit_amount_tells_count_in_the_past_as_they_were_billed(database, account) -> None:
    """Tiers have a line each; a price in dollars is billed in euros; the seats have changed since."""
    start, begins = NOW - 75 * DAY, THEN - DAY
    account.plan("tiers", 0, "month")
    account.plan("multi", 1000, "month")
    for row in account.rows:
        if getattr(row, "id", "") == "price_tiers":
            row.unit_amount, row.billing_scheme = None, "tiered"
    for name, currency, lines in (("tiers", "usd", (3500, 650)), ("multi", "eur", (1700,))):
        sub = account.subscription(
            account.customer(name, start), start, plan=name, currency=currency, plan_micros=9
        )
        invoice = account.invoice(sub, begins, sum(lines))
        for amount in lines:
            account.line(
                invoice, begins, begins + 30 * DAY, name, amount=amount, quantity=2, subscription_item="si_x"
            )
    assert now_and_then(database, account)[1] == {
        "usd": Revenue(4_150_000_000, 1),
        "eur": Revenue(1_700_000_000, 1),
    }


def test_free_subscriptions_are_no_active_customers(database, account) -> None:
    account.plan("free", 0, "month")
    account.subscription(account.customer("ada", NOW - DAY), NOW - DAY, plan="free")
    assert now_and_then(database, account) == ({}, {})


def discounted(account: Account, name: str, **fields: object) -> None:
    """A customer who pays 49 dollars, with half off by a discount that names the customer."""
    start = NOW - 5 * DAY
    account.subscription(account.customer(name, start), start, created=start)
    values = {
        "id": f"di_{name}",
        "created": start,
        "start": start,
        "coupon": "half",
        "customer": f"cus_{name}",
    }
    account.add(Discount(**{**values, **fields}))


def test_the_discount_of_one_invoice_lowers_no_subscription(database, account) -> None:
    account.add(Coupon(id="half", created=0, percent_off="50", duration="forever"))
    discounted(account, "ada")
    discounted(account, "bob", invoice="in_1")
    discounted(account, "cem", subscription_item="si_gone")
    account.save(database)
    count.see(database, NOW - 5 * DAY)
    count.everybody(database)
    with database.session() as session:
        assert revenue.stood(session, NOW).by_currency == {"usd": Revenue(2 * PRO + PRO // 2, 3)}


def test_a_discount_of_a_customer_that_ends_later_raises_nothing_before(database, account) -> None:
    account.add(Coupon(id="half", created=0, percent_off="50", duration="forever"))
    discounted(account, "ada", end=NOW + 5 * DAY)
    account.save(database)
    count.see(database, NOW - 5 * DAY)
    count.everybody(database, now=NOW)
    with database.session() as session:
        assert revenue.stood(session, NOW + 30 * DAY).by_currency == {"usd": Revenue(PRO // 2, 1)}
        assert session.get(Uncounted, "cus_ada").due_at == NOW + 5 * DAY
    count.everybody(database, now=NOW + 6 * DAY)
    with database.session() as session:
        assert revenue.stood(session, NOW + 30 * DAY).by_currency == {"usd": Revenue(PRO, 1)}


def test_what_was_paused_when_it_was_first_seen_stays_so_in_the_past(database, account) -> None:
    start, paused = NOW - 75 * DAY, NOW - 20 * DAY
    ada = account.customer("ada", start)
    sub = account.subscription(ada, start, "paused", paused_at=paused, mrr_micros=0)
    months(account, sub, start, 3)
    account.save(database)
    count.see(database, NOW)
    count.everybody(database)
    before = moves(database)
    with database.transaction() as session:
        row = session.get(Subscription, sub.id)
        row.status, row.paused_at = "active", None
        session.add(row)
    count.see(database, NOW + 10)
    count.everybody(database)
    assert [move for move in moves(database) if move[0] < NOW - DAY] == before != []


def moves(database: ModuleType) -> list[tuple[int, str, str, int]]:
    with database.session() as session:
        rows = session.exec(select(RevenueMove).order_by(col(RevenueMove.day)))
        return [(row.day, row.kind, row.cause, row.mrr) for row in rows]
