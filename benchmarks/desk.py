"""How long until the desk shows data, how fast is each page again, and what does it hold in memory?

`python -m benchmarks.desk --customers 1500 20000`: for each size a fresh folder, a cold start (books of the
sandbox written, account pulled), a warm start, then reruns of every page over the desk's own websocket.
Installing is measured by `python -m benchmarks.install`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import psutil
import requests

from benchmarks.visitor import Visitor, visiting
from pages.components.navigation import PAGES
from tests.support.desk import Desk, start_desk

WARMING = 3


def main() -> None:
    """Prints one table for each size, and the raw figures as one line of JSON at the end."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--customers", type=int, nargs="+", default=[1500])
    options.add_argument("--reruns", type=int, default=40)
    given = options.parse_args()
    figures = {size: measure(size, given.reruns) for size in given.customers}
    print(json.dumps(figures))


def measure(customers: int, reruns: int) -> dict[str, object]:
    """The figures of one size: seconds, milliseconds and megabytes, by name."""
    with tempfile.TemporaryDirectory(prefix="trialdesk-bench-") as name:
        folder = Path(name)
        cold, first_page, desk = _cold_start(folder, customers)
        desk.stop()
        warm, desk = _warm_start(folder, customers)
        with visiting(desk.url) as visitor:
            pages = {page: _rerun(visitor, page, query, reruns) for page, query in _addresses(desk)}
        memory = _memory(desk)
        desk.stop()
    figures: dict[str, object] = {
        "first_page_s": first_page,
        "first_page_with_data_s": cold,
        "warm_start_s": warm,
        "memory_mb": memory,
        "pages_ms": pages,
    }
    _print(customers, figures)
    return figures


def _cold_start(folder: Path, customers: int) -> tuple[float, float, Desk]:
    started = time.perf_counter()
    desk = start_desk(folder, SANDBOX_CUSTOMERS=str(customers))
    first_page = _first_page(desk, started)
    desk.wait_until_pulled(3600)
    with visiting(desk.url) as visitor:
        visitor.visit("")
    return round(time.perf_counter() - started, 1), first_page, desk


def _warm_start(folder: Path, customers: int) -> tuple[float, Desk]:
    started = time.perf_counter()
    desk = start_desk(folder, SANDBOX_CUSTOMERS=str(customers))
    return _first_page(desk, started), desk


def _first_page(desk: Desk, started: float) -> float:
    with visiting(desk.url) as visitor:
        visitor.visit("")
    return round(time.perf_counter() - started, 1)


def _addresses(desk: Desk) -> list[tuple[str, str]]:
    customer = _some_customer(desk)
    return [
        (page.path.strip("/"), f"id={customer}" if page.key == "customer" else "") for page in PAGES.values()
    ]


def _some_customer(desk: Desk) -> str:
    """The newest subscriber; waits for the sandbox, which a warm desk starts beside its first page."""
    desk.wait_for_sandbox()
    key = {"Authorization": "Bearer sk_test_sandbox"}
    found = requests.get(f"{desk.sandbox_url}/v1/subscriptions?limit=1", headers=key, timeout=10).json()
    return str(found["data"][0]["customer"])


def _rerun(visitor: Visitor, page: str, query: str, reruns: int) -> dict[str, float]:
    taken = [1000 * visitor.visit(page, query) for _ in range(WARMING + reruns)]
    taken = sorted(taken[WARMING:])
    return {
        "median": round(statistics.median(taken), 1),
        "p95": round(taken[max(0, int(len(taken) * 0.95) - 1)], 1),
    }


def _memory(desk: Desk) -> dict[str, float]:
    own = psutil.Process(desk.process.pid)
    held = {"desk": own.memory_info().rss}
    held |= {f"child {child.name()}": child.memory_info().rss for child in own.children(recursive=True)}
    return {name: round(size / 1e6, 1) for name, size in held.items()}


def _print(customers: int, figures: dict[str, object]) -> None:
    print(f"\n{customers:,} customers")
    for name, value in figures.items():
        if not isinstance(value, dict):
            print(f"  {name:<28}{value}")
            continue
        print(f"  {name}")
        for inner, figure in value.items():
            print(f"    {inner or 'overview':<26}{figure}")


if __name__ == "__main__":
    main()
