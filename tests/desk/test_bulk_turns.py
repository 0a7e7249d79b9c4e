"""Runs beside each other, and runs whose person may less by now than when they were begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from models import BulkRow, BulkRun, Staff
from services import clock, database
from services.desk import bulk, bulk_progress, bulk_runner, commands
from services.desk.limits import OverLimit
from services.desk.subject import Subject
from services.staff.roles import Person
from tests.desk.bench import ANA, BEN, SAM, WEEK, Bench, within
from tests.desk.test_bulk import (
    SQLITE,
    STRICT,
    begin,
    decide,
    ended,
    held_back,
    seen,
    staffed,
    told,
    trials,
    weeks,
)
from tests.support.statements import asked

pytestmark = SQLITE


@pytest.fixture(autouse=True)
def _staff(idle_desk: Bench) -> None:
    staffed()


def left(about: Sequence[Subject], *states: str, person: Person = ANA, state: str = "running") -> str:
    """A run of this person's that no queue knows, with its rows in these states."""
    run = BulkRun(
        id=commands.new_token(), command="extend_trial", form=dict(WEEK), staff=person.id,
        created_at=clock.now(), state=state,
    )  # fmt: skip
    id = run.id
    with database.transaction() as session:
        session.add(run)
        for place, (each, stands) in enumerate(zip(about, states, strict=True)):
            session.add(
                BulkRow(
                    run=id, position=place, customer=each.customer.id, object_id=each.object_id,
                    token=commands.new_token(), state=stands,
                )
            )  # fmt: skip
    return id


def test_runs_go_on_beside_each_other_and_leave_half_of_the_workers(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = trials(desk, 10)
    began, go_on = held_back(monkeypatch)
    first = begin(about[:5])
    for _ in about[:5]:
        assert began.acquire(timeout=20)
    second = begin(about[5:], person=BEN)
    for _ in range(bulk_runner._AT_ONCE - 5):
        assert began.acquire(timeout=20)
    assert not began.acquire(timeout=0.3), "no more of both than there are turns"
    assert seen(first).counts == {"running": 5}
    assert seen(second).counts == {"running": 3, "waiting": 2}
    go_on.set()
    assert [ended(each).counts for each in (first, second)] == [{"done": 5}] * 2
    assert [weeks(desk, each) for each in about] == [1.0] * 10


def test_who_may_take_fewer_accounts_by_now_does_not_go_on_with_a_larger_run(desk: Bench) -> None:
    about, strict = trials(desk, 3), replace(SAM, policy=STRICT)
    decide(STRICT)
    stopped = left(about, "done", "waiting", "waiting", person=SAM, state="stopped")
    over = left(about, "done", "done", "failed", person=SAM, state="done")
    for act, run, state in ((bulk.resume, stopped, "stopped"), (bulk.retry, over, "done")):
        with pytest.raises(OverLimit, match="up to 2 accounts in one bulk run; this is 3"):
            act(strict, run)
        assert seen(run).state == state
    moving = left(about, "waiting", "waiting", "waiting", person=SAM)
    bulk_runner.begin(moving, 1)
    reached = ended(moving)
    assert (reached.state, reached.counts) == ("stopped", {"waiting": 3})
    assert reached.note.endswith("up to 2 accounts in one bulk run; this is 3 accounts.")
    smaller = left(about, "skipped", "waiting", "waiting", person=SAM, state="stopped")
    bulk.resume(strict, smaller)
    assert ended(smaller).counts == {"done": 2, "skipped": 1}


def test_rows_under_way_of_who_may_not_come_in_any_more_come_to_their_end(desk: Bench) -> None:
    about = trials(desk, 3)
    run = left(about, "running", "running", "waiting")
    with database.session() as session:
        tokens = session.exec(
            select(BulkRow.token).where(BulkRow.run == run).order_by(BulkRow.position)
        ).all()
    opened = commands.open(ANA, "extend_trial", about[0].customer.id, about[0].object_id, token=tokens[0])
    commands.begin(opened, ANA, WEEK, "")
    with database.transaction() as session:
        session.get_one(Staff, ANA.id).active = False
    bulk_runner.begin(run, 1)
    reached = ended(run)
    assert (reached.state, reached.counts) == ("stopped", {"done": 1, "waiting": 2})
    assert reached.note == "Who began this may not come in any more."
    assert told(run)[about[0].object_id][1].startswith("The trial now ends on ")
    staffed()
    bulk.resume(ANA, run)
    assert ended(run).counts == {"done": 3}
    assert [weeks(desk, each) for each in about] == [1.0] * 3


def test_nothing_further_is_begun_for_who_is_shut_out_in_the_middle(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    about, real = trials(desk, 10), commands.begin

    def shut_out(*given: Any) -> bool:
        with database.transaction() as session:
            session.get_one(Staff, ANA.id).active = False
        return real(*given)

    monkeypatch.setattr(commands, "begin", shut_out)
    reached = ended(begin(about))
    assert (reached.state, set(reached.counts)) == ("stopped", {"done", "waiting"})
    assert reached.counts["waiting"] >= 10 - bulk_runner._AT_ONCE
    assert sum(weeks(desk, each) for each in about) == reached.counts["done"]


def test_a_list_of_runs_reads_the_staff_once(idle_desk: Bench) -> None:
    about = [idle_desk.shared("trialing")]
    for _ in range(3):
        left(about, "done", state="done")
    within(5, lambda: True)
    with database.session() as session, asked(database.engine()) as statements:
        assert len(bulk_progress.recent(session, ANA)) >= 3
    assert len([one for one in statements if " FROM staff" in one.replace("\n", " ")]) == 1
