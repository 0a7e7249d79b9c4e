"""What has happened since we last looked? Stripe's list of events, into the inbox, into the tables.

The list is read from the last look on, with an overlap, as events may appear late; the inbox keeps each
once. Stripe keeps events for 30 days: a longer gap is noted, and the next pull begins anew for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from models import Workspace
from services import clock, database
from services.config import Settings
from services.errors import TrialdeskError
from services.mirror import cursors, identity, inbox
from services.mirror.health import Deliveries
from services.mirror.shapes.reading import Object
from services.stripe_api import client, errands
from services.stripe_api.client import Page
from services.stripe_api.failures import ObjectMissing

OVERLAP = 120
RETENTION = 30 * clock.DAY
KEPT_BY_STRIPE = 29 * clock.DAY  # a day less than Stripe says, as its cut is not ours to time
_LOOKS = 6
SANDBOX_INTERVAL = 2  # seconds, as all of these
_ALONE = 300
_BESIDE_WEBHOOKS = 900
_LATELY = clock.DAY
_UNDER_WAY = 60  # seconds that a delivery takes at most, where nothing is wrong


@dataclass(frozen=True, slots=True)
class Polled:
    """What one look brought: new events, how many of them no webhook can still be bringing, and what became
    of all."""

    received: int
    missed: int
    drained: inbox.Drained


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks, and what they go by: “as …”."""

    seconds: int
    reason: str


def pace(settings: Settings, found: Deliveries, missed: int = 0) -> Pace:
    """How often to look: reads cost nothing on the sandbox, and are counted on a real account.

    Unless a setting says it: 10,000 reads a month are allowed at least, and a look every 300 s takes 8,640.
    Where webhooks bring everything a look is their safety net: an event was taken in of late, and the last
    look found none that they had `missed`.
    """
    if settings.mode == "sandbox":
        seconds = min(SANDBOX_INTERVAL, settings.poll_interval or SANDBOX_INTERVAL)
        return Pace(seconds, "the sandbox allows as many reads as one likes")
    if settings.poll_interval:
        return Pace(settings.poll_interval, "POLL_INTERVAL says so")
    if not settings.webhook_secrets:
        return Pace(_ALONE, "no webhooks are set up")
    if missed:
        what = f"{missed:,} events" if missed > 1 else "one event"
        return Pace(_ALONE, f"the last look found {what} that no webhook had brought")
    if found.ceased:
        return Pace(_ALONE, "webhooks have brought nothing for over an hour, and looks have")
    if found.last is None or found.last < clock.now() - _LATELY:
        return Pace(_ALONE, "no webhook has brought an event in the last 24 hours")
    return Pace(_BESIDE_WEBHOOKS, "webhooks bring what happens in between")


def once() -> Polled:
    """Looks once: fetches new events and applies what is pending. Notes when, and what went wrong.

    Raises Unavailable, KeyRejected or RightMissing; nothing is lost, the next look goes on.
    """
    try:
        received, missed = fetch()
        drained = settle()
    except TrialdeskError as error:
        _note(error=str(error))
        raise
    _note(checked_at=clock.now())
    return Polled(received, missed, drained)


def settle() -> inbox.Drained:
    """Applies what is pending; where a second must be over first, waits for it, a few seconds at most."""
    total = drained = inbox.drain()
    for _ in range(_LOOKS):
        if not drained.deferred:
            break
        time.sleep(1)
        drained = inbox.drain()
        total += drained
    return replace(total, deferred=drained.deferred)


@errands.on(errands.POLL)
def fetch() -> tuple[int, int]:
    """Puts the events since the last look into the inbox; returns how many were new, and how many of those
    are older than a delivery that is under way.

    The cursor moves only when the list was read to its end, and to the first page's instant: the list runs
    newest first, so what happens later is on no page.
    """
    since, listed = cursors.feed(), _Listed()
    received = missed = looked_at = date = 0
    for page in listed.pages(since - OVERLAP):
        looked_at, date = looked_at or page.as_of, page.date
        with database.transaction() as session:
            ages: tuple[list[Object], list[Object]] = ([], [])
            for one in page.objects:
                ages[one.get("created", 0) < page.as_of - _UNDER_WAY].append(one)
            young, old = (inbox.put(session, some, "poll") for some in ages)
            received, missed = received + young + old, missed + old
    _arrive(since, looked_at, date, listed.is_cut or looked_at - since > KEPT_BY_STRIPE)
    return received, missed


@dataclass(slots=True)
class _Listed:
    """The list of events. `is_cut`: what is older than the last page has expired since it was read."""

    is_cut: bool = False

    def pages(self, since: int) -> Iterator[Page]:
        """From the newest to an instant (s)."""
        page: Page | None = None
        try:
            for page in client.account().pages("/v1/events", {"created": {"gte": since}}):
                yield page
        except ObjectMissing:  # the event after which the next page would begin
            if page is None:
                raise
            self.is_cut = True


def _arrive(since: int, looked_at: int, date: int, has_gap: bool) -> None:
    """Notes up to when the events were read, and whether some are lost."""
    with database.transaction() as session:
        workspace = session.get(Workspace, 1)
        identity.follow_clock(workspace.mode if workspace else "", date)
        cursors.move_feed(session, looked_at)
        if has_gap:
            cursors.note_gap(session)
    if since // clock.DAY != looked_at // clock.DAY:
        inbox.forget(looked_at - RETENTION)


def _note(*, checked_at: int | None = None, error: str = "") -> None:
    with database.transaction() as session:
        workspace = session.get(Workspace, 1)
        if workspace is not None:
            workspace.checked_at = checked_at or workspace.checked_at
            workspace.clock_offset = clock.offset()
            workspace.last_error = error
