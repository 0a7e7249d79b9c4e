"""In what do the tables differ from what the account has just said, and why?

A row that is younger than the answer is no difference, nor is a change whose event came in meanwhile: it is
on its way. What is left is a fault of ours or of the way in between, and is kept with what is known of its
cause: whether events of it came in, not what they told.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Discount, Drift, Event, InboxItem
from models.base import Mirrored
from services import clock
from services.among import among
from services.database import chunks
from services.mirror import ahead, cursors, shapes
from services.mirror.batch import Batch, Family, is_card_of_charge
from services.mirror.shapes.reading import Row
from services.mirror.tables import THESE, is_kept, table

KEPT = 90 * clock.DAY
_OURS = frozenset(("as_of", "deleted"))


@dataclass(frozen=True, slots=True)
class Found:
    """A difference as seen at `at` (s, account's clock); `parent` is the object whose event would tell it.
    `made`: when what is missing came into being, where that is another object's to tell.
    """

    at: int
    resource: str
    object_id: str
    parent: str
    what: str
    fields: tuple[str, ...] = ()
    as_of: int | None = None
    made: int = 0

    @property
    def since(self) -> int:
        """Events from later than this (s) may have told it."""
        return self.as_of or max(0, self.made - 1)


def of(session: Session, batch: Batch, kinds: Collection[str]) -> list[Found]:
    """How the tables differ from a batch, of objects of these kinds and their children. Call it before the
    batch is written, in its transaction."""
    found = list[Found]()
    for name in kinds:
        kind = shapes.KINDS[name]
        ours = _rows(session, kind.model, batch.rows[kind.model])
        for id, row in batch.rows[kind.model].items():
            if _is_older(ours.get(id), row["as_of"]) and not is_card_of_charge(kind.model, row):
                found += _differs(kind.model, ours.get(id), row, _teller(kind.model, row))
        if kind.children is not None:
            found += _of_children(session, kind.children, batch.families[name], ours)
    return found


def _teller(model: type[Mirrored], row: Row) -> str:
    """The object whose events tell of a row too: a discount comes and goes with its owner."""
    owner = row["subscription"] or row["customer"] if model is Discount else None
    return str(owner or row["id"])


def _of_children(
    session: Session, children: shapes.Children, families: dict[str, Family], parents: dict[str, Row]
) -> Iterator[Found]:
    """Differences in the lists inside objects that we know: where the object is new to us, so are they."""
    told = {
        id: family
        for id, family in families.items()
        if id in parents and _is_older(parents[id], family.as_of)
    }
    ours = _rows(session, children.model, told, children.parent)
    for parent, family in told.items():
        for row in family.rows:
            yield from _differs(children.model, ours.pop(row["id"], None), row, parent)
    for id, row in ours.items():
        parent = row[children.parent]
        if told[parent].whole and not row["deleted"]:
            yield _found(children.model, id, parent, "gone", as_of=row["as_of"])


def _rows(
    session: Session, model: type[Mirrored], ids: Collection[str], column: str = "id"
) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for some in chunks(ids):
        rows = session.connection().execute(_those(model, column), {"ids": some})
        found |= {row.id: dict(row._mapping) for row in rows}
    return found


@cache
def _those(model: type[Mirrored], column: str) -> Any:
    return sa.select(table(model)).where(among(table(model).c[column], THESE))


def _is_older(ours: Row | None, as_of: int) -> bool:
    return ours is None or (not ours["deleted"] and not as_of < ours["as_of"] <= ahead.limit())


def _differs(model: type[Mirrored], ours: Row | None, row: Row, parent: str) -> Iterator[Found]:
    if ours is None:
        made = 0 if parent == row["id"] else row["created"]
        yield _found(model, row["id"], parent, "missing", made=made)
        return
    fields = tuple(
        name
        for name, value in row.items()
        if name not in _OURS and not is_kept(model, name, value) and _plain(value) != _plain(ours[name])
    )
    if fields:
        yield _found(model, row["id"], parent, "changed", fields, ours["as_of"])


def _found(
    model: type[Mirrored],
    id: str,
    parent: str,
    what: str,
    fields: tuple[str, ...] = (),
    as_of: int | None = None,
    made: int = 0,
) -> Found:
    return Found(clock.now(), table(model).name, id, parent, what, fields, as_of, made)


def _plain(value: Any) -> Any:
    """A value as it comes back from a JSON column."""
    return json.loads(json.dumps(value)) if isinstance(value, dict | list | tuple) else value


def keep(session: Session, found: Collection[Found]) -> int:
    """Keeps the differences that no event on its way explains; returns how many. Call it after a poll."""
    kept = 0
    for one in found:
        told = _events(session, one)
        if any(told) or _lies(session, one, "pending"):
            continue
        session.add(
            Drift(
                found_at=one.at,
                resource=one.resource,
                object_id=one.object_id,
                what=one.what,
                fields=list(one.fields),
                as_of=one.as_of,
                cause=_cause(session, one, bool(told)),
            )
        )
        kept += 1
    return kept


def _events(session: Session, one: Found) -> list[bool]:
    """Of each event that may have told it, whether it had not been applied yet."""
    late = sa.or_(col(InboxItem.state) == "pending", col(InboxItem.applied_at) >= one.at)
    query = (
        select(sa.case((late, 1), else_=0))
        .select_from(Event)
        .join(InboxItem, col(InboxItem.id) == col(Event.id), isouter=True)
        .where(col(Event.object_id).in_((one.parent, one.object_id)), Event.created > one.since)
    )
    return [bool(is_late) for is_late in session.exec(query)]


def _lies(session: Session, one: Found, *states: str) -> bool:
    """Whether the inbox has an event of it that nobody has opened yet, as another process drains, or that
    could not be applied: by their states.
    """
    named = (
        col(InboxItem.payload).contains(f'"id":"{id}"', autoescape=True) for id in (one.parent, one.object_id)
    )
    lying = select(InboxItem.id).where(col(InboxItem.state).in_(states), InboxItem.created > one.since)
    return session.exec(lying.where(sa.or_(*named)).limit(1)).first() is not None


def _cause(session: Session, one: Found, told: bool) -> str:
    """What is known: an event of a parent may have told something else, a row been wrong from the start."""
    if one.as_of is not None and one.as_of > one.at + ahead.SLACK:
        return "What we had was dated later than Stripe’s clock, so that nothing newer replaced it."
    whose = "it" if one.parent == one.object_id else f"{one.parent}, which it belongs to,"
    if _lies(session, one, "failed", "ignored"):
        return f"An event of {whose} came in and was put aside."
    if one.what == "gone" and whose == "it":
        whose, told = "its deletion", _told_of_deletion(session, one.object_id)
    after = " after the row’s time" if one.as_of else ""
    if told:
        return f"An event of {whose} came in{after}, and did not put this right."
    why = (
        "the key may not read events, and none was delivered"
        if cursors.denied(session, cursors.HISTORY)
        else "Stripe sent none, it was lost, or the fault is the desk’s own"
    )
    return f"No event of {whose} came in{after}: {why}."


def _told_of_deletion(session: Session, id: str) -> bool:
    told = select(Event.id).where(Event.object_id == id, col(Event.type).endswith(".deleted"))
    return session.exec(told.limit(1)).first() is not None


def count(session: Session) -> int:
    """How many differences are kept."""
    return int(session.scalar(sa.select(sa.func.count(col(Drift.id)))) or 0)


def page(session: Session, *, offset: int, limit: int) -> list[Drift]:
    """One page of the differences that are kept, the newest first."""
    order = (col(Drift.found_at).desc(), col(Drift.id).desc())
    return list(session.exec(select(Drift).order_by(*order).offset(offset).limit(limit)))


def forget(session: Session, before: int) -> None:
    """Removes what was found before an instant."""
    session.connection().execute(sa.delete(table(Drift)).where(table(Drift).c.found_at < before))
