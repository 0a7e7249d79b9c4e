"""Goals: set, changed and taken back by founders and admins, seen by all who see numbers."""

from __future__ import annotations

from datetime import date, timedelta
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from models import AuditEntry, Goal
from services import clock
from services.customers import audit
from services.desk import goals, words
from services.desk.goals import Draft
from services.errors import InvalidInput, NotAllowed, NotFound
from services.metrics.goals import Mark
from services.money import MICROS
from services.staff.roles import Person, Role
from tests.customers.builders import person
from tests.metrics import count
from tests.metrics.build import Account

BERLIN = ZoneInfo("Europe/Berlin")
FOUNDER, ADMIN, VIEWER = person(Role.FOUNDER, id=3), person(Role.ADMIN, id=4), person(Role.VIEWER, id=5)
SOON = clock.local(clock.now(), BERLIN).date() + timedelta(days=70)
DOUBLE = Draft("mrr", 9_800 * MICROS, SOON, "usd")


@pytest.fixture
def earning(database: ModuleType) -> ModuleType:
    """MRR is 49.00 USD."""
    told = Account()
    told.subscription(told.customer("ada", clock.now() - 9 * clock.DAY), clock.now() - 9 * clock.DAY)
    told.save(database)
    count.see(database, clock.now() - 9 * clock.DAY)
    count.everybody(database)
    return database


def add(database: ModuleType, draft: Draft = DOUBLE, by: Person = FOUNDER) -> int:
    with database.transaction() as session:
        id = goals.add(session, by, draft, BERLIN).id
    assert id is not None
    return id


def test_a_goal_begins_where_the_measure_stands_and_ends_with_its_day(earning: ModuleType) -> None:
    add(earning)
    with earning.session() as session:
        [row] = session.exec(select(Goal))
        [found] = goals.every(session, VIEWER, BERLIN)
    assert (row.start, row.created_by) == (4_900 * MICROS, 3)
    assert clock.local(row.ends, BERLIN).isoformat()[:19] == f"{SOON + timedelta(days=1)}T00:00:00"
    assert (found.measure, found.currency, found.by) == ("mrr", "usd", SOON)
    assert found.way(Mark(row.begins, row.start)).standing == "on_track"


def test_another_target_leaves_the_beginning_where_it_was(earning: ModuleType) -> None:
    id = add(earning)
    with earning.transaction() as session:
        goals.change(session, ADMIN, id, 19_600 * MICROS, SOON + timedelta(days=7), BERLIN)
    with earning.session() as session:
        [row] = session.exec(select(Goal))
    assert (row.start, row.target) == (4_900 * MICROS, 19_600 * MICROS)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SALES, Role.SUPPORT])
def test_who_may_not_set_goals_is_refused(earning: ModuleType, role: Role) -> None:
    id = add(earning)
    with earning.transaction() as session:
        with pytest.raises(NotAllowed, match="set goals"):
            goals.add(session, person(role), DOUBLE, BERLIN)
        with pytest.raises(NotAllowed):
            goals.change(session, person(role), id, 1, SOON, BERLIN)
        with pytest.raises(NotAllowed):
            goals.remove(session, person(role), id, BERLIN)
        assert len(goals.every(session, person(role), BERLIN)) == 1, "but sees them"


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        (Draft("mrr", 4_900 * MICROS, SOON, "usd"), "stands at .*49.00 already"),
        (Draft("mrr", 9_800 * MICROS, date(2020, 1, 1), "usd"), "That day is over"),
        (Draft("mrr", 9_800 * MICROS, SOON), "names its currency"),
        (Draft("recovery", 5_000, SOON, "usd"), "names its currency"),
        (Draft("conversion", 5_000, SOON), "has no data yet"),
        (Draft("fame", 5_000, SOON), "not known"),  # type: ignore[arg-type]
        (Draft("mrr", 2**63, SOON, "usd"), "No MRR comes to that much"),
        (Draft("mrr", 9_800 * MICROS, SOON, "usdd"), "currency is not known"),
    ],
)
def test_a_goal_that_makes_no_sense_is_refused(earning: ModuleType, draft: Draft, why: str) -> None:
    with earning.transaction() as session, pytest.raises(InvalidInput, match=why):
        goals.add(session, FOUNDER, draft, BERLIN)


def test_a_target_beyond_what_can_be_kept_is_refused_later_too(earning: ModuleType) -> None:
    id = add(earning)
    with pytest.raises(InvalidInput, match="No MRR comes to that much"), earning.transaction() as session:
        goals.change(session, FOUNDER, id, 2**63, SOON, BERLIN)


def test_a_goal_that_is_gone_says_so(earning: ModuleType) -> None:
    with earning.transaction() as session, pytest.raises(NotFound):
        goals.remove(session, FOUNDER, 99, BERLIN)


def test_activity_keeps_who_set_changed_and_removed_it(earning: ModuleType) -> None:
    id = add(earning)
    with earning.transaction() as session:
        goals.change(session, ADMIN, id, 19_600 * MICROS, SOON, BERLIN)
        goals.change(session, ADMIN, id, 19_600 * MICROS, SOON, BERLIN)  # nothing differs
        goals.remove(session, FOUNDER, id, BERLIN)
    with earning.session() as session:
        kept = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
        assert list(session.exec(select(Goal))) == []
    assert [(one.kind, one.staff) for one in kept] == [
        ("goal_set", 3),
        ("goal_changed", 4),
        ("goal_removed", 3),
    ]
    told = [audit.sentence(audit.differences(one, {}, words.moment)) for one in kept]
    assert told[1] == "Goal MRR in USD; to reach $98.00 → $196.00"
    assert all(one.kind in audit.TITLES for one in kept)


def test_before_all_is_counted_no_goal_on_mrr_can_begin(database: ModuleType) -> None:
    with pytest.raises(InvalidInput):
        add(database)
