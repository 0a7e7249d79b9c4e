"""A backfill from a terminal: refused it changes nothing, and begun anew it misses nothing."""

from __future__ import annotations

from types import ModuleType

import pytest

from models import Customer
from services import clock, locks
from services.mirror import backfill, cursors, poll
from services.mirror.progress import Progress
from tests.mirror import truth
from tests.support.sandbox import Sandbox


@pytest.mark.parametrize("anew", [True, False])
def test_one_that_is_refused_leaves_everything_as_it_was(
    pulled: ModuleType, sandbox: Sandbox, anew: bool
) -> None:
    feed = cursors.feed()
    with locks.alone("pull") as held:
        assert held
        if anew:
            with pytest.raises(backfill.AlreadyPulling):
                backfill.run(anew=True, tell=lambda *_: None)
        else:
            assert backfill.run(anew=False, tell=lambda *_: None)["complete"], "nothing is missing"
    assert (cursors.complete(), cursors.unfinished(), cursors.feed()) == (True, [], feed)


def test_one_that_begins_anew_goes_by_stripes_clock_and_misses_no_change(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    someone = truth.every(sandbox, "/v1/customers")[0]["id"]
    told: list[tuple[Progress, float]] = []
    clock.follow(clock.DAY)
    done = backfill.run(anew=True, tell=lambda *now: told.append(now))
    assert done["complete"] and done["requests"] > 10
    assert told and all(rate >= 0 for _, rate in told)
    assert cursors.feed() <= sandbox.now()
    sandbox.client().v1.customers.update(someone, {"name": "Changed since"})
    poll.once()
    with pulled.session() as session:
        row = session.get(Customer, someone)
    assert row is not None and row.name == "Changed since"
    assert truth.differences(sandbox) == []
