"""Once a day, by one process, everything is compared; how it ended is kept, whatever happened."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from datetime import time as time_of_day
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

from models import Customer, Reconciliation, Workspace
from services import clock, database, locks
from services.mirror import comparisons, nightly, reconcile, trust
from services.mirror.nightly import Nightly
from services.stripe_api import client, errands
from tests.mirror.conftest import sqlite_only
from tests.mirror.test_reconcile import damage, first
from tests.support.sandbox import Sandbox

HALF_PAST_THREE = time_of_day(3, 30)
BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


def rows() -> list[Reconciliation]:
    with database.session() as session:
        return list(session.exec(select(Reconciliation).order_by(Reconciliation.id)))


def at(written: str) -> int:
    return int(datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("now", "pulled", "begun", "state", "due"),
    [
        ("2026-03-05T02:29", "2026-03-01", None, "", True),  # that of yesterday, which never was
        ("2026-03-05T02:31", "2026-03-05T02:00", None, "", True),
        ("2026-03-05T02:31", "2026-03-05T02:30:30", None, "", False),
        ("2026-03-05T02:31", None, None, "", False),
        ("2026-03-05T02:29", "2026-03-01", "2026-03-04T02:31", "complete", False),
        ("2026-03-05T02:31", "2026-03-01", "2026-03-04T02:31", "complete", True),
        ("2026-03-05T03:00", "2026-03-01", "2026-03-05T02:31", "failed", False),
        ("2026-03-05T03:01", "2026-03-01", "2026-03-05T02:31", "failed", True),
        ("2026-03-05T23:00", "2026-03-01", "2026-03-05T02:31", "incomplete", False),
        ("2026-03-05T02:45", "2026-03-01", "2026-03-05T02:31", "stopped", True),
        ("2026-03-05T02:45", "2026-03-01", "2026-03-05T02:31", "running", False),
        ("2026-07-05T01:31", "2026-07-01", "2026-07-04T12:00", "complete", True),  # in summer an hour earlier
    ],
)
def test_it_is_due_once_a_day_in_the_workspaces_zone(
    database: ModuleType, monkeypatch: pytest.MonkeyPatch, now: str, pulled: str | None, begun: str | None,
    state: str, due: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(clock, "now", lambda: at(now))
    with database.transaction() as session:
        session.add(Workspace(account="acct_1", mode="test", pulled_at=at(pulled) if pulled else None))
        if begun:
            session.add(Reconciliation(started_at=at(begun), state=state))
    with database.session() as session:
        assert comparisons.is_due(session, HALF_PAST_THREE, BERLIN) is due


def made_due() -> time_of_day:
    """A time of day that has been since the pull."""
    with database.transaction() as session:
        workspace = session.get(Workspace, 1)
        assert workspace is not None
        workspace.pulled_at = clock.now() - 2 * clock.DAY
    return HALF_PAST_THREE


def just_now() -> time_of_day:
    """A time of day that was a moment ago, so that no test lasts until it comes again."""
    made_due()
    return clock.local(clock.now() - 60, UTC_ZONE).time()


def test_it_compares_once_gently_and_keeps_what_it_found(
    pulled: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone, seen = first(pulled, Customer), set[errands.Errand]()
    damage(pulled, "UPDATE customers SET name = 'Wrong' WHERE id = :id", id=someone.id)
    wait = client.account().pacer.wait

    def watched(endpoint: str, *, gentle: bool = False) -> float:
        if endpoint == "/v1/customers":
            seen.add(errands.current())
            assert gentle
        return wait(endpoint)

    monkeypatch.setattr(client.account().pacer, "wait", watched)
    when = made_due()
    assert nightly.look(when, UTC_ZONE)
    assert not nightly.look(when, UTC_ZONE)
    [row] = rows()
    assert (row.state, row.drifts, row.aside, row.skipped, row.error) == ("complete", 1, 0, {}, "")
    assert row.objects > 200 and row.requests > 10 and row.finished_at is not None
    assert seen == {errands.Errand("reconcile", gentle=True)}


@sqlite_only
def test_only_one_process_does_it(pulled: ModuleType, sandbox: Sandbox) -> None:
    when = made_due()
    with locks.alone("nightly"):
        assert not nightly.look(when, UTC_ZONE)
    with locks.alone(reconcile.LOCK), pytest.raises(reconcile.AlreadyReconciling):
        nightly.look(when, UTC_ZONE)
    assert rows() == []


def half_an_hour_later(sandbox: Sandbox) -> None:
    # two more: a second may end between the sandbox's answer and this machine's clock
    clock.follow(sandbox.advance(seconds=1802) - int(time.time()))


def test_one_that_fails_says_why_and_is_tried_again_after_half_an_hour(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    when = just_now()
    sandbox.fault("500_before", path="/v1/events")
    with pytest.raises(client.failures.StripeUnavailable):
        nightly.look(when, UTC_ZONE)
    sandbox.heal()
    assert not nightly.look(when, UTC_ZONE)
    [row] = rows()
    assert row.state == "failed" and "Stripe" in row.error
    with pulled.session() as session:
        assert any(row.error in one.message for one in trust.problems(session))
    half_an_hour_later(sandbox)
    assert nightly.look(when, UTC_ZONE)
    assert [row.state for row in rows()] == ["failed", "complete"]
    half_an_hour_later(sandbox)
    assert not nightly.look(when, UTC_ZONE)


@sqlite_only
def test_one_that_always_fails_is_tried_a_few_times_a_night(pulled: ModuleType, sandbox: Sandbox) -> None:
    when = just_now()
    sandbox.fault("500_before", path="/v1/events")
    for _ in range(4):
        with pytest.raises(client.failures.StripeUnavailable):
            nightly.look(when, UTC_ZONE)
        half_an_hour_later(sandbox)
    assert not nightly.look(when, UTC_ZONE)
    clock.follow(clock.offset() + clock.DAY)
    with pytest.raises(client.failures.StripeUnavailable):
        nightly.look(when, UTC_ZONE)


def test_a_list_that_cannot_be_read_makes_it_incomplete(pulled: ModuleType, sandbox: Sandbox) -> None:
    sandbox.fault("500_before", path="/v1/refunds")
    told = reconcile.run()
    assert not told["complete"]
    [row] = rows()
    assert (row.state, list(row.skipped)) == ("incomplete", ["refunds"])
    with pulled.session() as session:
        said = [one for one in trust.problems(session) if "refunds" in one.message]
    assert [one.grave for one in said] == [True]


def test_one_that_is_stopped_is_done_at_the_next_start(pulled: ModuleType, sandbox: Sandbox) -> None:
    when = made_due()
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 3

    assert nightly.look(when, UTC_ZONE, stop)
    assert nightly.look(when, UTC_ZONE)
    assert [row.state for row in rows()] == ["stopped", "complete"]


def test_one_whose_process_died_is_told_as_failed(pulled: ModuleType, sandbox: Sandbox) -> None:
    with pulled.transaction() as session:
        session.add(Reconciliation(started_at=clock.now(), state="running"))
    with locks.alone(reconcile.LOCK):
        nightly.look(HALF_PAST_THREE, UTC_ZONE)
    assert [row.state for row in rows()] == ["running"], "somebody compares now"
    nightly.look(HALF_PAST_THREE, UTC_ZONE)
    [row] = rows()
    assert (row.state, "ended in the middle" in row.error) == ("failed", True)


def test_one_whose_process_died_is_done_by_the_next_though_not_for_ever(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    when = just_now()
    comparisons.begin()  # and its process was killed
    assert nightly.look(when, UTC_ZONE)
    assert not nightly.look(when, UTC_ZONE)
    assert [row.state for row in rows()] == ["failed", "complete"]
    with pulled.transaction() as session:
        for row in session.exec(select(Reconciliation)):
            session.delete(row)
    for _ in range(4):
        comparisons.begin()
    assert not nightly.look(when, UTC_ZONE), "whatever kills it goes on to do so"


def test_old_ones_are_forgotten(database: ModuleType) -> None:
    with database.transaction() as session:
        session.add(Reconciliation(started_at=clock.now() - 91 * clock.DAY, state="complete"))
    comparisons.end(comparisons.begin(), "complete", objects=3)
    assert [(row.state, row.objects) for row in rows()] == [("complete", 3)]


@sqlite_only
def test_the_thread_compares_and_ends_when_told(pulled: ModuleType, sandbox: Sandbox) -> None:
    thread = Nightly(made_due(), UTC_ZONE, every=0.05)
    thread.start()
    until(lambda: [row.state for row in rows()] == ["complete"])
    thread.stop()
    assert not thread._thread.is_alive()


@sqlite_only
def test_off_is_off(pulled: ModuleType, sandbox: Sandbox) -> None:
    made_due()
    thread = Nightly(None, UTC_ZONE, every=0.01)
    thread.start()
    assert thread._thread.ident is None
    thread.stop()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_desk_that_was_never_compared_says_so_after_two_days(database: ModuleType) -> None:
    def said(session: Session) -> list[str]:
        return [one.message for one in trust.problems(session) if "compared" in one.message]

    with database.transaction() as session:
        session.add(Workspace(account="acct_1", mode="test", pulled_at=clock.now() - 3 * clock.DAY))
    with database.session() as session:
        assert said(session) == ["The tables have not been compared with the account for 3 days."]
    comparisons.end(comparisons.begin(), "complete")
    with database.session() as session:
        assert said(session) == []
