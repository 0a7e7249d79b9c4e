"""Whatever reaches us, however it comes: at the end the tables say what the account says.

An account lives while its events are delivered shuffled, doubled, late, a tenth never and a tenth in the
shapes of an older version, by many workers at once, beside polls and a backfill.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlmodel import select

from models import CustomerFacts, Event, InboxItem
from services import config
from services.mirror import facts, identity, inbox, poll, pull
from services.stripe_api import client
from tests.mirror import truth
from tests.mirror.older import as_told_before
from tests.support.sandbox import Sandbox, start_sandbox

pytestmark = pytest.mark.both_databases

WORKERS = 8
Object = dict[str, Any]


def lived(sandbox: Sandbox, days: int) -> list[Object]:
    """Lets the account live; the events of that time."""
    since = sandbox.now()
    sandbox.advance(days=days)
    return truth.every(sandbox, "/v1/events", {"created": {"gte": since}})


def mistreated(events: list[Object], dice: random.Random) -> tuple[list[Object], list[Object]]:
    """What arrives of some events, in any order, and what arrives only later; a tenth does neither."""
    now: list[Object] = []
    late: list[Object] = []
    for event in events:
        fate = dice.random()
        told = as_told_before(event) if dice.random() < 0.1 else event
        if fate < 0.1:
            continue
        (late if fate < 0.25 else now).append(told)
        if fate > 0.8:
            now.append(event)
    dice.shuffle(now)
    return now, late


def deliver(
    database: ModuleType, events: list[Object], batch: int, drain: Callable[[int], inbox.Drained]
) -> None:
    """Puts events into the inbox, a batch at a time, and applies what lies there."""
    for at in range(0, len(events), batch):
        some = {one["id"]: one for one in events[at : at + batch]}
        with database.transaction() as session:
            inbox.put(session, some.values(), "webhook")
        drain(batch)


@contextmanager
def beside(work: list[partial[Any]]) -> Iterator[None]:
    """Does some work beside; raises what went wrong in it."""
    with ThreadPoolExecutor(len(work) or 1) as pool:
        begun = [pool.submit(one) for one in work]
        yield
        for one in begun:
            one.result()


def live(
    database: ModuleType,
    sandbox: Sandbox,
    seed: int,
    rounds: int = 4,
    days: int = 9,
    batch: int = 15,
    drain: Callable[[int], inbox.Drained] = inbox._drain,
) -> dict[str, int]:
    """Some rounds of life, each delivered while the next one happens; the ids and instants of all events.

    By `inbox.drain` the workers take turns, as those of a desk do; without a turn, as where its lock was
    lost, each does the work of all.
    """
    dice, late, told = random.Random(seed), list[Object](), dict[str, int]()
    coming = lived(sandbox, days)
    for number in range(rounds):
        arriving, later = mistreated(coming, dice)
        arriving, late = arriving + late, later
        told |= {one["id"]: one["created"] for one in coming}
        share = [arriving[at::WORKERS] for at in range(WORKERS)]
        work = [partial(deliver, database, some, batch, drain) for some in share]
        work.append(partial(look, number))
        with beside(work):
            coming = lived(sandbox, days) if number < rounds - 1 else []
    deliver(database, late, batch, drain)
    return told


def look(number: int) -> None:
    """Pulls and polls beside the workers, as a desk that is set up in the second round."""
    if number > 1:
        poll.once()
    if number > 0:
        pull.whole_account()


def faults(database: ModuleType, sandbox: Sandbox, told: dict[str, int]) -> list[str]:
    """What failed, still waits, is lost of what Stripe still lists, or is not as the account says."""
    for _ in range(3):
        looked = poll.once()
        pull.whole_account()  # where there was a gap
    listed = {id for id, at in told.items() if at > sandbox.now() - poll.KEPT_BY_STRIPE}
    with database.session() as session:
        left = session.exec(select(InboxItem.id, InboxItem.state).where(InboxItem.state != "applied")).all()
        kept = set(session.exec(select(Event.id)).all())
    found = [f"at the last look {looked.drained}"] if looked.drained.failed or looked.drained.deferred else []
    found += [f"{id} is {state}" for id, state in left]
    found += [f"{id} is lost" for id in listed - kept]
    return found + settled_differences(sandbox)


def settled_differences(sandbox: Sandbox) -> list[str]:
    """The differences of an account in which nothing has happened while all was compared: that takes a minute
    where it is large, and its time goes on."""
    while True:
        newest = last_event(sandbox)
        poll.once()  # what came since the last look is no difference
        found = truth.differences(sandbox)
        if last_event(sandbox) == newest:
            return found


def last_event(sandbox: Sandbox) -> str:
    return sandbox.client().v1.events.list({"limit": 1}).data[0].id


@pytest.mark.parametrize("seed", [1])
def test_the_tables_equal_the_account(claimed: ModuleType, sandbox: Sandbox, seed: int) -> None:
    pull.begin()
    told = live(claimed, sandbox, seed)
    assert len(told) > 200
    assert faults(claimed, sandbox, told) == []


def test_a_fact_that_was_not_derived_again_is_a_difference(
    pulled: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert truth.differences(sandbox) == []
    monkeypatch.setattr(facts, "derive_in_pieces", lambda *_: None)
    with pulled.session() as session:
        product = session.exec(select(CustomerFacts.product).where(CustomerFacts.product != "")).first()
    sandbox.client().v1.products.update(product, {"name": "Squad"})
    poll.once()
    found = truth.differences(sandbox)
    assert found
    assert all(".plan is " in one and "Squad" in one for one in found)
    assert sorted(truth.differences(sandbox)) == sorted(found), "to compare mends nothing"


@pytest.fixture
def crowd(database: ModuleType, tmp_path: Path) -> Iterator[Sandbox]:
    """An account with a hundred thousand events a year, to which the empty database belongs."""
    folder = tmp_path / "crowd"
    folder.mkdir()
    with start_sandbox(folder, 2_400, seed=11) as started:
        client.configure(client.connect(started.key, started.url))
        with database.transaction() as session:
            identity.claim(session, identity.ask(config.Settings(_env_file=None)))
        yield started
        client.configure(None)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_after_a_year_of_a_hundred_thousand_events_too(database: ModuleType, crowd: Sandbox) -> None:
    pull.begin()
    told = live(database, crowd, seed=5, rounds=12, days=30, batch=inbox.BATCH, drain=inbox.drain)
    assert faults(database, crowd, told) == []
    assert len(told) > 100_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_whatever_the_order(claimed: ModuleType, sandbox: Sandbox, seed: int) -> None:
    pull.begin()
    told = live(claimed, sandbox, seed)
    assert faults(claimed, sandbox, told) == []
