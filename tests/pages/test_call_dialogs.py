"""What the dialogs of calls announce and refuse, and what they leave once confirmed."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlmodel import select

from models import CallRequest, Customer
from pages.components import formats, outreach
from pages.components.call_dialogs import _Close, _Schedule
from pages.components.outreach import _CallDialogue
from services import clock
from services.customers import timeline
from services.desk import activity
from services.desk.activity import ActivityFilter
from services.errors import InvalidInput
from services.outreach import callboard, calls
from services.outreach.calls import Wish
from services.staff.roles import Person
from tests.pages.work import add_trial


def test_several_calls_are_requested_once_without_who_was_deleted(staffed: ModuleType, sam: Person) -> None:
    ids = {add_trial(staffed, name, 2, phone="+1 555 0100"): name for name in ("Jo", "Al")}
    with staffed.session() as session:
        dialogue = _CallDialogue(ids, calls.assignees(session), sam.id)
    form = {"assignee": str(sam.id), "due": outreach.next_working_morning().isoformat(), "note": "Hi"}
    assert dialogue.preview(form).happens[0].startswith("Sam Okafor is asked to call 2 customers by ")
    with staffed.transaction() as session:
        session.get(Customer, "cus_al").deleted = True
    (warning,) = dialogue.preview(form).warnings
    assert warning.startswith("Al is left out: This customer was deleted in Stripe.")
    for _ in range(2):
        done = dialogue.submit(sam, form, "")
        assert (done.state, done.message) == ("done", "1 call requested. See the Calls page.")
        assert done.remedy.startswith("Al is left out: ")
    assert _number_of_calls(staffed) == 1
    with staffed.transaction() as session:
        session.get(Customer, "cus_jo").deleted = True
    with pytest.raises(InvalidInput, match=r"Jo is left out.*Al is left out"):
        dialogue.submit(sam, form, "")


def _number_of_calls(database: ModuleType) -> int:
    with database.session() as session:
        return int(session.scalar(select(sa.func.count()).select_from(CallRequest)))


def test_a_second_request_names_the_call_that_is_open(staffed: ModuleType, sam: Person) -> None:
    customer, due = add_trial(staffed, "Jo", 2, phone="+1 555 0100"), clock.now() + clock.DAY
    dialogue = _CallDialogue({customer: "Jo"}, [sam], sam.id)
    form = {"assignee": str(sam.id), "due": "", "note": ""}
    assert dialogue.preview(form).warnings == ()
    with staffed.transaction() as session:
        for assignee, at in ((sam.id, due), (None, None)):
            calls.request(session, calls.new_token(), sam, Wish(customer, assignee, at))
    assert dialogue.preview(form).warnings == (
        f"A call with Jo is open already: Sam Okafor, due {formats.moment(due)}.",
        "A call with Jo is open already: nobody has taken it yet, without a date.",
    )
    with staffed.transaction() as session:
        for call in session.exec(select(CallRequest)):
            calls.close(session, call.token, sam, "declined", "", "", seen=call.state)
    assert dialogue.preview(form).warnings == ()


def test_whom_nobody_can_call_yet_is_named_before_the_call_is_requested(
    staffed: ModuleType, sam: Person
) -> None:
    ids = {add_trial(staffed, name, 2, phone=phone): name for name, phone in (("Jo", "+1 555"), ("Al", ""))}
    told = _CallDialogue(ids, [sam], sam.id).preview({"assignee": "0", "due": "", "note": ""})
    assert told.warnings == ("No phone number is known of Al.",)


def test_a_call_may_wait_for_somebody_and_have_no_date(staffed: ModuleType, sam: Person) -> None:
    dialogue = _CallDialogue({add_trial(staffed, "Jo", 2): "Jo"}, [sam], 99)
    told = dialogue.preview({"assignee": "0", "due": "", "note": ""})
    assert told.happens[0].startswith("A call with the customer waits on the Calls page")


def test_a_time_that_has_passed_is_refused_before_anything_is_announced(
    staffed: ModuleType, sam: Person
) -> None:
    customer = add_trial(staffed, "Jo", 2)
    request = _CallDialogue({customer: "Jo"}, [sam], sam.id)
    request_call(staffed, sam, customer)
    with staffed.session() as session:
        [row] = callboard.page(session, [], clock.now(), offset=0, limit=1)
    schedule = _Schedule(row)
    for dialogue in (request, schedule):
        with pytest.raises(InvalidInput, match="This time has passed"):
            dialogue.preview({"assignee": str(sam.id), "due": "2020-01-02T10:00:00", "note": ""})


def test_a_time_is_told_by_the_clock_here_and_by_the_customers(staffed: ModuleType, sam: Person) -> None:
    customer = add_trial(staffed, "Jo", 2, country="JP")
    request_call(staffed, sam, customer)
    with staffed.session() as session:
        [row] = callboard.page(session, [], clock.now(), offset=0, limit=1)
    day = clock.local(clock.now(), ZoneInfo("UTC")).date() + timedelta(days=3)
    next_day = day + timedelta(days=1)
    told = _Schedule(row).preview({"due": f"{day}T20:00:00"}).happens
    here, there = (line.replace("\u202f", " ") for line in told[:2])
    assert here.endswith("8:00 PM (UTC).")
    assert there.startswith("For the customer that is ")
    assert there.endswith(f" {next_day.day}, {next_day.year}, 5:00 AM, Asia/Tokyo.")


@pytest.mark.parametrize(
    ("state", "told"), [("no_show", "Nobody was there"), ("declined", "The customer declined")]
)
def test_a_call_that_did_not_take_place_has_no_outcome(
    staffed: ModuleType, sam: Person, state: str, told: str
) -> None:
    customer = add_trial(staffed, "Jo", 2)
    request_call(staffed, sam, customer)
    with staffed.session() as session:
        [row] = callboard.page(session, [], clock.now(), offset=0, limit=1)
    form = {"state": state, "outcome": "", "note": ""}
    assert _Close(row).preview(form).happens == (f"The call is closed: {told.lower()}.",)
    assert _Close(row).submit(sam, form, "").state == "done"
    with staffed.session() as session:
        [closed] = activity.search(session, sam, ActivityFilter(kind="call_outcome"))
        entries = timeline.latest(session, sam, customer, ["Calls"], formats, limit=9).entries
    assert (closed.state, closed.detail) == (state, told)
    assert f"Call outcome: {told}" in [entry.title for entry in entries]
    with pytest.raises(InvalidInput, match="Choose what came of the call"):
        _Close(row).preview({**form, "state": "done"})


def request_call(database: ModuleType, person: Person, customer: str) -> None:
    with database.transaction() as session:
        calls.request(session, calls.new_token(), person, Wish(customer, None, None))
