"""Is a command finished once when the desk's process is killed in the middle of it?

Each case costs two processes, so the normal run tries one for each command that moves money or ends
something; all moments with all commands, on both databases, run with the slow tests.
"""

from __future__ import annotations

import pytest
from sqlmodel import select

from models import Action, CancellationRequest
from services import database
from services.desk import requests
from services.desk.requests import Wish
from tests.desk.bench import ANA, FORMS, GRAVE, Bench, happened, prepare
from tests.desk.victim import MOMENTS
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
]
ALL = [(moment, command) for moment in MOMENTS for command in FORMS]


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
    code, told = run(desk, moment, command, about.customer.id, about.object_id)
    assert code == -9, told
    with database.session() as session:
        left = session.exec(select(Action).where(Action.customer == about.customer.id)).one()
        assert left.state == "running"
    code, told = run(desk, "finish")
    assert code == 0, told
    with database.session() as session:
        ended = session.exec(select(Action).where(Action.customer == about.customer.id)).one()
    assert ended.state == "done", ended.error
    if command in ("extend_trial", "end_trial", "cancel", "change_plan"):
        shown = desk.sdk.subscriptions.retrieve(about.object_id)
        assert (ended.after["status"], ended.after["trial_end"]) == (shown.status, shown.trial_end)
    return len(happened(desk, command, about))


def test_the_normal_run_kills_whatever_moves_money_or_ends_something() -> None:
    assert {command for _, command in CASES} >= GRAVE


@pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
@pytest.mark.parametrize(("moment", "command"), CASES)
def test_a_killed_command_is_finished_once(idle_desk: Bench, moment: str, command: str) -> None:
    assert effects(idle_desk, moment, command) == 1


@pytest.mark.parametrize("idle_desk", ["postgresql"], indirect=True, scope="module")
def test_a_killed_command_is_finished_once_on_postgresql(idle_desk: Bench) -> None:
    assert effects(idle_desk, "after Stripe did it", "add_charge") == 1


@pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
def test_a_request_to_cancel_is_approved_by_whoever_finishes_the_cancel(idle_desk: Bench) -> None:
    about = prepare(idle_desk, "cancel")
    with database.transaction() as session:
        requests.receive(session, "asked", Wish(about.object_id), ANA)
    code, told = run(idle_desk, "before the ledger", "cancel", about.customer.id, about.object_id)
    assert code == -9, told
    with database.session() as session:
        assert session.get_one(CancellationRequest, "asked").state == "open"
    code, told = run(idle_desk, "finish")
    assert code == 0, told
    with database.session() as session:
        assert session.get_one(CancellationRequest, "asked").state == "approved"


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "command"), ALL)
def test_every_command_survives_every_moment(idle_desk: Bench, moment: str, command: str) -> None:
    assert effects(idle_desk, moment, command) == 1
