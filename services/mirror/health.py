"""How does each part of the mirror stand: the pulls, the feed of events, the inbox?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import CustomerFacts, Event, InboxItem, SyncCursor, SyncWindow
from services import clock
from services.mirror import again, aside, cursors, refusals, shapes
from services.mirror.refusals import Refused
from services.mirror.tables import table

HOUR = 3600
_NEWEST = 500  # rows of the inbox: it may hold a month
BY_WEBHOOK = sa.or_(col(InboxItem.source) == "webhook", col(InboxItem.delivered_at).is_not(None))


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource. `listed_at`: when its last listing came to the end. `back_to`: how far back in time the
    listing under way is, in `parts` at once. Instants in seconds UTC.
    """

    resource: str
    state: str
    stored: int
    listed_at: int | None
    back_to: int | None = None
    parts: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """The events: read up to when, the last one in the tables, and how many of the last hour Stripe delivered
    (sooner or later than we looked) or were found by looking only.
    """

    read_to: int | None
    last_type: str
    last_at: int | None
    by_webhook: int
    by_poll: int


@dataclass(frozen=True, slots=True)
class Deliveries:
    """When Stripe last delivered an event (s). `ceased`: one from over an hour later was found by polling.
    `refused`: those that were not taken, unless later ones were and an hour has passed.
    """

    last: int | None = None
    ceased: bool = False
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Inbox:
    """How many payloads wait, were applied in the last hour, lie aside, are ignored.

    `oldest`: since when (s) the one waits that has waited longest, but for those that Stripe fails with.
    """

    pending: int
    oldest: int | None
    applied: int
    failed: int
    ignored: int


@dataclass(frozen=True, slots=True)
class SetAside:
    """One payload that lies aside. `kind`: the object's, or the event's type. Instants in seconds UTC."""

    id: str
    kind: str
    state: str
    reason: str
    first_at: int
    last_at: int
    attempts: int


def stored(session: Session) -> dict[str, int]:
    """How many objects the tables hold of each resource, without those that were deleted."""
    found = {}
    for resource, name in cursors.RESOURCES.items():
        if name:
            columns: Any = table(shapes.KINDS[name].model).c
            found[resource] = _count(session, columns.id, columns.deleted.is_(False))
    found[cursors.HISTORY] = _count(session, col(Event.id))
    found[cursors.DERIVED] = _count(session, col(CustomerFacts.customer))
    return found


def resources(session: Session, stored: Mapping[str, int]) -> list[Resource]:
    """How each resource stands, and at the end what is derived from all of them."""
    rows = {row.resource: row for row in session.exec(select(SyncCursor))}
    left = defaultdict(list)
    for window in session.exec(select(SyncWindow).where(col(SyncWindow.done).is_(False))):
        left[window.resource].append(window)
    return [
        _resource(name, rows.get(name), stored[name], left[name])
        for name in (*cursors.RESOURCES, cursors.DERIVED)
    ]


def _resource(name: str, row: SyncCursor | None, stored: int, left: list[SyncWindow]) -> Resource:
    if row is None:
        return Resource(name, "waiting", stored, None)
    reached = [one.reached for one in left if one.reached is not None]
    return Resource(
        name, row.state, stored, row.finished_at, min(reached, default=None), len(left), row.error
    )


def feed(session: Session) -> Feed:
    """How the feed of events stands."""
    row = session.get(SyncCursor, cursors.FEED)
    newest = select(Event).order_by(col(Event.created).desc()).limit(1)
    last = session.exec(newest).first()
    source = sa.case((BY_WEBHOOK, "webhook"), else_=col(InboxItem.source)).label("source")
    each = sa.select(source).where(col(InboxItem.created) >= clock.now() - HOUR).subquery()
    recent = sa.select(each.c.source, sa.func.count().label("number")).group_by(each.c.source)
    came = {row.source: row.number for row in session.execute(recent)}
    return Feed(
        int(row.cursor) if row and row.cursor else None,
        last.type if last else "",
        last.created if last else None,
        came.get("webhook", 0),
        came.get("poll", 0),
    )


def deliveries(session: Session) -> Deliveries:
    """How events were delivered, as far as the newest ones in the inbox tell."""
    newest = (
        sa.select(
            BY_WEBHOOK.label("by_webhook"),
            col(InboxItem.source),
            col(InboxItem.created),
            sa.func.coalesce(col(InboxItem.delivered_at), col(InboxItem.received_at)).label("came_at"),
        )
        .order_by(col(InboxItem.created).desc())
        .limit(_NEWEST)
        .subquery()
    )
    delivered = sa.select(sa.func.max(newest.c.came_at)).where(newest.c.by_webhook)
    looked_up = sa.select(sa.func.max(newest.c.created)).where(
        newest.c.source == "poll", sa.not_(newest.c.by_webhook)
    )
    last: int | None = session.scalar(delivered)
    later = session.scalar(looked_up) or 0
    return Deliveries(last, last is not None and later > last + HOUR, _refused(session, last or 0))


def _refused(session: Session, accepted_at: int) -> Refused | None:
    found = refusals.read(session)
    return found if found and found.last >= min(accepted_at, clock.now() - HOUR) else None


def inbox(session: Session) -> Inbox:
    """How many payloads are in which state."""
    state = col(InboxItem.state)
    waits = sa.case((col(InboxItem.error) == "", aside.last_try()))
    here = sa.select(state, sa.func.count(), sa.func.min(waits))
    some = session.execute(here.where(state.in_(("pending", *again.LIE))).group_by(state))
    found = {name: (count, oldest) for name, count, oldest in some}
    return Inbox(
        *found.get("pending", (0, None)),
        _count(session, col(InboxItem.id), col(InboxItem.applied_at) >= clock.now() - HOUR),
        found.get("failed", (0, None))[0],
        found.get("ignored", (0, None))[0],
    )


def set_aside(session: Session, state: str, *, offset: int, limit: int) -> list[SetAside]:
    """One page of what lies aside in this state (failed or ignored), the last tried first."""
    query = select(InboxItem).where(InboxItem.state == state)
    order = (aside.last_try().desc(), col(InboxItem.id))
    return [
        SetAside(
            row.id, row.type, row.state, row.error, row.received_at, row.tried_at or row.received_at,
            row.attempts,
        )
        for row in session.exec(query.order_by(*order).offset(offset).limit(limit))
    ]  # fmt: skip


def _count(session: Session, what: Any, *where: Any) -> int:
    return int(session.scalar(sa.select(sa.func.count(what)).where(*where)) or 0)
