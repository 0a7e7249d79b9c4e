"""A file leaves only in the hands of who may export, and never without a word in the record."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest
from sqlmodel import Session, select

from models import AuditEntry, Staff
from services.customers import export
from services.errors import NotAllowed
from services.staff import people
from services.staff.people import NotOnStaff
from services.staff.roles import Person, Role


def lines(_session: Session, _person: Person) -> Iterator[str]:
    yield from ("name\r\n", "Ana\r\n", "Ben\r\n")


def staff(database: ModuleType, role: Role) -> Person:
    with database.transaction() as session:
        people.put(session, "kim@example.com", role=role)
        return people.admit(session, "kim@example.com")


def recorded(database: ModuleType) -> list[tuple[str, dict[str, object]]]:
    with database.session() as session:
        return [(row.staff_name, row.after) for row in session.exec(select(AuditEntry))]


def test_a_file_is_kept_on_record_with_its_rows(database: ModuleType) -> None:
    file = export.file(staff(database, Role.SALES), lines, name="trials")
    assert file.decode("utf-8-sig") == "name\r\nAna\r\nBen\r\n"
    assert recorded(database) == [("kim", {"file": "trials.csv", "rows": 2})]


def test_who_may_not_export_any_more_gets_nothing(database: ModuleType) -> None:
    drawn_for = staff(database, Role.SUPPORT)
    staff(database, Role.VIEWER)
    with pytest.raises(NotAllowed):
        export.file(drawn_for, lines, name="trials")
    with database.transaction() as session:
        session.exec(select(Staff)).one().active = False
    with pytest.raises(NotOnStaff):
        export.file(drawn_for, lines, name="trials")
    assert recorded(database) == []
