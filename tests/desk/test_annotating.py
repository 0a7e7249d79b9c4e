"""What founders and admins say about days: kept, changed and removed by them, refused to others."""

from __future__ import annotations

from datetime import date
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from models import AuditEntry
from services import clock
from services.customers import audit
from services.desk import annotating
from services.desk.annotating import Draft
from services.errors import InvalidInput, NotAllowed, NotFound
from services.staff.roles import Person, Role
from tests.customers.builders import person

BERLIN = ZoneInfo("Europe/Berlin")
LAUNCH = Draft(date(2026, 5, 4), "launch", "  Version 2   is out ")
FOUNDER, ADMIN = person(Role.FOUNDER, id=3), person(Role.ADMIN, id=4)
AHEAD = 4_000_000_000  # in 2096


def add(database: ModuleType, draft: Draft = LAUNCH, by: Person = FOUNDER) -> int:
    with database.transaction() as session:
        id = annotating.add(session, by, draft, BERLIN).id
    assert id is not None
    return id


def test_a_launch_stands_at_the_beginning_of_its_day(database: ModuleType) -> None:
    add(database)
    with database.session() as session:
        (found,) = annotating.between(session, person(Role.VIEWER), 0, AHEAD)
        assert (found.text, found.kind, found.author) == ("Version 2 is out", "launch", 3)
        assert clock.local(found.at, BERLIN).isoformat() == "2026-05-04T00:00:00+02:00"
        assert abs(found.created_at - clock.now()) < 60


def test_only_what_lies_in_the_period_is_read_oldest_first(database: ModuleType) -> None:
    for day in (9, 3, 6):
        add(database, Draft(date(2026, 5, day), "other", f"on day {day}"))
    begins, ends = (clock.date_start(date(2026, 5, day), BERLIN) for day in (3, 9))
    with database.session() as session:
        found = annotating.between(session, FOUNDER, begins, ends)
        assert [one.text for one in found] == ["on day 3", "on day 6"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SALES, Role.SUPPORT])
def test_who_may_not_annotate_is_refused(database: ModuleType, role: Role) -> None:
    id = add(database)
    with database.transaction() as session:
        with pytest.raises(NotAllowed, match="annotate charts"):
            annotating.add(session, person(role), LAUNCH, BERLIN)
        with pytest.raises(NotAllowed):
            annotating.edit(session, person(role), id, LAUNCH, BERLIN)
        with pytest.raises(NotAllowed):
            annotating.remove(session, person(role), id, BERLIN)


def test_another_founder_or_admin_may_put_it_right_and_activity_says_so(database: ModuleType) -> None:
    id = add(database)
    with database.transaction() as session:
        annotating.edit(session, ADMIN, id, Draft(date(2026, 5, 5), "price", "<b>New</b> _price_"), BERLIN)
    with database.session() as session:
        (found,) = annotating.between(session, FOUNDER, 0, AHEAD)
        assert (found.text, found.kind, found.author) == ("<b>New</b> _price_", "price", 3)
        (entry,) = session.exec(select(AuditEntry)).all()
        told = audit.sentence(audit.differences(entry, {}, str))
        assert "Version 2 is out → <b>New</b> _price_" in told
        assert "day 2026-05-04 → 2026-05-05" in told
        assert "kind Launch → Price change" in told


def test_what_is_removed_is_gone_but_for_activity(database: ModuleType) -> None:
    id = add(database)
    with database.transaction() as session:
        annotating.remove(session, ADMIN, id, BERLIN)
    with database.transaction() as session, pytest.raises(NotFound):
        annotating.remove(session, ADMIN, id, BERLIN)
    with database.session() as session:
        assert annotating.between(session, FOUNDER, 0, AHEAD) == []
        (entry,) = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
        assert (entry.kind, entry.before["annotation"]) == ("annotation_removed", "Version 2 is out")


@pytest.mark.parametrize(
    ("kind", "text", "wrong"),
    [("launch", "  ", "empty"), ("launch", "x" * 81, "81 characters"), ("party", "Yes", "kind")],
)
def test_what_fits_no_chart_is_refused(database: ModuleType, kind: str, text: str, wrong: str) -> None:
    with database.transaction() as session, pytest.raises(InvalidInput, match=wrong):
        annotating.add(session, FOUNDER, Draft(date(2026, 5, 4), kind, text), BERLIN)
