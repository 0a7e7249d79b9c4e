"""How are rows written so that only something newer replaces them? One statement for each table.

A row is replaced when it is not a tombstone and its `as_of` is smaller (or equal, for `exact` rows: reads
and writes' answers; these replace one of a time that has not come, too). Columns that we derive are never
touched; a few keep what was known first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from operator import itemgetter
from typing import Any, cast

import sqlalchemy as sa
from sqlmodel import Session

from models import Coupon, PaymentMethod, Price, Subscription
from models.base import Mirrored
from services import database
from services.metrics.statistics.sums import LARGEST
from services.mirror import ahead, bulk
from services.mirror.batch import HEARSAY, is_card_of_charge
from services.mirror.shapes.reading import Row

_TURN = 7_235_015  # any number: the advisory lock of those who write mirrored and derived rows
_DERIVED = {"subscriptions": frozenset(("mrr_micros", "plan_micros", "unvalued_items"))}
_SELDOM_SENT: dict[type[Mirrored], dict[str, str]] = {  # and what stands there where it was not sent
    Coupon: {"applies_to": "[]"},
    Price: {"tiers": "[]", "currency_options": "{}"},
}


def table(model: type[Any]) -> sa.Table:
    """The table of a model."""
    return cast(sa.Table, model.__table__)


THESE = "ids"  # the parameter of `among` in statements that are made once, which takes long


def held(number: int) -> int:
    """The number, or the nearest one that a column of 64 bits holds."""
    return max(-LARGEST, min(number, LARGEST))


def take_turn(session: Session) -> None:
    """Waits until no other transaction writes mirrored or derived rows, and keeps others waiting to its end.

    What is derived from rows that somebody else is changing would be out of date when it is written. Call it
    before the first of those rows is read or written. On SQLite writers take turns anyway.
    """
    if session.connection().dialect.name == "postgresql":
        session.connection().execute(sa.select(sa.func.pg_advisory_xact_lock(_TURN)))


def upsert(session: Session, model: type[Mirrored], rows: Sequence[Row], *, exact: bool) -> set[str]:
    """Writes the rows that are newer than what is there; returns the ids written. Ids must be unique."""
    if not rows:
        return set()
    connection, ordered = session.connection(), _ordered(rows)
    write = partial(
        bulk.upsert, connection, table(model), partial(_replace_older, connection.dialect.name, model, exact)
    )
    written = set(write(ordered))
    left = [row for row in ordered if row["id"] not in written] if exact else []
    if kept_out := _kept_out(connection, model, left):
        written.update(write(kept_out))
    return written


def _kept_out(connection: sa.Connection, model: type[Mirrored], left: Sequence[Row]) -> list[Row]:
    """Those of the rows that one of a time that has not come keeps out; it is of no time from now on."""
    told = {row["id"]: row for row in left if row["as_of"] != HEARSAY and not is_card_of_charge(model, row)}
    columns, found = table(model).c, list[Row]()
    for some in database.chunks(told):
        late = sa.and_(columns.id.in_(some), columns.deleted.is_(False), columns.as_of > ahead.limit())
        claimed = connection.execute(sa.select(columns.id, columns.as_of).where(late)).all()
        back = [told[row.id] for row in claimed if row.as_of > told[row.id]["as_of"] + ahead.SLACK]
        if back:
            undated = sa.update(table(model)).where(columns.id.in_([row["id"] for row in back]))
            connection.execute(undated.values(as_of=0))
            found += back
    return found


def is_kept(model: type[Mirrored], name: str, value: Any) -> bool:
    """Whether a column stays as it is although this value was sent: see `_kept`."""
    if model is Subscription:
        return name == "first_trial_end"
    if model is PaymentMethod:
        return name == "created"
    return name in _SELDOM_SENT.get(model, {}) and not value


def bury(session: Session, model: type[Mirrored], tombs: Sequence[Row]) -> None:
    """Marks rows (`id`, `as_of`, `created`) as deleted for good; unknown ones are added as tombstones."""
    if tombs:
        statement = partial(_mark_deleted, session.connection().dialect.name, model)
        rows = [{**_blank(model), **tomb, "deleted": True} for tomb in _ordered(tombs)]
        bulk.upsert(session.connection(), table(model), statement, rows)


def _ordered(rows: Sequence[Row]) -> list[Row]:
    """By id: indexes like it, and two writers on PostgreSQL then never wait in a circle."""
    return sorted(rows, key=itemgetter("id"))


@cache
def _replace_older(dialect: str, model: type[Mirrored], exact: bool, names: bulk.Names) -> Any:
    columns = table(model).c
    insert = database.insert(model, dialect).from_select(names, bulk.select(names))
    derived = _DERIVED.get(table(model).name, frozenset())
    changed = {name: insert.excluded[name] for name in names if name != "id" and name not in derived}
    older = columns.as_of <= insert.excluded.as_of if exact else columns.as_of < insert.excluded.as_of
    return insert.on_conflict_do_update(
        index_elements=["id"],
        set_=changed | _kept(model, insert.excluded),
        where=sa.and_(columns.deleted.is_(False), older),
    ).returning(columns.id)


def _kept(model: type[Mirrored], excluded: Any) -> dict[str, Any]:
    """What is not simply replaced: a trial's first end, a card's first second (a charge that shows it knows
    only its own), and what is seldom sent (the products of a coupon, the tiers and other currencies of a
    price)."""
    columns = table(model).c
    if model is Subscription:
        same_trial = columns.trial_start == excluded.trial_start
        known = sa.func.coalesce(columns.first_trial_end, excluded.first_trial_end)
        return {"first_trial_end": sa.case((same_trial, known), else_=excluded.first_trial_end)}
    if model is PaymentMethod:
        earlier = columns.created < excluded.created
        return {"created": sa.case((earlier, columns.created), else_=excluded.created)}
    return {
        name: sa.case((sa.cast(excluded[name], sa.Text) == empty, columns[name]), else_=excluded[name])
        for name, empty in _SELDOM_SENT.get(model, {}).items()
    }


@cache
def _mark_deleted(dialect: str, model: type[Mirrored], names: bulk.Names) -> Any:
    columns = table(model).c
    insert = database.insert(model, dialect).from_select(names, bulk.select(names))
    later = sa.case((columns.as_of > insert.excluded.as_of, columns.as_of), else_=insert.excluded.as_of)
    return insert.on_conflict_do_update(
        index_elements=["id"], set_={"deleted": True, "as_of": later}, where=columns.deleted.is_(False)
    ).returning(columns.id)


@cache
def _blank(model: type[Mirrored]) -> Row:
    """A row of which nothing is known: the model's defaults, and empty values where it has none."""
    blank: Row = {}
    for column in table(model).c:
        declared = model.model_fields["metadata_" if column.name == "metadata" else column.name]
        if declared.is_required():
            blank[column.name] = 0 if isinstance(column.type, sa.Integer) else ""
        else:
            blank[column.name] = declared.get_default(call_default_factory=True)
    return blank
