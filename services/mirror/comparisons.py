"""Which comparisons with the account were there, how did they end, and is one due?

Rows of `reconciliations`, kept as long as the differences that they found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Reconciliation, Workspace
from services import changes, clock, database
from services.mirror import drift

ENDED = ("complete", "incomplete", "failed")
_CUT_SHORT = "The process that compared ended in the middle of it, or lost the database."
_AGAIN_AFTER = 1800  # seconds from the end of one that failed
_NAMED = 3  # reasons of one resource
_TRIES = 4  # a night, of those that failed or were cut short: whatever kills them may do so every time


def begin() -> int:
    """Notes that a comparison begins; whoever calls holds the lock, so that all before it are over."""
    with database.transaction() as session:
        bury(session)
        row = Reconciliation(started_at=clock.now())
        session.add(row)
        session.flush()
        old = sa.delete(Reconciliation).where(col(Reconciliation.started_at) < clock.now() - drift.KEPT)
        session.connection().execute(old)
    assert row.id is not None
    return row.id


def end(id: int, state: str, **found: Any) -> None:
    """Notes how a comparison ended, and what it found: the columns of its row."""
    with database.transaction() as session:
        row = session.get(Reconciliation, id)
        if row is not None:
            row.sqlmodel_update({"state": state, "finished_at": clock.now(), **found})
        changes.note(session)


def bury(session: Session) -> None:
    """Notes that comparisons which never came to an end will not; call it while none can be under way."""
    session.connection().execute(
        sa.update(Reconciliation)
        .where(col(Reconciliation.state) == "running")
        .values(state="failed", error=_CUT_SHORT, finished_at=clock.now())
    )


def under_way(session: Session) -> bool:
    """Whether one began and did not end, be it that its process died."""
    running = select(Reconciliation.id).where(Reconciliation.state == "running")
    return session.exec(running.limit(1)).first() is not None


def latest(session: Session, limit: int) -> list[Reconciliation]:
    """The last few, the newest first."""
    order = (col(Reconciliation.started_at).desc(), col(Reconciliation.id).desc())
    return list(session.exec(select(Reconciliation).order_by(*order).limit(limit)))


def last_ended(session: Session) -> Reconciliation | None:
    """The newest that came to an end, be it a bad one."""
    order = (col(Reconciliation.started_at).desc(), col(Reconciliation.id).desc())
    ended = select(Reconciliation).where(col(Reconciliation.state).in_(ENDED))
    return session.exec(ended.order_by(*order).limit(1)).first()


def trouble(row: Reconciliation | None) -> str:
    """What is wrong with a comparison, as a sentence; "" for one that compared and repaired everything."""
    if row is None or row.state not in ("failed", "incomplete"):
        return ""
    if row.state == "failed":
        return f"The last comparison with the account failed: {row.error}"
    said = [f"{name.replace('_', ' ')}: {_reasons(why)}" for name, why in sorted(row.skipped.items())]
    if row.aside:
        said.append(f"rows that the database cannot store: {row.aside:,}")
    return f"The last comparison with the account could not compare or repair everything. {'; '.join(said)}"


def _reasons(why: list[str] | str) -> str:
    """The first few of the reasons; earlier versions kept one for each resource."""
    each = [why] if isinstance(why, str) else why
    more = len(each) - _NAMED
    return " ".join([*each[:_NAMED], *([f"And {more:,} more."] if more > 0 else [])])


def is_due(session: Session, at: time_of_day, zone: ZoneInfo) -> bool:
    """Whether none was done since the time of day at which one should; the first pull counts as one.

    One that failed is tried again after half an hour, one that was stopped or cut short at once.
    """
    workspace, since = session.get(Workspace, 1), _last_time(at, zone)
    if workspace is None or workspace.pulled_at is None or since <= workspace.pulled_at:
        return False
    begun = select(Reconciliation).where(Reconciliation.started_at >= since)
    tries = session.exec(begun.where(Reconciliation.state != "stopped")).all()
    if len(tries) >= _TRIES or any(row.state != "failed" for row in tries):
        return False
    failed = (row.finished_at or row.started_at for row in tries if row.error != _CUT_SHORT)
    return clock.now() - max(failed, default=0) >= _AGAIN_AFTER


def first_ahead(session: Session, at: time_of_day, zone: ZoneInfo) -> int | None:
    """When one begins by itself (now where one is due), as long as none has compared; None once one has."""
    did = select(Reconciliation.id).where(col(Reconciliation.state).in_(("complete", "incomplete"))).limit(1)
    if session.exec(did).first() is not None:
        return None
    if is_due(session, at, zone):
        return clock.now()
    return next(instant for instant in _times(at, zone, (0, 1)) if instant > clock.now())


def _last_time(at: time_of_day, zone: ZoneInfo) -> int:
    return next(instant for instant in _times(at, zone, (0, -1)) if instant <= clock.now())


def _times(at: time_of_day, zone: ZoneInfo, days: Iterable[int]) -> Iterator[int]:
    """The instants of a time of day, on the days that are so many from today."""
    today = clock.local(clock.now(), zone).date()
    return (int(datetime.combine(today + timedelta(days=away), at, zone).timestamp()) for away in days)
