"""How far is the first pull, and how old is the data?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import InboxItem, Product, SyncCursor, SyncWindow, Workspace
from services import clock, database
from services.mirror import aside, cursors
from services.mirror.health import BY_WEBHOOK

_LATELY = 900  # seconds: longer ago, a look has been since


@dataclass(frozen=True, slots=True)
class ResourceProgress:
    """One resource: `state` as in services/mirror/cursors, objects `fetched`, `share` (0 to 1) done."""

    resource: str
    state: str
    fetched: int
    share: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """The whole pull. `age`: seconds since the tables were last known to be fresh, None before the first
    pull is done. `last_error` is a sentence, "" when all is well. `put_aside` counts what could not be
    stored, `aside` says of the latest which it is and why. `waiting` counts what came in and is not applied.
    """

    resources: tuple[ResourceProgress, ...]
    complete: bool
    share: float
    objects: int
    pulled_at: int | None
    checked_at: int | None
    age: int | None
    last_error: str
    put_aside: int = 0
    aside: tuple[str, ...] = ()
    waiting: int = 0

    @property
    def denied(self) -> tuple[str, ...]:
        """The resources that the key may not read."""
        return tuple(found.resource for found in self.resources if found.state == "denied")


def read(session: Session) -> Progress:
    """The progress as the tables tell it; before the pull has begun, nothing of everything."""
    rows = {row.resource: row for row in session.exec(select(SyncCursor))}
    workspace = session.get(Workspace, 1)
    oldest = _oldest(session)
    left = defaultdict(list)
    for window in session.exec(select(SyncWindow).where(col(SyncWindow.done).is_(False))):
        left[window.resource].append(window)
    found = tuple(_resource(name, rows.get(name), left[name], oldest) for name in cursors.RESOURCES)
    derived, has_gap = rows.get(cursors.DERIVED), cursors.has_gap(session)
    settled = all(one.state in cursors.SETTLED for one in found)
    pulled_at, checked_at = (workspace.pulled_at, workspace.checked_at) if workspace else (None, None)
    heard_at = _heard(session)
    fresh = max((at for at in (pulled_at, checked_at, heard_at) if at is not None), default=None)
    errors = [row.error for row in rows.values() if row.state == "failed"]
    put_aside, named = aside.told(session)
    return Progress(
        resources=found,
        complete=settled and derived is not None and derived.state == "complete" and not has_gap,
        share=sum(one.share for one in found) / len(found),
        objects=sum(one.fetched for one in found),
        pulled_at=pulled_at,
        checked_at=checked_at,
        age=None if fresh is None or pulled_at is None else max(0, clock.now() - fresh),
        last_error=next(iter(errors), workspace.last_error if workspace else ""),
        put_aside=put_aside,
        aside=named,
        waiting=_waiting(session),
    )


def _heard(session: Session) -> int | None:
    """When an event that Stripe delivered by itself was last applied, if that was of late."""
    lately = col(InboxItem.applied_at) >= clock.now() - _LATELY
    return session.exec(select(sa.func.max(col(InboxItem.applied_at))).where(BY_WEBHOOK, lately)).one()


def trouble(problem: str) -> None:
    """Notes why the account could not be read (a sentence), for the banner."""
    with database.transaction() as session:
        workspace = session.get(Workspace, 1)
        if workspace is not None:
            workspace.last_error = problem


def _resource(
    name: str, row: SyncCursor | None, left: Collection[SyncWindow], oldest: int | None
) -> ResourceProgress:
    if row is None:
        return ResourceProgress(name, "waiting", 0, 0.0)
    share = 1.0 if row.state in cursors.SETTLED else _listed(row, left, oldest)
    return ResourceProgress(name, row.state, row.fetched, share, row.error)


def _listed(row: SyncCursor, left: Collection[SyncWindow], oldest: int | None) -> float:
    """How much of the account's time is listed: lists run from now back to the account's first day."""
    if not left or row.started_at is None or oldest is None:
        return 0.0
    begin = row.started_at - 30 * clock.DAY if row.resource == cursors.HISTORY else oldest
    ends = [(max(one.low, begin), one.reached or one.high or row.started_at) for one in left]
    span = max(1, row.started_at - begin)
    return min(0.99, max(0.0, 1 - sum(max(0, high - low) for low, high in ends) / span))


def _oldest(session: Session) -> int | None:
    """When the account began to sell, as far as is known yet."""
    return session.exec(select(sa.func.min(col(Product.created)))).one()


def _waiting(session: Session) -> int:
    pending = select(sa.func.count()).select_from(InboxItem).where(col(InboxItem.state) == "pending")
    return session.exec(pending).one()
