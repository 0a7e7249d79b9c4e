"""The staff table decides who comes in, and as what."""

from __future__ import annotations

from types import ModuleType

import pytest

from models import Staff
from services import clock
from services.errors import InvalidInput, NotAllowed, NotFound
from services.staff import people
from services.staff.roles import Permission, Role


def test_the_sandbox_has_two_people_in_each_role(database: ModuleType) -> None:
    for _ in range(2):  # the second start finds them
        with database.transaction() as session:
            people.prepare(session, "sandbox")
    with database.session() as session:
        roles = [person.role for person in people.active(session)]
    assert roles == [
        role for role in (Role.ADMIN, Role.FOUNDER, Role.SUPPORT, Role.SALES, Role.VIEWER) for _ in range(2)
    ]


def test_a_person_on_the_staff_is_admitted_whatever_the_case_of_the_email(database: ModuleType) -> None:
    with database.transaction() as session:
        people.put(session, " Ana@\u200bCompany.com", role=Role.SUPPORT, name="Ana")
    with database.session() as session:
        ana = people.admit(session, "ANA@company.com")
    assert (ana.name, ana.email, ana.role, ana.read_only) == ("Ana", "ana@company.com", Role.SUPPORT, "")


def test_a_stranger_and_one_who_left_are_told_apart(database: ModuleType) -> None:
    with database.transaction() as session:
        people.put(session, "ana@company.com", role=Role.SUPPORT)
        people.deactivate(session, "Ana@company.com")
    with database.session() as session:
        with pytest.raises(people.NotOnStaff, match="no longer has access") as left:
            people.admit(session, "ana@company.com")
        with pytest.raises(people.NotOnStaff, match="has no access") as stranger:
            people.admit(session, "eve@elsewhere.com")
        assert people.active(session) == []
    assert left.value.was_here
    assert (stranger.value.email, stranger.value.was_here) == ("eve@elsewhere.com", False)


def test_put_again_changes_the_role_and_lets_in_again(database: ModuleType) -> None:
    with database.transaction() as session:
        first = people.put(session, "ana@company.com", role=Role.ADMIN, name="Ana").id
        people.deactivate(session, "ana@company.com")
        people.put(session, "ana@company.com", role=Role.VIEWER)
    with database.session() as session:
        ana = people.admit(session, "ana@company.com")
    assert (ana.id, ana.role, ana.name) == (first, Role.VIEWER, "Ana")


@pytest.mark.parametrize("email", ["", "ana", "@company.com", "ana@", "a@b@c"])
def test_what_is_no_email_is_refused(database: ModuleType, email: str) -> None:
    with database.transaction() as session:
        with pytest.raises(InvalidInput) as refused:
            people.put(session, email, role=Role.VIEWER)
        assert people.everyone(session) == []
    assert refused.value.field == "email"


def test_deactivating_a_stranger_says_so(database: ModuleType) -> None:
    with database.transaction() as session, pytest.raises(NotFound, match=r"eve@elsewhere\.com"):
        people.deactivate(session, "eve@elsewhere.com")


def test_the_local_admin_writes_on_test_keys_and_only_reads_live_ones(database: ModuleType) -> None:
    with database.transaction() as session:
        people.prepare(session, "live")
    with database.session() as session:
        on_test, on_live = people.local_admin(session, "test"), people.local_admin(session, "live")
    assert on_test.may(Permission.CANCEL)
    assert on_live.may(Permission.SEE_CUSTOMERS)
    with pytest.raises(NotAllowed, match="live account and sign-in is not set up"):
        on_live.require(Permission.CANCEL)


def test_nobody_signs_in_as_the_local_admin(database: ModuleType) -> None:
    with database.transaction() as session:
        people.prepare(session, "live")
    with database.session() as session, pytest.raises(people.NotOnStaff):
        people.admit(session, "admin@localhost")


def test_presence_is_noted_every_five_minutes(database: ModuleType) -> None:
    with database.transaction() as session:
        people.put(session, "ana@company.com", role=Role.SUPPORT)
        ana = people.admit(session, "ana@company.com")

    def seen_at() -> int | None:
        with database.transaction() as session:
            people.seen(session, ana)
        with database.session() as session:
            last: int | None = session.get(Staff, ana.id).last_seen_at
            return last

    first = seen_at()
    assert first is not None
    assert abs(first - clock.now()) <= 2
    clock.follow(200)
    assert seen_at() == first
    clock.follow(400)
    assert seen_at() == pytest.approx(first + 400, abs=2)


def test_names_tell_who_did_something_after_they_left(database: ModuleType) -> None:
    with database.transaction() as session:
        id = people.put(session, "ana@company.com", role=Role.SUPPORT, name="Ana").id
        people.deactivate(session, "ana@company.com")
        assert people.names(session) == {id: "Ana"}


def test_what_a_person_may_is_asked_anew(database: ModuleType) -> None:
    with database.transaction() as session:
        people.put(session, "ana@company.com", role=Role.ADMIN)
    with database.session() as session:
        ana = people.admit(session, "ana@company.com")
    with database.transaction() as session:
        people.put(session, "ana@company.com", role=Role.VIEWER)
        assert people.anew(session, ana).why_not(Permission.EXPORT)
        people.deactivate(session, "ana@company.com")
        with pytest.raises(people.NotOnStaff, match="no longer has access"):
            people.anew(session, ana)
