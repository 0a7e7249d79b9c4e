"""How do raw payloads become rows? The inbox is the queue: kept once by event id, applied in batches.

An event is an ordered snapshot where its second is newer than the row, and a signal to read the object
again where it is not certain: two events of one second, a snapshot that lacks something, a shape that we do
not know. What cannot be understood stays, as `failed`, with its reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import InboxItem
from services import clock, database, locks
from services.mirror import aside, bulk, changes, events, orphans, resolve, underived, writer
from services.mirror.resolve import Incoming
from services.mirror.shapes.reading import Object, instant
from services.mirror.tables import table, take_turn
from services.stripe_api import errands, payload

BATCH = 200
_INBOX: Any = table(InboxItem).c


@dataclass(frozen=True, slots=True)
class Drained:
    """How many payloads were applied, failed, and wait for a second to be over."""

    applied: int = 0
    failed: int = 0
    deferred: int = 0

    def __add__(self, other: Drained) -> Drained:
        return Drained(
            self.applied + other.applied, self.failed + other.failed, self.deferred + other.deferred
        )


def put(session: Session, found: Iterable[Object], source: str) -> int:
    """Adds events that the inbox does not have yet; returns how many were new. Of others that a webhook
    brings it notes when.

    `source`: poll, webhook, replay. Whatever has an id is kept, also what cannot be applied.
    """
    connection = session.connection()
    rows = [
        {
            "id": str(event["id"]),
            "source": source,
            "type": str(event.get("type") or ""),
            "created": instant(event.get("created")) or clock.now(),
            "received_at": clock.now(),
            "payload": json.dumps(event, separators=(",", ":"), ensure_ascii=False),
            "state": "pending",
            "attempts": 0,
            "error": "",
        }
        for event in found
    ]
    if not rows:
        return 0
    rows.sort(key=lambda row: str(row["id"]))
    new = set(bulk.upsert(connection, table(InboxItem), partial(_add, connection.dialect.name), rows))
    known = sorted({str(row["id"]) for row in rows} - new)
    if known and source == "webhook":
        again = sa.update(table(InboxItem)).where(_INBOX.id.in_(known)).values(delivered_at=clock.now())
        connection.execute(again)
    return len(new)


@cache
def _add(dialect: str, names: bulk.Names) -> Any:
    insert = database.insert(InboxItem, dialect).from_select(names, bulk.select(names))
    return insert.on_conflict_do_nothing(index_elements=["id"]).returning(_INBOX.id)


def read_request(id: str, kind: str, object_id: str) -> Object:
    """A payload that asks for a fresh read of an object, of no time: our clock may differ from Stripe's."""
    return {
        "id": id,
        "object": "event",
        "created": 0,
        "type": resolve.READ_AGAIN,
        "data": {"object": {"object": kind, "id": object_id}},
    }


@errands.on(errands.EVENTS)
def drain(batch: int = BATCH, *, between: Callable[[], None] = lambda: None) -> Drained:
    """Applies what is pending, oldest first, a batch in each transaction; not while another drains.

    Calls `between` after each batch that others follow. Comes to its end with a batch that is not full: a
    batch costs much the same however small it is, so what comes in meanwhile is left to gather for the next.
    Raises Unavailable, KeyRejected or RightMissing where an object must be read and cannot be; what was not
    applied stays pending.
    """
    with locks.alone("inbox") as mine:  # two would do the work twice
        return _drain(batch, between) if mine else Drained()


def _drain(batch: int, between: Callable[[], None] = lambda: None) -> Drained:
    underived.derive(underived.left())
    total, after = Drained(), (0, "")
    while items := _pending(batch, after):
        after = (items[-1].created, items[-1].id)
        total += _apply(items)
        if len(items) < batch:
            break
        between()
    return total


def is_waiting() -> bool:
    """Whether something is pending: new, left by another, or until a second is over."""
    with database.session() as session:
        query = sa.select(_INBOX.id).where(_INBOX.state == "pending").limit(1)
        return session.connection().execute(query).first() is not None


def forget(before: int) -> None:
    """Removes payloads from before an instant that wait for nothing: rows stay, personal data goes."""
    with database.transaction() as session:
        old = sa.delete(table(InboxItem)).where(_INBOX.state != "pending", _INBOX.created < before)
        session.connection().execute(old)


def _pending(limit: int, after: tuple[int, str]) -> list[Any]:
    created, id = after
    later = sa.or_(_INBOX.created > created, sa.and_(_INBOX.created == created, _INBOX.id > id))
    query = (
        sa.select(_INBOX.id, _INBOX.created, _INBOX.payload, _INBOX.attempts, _INBOX.source, _INBOX.type)
        .where(_INBOX.state == "pending", later)
        .order_by(_INBOX.created, _INBOX.id)
        .limit(limit)
    )
    with database.session() as session:
        return list(session.connection().execute(query).all())


def _apply(items: list[Any]) -> Drained:
    """Applies items together; where the database refuses what one of them holds, each by itself."""
    try:
        return _apply_together(items)
    except aside.REFUSED as error:
        if len(items) > 1:
            return sum((_apply([item]) for item in items), Drained())
        kind = items[0].type if items[0].source == "pull" else "event"
        problem = aside.refused(kind, items[0].id, error)
    with database.transaction() as session:
        _mark(session, items, {items[0].id: str(problem)}, set())
    return Drained(failed=1)


def _apply_together(items: list[Any]) -> Drained:
    incoming, problems = _read(items)
    with database.session() as session:
        seen = changes.count(session)
        plan = resolve.plan(session, incoming)
    problems |= plan.problems
    answers = resolve.read(plan, problems)
    waiting = resolve.too_early(plan, answers)
    understood = [one for one in incoming if one.id not in problems]
    with database.transaction() as session:
        take_turn(session)
        if plan.reads and changes.count(session) != seen and not resolve.is_impatient(plan):
            waiting, answers = plan.leave_to_reads(), resolve.Answers()
        written = writer.write(session, plan.batch, exact=False)
        written |= writer.write(session, answers.batch, exact=True)
        happened = [events.row(one.event) for one in understood if not one.is_request]
        events.save(session, happened)
        kept = {**written.kept, **underived.derive_now(session, written.own)}
    underived.derive(kept, done=written.own)
    underived.derive(orphans.adopt(written.own | _named(understood)))
    with database.transaction() as session:  # last: what was cut short before is done again
        _mark(session, items, problems, waiting)
    failed, deferred = len(problems), len(waiting - problems.keys())
    return Drained(len(items) - failed - deferred, failed, deferred)


def _named(incoming: list[Incoming]) -> set[str]:
    return {customer for one in incoming if (customer := events.row(one.event)["customer"])}


def _read(items: list[Any]) -> tuple[list[Incoming], dict[str, str]]:
    """The payloads as events, and the reason for each that is none."""
    incoming, problems = [], {}
    for item in items:
        try:
            event = payload.parse(item.payload)
            events.row(event)
            incoming.append(Incoming(event, item.attempts))
        except (ValueError, KeyError, TypeError, AttributeError):
            problems[item.id] = events.problem(item.payload)
    return incoming, problems


def _mark(session: Session, items: list[Any], problems: dict[str, str], waiting: set[str]) -> None:
    now = clock.now()
    rows = []
    for item in items:
        state = "failed" if item.id in problems else "pending" if item.id in waiting else "applied"
        rows.append(
            {
                "item": item.id,
                "to": state,
                "tries": item.attempts + 1,
                "why": problems.get(item.id, ""),
                "at": now if state == "applied" else None,
                "now": now,
            }
        )
    session.connection().execute(
        sa.update(table(InboxItem))
        .where(_INBOX.id == sa.bindparam("item"))
        .values(
            state=sa.bindparam("to"),
            attempts=sa.bindparam("tries"),
            error=sa.bindparam("why"),
            applied_at=sa.bindparam("at"),
            tried_at=sa.bindparam("now"),
        ),
        rows,
    )
