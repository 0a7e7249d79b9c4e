"""What becomes of one object that cannot be stored, while all others can?

It is put aside: into the inbox, as failed, with its reason, until it is stored (services/mirror/leftovers) or
its retention time is over. What cannot be read (UnreadableObject) is kept as
Stripe sent it, what the database refuses (Unstorable) as the row that it would have become.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import Session, col, select

from models import InboxItem
from services import clock, database
from services.errors import TrialdeskError
from services.locks import Confirm, unguarded
from services.mirror import writer
from services.mirror.batch import Batch
from services.mirror.shapes.reading import Object

T = TypeVar("T")
NAMED = 5  # of those put aside, the latest
REFUSED = (DataError, IntegrityError)  # by the database, for what a row holds
_log = logging.getLogger(__name__)


class Unstorable(TrialdeskError):
    """An object that the database refuses, such as one with a number too large for it. The log says why."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(
            f"The {kind} “{id}” holds something that the database cannot store.",
            remedy="It is kept in the inbox, and all else goes on without it; tell whoever runs the desk.",
        )
        self.kind, self.id = kind, id


def refused(kind: str, id: str, error: Exception) -> Unstorable:
    """The sentence for people about an object that the database refused; what the database said is logged."""
    _log.warning("The database refused the %s %s.", kind, id, exc_info=error)
    return Unstorable(kind, id)


def write(batch: Batch, confirm: Confirm = unguarded) -> None:
    """Writes what was read, in one transaction; where the database refuses it, row by row, and puts aside
    what it refuses then. `confirm` is called before each commit.
    """
    write_with(writer.write, batch, confirm)


def write_with(
    writes: Callable[[Session, Batch], T], batch: Batch, confirm: Confirm = unguarded
) -> tuple[list[T], list[Unstorable]]:
    """Like `write`, by a function of the caller's; returns what it returned of all that was written, and what
    was put aside.
    """
    try:
        with database.transaction() as session:
            written = writes(session, batch)
            confirm()
    except REFUSED:
        pieces = (
            ({"object": name, **row}, lambda session, piece=piece: writes(session, piece))
            for name, row, piece in batch.pieces()
        )
        return one_by_one(pieces, confirm)
    return [written], []


def one_by_one(
    pieces: Iterable[tuple[Object, Callable[[Session], T]]], confirm: Confirm = unguarded
) -> tuple[list[T], list[Unstorable]]:
    """Writes each piece in a transaction of its own; puts aside what the database refuses.

    Returns what writing the others returned, and what was put aside. `confirm` is called before each commit.
    """
    written, problems = list[T](), list[Unstorable]()
    for source, write_it in pieces:
        try:
            with database.transaction() as session:
                told = write_it(session)
                confirm()
        except REFUSED as error:
            problem = refused(source["object"], source["id"], error)
            with database.transaction() as session:
                keep(session, source, problem, source.get("as_of") or clock.now())
                confirm()
            problems.append(problem)
        else:
            written.append(told)
    return written, problems


def keep(session: Session, source: Object, error: TrialdeskError, seen_at: int) -> None:
    """Keeps what cannot be stored in the inbox, as failed, with its reason; seen again, the newer one."""
    connection = session.connection()
    insert = database.insert(InboxItem, connection.dialect.name).values(
        id=str(source["id"]),
        source="pull",
        type=str(source.get("object") or ""),
        created=seen_at,
        received_at=clock.now(),
        payload=json.dumps(source, separators=(",", ":")),
        state="failed",
        attempts=1,
        error=str(error),
        tried_at=clock.now(),
    )
    newer = {name: insert.excluded[name] for name in ("created", "payload", "error", "tried_at")}
    newer["attempts"] = col(InboxItem.attempts) + 1
    stays = sa.or_(col(InboxItem.source) != "pull", col(InboxItem.state) == "ignored")
    newer["state"] = sa.case((stays, col(InboxItem.state)), else_="failed")
    connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=newer))


def last_try() -> Any:
    """When each was last tried; those from before this was kept, when they came in."""
    return sa.func.coalesce(col(InboxItem.tried_at), col(InboxItem.received_at))


def told(session: Session) -> tuple[int, tuple[str, ...]]:
    """How many objects and events lie aside, and of the latest few which it is and why."""
    lie = col(InboxItem.state) == "failed"
    count = session.exec(select(sa.func.count()).select_from(InboxItem).where(lie)).one()
    latest = select(InboxItem.type, InboxItem.id, InboxItem.error).where(lie)
    found = session.exec(latest.order_by(last_try().desc(), col(InboxItem.id)).limit(NAMED))
    return count, tuple(error if id in error else f"{type} {id}: {error}" for type, id, error in found)
