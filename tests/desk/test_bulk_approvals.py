"""A run over more accounts than its person may take at once waits for a second person."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col, select

from models import Action, BulkRow, BulkRun, Staff
from services import database
from services.desk import approvals, bulk, bulk_approvals
from services.desk.approvals import Request
from services.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.staff.roles import Person, Role
from tests.desk.bench import BEN, SAM, VIC, Bench, press, within
from tests.desk.test_bulk import (
    ASKING,
    STRICT,
    begin,
    decide,
    ended,
    previewed,
    seen,
    staffed,
    told,
    trials,
    weeks,
)  # fmt: skip

pytestmark = pytest.mark.both_databases

PIA = Person(6, "Pia", "pia@example.com", Role.SALES, policy=ASKING)
SAM_ASKS, BEN_ASKED = replace(SAM, policy=ASKING), replace(BEN, policy=ASKING)
OVER = "The role sales may take up to 2 accounts in one bulk run; this is 3 accounts."


@pytest.fixture(autouse=True)
def _staff(desk: Bench) -> None:
    staffed()
    decide(ASKING)


def waiting(id: str, person: Person) -> Request:
    with database.session() as session:
        [found] = [one for one in bulk_approvals.waiting(session, person) if one.entry.token == id]
    return found


def count() -> int:
    with database.session() as session:
        return approvals.count(session)


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two who decide have both seen that it waits before one of them goes on, where the database lets two
    write at once."""
    real, turn = bulk_approvals._why_not, threading.Barrier(2)

    def meet(*given: Any) -> str:
        with contextlib.suppress(threading.BrokenBarrierError):
            turn.wait(1)
        return real(*given)

    monkeypatch.setattr(bulk_approvals, "_why_not", meet)


def test_it_is_begun_once_in_the_name_of_who_asked_where_somebody_allows_it(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    about, before = trials(desk, 3), count()
    heard = previewed(SAM_ASKS, about)
    assert heard.waits
    assert heard.warnings == (OVER, "Nothing is done until a colleague who may do so much allows it.")
    run = begin(about, person=SAM_ASKS)
    assert (seen(run).state, seen(run).counts, count()) == ("asked", {"waiting": 3}, before + 1)
    request, own = waiting(run, BEN_ASKED), waiting(run, SAM_ASKS)
    assert (request.entry.title, request.entry.customer_name) == ("Extend trial by 7 days", "3 accounts")
    assert (request.entry.staff_name, request.entry.reason, request.over) == ("Sam", "asked for it", (OVER,))
    assert (request.why_not, request.is_own, own.is_own) == ("", False, True)
    [told] = request.entry.happens
    assert all(each.customer.name in told for each in about), "whoever allows it knows to whom it is done"
    vic = replace(VIC, policy=ASKING)
    for person, why in ((SAM_ASKS, "asked for it yourself"), (PIA, "up to 2 accounts"), (vic, "may not")):
        with pytest.raises(NotAllowed, match=why):
            bulk_approvals.allow(person, run)

    def allow(person: Person) -> str:
        try:
            return bulk_approvals.allow(person, run).state
        except Conflict as problem:
            return problem.message

    at_once(monkeypatch)
    with ThreadPoolExecutor(2) as both:
        said = sorted(both.map(allow, (BEN_ASKED, replace(BEN_ASKED, id=7, name="Bea"))))
    first = ended(run).decider_name
    assert said == [f"This does not wait for approval any more. {first} has decided about it.", "running"]
    assert (seen(run).counts, count()) == ({"done": 3}, before)
    assert [weeks(desk, each) for each in about] == [1.0] * 3
    with database.session() as session:
        names = select(Action.staff_name).join(BulkRow, col(BulkRow.token) == col(Action.token))
        assert session.exec(names.where(BulkRow.run == run)).all() == ["Sam"] * 3


def test_what_was_allowed_goes_on_and_its_rows_have_their_limits_still(desk: Bench) -> None:
    about = trials(desk, 3)
    run = begin(about, {"mode": "days", "days": "9"}, SAM_ASKS)
    assert press(BEN, "extend_trial", about[0], mode="days", days="1")[1].state == "done"
    bulk_approvals.allow(BEN_ASKED, run)
    assert ended(run).counts == {"skipped": 1, "asked": 2}
    assert "came “Extend trial” by Ben" in told(run)[about[0].object_id][1]
    with pytest.raises(Conflict, match="None of these failed"):
        bulk.retry(SAM_ASKS, run)
    with database.transaction() as session:
        session.get_one(BulkRun, run).state = "stopped"
    bulk.resume(SAM_ASKS, run)
    within(20, lambda: seen(run).state == "done")
    assert seen(run).note == ""


def test_it_is_declined_with_a_reason_or_taken_back(desk: Bench) -> None:
    about = trials(desk, 3)
    declined, taken_back = begin(about, person=SAM_ASKS), begin(about, person=SAM_ASKS)
    off = replace(BEN, policy=STRICT)
    assert "switched off" in waiting(declined, off).why_not and waiting(declined, off).may_decline
    with pytest.raises(NotAllowed, match="switched off"):
        bulk_approvals.allow(off, declined)
    with pytest.raises(InvalidInput, match="Say why not"):
        bulk_approvals.decline(off, declined, " ")
    with pytest.raises(NotAllowed, match="may not extend trials"):
        bulk_approvals.decline(VIC, declined, "no")
    assert seen(declined, PIA).state == "asked", "who may decide sees it, also where nobody else's are seen"
    assert bulk_approvals.decline(off, declined, "too many").message == "Ben said no: too many"
    assert bulk_approvals.decline(SAM_ASKS, taken_back, "").message == "Sam took it back."
    assert (seen(declined).state, seen(declined).note) == ("declined", "Ben said no: too many")
    assert [seen(one).counts for one in (declined, taken_back)] == [{"declined": 3}] * 2
    with pytest.raises(Conflict, match="Ben has decided"):
        bulk_approvals.allow(BEN_ASKED, declined)
    with pytest.raises(NotFound):
        seen(declined, PIA)
    assert [weeks(desk, each) for each in about] == [0.0] * 3


def test_who_is_gone_has_nothing_begun_any_more(desk: Bench) -> None:
    run = begin(trials(desk, 3), person=SAM_ASKS)
    with database.transaction() as session:
        session.get_one(Staff, SAM.id).active = False
    with pytest.raises(NotAllowed, match="Sam may not do this any more: it can only be declined"):
        bulk_approvals.allow(BEN_ASKED, run)
    assert bulk_approvals.decline(BEN_ASKED, run, "has left").state == "failed"
