"""Calls: requested once, worked by whoever may, never changed behind somebody's back, due first."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest

from models import CallRequest, Customer, CustomerFacts, Workspace
from services import clock
from services.clock import DAY
from services.customers.names import CALL_ENDS
from services.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.metrics import version
from services.outreach import callboard, calls
from services.outreach.callboard import CallFilter
from services.outreach.calls import Wish
from services.staff.roles import Person
from tests.customers import builders


def ask(database: ModuleType, person: Person, token: str = "call_1", **changed: object) -> bool:
    wish = {"customer": "cus_jo", "assignee": None, "due_at": None, "note": "", **changed}
    with database.transaction() as session:
        return calls.request(session, token, person, Wish(**wish))  # type: ignore[arg-type]


def change(database: ModuleType, act: Callable[..., None], person: Person, *given: object, seen: str) -> None:
    with database.transaction() as session:
        act(session, "call_1", person, *given, seen=seen)


def held(database: ModuleType, token: str = "call_1") -> CallRequest:
    with database.session() as session:
        return calls.get(session, token)


@pytest.mark.usefixtures("jo")
def test_a_call_goes_from_requested_to_done(database: ModuleType, ann: Person) -> None:
    due = clock.now() + DAY
    assert ask(database, ann, assignee=ann.id, due_at=due, note="  about seats ")
    row = held(database)
    assert (row.state, row.assignee, row.due_at, row.note) == ("requested", ann.id, due, "about seats")
    assert (row.requested_by, row.requested_by_name) == (ann.id, "Ann")
    change(database, calls.schedule, ann, due + 3600, seen="requested")
    assert (held(database).state, held(database).due_at) == ("scheduled", due + 3600)
    change(database, calls.close, ann, "done", "will_pay", "next week", seen="scheduled")
    row = held(database)
    assert (row.state, row.outcome, row.outcome_note) == ("done", "will_pay", "next week")
    with database.session() as session:
        facts = session.get(CustomerFacts, "cus_jo")
        assert (facts.last_contact_at, facts.last_contact_kind) == (row.closed_at, "call")


@pytest.mark.usefixtures("jo")
def test_a_request_shows_on_pages_that_are_open(
    database: ModuleType, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version, "AT_MOST_EVERY", 0.0)
    with database.transaction() as session:
        session.merge(Workspace(account="acct_1", mode="test"))
    with database.session() as session:
        before = version.data_version(session)
    assert ask(database, ann)
    with database.session() as session:
        assert version.data_version(session) == before + 1


@pytest.mark.usefixtures("jo")
def test_twenty_clicks_request_one_call(database: ModuleType, ann: Person) -> None:
    with ThreadPoolExecutor(20) as pool:
        new = list(pool.map(lambda number: ask(database, ann, note=str(number)), range(20)))
    assert sum(new) == 1
    with database.session() as session:
        assert callboard.count(session, []) == 1


@pytest.mark.usefixtures("jo")
def test_a_call_that_was_not_held_can_get_a_new_time(database: ModuleType, ann: Person) -> None:
    ask(database, ann)
    change(database, calls.close, ann, "no_show", "", "", seen="requested")
    assert held(database).closed_at is not None
    with database.session() as session:
        assert session.get(CustomerFacts, "cus_jo").last_contact_at is None
    change(database, calls.schedule, ann, clock.now() + DAY, seen="no_show")
    row = held(database)
    assert (row.state, row.outcome, row.closed_at) == ("scheduled", None, None)


@pytest.mark.usefixtures("jo")
def test_what_somebody_else_did_meanwhile_is_not_overwritten(database: ModuleType, ann: Person) -> None:
    ask(database, ann)
    change(database, calls.close, ann, "declined", "", "", seen="requested")
    for act, given in (
        (calls.schedule, (clock.now() + DAY,)),
        (calls.close, ("done", "will_pay", "")),
        (calls.reassign, (ann.id,)),
    ):
        for seen in ("requested", "declined"):
            with pytest.raises(Conflict):
                change(database, act, ann, *given, seen=seen)
    assert (held(database).state, held(database).outcome) == ("declined", None)


@pytest.mark.usefixtures("jo")
def test_a_call_is_handed_over(database: ModuleType, ann: Person, vera: Person) -> None:
    ask(database, ann, assignee=ann.id)
    change(database, calls.reassign, ann, None, seen="requested")
    assert held(database).assignee is None
    with pytest.raises(InvalidInput, match="Vera does not make calls"):
        change(database, calls.reassign, ann, vera.id, seen="requested")


@pytest.mark.usefixtures("jo")
def test_who_may_not_work_calls_changes_nothing(database: ModuleType, ann: Person, vera: Person) -> None:
    with pytest.raises(NotAllowed):
        ask(database, vera)
    ask(database, ann)
    for act, given in (
        (calls.schedule, (clock.now() + DAY,)),
        (calls.close, ("done", "will_pay", "")),
        (calls.reassign, (ann.id,)),
    ):
        with pytest.raises(NotAllowed):
            change(database, act, vera, *given, seen="requested")
    assert held(database).state == "requested"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"customer": "cus_nobody"}, NotFound),
        ({"assignee": 4711}, InvalidInput),
        ({"due_at": -2 * DAY}, InvalidInput),
        ({"due_at": 400 * DAY}, InvalidInput),
        ({"note": "x" * 5001}, InvalidInput),
    ],
)
@pytest.mark.usefixtures("jo")
def test_what_cannot_be_requested_is_not_written(
    database: ModuleType, ann: Person, changed: dict[str, object], problem: type[Exception]
) -> None:
    if "due_at" in changed:
        changed = {"due_at": clock.now() + changed["due_at"]}  # type: ignore[operator]
    with pytest.raises(problem):
        ask(database, ann, **changed)
    with database.session() as session, pytest.raises(NotFound):
        calls.get(session, "call_1")


def test_a_call_may_be_due_in_the_minute_that_runs_but_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    minute = builders.NOW - builders.NOW % 60
    monkeypatch.setattr(clock, "now", lambda: minute + 59)
    assert calls.check_due(minute) == minute
    assert calls.check_due(None) is None
    with pytest.raises(InvalidInput, match="This time has passed") as refused:
        calls.check_due(minute - 1)
    assert refused.value.field == "due_at"


@pytest.mark.usefixtures("jo")
def test_an_address_in_a_calls_note_can_be_used(database: ModuleType, ann: Person) -> None:
    assert ask(database, ann, note="https://meet.\u200bexample/1")
    assert held(database).note == "https://meet.example/1"


@pytest.mark.usefixtures("jo")
def test_an_overdue_call_can_still_be_handed_over_and_closed(database: ModuleType, ann: Person) -> None:
    assert ask(database, ann, due_at=clock.now() + DAY)
    clock.follow(clock.offset() + 2 * DAY)
    with pytest.raises(InvalidInput, match="This time has passed"):
        change(database, calls.schedule, ann, clock.now() - DAY, seen="requested")
    change(database, calls.reassign, ann, ann.id, seen="requested")
    change(database, calls.close, ann, "no_show", "", "", seen="requested")
    assert held(database).state == "no_show"


@pytest.mark.usefixtures("jo")
def test_nobody_is_asked_to_call_a_deleted_customer(database: ModuleType, ann: Person) -> None:
    with database.transaction() as session:
        session.get(Customer, "cus_jo").deleted = True
    with pytest.raises(Conflict, match="deleted in Stripe"):
        ask(database, ann)


@pytest.mark.parametrize(
    ("state", "outcome"),
    [("done", ""), ("done", "no_answer"), ("no_show", "will_pay"), ("requested", ""), ("requested", "other")],
)
@pytest.mark.usefixtures("jo")
def test_a_call_that_took_place_needs_an_outcome_and_no_other_has_one(
    database: ModuleType, ann: Person, state: str, outcome: str
) -> None:
    ask(database, ann)
    with pytest.raises(InvalidInput, match="what came of the call"):
        change(database, calls.close, ann, state, outcome, "", seen="requested")
    assert held(database).closed_at is None
    assert set(CALL_ENDS) == set(calls.CLOSED)


def test_those_who_work_calls_can_be_given_one(database: ModuleType, ann: Person) -> None:
    with database.session() as session:
        assert [person.id for person in calls.assignees(session)] == [ann.id]


@pytest.fixture
def board(database: ModuleType, ann: Person, jo: str) -> ModuleType:
    """Calls in each state, seen from builders.NOW."""
    now = builders.NOW
    with database.transaction() as session:
        facts = session.get(CustomerFacts, jo)
        facts.status, facts.plan, facts.plan_micros, facts.trial_end = "trialing", "Team", 7, now + DAY
        for token, state, assignee, due, closed in (
            ("late", "requested", ann.id, now - DAY, None),
            ("soon", "scheduled", ann.id, now + DAY, None),
            ("someday", "requested", None, None, None),
            ("old", "done", ann.id, now - 5 * DAY, now - 5 * DAY),
            ("new", "no_show", 99, now - 2 * DAY, now - DAY),
        ):
            session.add(
                CallRequest(
                    token=token, customer=jo, state=state, assignee=assignee, due_at=due, closed_at=closed,
                    created_at=now,
                )
            )  # fmt: skip
    return database


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (CallFilter(), ["late", "soon", "someday"]),
        (CallFilter(state=""), ["late", "soon", "someday", "new", "old"]),
        (CallFilter(state="scheduled"), ["soon"]),
        (CallFilter(assignee=callboard.NOBODY), ["someday"]),
        (CallFilter(due_before=builders.NOW), ["late"]),
        (CallFilter(state="", due_before=builders.NOW + 2 * DAY), ["late", "soon"]),
        (CallFilter(state="", assignee=99), ["new"]),
    ],
)
def test_calls_are_listed_due_first(board: ModuleType, wanted: CallFilter, found: list[str]) -> None:
    where = callboard.conditions(wanted)
    with board.session() as session:
        rows = callboard.page(session, where, builders.NOW, offset=0, limit=10)
        assert callboard.count(session, where) == len(rows)
        assert [row.token for row in callboard.page(session, where, builders.NOW, offset=1, limit=1)] == (
            found[1:2]
        )
    assert [row.token for row in rows] == found
    assert [row.token for row in rows if row.overdue] == [token for token in found if token == "late"]


def test_a_row_says_what_the_caller_should_know(board: ModuleType, ann: Person) -> None:
    with board.session() as session:
        late = callboard.page(session, [], builders.NOW, offset=0, limit=1)[0]
        counts = callboard.count_by_state(session, [])
    assert (late.name, late.assignee_name, late.plan, late.value_micros) == ("Jo", "Ann", "Team", 7)
    assert late.trial_end == builders.NOW + DAY
    assert counts == {"requested": 2, "scheduled": 1, "done": 1, "no_show": 1, "declined": 0}
