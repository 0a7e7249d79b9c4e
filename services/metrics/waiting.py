"""Whose facts are to be counted anew, and when? Noted in the transaction that changes something about a
customer, so that nothing is left out whatever is cut short."""

from __future__ import annotations

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
        rows = [{"customer": id, "due_at": 0, "error": ""} for id in sorted(customers)]
        session.connection().execute(_mark(session.connection().dialect.name), rows)


def mark_all(session: Session, after: str, limit: int) -> str | None:
    """The next `limit` customers in the order of their ids are to be counted at once; returns the last one,
    None where there was none."""
    customers = sa.select(col(Customer.id)).where(col(Customer.id) > after)
    ids = list(session.execute(customers.order_by(col(Customer.id)).limit(limit)).scalars())
    mark(session, ids)
    return ids[-1] if ids else None


def put_off(session: Session, due: Mapping[str, int], error: str = "") -> None:
    """These customers are due at an instant (UTC seconds); who was marked meanwhile stays so."""
    if due:
        rows = [{"customer": id, "due_at": at, "error": error} for id, at in sorted(due.items())]
        insert = database.insert(Uncounted, session.connection().dialect.name)
        session.connection().execute(insert.on_conflict_do_nothing(), rows)


def take(session: Session, now: int, limit: int) -> list[str]:
    """Takes off the list some who are due, for the caller's transaction to count. Whoever is marked by
    another transaction meanwhile is on the list again after it."""
    due = sa.select(col(Uncounted.customer)).where(col(Uncounted.due_at) <= now)
    some = due.order_by(col(Uncounted.due_at), col(Uncounted.customer)).limit(limit)
    if session.connection().dialect.name == "postgresql":
        some = some.with_for_update(skip_locked=True)
    ids = list(session.execute(some).scalars())
    drop(session, ids)
    return sorted(ids)


def drop(session: Session, customers: Collection[str]) -> None:
    """Takes these off the list."""
    session.connection().execute(sa.delete(_TABLE).where(_TABLE.c.customer.in_(customers)))


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
    return insert.on_conflict_do_update(index_elements=["customer"], set_={"due_at": 0, "error": ""})
