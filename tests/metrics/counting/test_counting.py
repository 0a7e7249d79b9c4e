"""Facts and cells follow what changes, and always are what counting everything anew would give."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import (
    Customer,
    MetricsState,
    RevenueCell,
    RevenueMove,
    Subscription,
    SubscriptionState,
    Uncounted,
    Workspace,
)
from services import changes, locks
from services.metrics.counting import calendar, counting, rollups, waiting
from services.metrics.counting.books import BOOKS
from services.metrics.counting.calendar import Calendar
from services.metrics.counting.rollups import Book, Counted
from services.metrics.revenue import revenue, revenue_book
from services.metrics.revenue.revenue import Revenue
from tests.metrics import count
from tests.metrics.build import Account, at

pytestmark = pytest.mark.both_databases
NOW = at("2026-06-15 12:00")
PRO = 4_900_000_000
UTC, AUCKLAND = ZoneInfo("UTC"), ZoneInfo("Pacific/Auckland")


@pytest.fixture
def account(database: ModuleType) -> Account:
    told = Account()
    for name in ("ada", "bob", "cem"):
        told.subscription(told.customer(name, NOW - 5), NOW - 5)
    told.add(Workspace(account="acct_1", mode="test"))
    told.save(database)
    count.see(database, NOW - 5)
    return told


def stood(database: ModuleType) -> dict[str, Revenue]:
    with database.session() as session:
        return dict(revenue.stood(session, NOW + 86_400 * 400).by_currency)


def cells(database: ModuleType) -> set[tuple[object, ...]]:
    with database.session() as session:
        rows = session.exec(select(RevenueCell)).all()
        return {tuple(value for name, value in sorted(row.model_dump().items()) if name != "generation")
                for row in rows}  # fmt: skip


def change(database: ModuleType, customer: str, status: str, when: int) -> None:
    with database.transaction() as session:
        row = session.exec(select(Subscription).where(col(Subscription.customer) == customer)).one()
        row.status = status
        session.add(row)
    count.see(database, when)
    with database.transaction() as session:
        waiting.mark(session, [customer])


def test_nothing_is_shown_before_it_is_counted(database: ModuleType, account: Account) -> None:
    with database.session() as session:
        assert revenue.stood(session, NOW) is None
    count.everybody(database)
    assert stood(database) == {"usd": Revenue(3 * PRO, 3)}


def test_a_change_moves_the_cells_and_a_rebuild_gives_the_same(
    database: ModuleType, account: Account
) -> None:
    count.everybody(database)
    change(database, "cus_bob", "canceled", NOW + 100)
    assert counting.is_due(UTC)
    assert counting.work(BOOKS, UTC) == 1
    assert not counting.is_due(UTC)
    assert stood(database) == {"usd": Revenue(2 * PRO, 2)}
    followed = cells(database)
    anew(database)
    assert cells(database) == followed


def anew(database: ModuleType) -> None:
    with database.transaction() as session:
        session.get(MetricsState, 1).wanted = "of another version"
    counting.work(BOOKS, UTC)


def test_counting_the_past_again_gives_the_past(database: ModuleType, account: Account) -> None:
    count.everybody(database)
    before = cells(database)
    change(database, "cus_ada", "past_due", NOW + 86_400)
    change(database, "cus_ada", "active", NOW + 2 * 86_400)
    anew(database)
    assert cells(database) == before
    assert stood(database) == {"usd": Revenue(3 * PRO, 3)}


def test_days_are_cut_anew_where_the_zone_changes(database: ModuleType, account: Account) -> None:
    count.everybody(database)
    with database.session() as session:
        assert set(session.exec(select(RevenueMove.day))) == {at("2026-06-15")}
    assert counting.is_due(AUCKLAND)
    counting.work(BOOKS, AUCKLAND)
    with database.session() as session:
        assert set(session.exec(select(RevenueMove.day))) == {at("2026-06-14 12:00")}
        assert set(session.exec(select(RevenueCell.generation))) == {2}
    assert stood(database) == {"usd": Revenue(3 * PRO, 3)}


def failing(customers: set[str], error: Exception | None = None) -> Book:
    def _count(session: Session, some: Sequence[str], now: int, calendar: Calendar) -> Counted:
        if customers & set(some):
            raise error or ValueError("a row that nobody expected")
        return revenue_book.BOOK.count(session, some, now, calendar)

    return Book(RevenueMove, _count, revenue_book.BOOK.sums)


def test_a_customer_that_cannot_be_counted_holds_up_nobody(database: ModuleType, account: Account) -> None:
    counting.work([failing({"cus_bob"})], UTC)
    assert stood(database) == {"usd": Revenue(2 * PRO, 2)}
    with database.session() as session:
        ((customer, why),) = waiting.failed(session)
    assert customer == "cus_bob"
    assert "could not be counted" in why
    with database.transaction() as session:  # it is tried again when something changes
        waiting.mark(session, ["cus_bob"])
    counting.work(BOOKS, UTC)
    assert stood(database) == {"usd": Revenue(3 * PRO, 3)}
    with database.session() as session:
        assert waiting.failed(session) == []


def test_what_goes_wrong_with_everybody_is_no_customers_fault(database: ModuleType, account: Account) -> None:
    with pytest.raises(ValueError, match="nobody expected"):
        counting.work([failing({"cus_ada", "cus_bob", "cus_cem"})], UTC)
    with database.session() as session:
        assert waiting.failed(session) == []
        assert counting.progress(session).left == 3


def test_a_statement_that_never_succeeds_holds_up_its_customer_only(database: ModuleType, account) -> None:
    error = sa.exc.OperationalError("SELECT", {}, psycopg.errors.QueryCanceled("statement timeout"))
    counting.work([failing({"cus_bob"}, error)], UTC)
    assert stood(database) == {"usd": Revenue(2 * PRO, 2)}
    with database.session() as session:
        assert [customer for customer, _ in waiting.failed(session)] == ["cus_bob"]


def test_a_transaction_that_was_in_the_way_is_no_customers_fault(database: ModuleType, account) -> None:
    error = sa.exc.OperationalError("SELECT", {}, psycopg.errors.DeadlockDetected())
    with pytest.raises(sa.exc.OperationalError):
        counting.work([failing({"cus_bob"}, error)], UTC)
    with database.session() as session:
        assert waiting.failed(session) == []
        assert counting.progress(session).left == 3


def test_a_full_disk_is_no_customers_fault(database: ModuleType, account) -> None:
    error = sa.exc.OperationalError("INSERT", {}, psycopg.errors.DiskFull())
    with pytest.raises(sa.exc.OperationalError):
        counting.work([failing({"cus_bob"}, error)], UTC)
    with database.session() as session:
        assert waiting.failed(session) == []


def test_who_is_due_later_waits_until_then(database: ModuleType, account: Account) -> None:
    def _count(session: Session, some: Sequence[str], now: int, calendar: Calendar) -> Counted:
        found = revenue_book.BOOK.count(session, some, now, calendar)
        return Counted(found.facts, due=dict.fromkeys(some, now + 1000))

    counting.work([Book(RevenueMove, _count, revenue_book.BOOK.sums)], UTC)
    with database.session() as session:
        due = session.execute(sa.select(col(Uncounted.due_at))).scalars().all()
    assert len(due) == 3
    assert all(at > 1000 for at in due)
    assert not counting.is_due(UTC)


def test_counting_tells_of_a_change_only_where_numbers_moved(database: ModuleType, account: Account) -> None:
    """Pages work out their numbers anew with each change that they are told of."""
    count.everybody(database)
    before = noted(database)
    count.everybody(database)
    assert noted(database) == before
    change(database, "cus_bob", "canceled", NOW + 100)
    counting.work(BOOKS, UTC)
    assert noted(database) > before


def test_a_rebuild_tells_of_itself_once_it_is_whole(database: ModuleType, account: Account) -> None:
    count.everybody(database)
    before = noted(database)
    counting.work(BOOKS, AUCKLAND)
    assert noted(database) == before + 1


def noted(database: ModuleType) -> int:
    with database.session() as session:
        return changes.count(session)


def test_a_movement_that_is_taken_back_leaves_no_empty_cell(database: ModuleType, account: Account) -> None:
    count.everybody(database)
    before = cells(database)
    change(database, "cus_ada", "canceled", NOW + 86_400)
    counting.work(BOOKS, UTC)
    with database.transaction() as session:
        session.execute(sa.delete(SubscriptionState).where(col(SubscriptionState.at) == NOW + 86_400))
        waiting.mark(session, ["cus_ada"])
    counting.work(BOOKS, UTC)
    assert cells(database) == before


def test_a_customer_that_is_gone_leaves_the_cells(database: ModuleType, account: Account) -> None:
    count.everybody(database)
    with database.transaction() as session:
        session.execute(sa.delete(Subscription).where(col(Subscription.customer) == "cus_cem"))
        session.delete(session.get(Customer, "cus_cem"))
        waiting.mark(session, ["cus_cem"])
    counting.work(BOOKS, UTC)
    assert stood(database) == {"usd": Revenue(2 * PRO, 2)}


def test_what_stops_a_rebuild_leaves_what_pages_read(database: ModuleType, account: Account) -> None:
    count.everybody(database)
    before = cells(database)
    asked = iter([False, False, False, False, True])
    counting.work(BOOKS, AUCKLAND, lambda: next(asked, True))
    with database.session() as session:
        assert counting.progress(session).is_building
    assert stood(database) == {"usd": Revenue(3 * PRO, 3)}
    counting.work(BOOKS, UTC)
    assert cells(database) == before


def test_who_stalled_and_lost_the_lock_doubles_nothing(database, account, monkeypatch) -> None:
    """PostgreSQL drops a lock with its connection: another process makes all cells anew meanwhile."""
    count.everybody(database)
    flush, lost = rollups._flush, False

    def _confirm() -> None:
        if lost:
            _lost()

    def _stall(*given: Any) -> None:
        nonlocal lost
        if not lost:
            monkeypatch.setattr(rollups, "_flush", flush)
            counting._rebuild(counting._Work(BOOKS, calendar.of(UTC), False, locks.unguarded), lambda: False)
            flush(*given)  # what was confirmed a moment before
            lost = True

    monkeypatch.setattr(rollups, "_flush", _stall)
    with pytest.raises(locks.LockLost):
        counting._rebuild(counting._Work(BOOKS, calendar.of(UTC), False, _confirm), lambda: False)
    assert stood(database) == {"usd": Revenue(3 * PRO, 3)}


def _lost() -> None:
    raise locks.LockLost("counting")


def test_who_has_lost_the_lock_neither_adds_to_cells_nor_removes_any(database, account) -> None:
    count.everybody(database)
    before = cells(database)
    with pytest.raises(locks.LockLost):
        rollups.fill(revenue_book.BOOK, 1, calendar.of(UTC), confirm=_lost)
    with pytest.raises(locks.LockLost):
        rollups.keep_only(RevenueCell, 2, _lost)
    assert cells(database) == before
