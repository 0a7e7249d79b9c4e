"""A desk's process that is killed in the middle of a bulk run (SIGKILL), or that finishes what is left.

Its arguments: DATABASE_URL ACCOUNT_URL MOMENT RUN, where the moment is one of MOMENTS, `finish`, or `allow`:
then it dies between the approval of the run and its beginning.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

from services import database, durable
from services.desk import bulk_approvals, bulk_progress, bulk_runner, commands, ledger, runner
from services.desk import loose_ends as loose_ends  # takes up actions
from services.staff.roles import Policy
from services.stripe_api import client
from tests.desk import victim
from tests.desk.bench import ANA, BEN
from tests.support.sandbox import KEY

ASKED = replace(BEN, policy=Policy(approvals=True))
_SURVIVED = 3  # rows that come as far before the process dies
MOMENTS: dict[str, tuple[Any, str]] = {
    "before the opening": (bulk_runner, "_claim"),
    "before it begins": (commands, "open"),
    "before the call": (runner, "_prepare"),
    "after Stripe did it": (runner, "call"),
    "before the ledger": (ledger, "finish"),
    "before the row": (bulk_runner, "_end_of"),
}


def main(arguments: list[str]) -> None:
    """Opens the desk on the database and does as the arguments say."""
    url, account, moment, run = arguments
    database.configure(url)
    client.configure(client.connect(KEY, account))
    if moment in MOMENTS:
        _die_at(*MOMENTS[moment])
    durable.launch()
    if moment == "allow":
        bulk_runner.begin = lambda *_: victim.die()
        bulk_approvals.allow(ASKED, run)
    _wait_for_the_end(run)
    if moment != "finish":
        raise SystemExit("the process was to die before this")
    durable.shutdown()


def _die_at(module: Any, name: str) -> None:
    """Dies as soon as a function has returned once more than so many rows survive."""
    original, calls, turn = getattr(module, name), iter(range(_SURVIVED)), threading.Lock()

    def counted(*given: Any, **named: Any) -> Any:
        answer = original(*given, **named)
        with turn:
            return answer if next(calls, None) is not None else victim.die()

    setattr(module, name, counted)


def _wait_for_the_end(run: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with database.session() as session:
            if bulk_progress.find(session, ANA, run).state == "done":
                return
        time.sleep(0.05)
    raise SystemExit("the run is not over")
