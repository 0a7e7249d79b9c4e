"""Who decided what becomes of that which was put aside? Each decision is checked, and kept in Activity."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlmodel import Session

from models import InboxItem
from services import database
from services.customers import audit
from services.mirror import again
from services.mirror.again import Queued
from services.staff.roles import Permission, Person


def try_again(person: Person, ids: Collection[str]) -> Queued:
    """Has what lies aside under these ids tried again by whoever drains the inbox next."""
    person.require(Permission.TEND_INBOX)
    with database.transaction() as session:
        queued = again.queue(session, ids)
        _keep(session, person, "aside_again", queued.again)
    return queued


def ignore(person: Person, ids: Collection[str]) -> int:
    """Takes what failed under these ids out of the warnings; returns how many that were."""
    person.require(Permission.TEND_INBOX)
    with database.transaction() as session:
        ignored = again.ignore(session, ids)
        _keep(session, person, "aside_ignored", ignored)
    return len(ignored)


def _keep(session: Session, person: Person, kind: str, rows: Iterable[InboxItem]) -> None:
    for row in rows:
        audit.record(
            session, person, kind, object_id=row.id, after={"object": f"{row.type} {row.id}".strip()}
        )
