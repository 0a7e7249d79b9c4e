"""Whose are these rows? The customers whose facts a batch may change."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import (
    Charge,
    Customer,
    CustomerFacts,
    Discount,
    Dispute,
    Invoice,
    InvoicePayment,
    Price,
    Product,
    Refund,
    Subscription,
    SubscriptionItem,
)
from services.mirror.batch import Batch
from services.mirror.shapes import Table
from services.mirror.tables import chunks, table

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


def of_renamed(session: Session, batch: Batch) -> set[str]:
    """The customers whose plan is about to be called otherwise: ask before the batch is written."""
    names = {id: row["name"] for id, row in batch.rows[Product].items()}
    product, facts = table(Product).c, table(CustomerFacts).c
    found: set[str] = set()
    for some in chunks(names):
        known = session.connection().execute(sa.select(product.id, product.name).where(product.id.in_(some)))
        renamed = [row.id for row in known if row.name != names[row.id]]
        rows = session.connection().execute(sa.select(facts.customer).where(facts.product.in_(renamed)))
        found |= set(rows.scalars())
    return found


def of_repriced(session: Session, batch: Batch) -> set[str]:
    """Those on a price whose tiers or currencies are about to change: ask before the batch is written."""
    told = {id: row for id, row in batch.rows[Price].items() if row["currency_options"]}
    price: Any = table(Price).c
    item: Any = table(SubscriptionItem).c
    found: set[str] = set()
    for some in chunks(told):
        query = sa.select(price.id, price.tiers, price.currency_options).where(price.id.in_(some))
        known = session.connection().execute(query).all()
        same = {
            row.id
            for row in known
            if (row.tiers, row.currency_options) == (told[row.id]["tiers"], told[row.id]["currency_options"])
        }
        repriced = [id for id in some if id not in same]
        paying = sa.select(item.subscription).where(item.price.in_(repriced))
        found |= _customers(session, Subscription, set(session.connection().execute(paying).scalars()))
    return found


def _customers(session: Session, model: Table, ids: set[str]) -> set[str]:
    columns: Any = table(model).c
    found: set[str] = set()
    for some in chunks(ids):
        rows = session.connection().execute(sa.select(columns.customer).where(columns.id.in_(some)))
        found |= {customer for customer in rows.scalars() if customer}
    return found
