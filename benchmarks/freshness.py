"""What does it cost in reads to stay fresh, beside what Stripe allows?

`python -m benchmarks.freshness --customers 600 --days 7`: a sandbox account lives, once looked at every five
minutes of its own time, once with its events delivered as they happen. What is counted is what the account
was asked: lists of events, and objects that an event left open. Reads a day for larger accounts follow from
the reads for each event; allowed are 500 for each payment, and 10,000 a month at least. Counts, not times:
the machine does not matter.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from services import config, database
from services.clock import DAY
from services.mirror import budget, identity, inbox, poll, pull
from services.stripe_api import client
from tests.support.sandbox import Sandbox, start_sandbox

ALONE, BESIDE_WEBHOOKS = 300, 900  # seconds between two looks
SIZES = (100, 10_000, 100_000)  # events a day
_PAGE = 100
_MONTH = 30
Object = dict[str, Any]
Way = Callable[[Sandbox, int], int]


def main() -> None:
    """Prints what one event costs in both ways, a table of reads a day, and all as one line of JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--customers", type=int, default=600)
    options.add_argument("--days", type=int, default=7)
    given = options.parse_args()
    measured = {}
    for name, way, every in (("looks alone", _look, ALONE), ("webhooks", _deliver, BESIDE_WEBHOOKS)):
        measured[name] = found = _measure(given.customers, given.days, way)
        found["a_day"] = {events: _a_day(found, events, every, name == "webhooks") for events in SIZES}
        _print(name, found)
    print(json.dumps(measured))


def _measure(customers: int, days: int, way: Way) -> dict[str, Any]:
    """Events and payments of that time, and the reads of objects that they needed."""
    with _mirrored(customers) as sandbox:
        began, asked = sandbox.now(), _reads(sandbox)
        events = way(sandbox, days)
        read = _reads(sandbox) - asked
        paid = sum(one["status"] == "succeeded" for one in _every(sandbox, "charges", began))
    return {"events": events, "payments": paid, "reads": read}


@contextmanager
def _mirrored(customers: int) -> Iterator[Sandbox]:
    with tempfile.TemporaryDirectory(prefix="trialdesk-freshness-") as name:
        folder = Path(name)
        with start_sandbox(folder, customers) as sandbox:
            database.configure(f"sqlite:///{folder / 'desk.db'}")
            database.create_schema()
            client.configure(client.connect(sandbox.key, sandbox.url))
            with database.transaction() as session:
                identity.claim(session, identity.ask(config.Settings(_env_file=None)))
            pull.whole_account()
            yield sandbox
            database.engine().dispose()


def _look(sandbox: Sandbox, days: int) -> int:
    found = 0
    for _ in range(days * DAY // ALONE):
        sandbox.advance(seconds=ALONE)
        found += poll.once().received
    return found


def _deliver(sandbox: Sandbox, days: int) -> int:
    """The events of a second come together, as the desk gathers what comes within a fraction of one."""
    found = 0
    for _ in range(days * DAY // BESIDE_WEBHOOKS):
        began = sandbox.now()
        sandbox.advance(seconds=BESIDE_WEBHOOKS)
        events = sorted(_every(sandbox, "events", began + 1), key=lambda one: int(one["created"]))
        for _, some in itertools.groupby(events, key=lambda one: one["created"]):
            with database.transaction() as session:
                found += inbox.put(session, list(some), "webhook")
            poll.settle()
    return found


def _reads(sandbox: Sandbox) -> int:
    """What our client has asked for so far, lists of events aside."""
    return sum(
        one["path"] != "/v1/events" and one["path"].count("/") > 2 for one in sandbox.requests(method="GET")
    )


def _every(sandbox: Sandbox, resource: str, since: int) -> list[Object]:
    """By plain requests; they are lists, which are not counted."""
    found: list[Object] = []
    params: dict[str, Any] = {"limit": _PAGE, "created[gte]": since}
    while True:
        answer = requests.get(
            f"{sandbox.url}/v1/{resource}",
            params=params,
            headers={"Authorization": f"Bearer {sandbox.key}"},
            timeout=60,
        ).json()
        found += answer["data"]
        if not answer["has_more"]:
            return found
        params["starting_after"] = found[-1]["id"]


def _a_day(found: dict[str, Any], events: int, every: int, delivered: bool) -> dict[str, float]:
    """Looks, further pages of events, and reads of objects; and what Stripe allows such an account."""
    looks = DAY // every
    pages = max(0, events // _PAGE - looks)  # a look at what has come by itself lists no more than a page
    reads = looks + (0 if delivered else pages) + round(events * found["reads"] / found["events"])
    payments = events * found["payments"] / found["events"]
    allowed = max(budget.LEAST / _MONTH, budget.EACH * payments)
    return {"reads": reads, "allowed": round(allowed), "share": round(reads / allowed, 3)}


def _print(name: str, found: dict[str, Any]) -> None:
    each = found["reads"] / found["events"]
    print(f"\n{name}: {found['events']:,} events, {found['payments']:,} payments, {each:.3f} reads an event")
    for events, one in found["a_day"].items():
        cost = f"{one['reads']:>7,} reads of {one['allowed']:>9,} ({one['share']:.0%})"
        print(f"  {events:>7,} events a day: {cost}")


if __name__ == "__main__":
    main()
