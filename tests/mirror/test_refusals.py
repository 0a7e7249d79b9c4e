"""Refused deliveries: counted by all processes together, written seldom, told while it matters."""

from __future__ import annotations

import asyncio
from types import ModuleType

import pytest

from models import InboxItem
from services import clock
from services.errors import InvalidInput
from services.mirror import cursors, health, refusals, trust
from services.mirror.refusals import Refusals, Refused
from tests.support import statements


def counted(database: ModuleType) -> Refused | None:
    with database.session() as session:
        return refusals.read(session)


async def refuse(counting: Refusals, *reasons: str) -> None:
    """Returns when all are counted."""
    for why in reasons:
        counting.note(InvalidInput(why))
        await asyncio.sleep(0)
    while counting._writer is not None:
        await asyncio.sleep(0.01)


def test_a_flood_of_refusals_is_one_write_at_a_time(database: ModuleType) -> None:
    async def flood() -> None:
        counting = Refusals(every=60)
        for _ in range(20):
            counting.note(InvalidInput("Bad."))
            await asyncio.sleep(0.02)

    with statements.written(database.engine()) as sent:
        asyncio.run(flood())
    found = counted(database)
    assert (len(sent), found and found.number) == (1, 1)


def test_what_comes_meanwhile_is_counted_with_the_next_write(database: ModuleType) -> None:
    asyncio.run(refuse(Refusals(every=0.1), *["Bad."] * 499, "Worse."))
    found = counted(database)
    assert found is not None and (found.number, found.why) == (500, "Worse.")


def test_processes_count_together_and_begin_anew_after_a_quiet_week(database: ModuleType) -> None:
    assert counted(database) is None
    asyncio.run(refuse(Refusals(every=0), "One."))
    began = clock.now()
    clock.follow(clock.offset() + 6 * clock.DAY)
    asyncio.run(refuse(Refusals(every=0), "Two."))
    found = counted(database)
    assert found is not None and (found.number, found.why) == (2, "Two.")
    assert (began - found.since <= 2, found.last - began >= 6 * clock.DAY) == (True, True)
    clock.follow(clock.offset() + 7 * clock.DAY + 10)
    assert counted(database) is None
    asyncio.run(refuse(Refusals(every=0), "Three."))
    found = counted(database)
    assert found is not None and (found.number, found.since == found.last) == (1, True)


def test_a_pull_that_begins_anew_leaves_the_count(database: ModuleType) -> None:
    asyncio.run(refuse(Refusals(every=0), "One."))
    cursors.prepare(clock.now())
    with database.transaction() as session:
        cursors.start_over(session, clock.now())
    assert counted(database) is not None


@pytest.mark.parametrize(
    ("accepted_ago", "refused_ago", "told"),
    [(None, 3 * clock.DAY, True), (60, 1800, True), (60, 7200, False), (7200, 7100, True)],
)
def test_it_is_told_until_later_ones_are_taken_for_an_hour(
    database: ModuleType, accepted_ago: int | None, refused_ago: int, told: bool
) -> None:
    clock.follow(-refused_ago)
    asyncio.run(refuse(Refusals(every=0), "It is not signed. Sign it."))
    clock.follow(0)
    at = clock.now() - (accepted_ago or 0)
    with database.transaction() as session:
        if accepted_ago is not None:
            session.add(InboxItem(id="evt_1", source="webhook", created=at, received_at=at))
    with database.session() as session:
        assert (health.deliveries(session).refused is not None) == told
        said = [one for one in trust.problems(session) if "It is not signed. Sign it." in one.message]
    assert [one.grave for one in said] == [False] * told
