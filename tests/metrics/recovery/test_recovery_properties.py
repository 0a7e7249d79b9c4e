"""Whatever fails and comes back: states add up, months add up to the year, cells are the sum of the facts."""

from __future__ import annotations

import random
from collections import Counter
from types import ModuleType

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from models import Base, Customer, FailureCell, FailureFact, Invoice, PassedCell, Subscription
from services.clock import DAY
from services.metrics import periods
from services.metrics.counting import calendar, counting, rollups, waiting
from services.metrics.counting.books import BOOKS
from services.metrics.recovery import dunning_curve, recovery
from services.metrics.recovery.dunning import Payments, together
from services.metrics.recovery.recovery import CAME_TO, Recovery
from tests.metrics.build import HOUR, at
from tests.metrics.failing import OTHER, UTC, Failing, count, numbers

NOW = at("2026-06-15 12:00")
YEAR = tuple(periods.last("month", 12, until=NOW, zone=UTC))
CODES = ("insufficient_funds", "expired_card", "")
same = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)


def some(seed: int) -> Failing:
    """A random account: customers of two currencies and plans whose payments pass, fail, and come back."""
    pick, told = random.Random(seed), Failing()
    for number in range(pick.randrange(1, 7)):
        begun = NOW - pick.randrange(20, 400) * DAY
        status = pick.choice(["active", "past_due", "unpaid", "canceled"])
        fields = {"plan": pick.choice(["pro", "team"]), "currency": pick.choice(["usd", "jpy"])}
        customer = told.customer(f"c{number}", begun, country=pick.choice(["DE", "US", ""]))
        start = told.trial if pick.random() < 0.4 else told.subscription
        sub = start(customer, begun, status=status, **fields)
        for _ in range(pick.randrange(6)):
            _bill(told, sub, pick)
    pick.shuffle(told.rows)
    return told


def _bill(told: Failing, sub: Subscription, pick: random.Random) -> None:
    made = pick.randrange(sub.start_date, NOW - DAY)
    if pick.random() < 0.4:
        told.invoice(sub, made, pick.choice([0, 4900, 100]))
        return
    later = min(NOW, made + HOUR + pick.randrange(80 * DAY))
    invoice = told.failure(sub, made, pick.randrange(1, 9_000), code=pick.choice(CODES))
    match pick.randrange(5):
        case 0:
            told.retried(invoice, later, card=pick.choice(["pm_visa", OTHER]), by_hand=pick.random() < 0.5)
        case 1:
            told.out_of_band(invoice, later)
        case 2:
            told.credited(invoice, later)
        case 3:
            invoice.status = pick.choice(["void", "uncollectible"])


def empty(database: ModuleType) -> None:
    """The database as before the first example."""
    with database.transaction() as session:
        for table in Base.metadata.tables.values():
            session.connection().execute(sa.delete(table))


def paid_in_a_year(session: Session) -> list[Invoice]:
    """The invoices above zero that are paid and were charged in the year, but for the first after a trial."""
    trialed = {one.id for one in session.exec(select(Subscription)) if one.trial_start}
    asked = [one for one in session.exec(select(Invoice)) if one.total > 0]
    begun = {
        id: min((one.created for one in asked if one.subscription == id and one.status != "void"), default=0)
        for id in trialed
    }
    return [
        one for one in asked
        if one.status == "paid" and (one.finalized_at or 0) >= YEAR[0].begins
        and not (one.subscription in trialed and one.created <= begun[one.subscription])
    ]  # fmt: skip


def cells(database: ModuleType) -> dict[str, dict[tuple[object, ...], tuple[int, ...]]]:
    """All cells that are not empty, without their generation."""
    found = {}
    with database.session() as session:
        for model in (FailureCell, PassedCell):
            rows = session.connection().execute(sa.select(model.__table__)).all()
            found[model.__tablename__] = {tuple(row[1:-2]): tuple(row[-2:]) for row in rows if any(row[-2:])}
    return found


@same
@given(st.integers(0, 10**6))
def test_states_add_up_and_months_add_up_to_the_year(database: ModuleType, seed: int) -> None:
    empty(database)
    count(database, some(seed))
    for currency in ("usd", "jpy"):
        found = numbers(database, NOW, currency=currency)
        for part in ("plan", "country", "code"):
            assert together(found.by(part)).states == found.all.states, part
        assert together(found.by("plan")).passed == together(found.by("country")).passed == found.all.passed
        recovered = found.all.states["recovered"]
        assert together(found.by("by")).states["recovered"] == recovered
        assert found.days.total() == recovered.count
        months = [numbers(database, one.ends - 1, currency=currency, months=1).all for one in YEAR]
        assert together(months) == found.all
        assert sum((found.all.states[state] for state in CAME_TO), Payments()) == found.all.failed


@same
@given(st.integers(0, 10**6))
def test_the_numbers_are_those_of_the_definition(database: ModuleType, seed: int) -> None:
    """What is counted some customers at a time is what one query over everybody finds."""
    empty(database)
    count(database, some(seed))
    with database.session() as session:
        told = recovery.recovered(session, YEAR[0].begins, YEAR[-1].ends)
        everybody = {"customers": list(session.exec(select(Customer.id)))}
        ever = session.execute(recovery.payments("customers"), everybody).all()
        counted = {fact.invoice: (fact.failed_at, fact.state) for fact in session.exec(select(FailureFact))}
        passed = [one for one in paid_in_a_year(session) if one.id not in counted]
    assert counted == {one.invoice: (one.failed_at, one.came_to) for one in ever}
    in_a_year = [one for one in ever if YEAR[0].begins <= one.failed_at and not one.first_after_trial]
    for currency in ("usd", "jpy"):
        found = numbers(database, NOW, currency=currency).all
        for state in CAME_TO:
            mine = [one.amount for one in in_a_year if (one.currency, one.came_to) == (currency, state)]
            assert found.states[state] == Payments(len(mine), sum(mine))
        assert told.get(currency, Recovery()) == Recovery(
            *(found.states[state].count for state in CAME_TO),
            recovered_amount=found.states["recovered"].amount,
            failed_amount=found.failed.amount,
        )
        at_once = [one.total for one in passed if one.currency == currency]
        assert found.passed == Payments(len(at_once), sum(at_once))


@same
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_cells_that_move_along_are_those_of_a_rebuild(database: ModuleType, seed: int, luck: int) -> None:
    empty(database)
    count(database, some(seed))
    pick = random.Random(luck)
    with database.transaction() as session:
        for invoice in session.exec(select(Invoice)):
            if pick.random() < 0.4:
                invoice.status = pick.choice(["paid", "void", "open"])
                invoice.paid_at = NOW if invoice.status == "paid" else None
        for one in session.exec(select(Subscription)):
            one.status = pick.choice(["active", "canceled"])
    count(database)
    moved = cells(database)
    with database.transaction() as session:
        for model in (FailureCell, PassedCell):
            session.connection().execute(sa.delete(model.__table__))
        standing = rollups.generation(session)
    for book in BOOKS[1:]:
        rollups.fill(book, standing, calendar.of(UTC))
    assert moved == cells(database)


@same
@given(st.integers(0, 10**6))
def test_nobody_moves_a_number_by_being_counted_later_or_alone(database: ModuleType, seed: int) -> None:
    empty(database)
    some(seed).save(database)
    counting.work(BOOKS, UTC)  # everybody, as nothing was counted before
    with database.session() as session:
        customers = list(session.exec(select(Customer.id)))
    together_at_once = cells(database)
    for one in random.Random(seed).sample(customers, len(customers)):
        with database.transaction() as session:
            waiting.mark(session, [one])
        counting.work(BOOKS, UTC)
    assert cells(database) == together_at_once


@same
@given(st.integers(0, 10**6))
def test_the_curve_watches_each_failure_until_it_came_back_or_until_today(
    database: ModuleType, seed: int
) -> None:
    empty(database)
    count(database, some(seed))
    found = numbers(database, NOW)
    with database.session() as session:
        seen = dunning_curve.watched(session, found)
        failed = [
            one for one in session.exec(select(FailureFact))
            if one.currency == "usd" and not one.first_after_trial and one.failed_at >= YEAR[0].begins
        ]  # fmt: skip
    at_risk, came = Counter[int](), Counter[int]()
    for one in failed:
        age = (NOW - one.failed_at) // DAY
        took = -(-(one.paid_at - one.failed_at) // DAY) if one.paid_at is not None else age + 1
        came[took] += took <= age
        for day in range(min(took, age) + 1):
            at_risk[day] += 1
    assert list(seen.at_risk) == [at_risk[day] for day in range(len(seen.at_risk))]
    assert list(seen.converted) == [came[day] for day in range(len(seen.at_risk))]
    assert at_risk[len(seen.at_risk)] == 0 or len(seen.at_risk) == dunning_curve.CURVE_DAYS + 1
