"""Only who looks after the desk decides about what was put aside, and Activity keeps it."""

from __future__ import annotations

from types import ModuleType

import pytest
from sqlmodel import select

from models import AuditEntry, InboxItem
from services import clock
from services.desk import activity, put_aside
from services.desk.activity import ActivityFilter
from services.errors import NotAllowed
from services.mirror import aside
from services.staff.roles import Person, Role

ADA = Person(1, "Ada", "ada@x.example", Role.ADMIN)
SAM = Person(2, "Sam", "sam@x.example", Role.SUPPORT)
LOCKED = Person(1, "Ada", "ada@x.example", Role.ADMIN, read_only="The account is read-only.")


@pytest.fixture
def desk(database: ModuleType) -> ModuleType:
    """A desk with two objects aside."""
    with database.transaction() as session:
        for id in ("cus_1", "cus_2"):
            error = aside.refused("customer", id, ValueError())
            aside.keep(session, {"id": id, "object": "customer"}, error, clock.now())
    return database


def states(database: ModuleType) -> dict[str, str]:
    with database.session() as session:
        return dict(session.exec(select(InboxItem.id, InboxItem.state)).all())


@pytest.mark.parametrize("person", [SAM, LOCKED])
def test_others_may_not(desk: ModuleType, person: Person) -> None:
    for act in (put_aside.try_again, put_aside.ignore):
        with pytest.raises(NotAllowed):
            act(person, ["cus_1"])
    assert states(desk) == {"cus_1": "failed", "cus_2": "failed"}


def test_each_decision_is_in_activity(desk: ModuleType) -> None:
    assert put_aside.ignore(ADA, ["cus_1", "cus_1", "cus_none"]) == 1
    assert put_aside.ignore(ADA, ["cus_1"]) == 0, "it is ignored already"
    assert [row.id for row in put_aside.try_again(ADA, ["cus_2"]).again] == ["cus_2"]
    assert states(desk) == {"cus_1": "ignored", "cus_2": "pending"}
    with desk.session() as session:
        assert len(session.exec(select(AuditEntry)).all()) == 2
        told = activity.search(session, ADA, ActivityFilter())
    said = {(one.title, one.staff_name, one.differences[0].after) for one in told}
    assert said == {
        ("Ignore what was put aside", "Ada", "customer cus_1"),
        ("Try again what was put aside", "Ada", "customer cus_2"),
    }
