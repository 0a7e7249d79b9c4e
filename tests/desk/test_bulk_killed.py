"""Is a bulk run finished, and each row done once, when the desk is killed or stopped in the middle of it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa

from models import Action, BulkRow, BulkRun
from services import clock, database, durable
from services.desk import bulk, bulk_preview, commands
from services.desk.subject import Subject
from tests.desk import bulk_victim
from tests.desk.bench import ANA, SAM, WEEK, Bench, within
from tests.desk.test_bulk import ASKING, SQLITE, begin, decide, ended, seen, staffed, trials, weeks
from tests.support.nursery import nursery


@pytest.fixture(autouse=True)
def _staff(idle_desk: Bench) -> None:
    staffed()


def extended(desk: Bench, moment: str) -> list[float]:
    """Kills a process in the middle of a run and lets another finish it; by how many weeks the account has
    extended each trial then. Of each there is one write, and its ledger row is true."""
    about = trials(desk, 10)
    run = left_by_a_desk_that_died(about)
    url = database.engine().url.render_as_string(hide_password=False)
    log = desk.sandbox.data.with_name("bulk_victim.log")
    for what, code in ((moment, -9), ("finish", 0)):
        child = nursery().start("tests.desk.bulk_victim", [url, desk.sandbox.url, what, run], log)
        assert child.wait(120) == code, log.read_text()
        counts = seen(run).counts
        assert (counts == {"done": 10}) == (what == "finish"), counts
    for each in about:
        [write] = {one["idempotency_key"] for one in desk.writes(f"/v1/subscriptions/{each.object_id}")}
        with database.session() as session:
            action = session.get_one(Action, write.partition(":")[0])
        assert (action.state, action.object_id) == ("done", each.object_id)
        assert action.after["trial_end"] == desk.sdk.subscriptions.retrieve(each.object_id).trial_end
    return [weeks(desk, each) for each in about]


def left_by_a_desk_that_died(about: Sequence[Subject]) -> str:
    """A run that was begun by a process that died before any queue knew of it."""
    with database.session() as session:
        chosen = bulk_preview.look(session, "extend_trial", [each.object_id for each in about])
    totals = bulk_preview.reckon(ANA, chosen, WEEK)
    token = commands.new_token()
    with database.transaction() as session:
        session.add(
            BulkRun(id=token, command="extend_trial", form=dict(WEEK), staff=ANA.id, created_at=clock.now())
        )
        session.execute(sa.insert(BulkRow), bulk._rows(token, chosen, totals))
    return token


@SQLITE
@pytest.mark.parametrize("moment", ["before it begins", "after Stripe did it"])
def test_a_killed_run_goes_on_and_nothing_is_done_twice(idle_desk: Bench, moment: str) -> None:
    assert extended(idle_desk, moment) == [1.0] * 10


@pytest.mark.slow
@pytest.mark.parametrize("moment", bulk_victim.MOMENTS)
def test_a_run_survives_every_moment(idle_desk: Bench, moment: str) -> None:
    assert extended(idle_desk, moment) == [1.0] * 10


@SQLITE
def test_what_waits_outlives_the_desk_and_is_begun_though_it_dies_once_it_is_allowed(
    idle_desk: Bench,
) -> None:
    about = trials(idle_desk, 3)
    decide(ASKING)
    durable.launch()
    run = begin(about, person=replace(SAM, policy=ASKING))
    durable.shutdown()
    assert seen(run).state == "asked"
    url = database.engine().url.render_as_string(hide_password=False)
    log = idle_desk.sandbox.data.with_name("bulk_victim.log")
    child = nursery().start("tests.desk.bulk_victim", [url, idle_desk.sandbox.url, "allow", run], log)
    assert child.wait(120) == -9, log.read_text()
    assert (seen(run).state, seen(run).counts) == ("running", {"waiting": 3})
    durable.launch()
    assert (ended(run).counts, seen(run).decider_name) == ({"done": 3}, "Ben")
    durable.shutdown()
    assert [weeks(idle_desk, each) for each in about] == [1.0] * 3


@SQLITE
def test_a_run_goes_on_where_the_desk_was_stopped(idle_desk: Bench) -> None:
    about = trials(idle_desk, 10)
    durable.launch()
    run = begin(about)
    within(30, lambda: seen(run).counts.get("done", 0) >= 2)
    durable.shutdown()
    assert seen(run).state == "running"
    durable.launch()
    assert ended(run).counts == {"done": 10}
    durable.shutdown()
    assert [weeks(idle_desk, each) for each in about] == [1.0] * 10
