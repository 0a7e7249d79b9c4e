"""Whose facts are to be counted anew, and when? Noted in the transaction that changes something about a
customer, so that nothing is left out whatever is cut short."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Customer, Uncounted
from services import database

_NAMED = 200
_TABLE: Any = Uncounted.__table__  # type: ignore[attr-defined]


def mark(session: Session, customers: Collection[str]) -> None:
    """These customers are to be counted at once, whatever they were due for."""
    if customers:
        told = {"due_at": 0, "mark": secrets.randbits(62), "error": ""}
        rows = [{"customer": id, **told} for id in sorted(customers)]
        session.connection().execute(_mark(session.connection().dialect.name), rows)


def mark_all(session: Session, after: str, limit: int) -> str | None:
    """The next `limit` customers in the order of their ids are to be counted at once; returns the last one,
    None where there was none."""
    customers = sa.select(col(Customer.id)).where(col(Customer.id) > after)
    ids = list(session.execute(customers.order_by(col(Customer.id)).limit(limit)).scalars())
    mark(session, ids)
    return ids[-1] if ids else None


def due(session: Session, now: int, limit: int) -> dict[str, int]:
    """Some who are due, by customer the mark to `settle` with."""
    those = sa.select(col(Uncounted.customer), col(Uncounted.mark)).where(col(Uncounted.due_at) <= now)
    some = those.order_by(col(Uncounted.due_at), col(Uncounted.customer)).limit(limit)
    return {row.customer: row.mark for row in session.execute(some)}


def settle(session: Session, counted: Mapping[str, int], again: Mapping[str, int], error: str = "") -> None:
    """Takes those who were counted off the list, or puts them off until an instant (`again`, UTC seconds);
    whoever was marked since stays as due as that."""
    if not counted:
        return
    _hold(session, counted)
    gone = _TABLE.c.customer.in_(counted), _TABLE.c.mark.in_(set(counted.values()))
    session.connection().execute(sa.delete(_TABLE).where(*gone))
    if again:
        rows = [{"customer": id, "due_at": at, "mark": 0, "error": error} for id, at in sorted(again.items())]
        insert = database.insert(Uncounted, session.connection().dialect.name)
        session.connection().execute(insert.on_conflict_do_nothing(), rows)


def _hold(session: Session, customers: Collection[str]) -> None:
    """Locks rows in the order in which `mark` does: else two transactions could wait for each other.

    SQLite has one writer at a time.
    """
    if session.connection().dialect.name == "postgresql":
        these = sa.select(_TABLE.c.customer).where(_TABLE.c.customer.in_(customers))
        in_order = these.order_by(sa.collate(_TABLE.c.customer, "C"))  # as Python sorts
        session.connection().execute(in_order.with_for_update())


def failed(session: Session) -> list[tuple[str, str]]:
    """With whom counting failed, and why; the first few hundred."""
    wrong = sa.select(col(Uncounted.customer), col(Uncounted.error)).where(col(Uncounted.error) != "")
    found = session.execute(wrong.order_by(col(Uncounted.customer)).limit(_NAMED))
    return [(customer, error) for customer, error in found]


def left(session: Session, now: int) -> int:
    """How many customers are to be counted now."""
    due = sa.select(sa.func.count()).where(col(Uncounted.due_at) <= now)
    return int(session.execute(due).scalar_one())


@cache
def _mark(dialect: str) -> Any:
    insert = database.insert(Uncounted, dialect)
    return insert.on_conflict_do_update(
        index_elements=["customer"],
        set_={name: insert.excluded[name] for name in ("due_at", "mark", "error")},
    )
