"""How many deliveries of events were refused, since when, and why was the last one?

All processes share one row of `sync_cursors`. Anybody may send to the address of webhooks, so that each
process writes at most once in a few seconds, however many come.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session

from models import SyncCursor
from services import clock, database
from services.errors import TrialdeskError
from services.mirror import cursors
from services.mirror.tables import table

_WRITE_EVERY = 10.0  # seconds
_FORGOTTEN_AFTER = 7 * clock.DAY  # without any
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refused:
    """So many since an instant, the last one at another (s); `why` is its reason, with what to do."""

    number: int
    since: int
    last: int
    why: str


class Refusals:
    """What this process refuses. Belongs to one event loop."""

    def __init__(self, every: float = _WRITE_EVERY) -> None:
        self._every, self._number, self._why = every, 0, ""
        self._writer: asyncio.Task[None] | None = None

    def note(self, error: TrialdeskError) -> None:
        """Counts one; it is in the table at once, or with those of the next few seconds."""
        self._number, self._why = self._number + 1, str(error)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._number:
                number, self._number = self._number, 0
                _log.warning("Deliveries to /webhooks/stripe were refused: %d. %s", number, self._why)
                await asyncio.to_thread(_keep, number, self._why)
                await asyncio.sleep(self._every)
        finally:
            self._writer = None


def _keep(number: int, why: str) -> None:
    try:
        with database.transaction() as session:
            _add(session, number, why)
    except (TrialdeskError, sa.exc.SQLAlchemyError) as error:
        _log.warning("Refused deliveries could not be counted: %s", error)


def _add(session: Session, number: int, why: str) -> None:
    now, columns, connection = clock.now(), table(SyncCursor).c, session.connection()
    first = {"state": "refused", "fetched": number, "started_at": now, "finished_at": now, "error": why}
    anew = columns.finished_at < now - _FORGOTTEN_AFTER
    again = {
        "fetched": sa.case((anew, number), else_=columns.fetched + number),
        "started_at": sa.case((anew, now), else_=columns.started_at),
    }
    insert = database.insert(SyncCursor, connection.dialect.name).values(resource=cursors.REFUSED, **first)
    connection.execute(insert.on_conflict_do_update(index_elements=["resource"], set_={**first, **again}))


def read(session: Session) -> Refused | None:
    """As all processes have counted; None where none was refused in the last week."""
    row = session.get(SyncCursor, cursors.REFUSED)
    if row is None or row.started_at is None or row.finished_at is None:
        return None
    is_old = row.finished_at < clock.now() - _FORGOTTEN_AFTER
    return None if is_old else Refused(row.fetched, row.started_at, row.finished_at, row.error)
