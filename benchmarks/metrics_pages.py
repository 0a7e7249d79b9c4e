"""What do whole pages of numbers cost over a large book? Used by `benchmarks.metrics --pages`.

A desk of its own pulls a small sandbox account into the tables first, so that it takes the database for its
own; afterwards it shows the large book that was put beside. A page is timed over the desk's own websocket:
the first time after the desk has started, once more after something has changed, and again when nothing has.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from benchmarks.visitor import visiting
from services import changes, database
from tests.support.desk import start_desk

_RERUNS = 12
_CUSTOMERS = 30  # of the sandbox account
PAGES = {
    "overview": ("", ""),
    "conversion: cohorts": ("conversion", ""),
    "conversion: cohorts of weeks": ("conversion", "grain=Weeks"),
    "conversion: by source and country": ("conversion", "source=ads&country=DE"),
    "conversion: curves": ("conversion", "view=Curves"),
    "conversion: why not": ("conversion", "view=Why+not"),
    "conversion: groups": ("conversion", "view=Groups"),
    "conversion: compare": ("conversion", "view=Compare"),
    "conversion: funnel": ("conversion", "view=Funnel"),
    "conversion: expected": ("conversion", "view=Expected"),
    "revenue: MRR": ("revenue", ""),
    "revenue: churn": ("revenue", "view=Churn"),
    "revenue: retention": ("revenue", "view=Retention"),
    "revenue: plans and countries": ("revenue", "view=Plans+and+countries"),
    "recovery": ("recovery", ""),
    "goals": ("goals", ""),
    "Stripe's numbers": ("stripe-numbers", ""),
    "report": ("report", ""),
}


def pull(folder: Path, url: str, zone: str) -> None:
    """Has a desk with its data in `folder` pull a small account into the database, and stops it."""
    desk = start_desk(folder, DATABASE_URL=url, WORKSPACE_TIMEZONE=zone, SANDBOX_CUSTOMERS=str(_CUSTOMERS))
    desk.wait_until_pulled()
    desk.stop()


def measure(folder: Path, url: str, zone: str) -> dict[str, dict[str, float]]:
    """Milliseconds of each page, each in a session of its own: `first`, `changed` and `again` (the median of
    a dozen)."""
    desk = start_desk(folder, DATABASE_URL=url, WORKSPACE_TIMEZONE=zone, SANDBOX_CUSTOMERS=str(_CUSTOMERS))
    desk.wait_for_sandbox()
    try:
        _page(desk.url, "definitions", "")  # what all pages import
        return {name: _page(desk.url, *address) for name, address in PAGES.items()}
    finally:
        desk.stop()


def _page(url: str, page: str, query: str) -> dict[str, float]:
    with visiting(url) as visitor:
        first = visitor.visit(page, query)
        _change()
        changed = visitor.visit(page, query)
        again = statistics.median(visitor.visit(page, query) for _ in range(_RERUNS))
    return {"first": _ms(first), "changed": _ms(changed), "again": _ms(again)}


def _change() -> None:
    """Tells pages that something has changed, and waits until they know."""
    with database.transaction() as session:
        changes.note(session)
    time.sleep(2.1)


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)
