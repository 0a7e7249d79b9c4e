"""Which customers do other rows name that the tables do not have? Deleted ones, and those of test clocks.

Lists leave them out; each is read by id, and becomes a row or a tombstone.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from models import Charge, Customer, Invoice, Subscription
from services import database
from services.database import chunks
from services.errors import TrialdeskError, Unavailable
from services.locks import Confirm, unguarded
from services.mirror import aside, complete, cursors, writer
from services.mirror.batch import Batch
from services.mirror.shapes import UnreadableObject
from services.mirror.shared import Key
from services.mirror.tables import table
from services.stripe_api import errands
from services.stripe_api.client import Answer
from services.stripe_api.failures import RightMissing

_READERS = 4
_CUSTOMERS = "customers"
_log = logging.getLogger(__name__)
_NAMING: tuple[Any, ...] = (Subscription, Invoice, Charge)


@dataclass(frozen=True, slots=True)
class Adopted:
    """What rates and facts are still to be derived from, and why Stripe fails with a customer, by id."""

    kept: dict[str, Key] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


def adopt(among: Collection[str] | None = None, confirm: Confirm = unguarded) -> Adopted:
    """Reads the customers that are named and missing, among these or among all.

    One that Stripe refuses or fails with, or of unknown shape, stays missing; where the key may read no
    customers, all do, and `customers` is marked as denied. `confirm` is called before rows are committed.
    Raises Unavailable and KeyRejected.
    """
    adopted = Adopted()
    with database.session() as session:
        if cursors.denied(session, _CUSTOMERS):
            return adopted
    missing = _missing(among)
    with errands.pool(_READERS) as pool:
        for some in chunks(missing, 100):
            try:
                found = zip(some, pool.map(partial(complete.read_or_why, "customer"), some), strict=True)
                answers = [one for id, answer in found if (one := _taken(adopted, id, answer))]
            except RightMissing as refused:
                cursors.fail(_CUSTOMERS, str(refused), denied=True)
                break
            batch = _together(answers, missing)
            for written in aside.write_with(writer.write_and_keep, batch, confirm)[0]:
                adopted.kept.update(written.kept)
    return adopted


def _taken(adopted: Adopted, id: str, found: Answer | TrialdeskError) -> Answer | None:
    """The answer, None where Stripe refuses this one or fails with it. Raises RightMissing."""
    if isinstance(found, RightMissing):
        raise found
    if isinstance(found, Unavailable):
        adopted.unread[id] = f"The customer “{id}” cannot be read. {found.message}"
    if isinstance(found, TrialdeskError):
        _log.warning("The customer %s cannot be read: %s", id, found)
        return None
    return found


def _together(answers: Iterable[Answer], created: Mapping[str, int]) -> Batch:
    batch = Batch()
    for answer in answers:
        try:
            batch.add({"created": created[answer.object["id"]], **answer.object}, answer.as_of)
        except UnreadableObject as error:
            _log.warning("A customer is left out: %s", error)
    return batch


def _missing(among: Collection[str] | None) -> dict[str, int]:
    """Ids of missing customers with the first instant at which something names them."""
    found: dict[str, int] = {}
    customer: Any = table(Customer).c
    with database.session() as session:
        for model in _NAMING:
            columns: Any = table(model).c
            query = (
                sa.select(columns.customer, sa.func.min(columns.created))
                .outerjoin(table(Customer), customer.id == columns.customer)
                .where(customer.id.is_(None), columns.customer.is_not(None), columns.customer != "")
                .group_by(columns.customer)
            )
            for some in [None] if among is None else chunks(among):
                limited = query if some is None else query.where(columns.customer.in_(some))
                for id, created in session.connection().execute(limited):
                    found[id] = min(created, found.get(id, created))
    return found
