"""Do the tables still say what the account says? All of it is listed again, compared, and put right.

What the lists do not hold is read by id, as absence proves nothing. Windows and cursors of the pull are left
alone: a reconciliation that was stopped has put right what it saw, and the next one begins anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlmodel import select

from models import SyncCursor
from services import clock, database, locks
from services.database import chunks
from services.errors import Conflict, TrialdeskError, Unforeseen
from services.mirror import comparisons, complete, cursors, drift, poll, repair
from services.mirror.batch import Batch
from services.mirror.drift import Found
from services.mirror.readers import Readers, ReadPage, Stop
from services.mirror.shapes import UnreadableObject
from services.mirror.windows import Window
from services.stripe_api import client, errands
from services.stripe_api.client import Answer

LOCK = "reconcile"
_READERS = 4
_log = logging.getLogger(__name__)
_AT_ONCE = 100


class NotPulledYet(Conflict):
    """There is nothing to compare before the first pull is done."""

    def __init__(self) -> None:
        super().__init__(
            "The account has not been pulled to its end yet.",
            remedy="Run the backfill first, or start the desk.",
        )


class AlreadyReconciling(Conflict):
    """Another process compares the tables with the account."""

    def __init__(self) -> None:
        super().__init__(
            "Another process compares the tables with the account now.", remedy="Wait for its end."
        )


@dataclass(slots=True)
class _Check:
    """What has been compared and found so far."""

    found: list[Found] = field(default_factory=list)
    objects: int = 0
    aside: int = 0
    skipped: dict[str, list[str]] = field(default_factory=dict)

    def skip(self, resource: str, why: object) -> None:
        """Notes that something of a resource was not compared, and why; several threads may tell the same."""
        reasons = self.skipped.setdefault(resource, [])
        if str(why) not in reasons:
            reasons.append(str(why))


def run(stop: Stop = lambda: False, *, gently: bool = False) -> dict[str, Any]:
    """Compares and repairs everything that was pulled; `gently` leaves most of what we may ask to others.

    Returns `{"complete", "objects", "requests", "seconds", "drifts", "aside", "skipped": {resource: [why]}}`,
    and keeps it. Raises NotPulledYet, AlreadyReconciling, and what a poll raises.
    """
    with locks.alone(LOCK) as lock:
        if lock is None:
            raise AlreadyReconciling
        names = _pulled()
        id = comparisons.begin()
        try:
            with errands.on(errands.RECONCILE, gently=gently):
                told = _run(names, stop)
        except Exception as error:
            comparisons.end(id, "failed", error=_why(error))
            raise
        state = "complete" if told["complete"] else "stopped" if stop() else "incomplete"
        kept = ("objects", "requests", "drifts", "aside", "skipped")
        comparisons.end(id, state, **{name: told[name] for name in kept})
        return told


def _why(error: Exception) -> str:
    if isinstance(error, TrialdeskError):
        return str(error)
    if away := database.absence(error):
        return str(away)
    unforeseen = Unforeseen("Something went wrong in the desk", error)
    _log.error("A comparison failed (reference %s).", unforeseen.reference, exc_info=error)
    return str(unforeseen)


def _run(names: list[str], stop: Stop) -> dict[str, Any]:
    began, asked = time.monotonic(), client.account().pacer.sent
    poll.once()
    since = client.account().read("/v1/events", {"limit": 1}).as_of
    check = _Check()
    _compare_lists(check, names, stop)
    _compare_the_rest(check, [name for name in names if name not in check.skipped], since, stop)
    poll.once()
    with database.transaction() as session:
        kept = drift.keep(session, check.found)
        drift.forget(session, clock.now() - drift.KEPT)
    return {
        "complete": not (stop() or check.skipped or check.aside),
        "objects": check.objects,
        "requests": client.account().pacer.sent - asked,
        "seconds": round(time.monotonic() - began, 1),
        "drifts": kept,
        "aside": check.aside,
        "skipped": check.skipped,
    }


def _pulled() -> list[str]:
    if not cursors.complete():
        raise NotPulledYet
    with database.session() as session:
        states = dict(session.exec(select(SyncCursor.resource, SyncCursor.state)).all())
    return [name for name, kind in cursors.RESOURCES.items() if kind and states[name] == "complete"]


def _compare_lists(check: _Check, names: Collection[str], stop: Stop) -> None:
    readers = Readers([Window(name, 1) for name in names], stop, check.skip)
    try:
        for pages in readers.pages():
            _compare_pages(check, pages)
    finally:
        readers.end()


def _compare_pages(check: _Check, pages: Collection[ReadPage]) -> None:
    batch, kinds = Batch(), {cursors.RESOURCES[page.resource] for page in pages}
    for page in pages:
        batch.absorb(page.batch)
        check.objects += page.objects
        for _source, error, _as_of in page.unreadable:
            check.skip(page.resource, error)
    _compare(check, batch, kinds)


def _compare(check: _Check, batch: Batch, kinds: Collection[str]) -> None:
    done = repair.write(batch, kinds)
    check.found += done.found
    check.aside += done.aside
    for why in done.left_out:
        check.skip("discounts", why)


def _compare_the_rest(check: _Check, names: Collection[str], since: int, stop: Stop) -> None:
    """Reads what no list held: what was deleted in silence, and test clocks' objects."""
    with errands.pool(_READERS) as pool:
        for resource in names:
            kind = cursors.RESOURCES[resource]
            for some in chunks(_untouched(kind, since), _AT_ONCE):
                if stop():
                    return
                batch = Batch()
                answers = pool.map(partial(complete.read_or_why, kind), some)
                for id, answer in zip(some, answers, strict=True):
                    _take(check, resource, batch, id, answer)
                check.objects += len(some)
                check.found += repair.buried(batch, kind)
                _compare(check, batch, [kind])


def _take(check: _Check, resource: str, batch: Batch, id: str, answer: Answer | TrialdeskError) -> None:
    if isinstance(answer, TrialdeskError):
        check.skip(resource, f"{id}: {answer}")
        return
    try:
        batch.add(answer.object, answer.as_of)
    except UnreadableObject as error:
        check.skip(resource, error)


def _untouched(kind: str, since: int) -> list[str]:
    """Rows that are as old as before the lists were read."""
    with database.session() as session:
        return repair.untouched(session, kind, since)
