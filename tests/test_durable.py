"""Is work that was begun finished: once, in order, by whoever lives?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from dbos import DBOS

from services import database, durable, locks
from services.errors import Unavailable
from tests.support import lost_locks
from tests.support.durable_victim import note, slow
from tests.support.nursery import Child, nursery

pytestmark = pytest.mark.both_databases


@pytest.fixture
def running(database: ModuleType) -> Iterator[ModuleType]:
    """The queues, running on an empty database."""
    durable.launch()
    yield durable
    durable.shutdown()


def within(seconds: float, what: Callable[[], Any]) -> Any:
    """What a function returns as soon as it is true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not true within {seconds} s")


def lines(path: Path) -> list[str]:
    """What workflows have written."""
    return path.read_text().split() if path.exists() else []


def test_the_same_id_twice_is_one_piece_of_work(running: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(5):
        running.start(durable.COMMANDS, note, str(out), "a", id="work-1", partition="sub_1")
    within(10, lambda: lines(out))
    running.start(durable.COMMANDS, note, str(out), "a", id="work-1", partition="sub_1")
    time.sleep(0.3)
    assert lines(out) == ["a"]
    assert not running.is_lost("work-1") and running.is_lost("never-started")


def test_one_partition_works_in_order_and_others_beside_it(running: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in ("a", "b"):
        running.start(durable.COMMANDS, slow, str(out), name, id=name, partition="sub_1")
    running.start(durable.COMMANDS, slow, str(out), "c", id="c", partition="sub_2")
    within(20, lambda: len(lines(out)) == 6)
    order = lines(out)
    assert [each for each in order if each[0] in "ab"] == ["a-begins", "a-ends", "b-begins", "b-ends"]
    assert order.index("c-begins") < order.index("b-begins")


def test_nothing_starts_before_the_launch(database: ModuleType) -> None:
    assert not durable.is_launched()
    with pytest.raises(Unavailable, match="starting or stopping"):
        durable.start(durable.MESSAGES, note, "x", "y", id="early")


def test_it_can_be_stopped_and_started_again(database: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in ("a", "b"):
        durable.launch()
        durable.launch()
        durable.start(durable.MESSAGES, note, str(out), name, id=name)
        within(10, lambda name=name: name in lines(out))
        durable.shutdown()
    assert lines(out) == ["a", "b"]


def test_a_room_whose_upkeep_fails_keeps_neither_the_desk_nor_the_others_from_starting(
    database: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def broken() -> None:
        raise KeyError("a command that is no longer known")

    monkeypatch.setattr(durable, "_upkeep", [broken, lambda: done.append("after it")])
    durable.launch()
    try:
        assert durable.is_launched() and done == ["after it"]
    finally:
        durable.shutdown()


@dataclass
class Standing:
    """How a piece of work stands."""

    is_final: bool


def test_a_wait_ends_with_the_work_or_with_the_patience() -> None:
    seen = [Standing(False), Standing(False), Standing(True), Standing(True)]
    assert durable.settled(lambda: seen.pop(0), 5, every=0.001).is_final and len(seen) == 1
    began = time.monotonic()
    assert not durable.settled(lambda: Standing(False), 0.05, every=0.01).is_final
    assert time.monotonic() - began < 2


def test_who_waits_looks_as_soon_as_the_work_has_ended(running: ModuleType, tmp_path: Path) -> None:
    out, looks = tmp_path / "out", list[float]()

    def read() -> Standing:
        looks.append(time.monotonic())
        return Standing(out.exists())

    waiter = threading.Thread(target=durable.settled, args=(read, 60), kwargs={"every": 60})
    waiter.start()
    within(10, lambda: looks)
    running.start(durable.COMMANDS, note, str(out), "a", id="awaited", partition="sub_1")
    waiter.join(30)
    assert not waiter.is_alive() and len(looks) < 5, "it did not ask again and again"


def test_finished_work_is_forgotten_after_a_week(running: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "out"
    running.start(durable.COMMANDS, note, str(out), "a", id="old", partition="sub_1")
    within(10, lambda: DBOS.get_workflow_status("old").status == "SUCCESS")  # type: ignore[union-attr]
    durable._forget_batch((datetime.now(UTC) - timedelta(days=1)).isoformat())
    assert DBOS.get_workflow_status("old")
    durable._forget_batch((datetime.now(UTC) + timedelta(seconds=5)).isoformat())
    assert DBOS.get_workflow_status("old") is None


def victim(database: ModuleType, out: Path, *arguments: str) -> Child:
    """Another desk's process on the same database."""
    url = database.engine().url.render_as_string(hide_password=False)
    given = [url, str(out), *arguments]
    return nursery().start("tests.support.durable_victim", given, out.with_name("victim.log"))


def test_what_a_killed_process_had_begun_is_finished_by_the_next(
    database: ModuleType, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = victim(database, out, "20")
    within(30, lambda: "begun" in lines(out))
    process.kill()
    process.wait(10)
    durable.launch()
    try:
        assert within(40, lambda: len({each for each in lines(out) if each.endswith("-ends")}) == 20)
    finally:
        durable.shutdown()


def test_a_living_process_takes_over_from_a_dead_one(
    running: ModuleType, database: ModuleType, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = victim(database, out, "0", "hold")
    within(30, lambda: "held" in lines(out))
    durable._take_over_the_dead()
    time.sleep(0.5)
    assert lines(out).count("held") == 1, "a living process keeps its work"
    process.kill()
    process.wait(10)
    durable._take_over_the_dead()
    durable._take_over_the_dead()
    within(20, lambda: "released" in lines(out))


def held_by_somebody(slot: str) -> bool:
    """Whether a process has the slot."""
    if lock := locks.claim(slot):
        lock.close()
    return lock is None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_work_of_a_living_process_whose_slot_was_given_away_is_not_taken_over(
    running: ModuleType, database: ModuleType, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = victim(database, out, "0", "hold")
    within(60, lambda: "held" in lines(out))
    assert lost_locks.drop(database.engine()) == 2
    durable._hold_the_slot()
    durable._take_over_the_dead()
    [work] = DBOS.list_workflows(status="PENDING")
    assert work.executor_id == "desk-1"
    within(40, lambda: held_by_somebody("desk-1"))
    durable._take_over_the_dead()
    durable._take_over_the_dead()
    [work] = DBOS.list_workflows(status="PENDING")
    assert (work.executor_id, lines(out).count("released")) == ("desk-1", 0)
    process.kill()
    process.wait(10)


def test_a_start_right_after_postgresql_waits_for_the_living(
    database: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(durable, "_ROUND_SECONDS", 1e6)
    monkeypatch.setattr(durable.time, "sleep", slept.append)
    durable._let_the_living_go_first()
    if database.is_sqlite():
        assert slept == []
    else:
        [seconds] = slept
        assert 1e6 - 7200 < seconds < 1e6


def test_two_processes_never_share_a_slot(running: ModuleType) -> None:
    mine = durable._process.slot
    assert mine and mine.name == "desk-0"
    assert locks.claim("desk-0") is None
    other = durable._first_free_slot()
    assert other.name == "desk-1"
    other.close()
    again = locks.claim("desk-1")
    assert again
    again.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_slot_that_the_database_gave_away_is_taken_again(running: ModuleType) -> None:
    assert lost_locks.drop(database.engine()) == 1
    thief = locks.claim("desk-0")
    assert thief
    with pytest.raises(locks.LockLost):
        durable._hold_the_slot()
    thief.close()
    durable._hold_the_slot()
    assert locks.claim("desk-0") is None
    durable._hold_the_slot()


def test_work_begins_at_once_though_queues_are_looked_at_seldom(
    database: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(durable, "_POLL_SECONDS", 3600.0)
    out = tmp_path / "out"
    durable.launch()
    try:
        for name, queue in (("a", durable.COMMANDS), ("b", durable.MESSAGES), ("c", durable.COMMANDS)):
            partition = "sub_1" if queue == durable.COMMANDS else None
            durable.start(queue, note, str(out), name, id=name, partition=partition)
            assert within(20, lambda name=name: name in lines(out))
    finally:
        durable.shutdown()


@pytest.mark.parametrize(("queue", "partition"), [(durable.COMMANDS, "sub_1"), (durable.MESSAGES, None)])
def test_what_waits_for_a_place_begins_as_soon_as_one_is_free(
    database: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, queue: str, partition: str | None
) -> None:
    monkeypatch.setattr(durable, "_POLL_SECONDS", 3600.0)
    out = tmp_path / "out"
    durable.launch()
    try:
        for number in range(5):
            durable.start(queue, slow, str(out), str(number), id=str(number), partition=partition)
        assert within(20, lambda: len([each for each in lines(out) if each.endswith("-ends")]) == 5)
    finally:
        durable.shutdown()
