"""Which snapshots refer to something that neither they nor the tables hold, so that a fresh read is needed?

Events carry ids where reads can open the object: discounts, default payment methods, and the payments of an
invoice, of whose making no event tells. Prices come without their tiers and other currencies.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import Discount, InvoicePayment, PaymentMethod, Price
from services.database import chunks
from services.mirror import shapes
from services.mirror.shapes import Table
from services.mirror.shapes.reading import Object, dig, ident, listed
from services.mirror.tables import table

_OPEN = "open"


def of(session: Session, snapshots: Iterable[Object]) -> set[str]:
    """The ids of the snapshots that lack something."""
    every = [s for s in snapshots if shapes.kind_of(s) and not s.get("deleted")]
    methods = {s["id"]: found for s in every if (found := _method(s))}
    discounts = {s["id"]: _discounts(s) for s in every}
    known_methods = _known(session, PaymentMethod, set(methods.values()))
    known_discounts = _known(session, Discount, {id for ids in discounts.values() for id in ids})
    lacking = {id for id, method in methods.items() if method not in known_methods}
    lacking |= {id for id, ids in discounts.items() if not ids <= known_discounts}
    lacking |= _unpriced(session, [s for s in every if s["object"] == "subscription"])
    settled = {
        ident(s["invoice"]) for s in every if s["object"] == "invoice_payment" and s["status"] != _OPEN
    }
    invoices = [s for s in every if s["object"] == "invoice" and s["id"] not in settled]
    return lacking | _unpaid(session, invoices)


def _method(source: Object) -> str | None:
    """A default payment method that is only named."""
    if source["object"] == "subscription":
        value = source.get("default_payment_method")
    elif source["object"] == "customer":
        value = dig(source, "invoice_settings", "default_payment_method")
    else:
        return None
    return value if isinstance(value, str) else None


def _discounts(source: Object) -> set[str]:
    """Discounts that are only named. An invoice's are copies of no further use."""
    if source["object"] != "subscription":
        return set()
    named = [*listed(source.get("discounts"))]
    for item in listed(source.get("items")):
        named += listed(item.get("discounts"))
    return {value for value in named if isinstance(value, str)}


def _unpriced(session: Session, subscriptions: list[Object]) -> set[str]:
    """Subscriptions on a price of whose tiers, or of whose amount in their currency, nobody has told."""
    wanted = {
        (s["id"], price["id"], s.get("currency") or price["currency"])
        for s in subscriptions
        for item in listed(s.get("items"))
        if isinstance(price := item.get("price"), dict) and _asks_for_more(price, s.get("currency"))
    }
    known = _currencies(session, {price for _, price, _ in wanted})
    return {id for id, price, currency in wanted if currency not in known.get(price, ())}


def _asks_for_more(price: Object, currency: str | None) -> bool:
    elsewhere = currency not in (None, price["currency"])
    return not shapes.is_whole(price) and (elsewhere or price.get("billing_scheme") == "tiered")


def _currencies(session: Session, prices: set[str]) -> dict[str, set[str]]:
    """The currencies that each price is known to have."""
    columns: Any = table(Price).c
    found: dict[str, set[str]] = {}
    for some in chunks(prices):
        rows = session.connection().execute(
            sa.select(columns.id, columns.currency_options).where(columns.id.in_(some))
        )
        found |= {row.id: set(row.currency_options) for row in rows}
    return found


def _unpaid(session: Session, invoices: list[Object]) -> set[str]:
    """Invoices that ask for money and have no payments in the tables, or settled ones with an open one."""
    asking = {
        s["id"]: s["status"]
        for s in invoices
        if s.get("amount_due") and s.get("status") not in (None, "draft") and "payments" not in s
    }
    columns: Any = table(InvoicePayment).c
    statuses: dict[str, set[str]] = {}
    for some in chunks(asking):
        rows = session.connection().execute(
            sa.select(columns.invoice, columns.status).where(columns.invoice.in_(some))
        )
        for invoice, status in rows:
            statuses.setdefault(invoice, set()).add(status)
    return {
        id
        for id, status in asking.items()
        if id not in statuses or (status != _OPEN and _OPEN in statuses[id])
    }


def _known(session: Session, model: Table, ids: set[str]) -> set[str]:
    columns: Any = table(model).c
    found: set[str] = set()
    for some in chunks(ids):
        found |= set(
            session.connection().execute(sa.select(columns.id).where(columns.id.in_(some))).scalars()
        )
    return found
