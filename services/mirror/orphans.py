"""Which customers do other rows name that the tables do not have? Deleted ones, and those of test clocks.

Lists leave them out; each is read by id, and becomes a row or a tombstone.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa

from models import Charge, Customer, Invoice, Subscription
from services import database
from services.mirror import complete
from services.mirror.batch import Batch
from services.mirror.tables import chunks, table
from services.mirror.writer import write_rows

_READERS = 4
_NAMING: tuple[Any, ...] = (Subscription, Invoice, Charge)


def adopt(among: Collection[str] | None = None) -> set[str]:
    """Reads the customers that are named and missing, among these or among all; returns their ids."""
    missing = _missing(among)
    with ThreadPoolExecutor(_READERS) as pool:
        for some in chunks(missing, 100):
            answers = list(pool.map(lambda id: complete.read("customer", id), some))
            batch = Batch()
            for answer in answers:
                created = missing[answer.object["id"]]
                batch.add({"created": created, **answer.object}, answer.as_of)
            with database.transaction() as session:
                write_rows(session, batch, exact=True)
    return set(missing)


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
