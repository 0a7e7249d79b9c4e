"""Whose rates and facts cannot be derived, and why? Such a customer is kept, and holds up nobody else.

Rows of `underived` that have an `error`. They go once the customer is derived: when something of theirs
changes, or at the first drain after ten minutes. What goes wrong with everybody is no customer's fault, and
keeps nobody.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlmodel import Session

from models import Customer, Underived
from services import clock, database
from services.database import chunks
from services.errors import TrialdeskError, Unforeseen
from services.mirror.tables import table, take_turn

NOBODYS_FAULT = (TrialdeskError, exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
_AGAIN_AFTER = 600  # seconds
_OTHERS = 20
_UNDERIVED: Any = table(Underived).c
_CUSTOMER: Any = table(Customer).c
_FAILED = sa.and_(_UNDERIVED.error != "", _UNDERIVED.kind == table(Customer).name)
_log = logging.getLogger(__name__)


def keep(session: Session, customer: str, error: Exception) -> None:
    """Keeps a customer, once, with the sentence for people; what went wrong is logged."""
    problem = Unforeseen("The rates and facts could not be derived: something went wrong in the desk", error)
    _log.error(
        "The rates and facts of %s cannot be derived (reference %s).",
        customer, problem.reference, exc_info=error,
    )  # fmt: skip
    take_turn(session)  # else two processes keep it twice: neither sees the other's row
    forget(session, [customer])
    row = {"id": uuid.uuid4().hex, "kind": table(Customer).name, "object_id": customer}
    told = {"error": str(problem), "tried_at": clock.now()}
    session.connection().execute(sa.insert(table(Underived)).values(row | told))


def forget(session: Session, customers: Collection[str]) -> None:
    """Forgets those of these that were kept: they are derived."""
    for some in chunks(customers):
        mine = sa.and_(_FAILED, _UNDERIVED.object_id.in_(some))
        session.connection().execute(sa.delete(table(Underived)).where(mine))


def others(than: Collection[str]) -> list[str]:
    """Some customers who are neither these nor kept, other ones each time."""
    kept = sa.select(_UNDERIVED.object_id).where(_FAILED)
    query = sa.select(_CUSTOMER.id).where(_CUSTOMER.id.not_in(than), _CUSTOMER.id.not_in(kept))
    with database.session() as session:
        some = query.order_by(sa.func.random()).limit(_OTHERS)
        return list(session.connection().execute(some).scalars())


def is_due() -> Any:
    """SQL: whether it is time for a row of `underived`."""
    return sa.or_(_UNDERIVED.error == "", _UNDERIVED.tried_at <= clock.now() - _AGAIN_AFTER)


def told(session: Session) -> list[tuple[str, str]]:
    """The customers that are kept and why, by id."""
    query = sa.select(_UNDERIVED.object_id, _UNDERIVED.error).where(_FAILED).order_by(_UNDERIVED.object_id)
    return [(row.object_id, row.error) for row in session.connection().execute(query)]
