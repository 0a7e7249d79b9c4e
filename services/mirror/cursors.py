"""Where does each pull stand, and up to when have the events been read?

Rows of `sync_cursors`: one for each resource, one for the work after the last page (`facts`), and one for
the feed of events, whose cursor is an instant. States: waiting, running, complete, failed, and denied where
the key may not read the resource; the feed's are running, and gap where events were lost. One more row counts
deliveries that were refused (services/mirror/refusals).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import SyncCursor
from services import changes, clock, database
from services.mirror import shapes, windows

FEED = "feed"
REFUSED = "refused"
HISTORY = "events"
DERIVED = "facts"
SETTLED = frozenset(("complete", "denied"))
RESOURCES: dict[str, str] = {
    str(kind.model.__tablename__): name for name, kind in shapes.KINDS.items() if kind.path
} | {HISTORY: ""}


def listing(resource: str) -> tuple[str, dict[str, Any]]:
    """Where a resource is listed, and with which parameters."""
    if resource == HISTORY:
        return "/v1/events", {}
    kind = shapes.KINDS[RESOURCES[resource]]
    return kind.path, kind.list_params()


def prepare(now: int) -> None:
    """Adds the rows that are missing. `now` (account's clock) is where the feed begins on a new database."""
    with database.transaction() as session:
        known = set(session.exec(select(SyncCursor.resource)))
        for name in (*RESOURCES, DERIVED):
            if name not in known:
                session.add(SyncCursor(resource=name))
        if FEED not in known:
            session.add(SyncCursor(resource=FEED, state="running", cursor=str(now)))


def start_over(session: Session, now: int) -> None:
    """Has every resource pulled anew: events from `now` on, everything before by listing. Call it while no
    pull is under way."""
    session.connection().execute(
        sa.update(SyncCursor)
        .where(col(SyncCursor.resource).not_in((FEED, REFUSED)))
        .values(state="waiting", fetched=0, started_at=None, finished_at=None, error="")
    )
    windows.forget(session)
    move_feed(session, now)
    of(session, FEED).state = "running"


def unfinished() -> list[str]:
    """The resources that are not pulled to their end, in the order to pull them."""
    with database.session() as session:
        settled = set(session.exec(select(SyncCursor.resource).where(col(SyncCursor.state).in_(SETTLED))))
    return [name for name in RESOURCES if name not in settled]


def complete() -> bool:
    """Whether the account was pulled, no events were lost since, and the facts of all customers derived."""
    with database.session() as session:
        derived = session.get(SyncCursor, DERIVED)
        lacks = has_gap(session)
    return derived is not None and derived.state == "complete" and not lacks and not unfinished()


def of(session: Session, resource: str) -> SyncCursor:
    """The row of a resource. `prepare` has made it."""
    return session.exec(select(SyncCursor).where(SyncCursor.resource == resource)).one()


def these(session: Session, resources: Iterable[str]) -> dict[str, SyncCursor]:
    """The rows of some resources, by their names."""
    rows = session.exec(select(SyncCursor).where(col(SyncCursor.resource).in_(resources)))
    return {row.resource: row for row in rows}


def reopen_denied(session: Session, names: Iterable[str] = tuple(RESOURCES)) -> None:
    """Has those resources that the key could not read asked for again: it may have got the right since."""
    denied = col(SyncCursor.resource).in_(names) & (col(SyncCursor.state) == "denied")
    session.connection().execute(sa.update(SyncCursor).where(denied).values(state="waiting", error=""))


def begin(session: Session, resource: str) -> SyncCursor:
    """Marks a resource as running, and returns its row. What was derived is out of date then."""
    if resource != DERIVED:
        derive_again(session)
    row = of(session, resource)
    row.state, row.error = "running", ""
    row.started_at = row.started_at or clock.now()
    return row


def derive_again(session: Session) -> None:
    """Notes that what was derived for all customers is out of date."""
    session.connection().execute(
        sa.update(SyncCursor).where(col(SyncCursor.resource) == DERIVED).values(state="waiting")
    )


def denied(session: Session, resource: str) -> bool:
    """Whether the key was found to lack the right to read a resource."""
    row = session.get(SyncCursor, resource)
    return row is not None and row.state == "denied"


def finish(session: Session, resource: str) -> None:
    """Marks a resource as pulled to its end."""
    row = of(session, resource)
    row.state, row.finished_at = "complete", clock.now()
    changes.note(session)


def fail(resource: str, error: str, *, denied: bool = False) -> None:
    """Notes why a resource stands still."""
    with database.transaction() as session:
        row = of(session, resource)
        row.state, row.error = "denied" if denied else "failed", error


def begun() -> bool:
    """Whether it is known from when on events are to be read."""
    with database.session() as session:
        return session.get(SyncCursor, FEED) is not None


def feed() -> int:
    """Up to when the events have been read (s, account's clock)."""
    with database.session() as session:
        return int(of(session, FEED).cursor or 0)


def move_feed(session: Session, at: int) -> None:
    """Notes that the events up to an instant have been read; never backwards."""
    row = of(session, FEED)
    row.cursor = str(max(at, int(row.cursor or 0)))


def note_gap(session: Session) -> None:
    """Notes that events were lost: all is to be pulled anew."""
    of(session, FEED).state = "gap"


def has_gap(session: Session) -> bool:
    """Whether events were lost, and the pull that makes up for them has not begun."""
    row = session.get(SyncCursor, FEED)
    return row is not None and row.state == "gap"
