"""How do raw payloads become rows? The inbox is the queue: kept once by event id, applied in batches.

An event is an ordered snapshot where its second is newer than the row, and a signal to read the object
again where it is not certain: two events of one second, a snapshot that lacks something, a shape that we do
not know. What cannot be understood stays, as `failed`, with its reason. What needs an object that Stripe
fails with, while it answers the others, stays pending, with its reason: it is tried again after a pause that
grows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import InboxItem
from services import changes, clock, database, locks
from services.mirror import aside, bulk, events, orphans, resolve, states, underived, writer
from services.mirror.resolve import Incoming
from services.mirror.shapes.reading import Object, Row, instant
from services.mirror.tables import table, take_turn
from services.stripe_api import errands, payload

BATCH = 200
_NEEDED = ("id", "created", "payload", "attempts", "source", "type", "error")
_LAST_TRY = 30  # of an object that Stripe fails with: about a day, then people decide
_PAUSE, _LONGEST_PAUSE = 15, 3600  # seconds; the first one grows with the square of the tries
_GROWS = 15  # tries
_INBOX: Any = table(InboxItem).c


@dataclass(frozen=True, slots=True)
class Drained:
    """How many payloads were applied, failed, wait for a second to be over, and for an object that Stripe
    fails with."""

    applied: int = 0
    failed: int = 0
    deferred: int = 0
    unread: int = 0

    def __add__(self, other: Drained) -> Drained:
        return Drained(
            self.applied + other.applied,
            self.failed + other.failed,
            self.deferred + other.deferred,
            self.unread + other.unread,
        )


def put(session: Session, found: Iterable[Object], source: str) -> int:
    """Adds events that the inbox does not have yet; returns how many were new. Of others that a webhook
    brings it notes when.

    `source`: poll, webhook, replay. Whatever has an id is kept, also what cannot be applied.
    """
    connection = session.connection()
    rows: list[Row] = [
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
    rows.sort(key=itemgetter("id"))
    new = set(bulk.upsert(connection, table(InboxItem), partial(_add, connection.dialect.name), rows))
    known = sorted({row["id"] for row in rows} - new)
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
    Raises Unavailable, KeyRejected or RightMissing where objects must be read and none can be; what was not
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
    """Whether something is to be tried: new, left by another, until a second is over, or after a pause."""
    with database.session() as session:
        query = sa.select(_INBOX.id).where(_INBOX.state == "pending", _is_due()).limit(1)
        return session.connection().execute(query).first() is not None


def unread(session: Session) -> tuple[int, list[str]]:
    """How many payloads wait for an object that Stripe fails with, and of the latest few which and why."""
    waits = (_INBOX.state == "pending", _INBOX.error != "")
    count = session.connection().execute(sa.select(sa.func.count()).where(*waits)).scalar_one()
    latest = sa.select(_INBOX.error).where(*waits).order_by(_INBOX.tried_at.desc(), _INBOX.id)
    return count, list(session.connection().execute(latest.limit(aside.NAMED)).scalars())


def _is_due() -> Any:
    tries = _INBOX.attempts
    pause = sa.case((tries > _GROWS, _LONGEST_PAUSE), else_=_PAUSE * tries * tries)
    return sa.or_(_INBOX.error == "", _INBOX.tried_at + pause <= clock.now())


def forget(before: int) -> None:
    """Removes payloads from before an instant that wait for nothing: rows stay, personal data goes."""
    with database.transaction() as session:
        old = sa.or_(_INBOX.created < before, _INBOX.received_at < before)  # some claim to be of next year
        session.connection().execute(sa.delete(table(InboxItem)).where(_INBOX.state != "pending", old))


def _pending(limit: int, after: tuple[int, str]) -> list[Any]:
    created, id = after
    later = sa.or_(_INBOX.created > created, sa.and_(_INBOX.created == created, _INBOX.id > id))
    query = (
        sa.select(*(_INBOX[name] for name in _NEEDED))
        .where(_INBOX.state == "pending", later, _is_due())
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
        _mark(session, items, {items[0].id: str(problem)}, {})
    return Drained(failed=1)


def _apply_together(items: list[Any]) -> Drained:
    incoming, problems = _read(items)
    with database.session() as session:
        seen = changes.count(session)
        plan = resolve.plan(session, incoming)
    problems |= plan.problems
    answers = resolve.read(plan, problems)
    waiting, unread = resolve.too_early(plan, answers), answers.unread
    understood = [one for one in incoming if one.id not in problems]
    with database.transaction() as session:
        take_turn(session)
        if plan.reads and changes.count(session) != seen and not resolve.is_impatient(plan):
            waiting, answers = plan.leave_to_reads(), resolve.Answers()
        written = writer.write(session, plan.batch, exact=False)
        written |= writer.write(session, answers.batch, exact=True)
        states.note_events(session, understood)
        happened = [events.row(one.event) for one in understood if one.tells_when]
        events.save(session, happened)
        kept = {**written.kept, **underived.derive_now(session, written.own)}
    underived.derive(kept, done=written.own)
    unread |= _adopt(written.own, [one for one in understood if one.id not in unread])
    waits = {id: unread.get(id, "") for id in (waiting | unread.keys()) - problems.keys()}
    with database.transaction() as session:  # last: what was cut short before is done again
        _mark(session, items, problems, waits)
    deferred = len(waits.keys() - unread.keys())
    return Drained(len(items) - len(problems) - len(waits), len(problems), deferred, len(waits) - deferred)


def _adopt(touched: set[str], incoming: Iterable[Incoming]) -> dict[str, str]:
    """Reads customers that these and the events name and the tables lack; returns which events name one that
    Stripe fails with, and why.
    """
    named = {one.id: customer for one in incoming if (customer := events.row(one.event)["customer"])}
    adopted = orphans.adopt(touched.union(named.values()))
    underived.derive(adopted.kept)
    return {id: adopted.unread[customer] for id, customer in named.items() if customer in adopted.unread}


def _read(items: list[Any]) -> tuple[list[Incoming], dict[str, str]]:
    """The payloads as events, and the reason for each that is none."""
    incoming, problems = [], {}
    for item in items:
        try:
            event = payload.parse(item.payload)
            events.row(event)
            if type(event["created"]) is not int:
                raise TypeError("created")
            incoming.append(Incoming(event, 0 if item.error else item.attempts))
        except (ValueError, KeyError, TypeError, AttributeError):
            problems[item.id] = events.problem(item.payload)
    return resolve.dated(incoming), problems


def _mark(session: Session, items: list[Any], problems: dict[str, str], waits: dict[str, str]) -> None:
    """`problems`: why some failed, by id; `waits`: why some wait longer and longer, "" for the next drain."""
    now, reasons = clock.now(), waits | problems
    rows = []
    for item in items:
        waits_on = item.id in waits and not (waits[item.id] and item.attempts >= _LAST_TRY)
        state = "pending" if waits_on else "failed" if item.id in reasons else "applied"
        rows.append(
            {
                "item": item.id,
                "to": state,
                "tries": item.attempts + 1,
                "why": reasons.get(item.id, ""),
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
