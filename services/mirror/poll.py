"""What has happened since we last looked? Stripe's list of events, into the inbox, into the tables.

The list is read from the last look on, with an overlap, as events may appear late; the inbox keeps each
once. Stripe keeps events for 30 days: after a longer gap the account is pulled anew.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from models import Workspace
from services import clock, database
from services.errors import TrialdeskError
from services.mirror import cursors, identity, inbox
from services.stripe_api import client

OVERLAP = 120
RETENTION = 30 * clock.DAY
_KEPT_BY_STRIPE = 29 * clock.DAY  # a day less than Stripe says, as its cut is not ours to time
_LOOKS = 6
SANDBOX_INTERVAL = 2


@dataclass(frozen=True, slots=True)
class Polled:
    """What one look brought: new events, and what became of them."""

    received: int
    drained: inbox.Drained


def interval(mode: str, setting: int) -> int:
    """Seconds between two looks: reads cost nothing on the sandbox, and are counted on a real account."""
    return min(SANDBOX_INTERVAL, setting) if mode == "sandbox" else setting


def once() -> Polled:
    """Looks once: fetches new events and applies what is pending. Notes when, and what went wrong.

    Raises Unavailable, KeyRejected or RightMissing; nothing is lost, the next look goes on.
    """
    try:
        received = fetch()
        drained = settle()
    except TrialdeskError as error:
        _note(error=str(error))
        raise
    _note(checked_at=clock.now())
    return Polled(received, drained)


def settle() -> inbox.Drained:
    """Applies what is pending; where a second must be over first, waits for it, a few seconds at most."""
    total = drained = inbox.drain()
    for _ in range(_LOOKS):
        if not drained.deferred:
            break
        time.sleep(1)
        drained = inbox.drain()
        total += drained
    return inbox.Drained(total.applied, total.failed, drained.deferred)


def fetch() -> int:
    """Puts the events since the last look into the inbox; returns how many were new.

    The cursor moves only when the list was read to its end, and to the first page's instant: the list runs
    newest first, so what happens later is on no page.
    """
    since = cursors.feed()
    received, looked_at, date = 0, 0, 0
    for page in client.account().pages("/v1/events", {"created": {"gte": since - OVERLAP}}):
        looked_at, date = looked_at or page.as_of, page.date
        with database.transaction() as session:
            received += inbox.put(session, reversed(page.objects), "poll")
    _arrive(since, looked_at, date)
    return received


def _arrive(since: int, looked_at: int, date: int) -> None:
    with database.transaction() as session:
        workspace = session.get(Workspace, 1)
        identity.follow_clock(workspace.mode if workspace else "", date)
        cursors.move_feed(session, looked_at)
        if looked_at - since > _KEPT_BY_STRIPE:
            cursors.start_over(session, looked_at)
    if since // clock.DAY != looked_at // clock.DAY:
        inbox.forget(looked_at - RETENTION)


def _note(*, checked_at: int | None = None, error: str = "") -> None:
    with database.transaction() as session:
        workspace = session.get(Workspace, 1)
        if workspace is not None:
            workspace.checked_at = checked_at or workspace.checked_at
            workspace.clock_offset = clock.offset()
            workspace.last_error = error
