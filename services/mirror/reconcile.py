"""Do the tables still say what the account says? All of it is listed again, compared, and put right.

What the lists do not hold is read by id, as absence proves nothing. Windows and cursors of the pull are left
alone: a reconciliation that was stopped has put right what it saw, and the next one begins anew.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlmodel import select

from models import SyncCursor
from services import clock, database, locks
from services.errors import Conflict, NotAllowed, Refused, TrialdeskError
from services.mirror import aside, complete, cursors, drift, facts, owners, poll, shapes
from services.mirror.batch import Batch
from services.mirror.drift import Found
from services.mirror.readers import Readers, ReadPage, Stop
from services.mirror.shapes import UnreadableObject
from services.mirror.tables import chunks, table
from services.mirror.windows import Window
from services.stripe_api import client
from services.stripe_api.client import Answer

_READERS = 4
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
    skipped: dict[str, str] = field(default_factory=dict)


def run(stop: Stop = lambda: False) -> dict[str, Any]:
    """Compares and repairs everything that was pulled.

    Returns `{"complete", "objects", "requests", "seconds", "drifts", "skipped": {resource: why}}`.
    Raises NotPulledYet, AlreadyReconciling, and what a poll raises.
    """
    with locks.alone("reconcile") as lock:
        if lock is None:
            raise AlreadyReconciling
        return _run(stop)


def _run(stop: Stop) -> dict[str, Any]:
    began, asked = time.monotonic(), client.account().pacer.sent
    names = _pulled()
    poll.once()
    since = client.account().read("/v1/events", {"limit": 1}).as_of
    check = _Check()
    _compare_lists(check, names, stop)
    if not stop():
        _compare_the_rest(check, [name for name in names if name not in check.skipped], since)
    poll.once()
    with database.transaction() as session:
        kept = drift.keep(session, check.found)
        drift.forget(session, clock.now() - drift.KEPT)
    return {
        "complete": not (stop() or check.skipped),
        "objects": check.objects,
        "requests": client.account().pacer.sent - asked,
        "seconds": round(time.monotonic() - began, 1),
        "drifts": kept,
        "skipped": check.skipped,
    }


def _pulled() -> list[str]:
    if not cursors.complete():
        raise NotPulledYet
    with database.session() as session:
        states = dict(session.exec(select(SyncCursor.resource, SyncCursor.state)).all())
    return [name for name, kind in cursors.RESOURCES.items() if kind and states[name] == "complete"]


def _compare_lists(check: _Check, names: Collection[str], stop: Stop) -> None:
    def skip(resource: str, error: TrialdeskError) -> None:
        check.skipped[resource] = str(error)

    readers = Readers([Window(name, 1) for name in names], stop, skip)
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
            check.skipped[page.resource] = str(error)
    _compare(check, batch, kinds)


def _compare(check: _Check, batch: Batch, kinds: Collection[str]) -> None:
    """Notes how the tables differ from a batch, and writes it; row by row where the database refuses one."""
    with database.session() as session:
        found = drift.of(session, batch, kinds)
    aside.write(batch)
    check.found += found
    if found:
        with database.session() as session:
            touched = owners.of(session, batch)
        facts.refresh_in_pieces(touched)


def _compare_the_rest(check: _Check, names: Collection[str], since: int) -> None:
    """Reads what no list held: what was deleted in silence, and test clocks' objects."""
    with ThreadPoolExecutor(_READERS) as pool:
        for resource in names:
            kind = cursors.RESOURCES[resource]
            for some in chunks(_untouched(kind, since), _AT_ONCE):
                batch = Batch()
                for answer in pool.map(lambda id, kind=kind: _read(kind, id), some):
                    if answer is not None:
                        _take(check, resource, batch, answer)
                check.objects += len(some)
                _note_deleted(check, kind, batch)
                _compare(check, batch, [kind])


def _take(check: _Check, resource: str, batch: Batch, answer: Answer) -> None:
    try:
        batch.add(answer.object, answer.as_of)
    except UnreadableObject as error:
        check.skipped[resource] = str(error)


def _note_deleted(check: _Check, kind: str, batch: Batch) -> None:
    model = shapes.KINDS[kind].model
    for id in batch.tombs[model]:
        check.found.append(Found(clock.now(), table(model).name, id, id, "gone"))


def _untouched(kind: str, since: int) -> list[str]:
    """Rows that are as old as before the lists were read. Hearsay (`as_of` 0) is in no list."""
    columns: Any = table(shapes.KINDS[kind].model).c
    old = sa.and_(columns.deleted.is_(False), columns.as_of > 0, columns.as_of < since)
    with database.session() as session:
        return list(session.connection().execute(sa.select(columns.id).where(old)).scalars())


def _read(kind: str, id: str) -> Answer | None:
    try:
        return complete.read(kind, id)
    except (Refused, NotAllowed):
        return None
