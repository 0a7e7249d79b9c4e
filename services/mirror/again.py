"""What was put aside is to be tried once more, or does not matter: who looks after the desk says so.

An event is tried as it lies there. An object is read again from Stripe: what lies there is what could not be
understood or stored at the time. Both go through the inbox, so that whichever process drains it does it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from models import InboxItem
from services import changes, clock
from services.mirror import complete, inbox, shapes
from services.stripe_api import payload

LIE = ("failed", "ignored")  # the states of what lies aside


@dataclass(frozen=True, slots=True)
class Queued:
    """The rows that are tried again, and those that nothing can read by themselves."""

    again: tuple[InboxItem, ...]
    not_readable: tuple[InboxItem, ...]


def queue(session: Session, ids: Collection[str]) -> Queued:
    """Has these tried again at the next drain; those that do not lie aside any more are passed over."""
    rows = _lying(session, ids, LIE)
    again = tuple(row for row in rows if _ask(row))
    changes.note(session)
    return Queued(again, tuple(row for row in rows if row not in again))


def ignore(session: Session, ids: Collection[str]) -> tuple[InboxItem, ...]:
    """Notes that these do not matter; returns those that lay aside as failed."""
    rows = tuple(_lying(session, ids, ("failed",)))
    for row in rows:
        row.state = "ignored"
    changes.note(session)
    return rows


def _lying(session: Session, ids: Collection[str], states: Collection[str]) -> list[InboxItem]:
    query = select(InboxItem).where(col(InboxItem.id).in_(ids), col(InboxItem.state).in_(states))
    return list(session.exec(query.order_by(col(InboxItem.id)).with_for_update()))


def _ask(row: InboxItem) -> bool:
    """Makes the row pending in a form that a drain understands; False where there is none."""
    if row.source == "pull" and not _is_event(row.payload):
        if row.type not in shapes.KINDS or not complete.readable(row.type):
            return False
        row.payload = json.dumps(inbox.read_request(row.id, row.type, row.id))
    row.state, row.error, row.tried_at = "pending", "", clock.now()
    return True


def _is_event(written: str) -> bool:
    found: Any = payload.parse(written)
    return isinstance(found, dict) and "data" in found and "type" in found
