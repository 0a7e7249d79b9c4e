"""One command for many: previewed, carried out row by row, stopped, resumed, and what failed tried again."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col, select

from models import Action, BulkRow, BulkRun, PolicyDocument, Staff
from services import clock, database
from services.desk import approvals, bulk, bulk_preview, bulk_progress, bulk_runner, commands, repeats
from services.desk.asking import Opened
from services.desk.bulk_progress import Run
from services.desk.command import Form
from services.desk.limits import OverLimit
from services.desk.subject import Subject
from services.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.staff import policy
from services.staff.roles import Measure, Person, Policy, Role
from tests.desk.bench import ANA, BEN, SAM, VIC, WEEK, Bench, press, within
from tests.desk.test_fresh import vanish

SQLITE = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
LIMITS = {Role.SALES: {(Measure.TRIAL_DAYS, ""): 7, (Measure.ACCOUNTS, ""): 2}}
STRICT, ASKING = Policy(limits=LIMITS), Policy(limits=LIMITS, approvals=True)


@pytest.fixture(autouse=True)
def _staff(request: pytest.FixtureRequest) -> None:
    """Those who press the buttons stand in the staff table, under the usual policy."""
    if "idle_desk" in request.fixturenames:
        request.getfixturevalue("idle_desk")
        staffed()


def staffed() -> None:
    with database.transaction() as session:
        for one in (ANA, BEN, SAM, VIC):
            session.merge(Staff(id=one.id, email=one.email, name=one.name, role=one.role, created_at=1))
        if held := session.get(PolicyDocument, 1):
            session.delete(held)


def decide(decided: Policy) -> None:
    with database.transaction() as session:
        policy.write(session, decided, seen=policy.version(session))


def trials(desk: Bench, number: int) -> list[Subject]:
    return [desk.in_state("trialing") for _ in range(number)]


def begin(about: Sequence[Subject], form: Form = WEEK, person: Person = ANA) -> str:
    """Begins a run that extends these trials."""
    token = commands.new_token()
    bulk.start(token, person, "extend_trial", [each.object_id for each in about], form, "asked for it")
    return token


def seen(id: str, person: Person = ANA) -> Run:
    with database.session() as session:
        return bulk_progress.find(session, person, id)


def ended(id: str) -> Run:
    """The run once it does not move any more."""
    within(30, lambda: seen(id).state in ("done", "stopped"))
    return seen(id)


def told(id: str) -> dict[str, tuple[str, str]]:
    """State and sentence of each row, by its object."""
    with database.session() as session:
        return {row.object_id: (row.state, row.message) for row in bulk_progress.rows(session, id)}


def weeks(desk: Bench, about: Subject) -> float:
    """By how many weeks the account has extended it."""
    assert about.subscription and about.subscription.trial_end
    moved = desk.sdk.subscriptions.retrieve(about.object_id).trial_end or 0
    return (moved - about.subscription.trial_end) / (7 * clock.DAY)


def previewed(person: Person, about: Sequence[Subject], form: Form = WEEK) -> Any:
    with database.session() as session:
        chosen = bulk_preview.look(session, "extend_trial", [each.object_id for each in about])
    return bulk_preview.preview(person, chosen, form)


@SQLITE
def test_each_is_extended_once_with_a_ledger_row_of_its_own(desk: Bench) -> None:
    about = trials(desk, 10)
    run = begin(about)
    bulk.start(run, ANA, "extend_trial", [each.object_id for each in about], WEEK, "asked for it")
    reached = ended(run)
    assert (reached.state, reached.said) == ("done", "10 of 10 trials extended.")
    assert [weeks(desk, each) for each in about] == [1.0] * 10
    assert told(run)[about[0].object_id][1].startswith("The trial now ends on ")
    with database.session() as session:
        rows = session.exec(select(BulkRow).where(BulkRow.run == run)).all()
        actions = session.exec(select(Action).where(col(Action.token).in_([row.token for row in rows]))).all()
    assert {(one.state, one.staff_name, one.reason) for one in actions} == {("done", "Ana", "asked for it")}
    assert len(actions) == 10


@pytest.mark.both_databases
@pytest.mark.parametrize("idle_desk", ["postgresql"], indirect=True, scope="module")
def test_on_postgresql(desk: Bench) -> None:
    about = trials(desk, 3)
    reached = ended(begin(about))
    assert (reached.state, reached.counts) == ("done", {"done": 3})
    with database.session() as session:
        assert reached.id in [run.id for run in bulk_progress.recent(session, BEN)]
    assert [weeks(desk, each) for each in about] == [1.0] * 3


@SQLITE
def test_the_preview_says_how_many_and_who_is_left_out_and_why(desk: Bench) -> None:
    well, leaving, active, other = [
        desk.in_state(each) for each in ("trialing", "set to cancel", "active", "active")
    ]
    with_it = desk.in_state("trialing without a card")
    heard = previewed(ANA, [well, active, with_it, other])
    assert heard.happens == (
        "Each of the 2 trials ends 7 days later than it does now.", "Nothing is charged now.",
    )  # fmt: skip
    assert heard.warnings == (
        "2 of 4 trials cannot be extended: Ada Lovelace, Ada Lovelace. There is no running trial: the "
        "subscription is active.",
        "Without a card, so that it is canceled at the new end: Ada Lovelace.",
    )
    run = begin([well, active, with_it, other])
    assert ended(run).counts == {"done": 2, "skipped": 2}
    assert told(run)[active.object_id] == (
        "skipped", "There is no running trial: the subscription is active.",
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="Of 2 trials none can be extended"):
        previewed(ANA, [active, leaving])
    for days, remark in (("1.5", "not a whole number"), ("0", "between 1 and 730")):
        with pytest.raises(InvalidInput, match=remark) as error:
            previewed(ANA, [well, with_it], {"mode": "days", "days": days})
        assert error.value.field == "days"


@SQLITE
def test_limits_hold_for_each_row_and_for_how_many_at_once(desk: Bench) -> None:
    about = trials(desk, 3)
    nine = {"mode": "days", "days": "9"}
    strict = replace(SAM, policy=STRICT)
    with pytest.raises(OverLimit, match="up to 7 days"):
        previewed(strict, about[:2], nine)
    with pytest.raises(OverLimit, match="up to 2 accounts in one bulk run; this is 3"):
        previewed(strict, about)
    with pytest.raises(OverLimit, match="2 accounts"):
        begin(about, person=strict)
    with pytest.raises(NotAllowed, match="may not extend trials"):
        begin(about, person=VIC)
    asking = replace(SAM, policy=ASKING)
    assert previewed(asking, about[:2], nine).warnings[-2:] == (
        f"The role sales may go up to 7 days for the {Measure.TRIAL_DAYS}; this is 9 days. (all of them)",
        "Nothing is done until a colleague who may do so much allows it.",
    )
    decide(ASKING)
    run = begin(about[:2], nine, asking)
    assert ended(run).counts == {"asked": 2}
    with database.session() as session:
        first = session.exec(
            select(BulkRow).where(BulkRow.run == run).order_by(col(BulkRow.position))
        ).first()
    assert first is not None
    approvals.decline(BEN, first.token, "Nine are too many")
    assert seen(run).counts == {"asked": 1, "declined": 1}
    assert told(run)[about[0].object_id] == ("declined", "Ben said no: Nine are too many")
    with pytest.raises(Conflict, match="None of these failed"):
        bulk.retry(asking, run)
    assert [weeks(desk, each) for each in about[:2]] == [0.0] * 2


@SQLITE
def test_what_a_colleague_did_since_the_run_was_begun_is_not_done_again(desk: Bench) -> None:
    about = trials(desk, 2)
    run = BulkRun(
        id=commands.new_token(), command="extend_trial", form=dict(WEEK), staff=ANA.id, role="support",
        created_at=clock.now() - 60, state="stopped",
    )  # fmt: skip
    rows = [
        BulkRow(
            run=run.id, position=place, customer=each.customer.id, object_id=each.object_id,
            token=commands.new_token(),
        )
        for place, each in enumerate(about)
    ]  # fmt: skip
    with database.transaction() as session:
        session.add_all([run, *rows])
        id = run.id
    assert press(BEN, "extend_trial", about[0], **WEEK)[1].state == "done"
    bulk.resume(ANA, id)
    assert ended(id).counts == {"done": 1, "skipped": 1}
    assert told(id)[about[0].object_id][1].startswith("After this run was begun came “Extend trial” by Ben, ")
    assert [weeks(desk, each) for each in about] == [1.0] * 2


def held_back(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Semaphore, threading.Event]:
    """Rows that begin wait for the event; each releases the semaphore once before."""
    began, go_on = threading.Semaphore(0), threading.Event()
    real = commands.begin

    def slow(*given: Any) -> bool:
        began.release()
        go_on.wait(20)
        return real(*given)

    monkeypatch.setattr(commands, "begin", slow)
    return began, go_on


@SQLITE
def test_a_stopped_run_begins_no_further_row_and_goes_on_where_it_was(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = trials(desk, 12)
    began, go_on = held_back(monkeypatch)
    run = begin(about)
    for _ in range(bulk_runner._AT_ONCE):
        assert began.acquire(timeout=20)
    bulk.stop(BEN, run)
    with pytest.raises(Conflict, match="stopping by now"):
        bulk.stop(BEN, run)
    go_on.set()
    reached = ended(run)
    assert (reached.state, reached.counts) == ("stopped", {"done": 8, "waiting": 4})
    with pytest.raises(NotAllowed, match="Ana began this run"):
        bulk.resume(BEN, run)
    bulk.resume(ANA, run)
    assert ended(run).counts == {"done": 12}
    assert [weeks(desk, each) for each in about] == [1.0] * 12


@SQLITE
def test_only_what_failed_is_tried_again(
    desk: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    well, early, late, gone = (desk.in_state("trialing") for _ in range(4))
    lost = vanish(gone)[1]
    real_open, real_begin = commands.open, commands.begin

    def fail_before(person: Person, command: str, customer: str, id: str, **given: Any) -> Opened:
        if id == early.object_id:
            raise KeyError("status")
        return real_open(person, command, customer, id, **given)

    def fail_after(opened: Opened, person: Person, form: Form, reason: str) -> bool:
        mine = real_begin(opened, person, form, reason)
        if opened.subject.object_id == late.object_id:
            raise KeyError("status")
        return mine

    monkeypatch.setattr(commands, "open", fail_before)
    monkeypatch.setattr(commands, "begin", fail_after)
    run = commands.new_token()
    ids = [well.object_id, early.object_id, late.object_id, lost]
    bulk.start(run, ANA, "extend_trial", ids, WEEK, "")
    reached = ended(run)
    within(20, lambda: told(run)[late.object_id][0] == "done")
    rows = told(run)
    assert (rows[early.object_id][0], rows[lost][0]) == ("failed", "skipped"), "one fault stops no other"
    [reference] = re.findall(r"under (\w+)", rows[early.object_id][1])
    assert reference in caplog.text and "is not in Stripe any more" in rows[lost][1]
    monkeypatch.undo()
    with pytest.raises(Conflict, match="done by now, not stopped"):
        bulk.resume(ANA, run)
    bulk.retry(ANA, run)
    reached = ended(run)
    assert reached.counts == {"done": 3, "skipped": 1}
    assert [weeks(desk, each) for each in (well, early, late)] == [1.0] * 3
    with pytest.raises(Conflict, match="None of these failed"):
        bulk.retry(ANA, run)


@SQLITE
def test_what_stripe_refused_is_tried_again_under_a_new_token(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = trials(desk, 2)
    path = f"/v1/subscriptions/{about[0].object_id}"
    monkeypatch.setattr(repeats, "PAUSES", ())
    desk.sandbox.fault("500_before", method="POST", path=path)
    run = begin(about)
    assert ended(run).counts == {"done": 1, "failed": 1}
    desk.sandbox.heal()
    bulk.retry(ANA, run)
    assert ended(run).counts == {"done": 2}
    assert [weeks(desk, each) for each in about] == [1.0] * 2


@SQLITE
def test_who_may_not_any_more_is_told_and_nothing_further_is_done(desk: Bench) -> None:
    about = trials(desk, 2)
    with database.transaction() as session:
        session.get_one(Staff, ANA.id).active = False
    reached = ended(begin(about))
    assert (reached.state, reached.note) == ("stopped", "Who began this may not come in any more.")
    assert [weeks(desk, each) for each in about] == [0.0] * 2
    staffed()
    bulk.resume(ANA, reached.id)
    assert (ended(reached.id).state, seen(reached.id).note) == ("done", "")


@SQLITE
def test_runs_are_seen_by_who_began_them_and_by_who_sees_all_activity(desk: Bench) -> None:
    run = begin(trials(desk, 1))
    assert ended(run).is_own and not seen(run, BEN).is_own
    for look in (lambda: seen(run, SAM), lambda: bulk.stop(SAM, run)):
        with pytest.raises(NotFound):
            look()
    with database.session() as session:
        assert bulk_progress.count(session, SAM) == len(
            session.exec(select(BulkRun).where(BulkRun.staff == SAM.id)).all()
        )


def test_too_many_for_one_run_are_named() -> None:
    with pytest.raises(InvalidInput, match="at most 5,000 trials"):
        bulk_preview.look(None, "extend_trial", [""] * 5_001)  # type: ignore[arg-type]
