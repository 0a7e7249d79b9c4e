"""Whose are these rows? The customers whose facts a batch may change."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import (
    Charge,
    Customer,
    Discount,
    Dispute,
    Invoice,
    InvoicePayment,
    Refund,
    Subscription,
)
from services.database import chunks
from services.mirror.batch import Batch
from services.mirror.shapes import Table
from services.mirror.tables import table

_THROUGH: tuple[tuple[Table, str, Table], ...] = (
    (Refund, "charge", Charge),
    (Dispute, "charge", Charge),
    (InvoicePayment, "invoice", Invoice),
    (Discount, "subscription", Subscription),
)


def of(session: Session, batch: Batch) -> set[str]:
    """The ids of the customers that a batch is about, as far as the tables know them."""
    found: set[str] = set(batch.rows[Customer]) | set(batch.tombs[Customer])
    for rows in batch.rows.values():
        found |= {row["customer"] for row in rows.values() if row.get("customer")}
    for model, column, parent in _THROUGH:
        parents = {row[column] for row in batch.rows[model].values() if row[column]}
        found |= _customers(session, parent, parents)
    for model, tombs in batch.tombs.items():
        if "customer" in table(model).c:
            found |= _customers(session, model, set(tombs))
    return found


def _customers(session: Session, model: Table, ids: set[str]) -> set[str]:
    columns: Any = table(model).c
    found: set[str] = set()
    for some in chunks(ids):
        rows = session.connection().execute(sa.select(columns.customer).where(columns.id.in_(some)))
        found |= {customer for customer in rows.scalars() if customer}
    return found
