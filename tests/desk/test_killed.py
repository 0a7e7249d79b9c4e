"""Is a command finished once when the desk's process is killed in the middle of it?

Each case costs two processes, so the normal run tries one for each command that moves money or ends
something; all moments with all commands, on both databases, run with the slow tests.
"""

from __future__ import annotations

import json
import random
import time

import pytest
from sqlmodel import select

from models import Action, ActionStep, CancellationRequest
from services import database
from services.desk import hearing
from services.desk.hearing import Wish
from services.desk.subject import Subject
from tests.desk.bench import ANA, BY_DELETE, FORMS, GRAVE, Bench, form_of, happened, name_of, prepare
from tests.desk.victim import MOMENTS, OF_EACH_REQUEST
from tests.support.nursery import nursery

CASES = [
    ("before the queue", "extend_trial"),
    ("before the call", "end_trial"),
    ("after Stripe did it", "add_charge"),
    ("after Stripe did it", "cancel"),
    ("after Stripe did it", "retry_payment"),
    ("before the ledger", "reactivate"),
    ("after Stripe did it", "account_credit"),
    ("after Stripe did it", "change_plan"),
    ("after Stripe did it", "refund"),
    ("before the checkpoint", "retry_all"),
    ("on its way", "cancel"),
]
REQUESTS = {
    "add_charge": 4,
    "add_charge sent": 4,
    "retry_all": 2,
}  # of a command, where it makes more than one
ALL = [
    (moment, command) for moment in (*MOMENTS, *OF_EACH_REQUEST) for command in FORMS
] + [
    (f"{moment}, request {number}", command)
    for moment in OF_EACH_REQUEST
    for command, most in REQUESTS.items()
    for number in range(2, most + 1)
]  # fmt: skip
IN_A_CALL = {  # the fault of requests that lasts so long (seconds): in the second, another process comes
    "during the call": ("slow", 2.0),  # to the same request before it has arrived
    "on its way": ("late", 6.0),
}
_ANY = random.Random(7)
AT_ANY_STEP = [(f"before step {_ANY.randrange(1, 70)}", command) for command in FORMS for _ in range(5)]


SQLITE = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")


def run(desk: Bench, *arguments: str) -> tuple[int, str]:
    """The exit code of a victim on the desk's database and account, and what it wrote; -9: it was killed."""
    url = database.engine().url.render_as_string(hide_password=False)
    log = desk.sandbox.data.with_name("victim.log")
    log.unlink(missing_ok=True)
    given = [url, desk.sandbox.url, *arguments]
    return nursery().start("tests.desk.victim", given, log).wait(120), log.read_text()


def effects(desk: Bench, moment: str, command: str) -> int:
    """Kills a process at the moment, lets another finish; how often it happened by the account's books."""
    about = prepare(desk, command)
    kind, seconds = IN_A_CALL.get(moment, ("", 0.0))
    if kind:
        method = "DELETE" if command in BY_DELETE else "POST"
        desk.sandbox.fault(kind, path="/v1/", method=method, seconds=seconds)
    left, ended = killed(desk, moment, command, about)
    if kind == "late":
        time.sleep(seconds)  # what comes without a key may still be on its way
    assert (left, ended.state) == ("running", "done"), ended.error
    if name_of(command) in ("extend_trial", "end_trial", "cancel", "change_plan"):
        shown = desk.sdk.subscriptions.retrieve(about.object_id)
        assert (ended.after["status"], ended.after["trial_end"]) == (shown.status, shown.trial_end)
    with database.session() as session:
        made = session.exec(select(ActionStep).where(ActionStep.token == ended.token)).all()
    assert len(made) == REQUESTS.get(command, 1), "each of a command's requests has its kills"
    assert executed(desk, ended) == len(made)
    return len(happened(desk, command, about))


def executed(desk: Bench, action: Action) -> int:
    """How many requests of the action the account carried out, repeats of the same key left out."""
    done = desk.sandbox.requests(status=200, replayed=False)
    return sum((each["idempotency_key"] or "").startswith(f"{action.token}:") for each in done)


def killed(desk: Bench, moment: str, command: str, about: Subject) -> tuple[str, Action]:
    """The state in which a process leaves an action that dies at the moment, and the action once another
    process has finished it."""
    form = json.dumps(form_of(desk, command))
    code, told = run(desk, moment, name_of(command), about.customer.id, about.object_id, form)
    desk.sandbox.heal()
    assert code == -9, told
    left = action_of(about).state
    code, told = run(desk, "finish")
    assert code == 0, told
    return left, action_of(about)


def action_of(about: Subject) -> Action:
    """The one action of a customer."""
    with database.session() as session:
        return session.exec(select(Action).where(Action.customer == about.customer.id)).one()


def test_the_normal_run_kills_whatever_moves_money_or_ends_something() -> None:
    assert {command for _, command in CASES} >= GRAVE


@SQLITE
@pytest.mark.parametrize(("moment", "command"), CASES)
def test_a_killed_command_is_finished_once(idle_desk: Bench, moment: str, command: str) -> None:
    assert effects(idle_desk, moment, command) == 1


@pytest.mark.parametrize("idle_desk", ["postgresql"], indirect=True, scope="module")
def test_a_killed_command_is_finished_once_on_postgresql(idle_desk: Bench) -> None:
    assert effects(idle_desk, "after Stripe did it", "add_charge") == 1


@SQLITE
def test_a_request_to_cancel_is_approved_by_whoever_finishes_the_cancel(idle_desk: Bench) -> None:
    about = prepare(idle_desk, "cancel")
    with database.transaction() as session:
        hearing.record(session, ANA, "asked", Wish(about.object_id))
    left, ended = killed(idle_desk, "before the ledger", "cancel", about)
    with database.session() as session:
        row = session.get_one(CancellationRequest, "asked")
    assert (left, row.state, row.token) == ("running", "approved", ended.token)


@SQLITE
@pytest.mark.parametrize(
    ("moment", "command"),
    [pytest.param(*case, marks=[pytest.mark.slow] * (place > 1)) for place, case in enumerate(AT_ANY_STEP)],
)
def test_a_process_may_die_at_any_step(idle_desk: Bench, moment: str, command: str) -> None:
    about = prepare(idle_desk, command)
    left, ended = killed(idle_desk, moment, command, about)
    done = left != "open"  # else it was not confirmed yet
    assert ended.state == ("done" if done else "open"), ended.error
    assert len(happened(idle_desk, command, about)) == done


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "command"), ALL)
def test_every_command_survives_every_moment(idle_desk: Bench, moment: str, command: str) -> None:
    assert effects(idle_desk, moment, command) == 1
