"""How long does a button take, beside the SDK's bare call, and how much of it is our own work?

`python -m benchmarks.commands --count 100 --latency-ms 0 100 --database sqlite postgresql`: trials of a
sandbox account, each extended once. In one process, as in a desk: first one after the other (click to
checkpoint: from "Confirm" until the ledger knows the end), then many at once. "own" is a click less what its
requests took. The bare call is the update of the same trials through the official SDK, written nowhere.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services import database, durable
from services.clock import DAY
from services.desk import commands
from services.desk.asking import Opened
from services.desk.subject import Subject
from services.stripe_api import client
from services.stripe_api.transport import Transport
from tests.desk.bench import ANA, WEEK, Bench
from tests.support import postgres
from tests.support.sandbox import start_sandbox

AT_ONCE = 16
Figures = dict[str, Any]


def main() -> None:
    """Prints a line for each database and latency, and all of them as one line of JSON at the end."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--count", type=int, default=100, help="commands one by one, and as many at once")
    options.add_argument("--latency-ms", type=float, nargs="+", default=[0, 100])
    options.add_argument("--database", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite"])
    given = options.parse_args()
    found = [_measure(kind, ms, given.count) for kind in given.database for ms in given.latency_ms]
    print(json.dumps(found))


def _measure(kind: str, latency_ms: float, count: int) -> Figures:
    with _desk(kind) as desk:
        trials = [desk.in_state("trialing") for _ in range(2 * count)]
        if latency_ms:
            desk.sandbox.fault("slow", path="/v1/", seconds=latency_ms / 1000)
        opened = [_open(each) for each in trials]
        with _timed_requests() as in_requests:
            clicks, own = _one_by_one(opened[:count], in_requests)
        many = _a_second(_press, opened[count:])
        bare = [_seconds(lambda each=each: _update(desk, each, 21)) for each in trials[:count]]
        bare_many = _a_second(lambda each: _update(desk, each, 21), trials[count:])
    figures = {
        "database": kind,
        "latency_ms": latency_ms,
        "click_ms": _ms(clicks),
        "own_ms": _ms(own),
        "bare_ms": _ms(bare),
        "a_second": round(many, 1),
        "bare_a_second": round(bare_many, 1),
    }
    print(
        "{database:<11}{latency_ms:>4g} ms  click to checkpoint {click_ms} ms (median, p95), own {own_ms}, "
        "bare call {bare_ms}; at once {a_second} a second, bare {bare_a_second}".format(**figures),
        flush=True,
    )
    return figures


@contextmanager
def _desk(kind: str) -> Iterator[Bench]:
    with (
        tempfile.TemporaryDirectory(prefix="trialdesk-commands-") as name,
        start_sandbox(Path(name)) as sandbox,
    ):
        url = postgres.create_database() if kind == "postgresql" else f"sqlite:///{Path(name) / 'desk.db'}"
        database.configure(url)
        database.create_schema()
        client.configure(client.connect(sandbox.key, sandbox.url))
        durable.launch()
        try:
            yield Bench(sandbox)
        finally:
            durable.shutdown()
            database.engine().dispose()
            if kind == "postgresql":
                postgres.drop_database(url)


@contextmanager
def _timed_requests() -> Iterator[list[float]]:
    """How many seconds each request took."""
    taken: list[float] = []
    original = Transport._timed

    def timed(*given: Any) -> Any:
        began = time.perf_counter()
        try:
            return original(*given)
        finally:
            taken.append(time.perf_counter() - began)

    Transport._timed = timed  # type: ignore[method-assign]
    yield taken
    Transport._timed = original  # type: ignore[method-assign]


def _open(trial: Subject) -> Opened:
    return commands.open(ANA, "extend_trial", trial.customer.id, trial.object_id)


def _one_by_one(opened: Sequence[Opened], in_requests: list[float]) -> tuple[list[float], list[float]]:
    """Seconds from each click to its checkpoint, and those of them that no request took."""
    clicks, own = [], []
    for each in opened:
        in_requests.clear()
        clicks.append(_seconds(lambda each=each: _press(each)))
        own.append(clicks[-1] - sum(in_requests))
    return clicks, own


def _press(opened: Opened) -> None:
    outcome = commands.submit(opened, ANA, WEEK, "benchmark")
    if outcome.state != "done":
        raise SystemExit(f"A command ended as {outcome.state}: {outcome.message}")


def _update(desk: Bench, trial: Subject, days: int) -> None:
    assert trial.subscription is not None and trial.subscription.trial_end is not None
    desk.sdk.subscriptions.update(
        trial.object_id,
        {"trial_end": trial.subscription.trial_end + days * DAY, "proration_behavior": "none"},
    )


def _seconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _a_second(act: Callable[[Any], None], given: Sequence[Any]) -> float:
    """How many are done in a second by so many people at once."""
    start = threading.Barrier(AT_ONCE + 1)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        parts = [pool.submit(_all, start, act, given[part::AT_ONCE]) for part in range(AT_ONCE)]
        start.wait()
        taken = _seconds(lambda: [part.result() for part in parts] and None)
    return len(given) / taken


def _all(start: threading.Barrier, act: Callable[[Any], None], given: Sequence[Any]) -> None:
    start.wait()
    for each in given:
        act(each)


def _ms(seconds: Sequence[float]) -> tuple[float, float]:
    """The median and the 95th percentile, in ms."""
    return (
        round(1000 * statistics.median(seconds), 1),
        round(1000 * statistics.quantiles(seconds, n=20)[-1], 1),
    )


if __name__ == "__main__":
    main()
