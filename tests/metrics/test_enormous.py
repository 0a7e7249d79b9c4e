"""Numbers as large as columns hold: no sum and no product of them makes a page fail."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from models import Charge, Dispute, InvoiceLine, Price, Subscription, SubscriptionItem
from services.clock import DAY
from services.customers import worklists
from services.metrics import overview
from services.metrics.counting import counting, waiting
from services.metrics.counting.books import BOOKS
from services.metrics.recovery import recovery
from services.metrics.revenue import revenue
from services.metrics.revenue.revenue import Revenue
from services.metrics.statistics import sums
from services.metrics.trials import trials
from tests.metrics import count
from tests.metrics.build import Account, at

NOW = at("2026-06-15 12:00")
THEN = NOW - 30 * DAY
MOST = 2**63 - 1
PRO = 4_900_000_000
MANY = tuple(f"c{number}" for number in range(50))  # more of the dearest than any account has


def near(number: int) -> Any:
    """Exact on PostgreSQL; SQLite rounds what 64 bits do not hold."""
    return pytest.approx(number, rel=1e-15)


def test_sums_beyond_64_bits(database: ModuleType) -> None:
    account = Account()
    ada = account.customer("ada", NOW - 9 * DAY)
    for _ in range(3):
        account.subscription(ada, NOW - DAY, plan_micros=MOST)
        account.subscription(ada, NOW - DAY, "trialing", plan_micros=MOST, trial_end=NOW + DAY)
        paid = account.subscription(ada, NOW - 9 * DAY, plan_micros=0)
        account.invoice(paid, NOW - 8 * DAY, MOST, paid_at=None, attempt_count=1, attempted=True)
        charge = account.add(Charge(id=account.id("ch"), created=NOW, customer=ada, currency="usd"))
        account.add(Dispute(id=account.id("dp"), created=NOW, charge=charge.id, amount=MOST, currency="usd",
                            status="needs_response"))  # fmt: skip
    account.save(database)
    count.everybody(database)
    with database.session() as session:
        assert revenue.of_customers(session, sa.select(sa.literal(ada))) == {"usd": near(3 * MOST)}
        assert trials.running_now(session, NOW)["usd"].micros == near(3 * MOST)
        assert recovery.open_failures(session).at_stake["usd"].amount == near(3 * MOST)
        assert recovery.open_disputes(session)["usd"].amount == near(3 * MOST)
        assert recovery.recovered(session, THEN, NOW)["usd"].failed_amount == near(3 * MOST)
        where = worklists.failure_conditions(worklists.FailureFilter())
        assert worklists.stakes(session, where)[0].amount == near(3 * MOST)


@pytest.mark.parametrize(
    "numbers", [[], [None], [0], [MOST], [-MOST, MOST, 7], [2**61, 2**61 + 1, -3], [2**32]]
)
def test_sums_that_64_bits_hold_are_exact(database: ModuleType, numbers: list[int | None]) -> None:
    rows = sa.union_all(
        *(sa.select(sa.cast(n, sa.BigInteger).label("n")) for n in (None, *numbers))
    ).subquery()
    with database.session() as session:
        found = session.connection().execute(sa.select(sums.total(rows.c.n))).scalar()
    known = [number for number in numbers if number is not None]
    assert (found and int(found)) == (sum(known) if known else None)


@pytest.mark.parametrize(
    ("scheme", "interval", "times", "rest"),
    [
        ("per_unit", "month", 1, 700_000_000),
        ("tiered", "day", 1, 700_000_000 * 365 // 12),
        ("tiered", "month", 1, 700_000_000),
        ("tiered", "year", 2**31 - 1, 2 * (10**20 // (12 * (2**31 - 1)))),
    ],
)
def test_a_past_with_amounts_as_large_as_columns_hold(
    database: ModuleType, scheme: str, interval: str, times: int, rest: int
) -> None:
    account = Account()
    ada = account.customer("ada", NOW - 75 * DAY)
    months = (NOW - 45 * DAY, NOW - 15 * DAY)
    usual = account.subscription(ada, NOW - 45 * DAY)
    account.line(account.invoice(usual, months[0]), *months)
    price = {"unit_amount": MOST, "interval": interval, "interval_count": times, "billing_scheme": scheme}
    account.add(Price(id="price_dear", created=0, currency="usd", **price))
    odd = account.subscription(ada, NOW - 45 * DAY, plan="dear", plan_micros=0)
    for quantity in (1, MOST):
        account.add(SubscriptionItem(id=account.id("si"), created=0, subscription=odd.id, price="price_dear",
                                     quantity=quantity))  # fmt: skip
    bill = account.invoice(odd, months[0], MOST)
    for amount, off in ((MOST, 0), (-MOST, MOST), (1, -MOST), (1, -(10**14)), (10**14, 0), (700, 0)):
        account.add(InvoiceLine(id=account.id("il"), created=months[0], invoice=bill.id, subscription=odd.id,
                                subscription_item=account.id("si"), price="price_dear", quantity=MOST,
                                amount=amount, discount_amount=off, currency="eur",
                                period_start=months[0], period_end=months[1]))  # fmt: skip
    account.save(database)
    count.see(database, NOW)
    count.everybody(database)
    with database.session() as session:
        then = revenue.stood(session, THEN).by_currency
        overview.read(session, as_of=NOW, zone=ZoneInfo("UTC"))
    assert then == {"usd": Revenue(PRO + rest, 1)}


def test_subscriptions_that_together_are_more_than_a_cell_holds_are_counted_all_the_same(
    database: ModuleType,
) -> None:
    account = Account()
    account.plan("dear", 99_999_999_999, "month")
    for name in MANY:
        dear = account.subscription(account.customer(name, NOW - DAY), NOW - DAY, plan="dear")
        account.rows[account.rows.index(dear) - 1].quantity = 90
        account.subscription(f"cus_{name}", NOW - DAY)
    account.save(database)
    count.see(database, NOW - DAY)
    count.everybody(database)
    assert stood(database) == {"usd": Revenue(len(MANY) * (sums.MOST + PRO), len(MANY))}
    with database.transaction() as session:
        session.get_one(Subscription, dear.id).status = "canceled"
        waiting.mark(session, [dear.customer])
    count.see(database, NOW)
    counting.work(BOOKS, count.UTC)
    assert stood(database) == {"usd": Revenue((len(MANY) - 1) * sums.MOST + len(MANY) * PRO, len(MANY))}


def stood(database: ModuleType) -> dict[str, Revenue]:
    with database.session() as session:
        return dict(revenue.stood(session, NOW + 400 * DAY).by_currency)
