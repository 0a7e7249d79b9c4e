"""Is a backfill complete and true however often it is killed, on a bad line to the account?"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from services.mirror import cursors, health, readers
from tests.mirror import truth
from tests.support.nursery import Child, nursery
from tests.support.sandbox import Sandbox, start_sandbox

pytestmark = pytest.mark.both_databases

BAD_LINE: dict[str, dict[str, Any]] = {
    "429": {}, "500_before": {}, "timeout_before": {"seconds": 0.05}, "timeout_after": {},
}  # fmt: skip


UNDER_WAY = readers._READERS + readers._WAITING  # pages that are read and not saved yet


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Sandbox]:
    """An account that takes a while to list."""
    folder = tmp_path / "large"
    folder.mkdir()
    with start_sandbox(folder, 250, seed=11) as started:
        yield started


def worsen(sandbox: Sandbox, seed: int) -> None:
    """From now on some answers are refused, cut off or late."""
    for kind, options in BAD_LINE.items():
        sandbox.fault(kind, method="GET", probability=0.02, seed=seed, **options)
    sandbox.fault("slow", method="GET", probability=0.5, seed=seed, seconds=0.1)


def begin(bare: sa.Engine, sandbox: Sandbox, folder: Path, *options: str) -> Child:
    """Starts a backfill in a process of its own."""
    own = {
        "DATA_DIR": str(folder),
        "DATABASE_URL": bare.url.render_as_string(hide_password=False),
        "STRIPE_API_KEY": sandbox.key,
        "STRIPE_API_BASE": sandbox.url,
    }
    arguments, log = ["backfill", *options], folder / "backfill.log"
    log.unlink(missing_ok=True)
    return nursery().start("services.mirror.__main__", arguments, log, os.environ | own)


def pages(sandbox: Sandbox, since: float) -> int:
    """How many pages of lists the account has given since an instant, without answers that were cut off."""
    given = sandbox.requests(method="GET", status=200, cut=False)
    return sum(one["path"].count("/") == 2 and one["at"] >= since for one in given)


def saved(bare: sa.Engine) -> int:
    """How many objects the pulls have stored, those included that were stored twice."""
    if not sa.inspect(bare).has_table("sync_cursors"):
        return 0
    with bare.connect() as connection:
        return int(connection.scalar(sa.text("SELECT coalesce(sum(fetched), 0) FROM sync_cursors")))


@dataclass
class Lives:
    """Backfills of one account after each other. `lost`: of each, the pages that it read and did not save,
    beyond those that listing in windows may cost."""

    bare: sa.Engine
    sandbox: Sandbox
    folder: Path
    lost: list[float] = field(default_factory=list)

    def live(self, *options: str, kill_after: int | None) -> Child:
        """One backfill, killed once it has stored so many objects."""
        began, before = time.time(), 0 if options else saved(self.bare)
        running = begin(self.bare, self.sandbox, self.folder, *options)
        while running.poll() is None and not pages(self.sandbox, began):
            time.sleep(0.02)
        if kill_after is not None:
            while running.poll() is None and saved(self.bare) - before < kill_after:
                time.sleep(0.01)
            running.kill()
        running.wait(120)
        stored = (saved(self.bare) - before) / 100
        self.lost.append(pages(self.sandbox, began) - 1.25 * stored - len(cursors.RESOURCES))
        return running

    def killed(self, times: int, dice: random.Random) -> None:
        """It is killed so often; what was complete before is begun anew."""
        options: tuple[str, ...] = ()
        while times:
            was_killed = self.live(*options, kill_after=dice.randrange(2_000)).returncode == -9
            options = () if was_killed else ("--anew",)
            times -= was_killed

    def completed(self) -> int:
        """Runs it until it is complete (on a bad line one run may give up); how many objects it stored."""
        for _ in range(8):
            ended = self.live(kill_after=None)
            told = (self.folder / "backfill.log").read_text()
            if ended.returncode == 0:
                return int(json.loads(told.splitlines()[-1])["objects"])
        raise AssertionError(told)


def lives(bare: sa.Engine, sandbox: Sandbox, folder: Path, seed: int, kills: int) -> tuple[float, float]:
    """Kills so many backfills on a bad line, and completes the last one: the most pages that a life lost, and
    how often an object was stored on the average."""
    worsen(sandbox, seed)
    each = Lives(bare, sandbox, folder)
    each.killed(kills, random.Random(seed))
    stored = each.completed()
    sandbox.heal()
    with Session(bare) as session:
        distinct = sum(health.stored(session)[name] for name in cursors.RESOURCES)
    return max(each.lost), stored / distinct


def test_a_killed_backfill_goes_on(bare: sa.Engine, large: Sandbox, tmp_path: Path) -> None:
    lost, times = lives(bare, large, tmp_path, seed=1, kills=2)
    assert lost <= UNDER_WAY
    assert times < 1.1
    assert truth.differences(large) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_backfill_that_is_killed_fifty_times_goes_on(
    bare: sa.Engine, large: Sandbox, tmp_path: Path
) -> None:
    lost, times = lives(bare, large, tmp_path, seed=2, kills=50)
    assert lost <= UNDER_WAY
    assert times < 1.1
    assert truth.differences(large) == []
