"""Is a command finished once when the desk's process is killed in the middle of it?

Each case costs two processes, so the normal run tries one for each command that moves money or ends
something; all moments with all commands, on both databases, run with the slow tests.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from sqlmodel import select

from models import Action
from services import database
from tests.desk.bench import FORMS, GRAVE, Bench, happened, prepare
from tests.desk.victim import MOMENTS
from tests.support.nursery import ROOT

CASES = [
    ("before the queue", "extend_trial"),
    ("before the call", "end_trial"),
    ("after Stripe did it", "add_charge"),
    ("after Stripe did it", "cancel"),
    ("after Stripe did it", "retry_payment"),
    ("before the ledger", "reactivate"),
]
ALL = [(moment, command) for moment in MOMENTS for command in FORMS]


def run(*arguments: str) -> int:
    """The exit code of a victim; -9 where it was killed."""
    command = [sys.executable, "-m", "tests.desk.victim", *arguments]
    return subprocess.run(command, cwd=ROOT, timeout=120, check=False).returncode


def effects(desk: Bench, moment: str, command: str) -> int:
    """Kills a process at the moment, lets another finish; how often it happened by the account's books."""
    about = prepare(desk, command)
    url = database.engine().url.render_as_string(hide_password=False)
    assert run(url, desk.sandbox.url, moment, command, about.customer.id, about.object_id) == -9
    with database.session() as session:
        left = session.exec(select(Action).where(Action.customer == about.customer.id)).one()
        assert left.state == "running"
    assert run(url, desk.sandbox.url, "finish") == 0
    with database.session() as session:
        ended = session.exec(select(Action).where(Action.customer == about.customer.id)).one()
    assert ended.state == "done", ended.error
    if command in ("extend_trial", "end_trial", "cancel"):
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


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "command"), ALL)
def test_every_command_survives_every_moment(idle_desk: Bench, moment: str, command: str) -> None:
    assert effects(idle_desk, moment, command) == 1
