"""Whose is this id? Each kind of Stripe id leads to customers by columns that have an index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import col, select

from models import (
    Charge,
    CreditNote,
    CustomerFacts,
    Dispute,
    Event,
    Invoice,
    InvoiceItem,
    InvoicePayment,
    PaymentIntent,
    PaymentMethod,
    Refund,
    Subscription,
    SubscriptionItem,
)
from services import database

_TELLING = 4


def customers_of(id: str) -> Any:
    """A statement that yields the customers of the object with this id, or of all whose id begins so.

    The id's prefix is one of `recognise.ID_PREFIXES`. NULLs (objects of no customer) may be among them.
    """
    return _WHOSE[id.partition("_")[0]](id)


def _named(column: Any, id: str) -> sa.ColumnElement[bool]:
    """The id itself, or its beginning when that is telling: every invoice's id begins with `in_1`."""
    if len(id.partition("_")[2]) < _TELLING:
        return col(column) == id
    return begins(column, id)


def begins(column: Any, prefix: str) -> sa.ColumnElement[bool]:
    """A prefix, by a range that SQLite's index serves; PostgreSQL's collation may order otherwise."""
    if database.is_sqlite():
        return sa.and_(col(column) >= prefix, col(column) < prefix + "\U0010ffff")
    return col(column).startswith(prefix, autoescape=True)


def _through_charge(owner: Any) -> Callable[[str], Any]:
    """Refunds and disputes know their charge, and the charge its customer."""
    return lambda id: (
        select(Charge.customer).join(owner, col(owner.charge) == Charge.id).where(_named(owner.id, id))
    )


def _own(table: Any) -> Callable[[str], Any]:
    return lambda id: select(table.customer).where(_named(table.id, id))


def _item(column: Any) -> Callable[[str], Any]:
    return lambda id: (
        select(Subscription.customer)
        .join(SubscriptionItem, col(SubscriptionItem.subscription) == Subscription.id)
        .where(_named(column, id))
    )


_WHOSE: Final[dict[str, Callable[[str], Any]]] = {
    "cus": lambda id: select(CustomerFacts.customer).where(begins(CustomerFacts.customer, id)),
    "sub": _own(Subscription),
    "si": _item(SubscriptionItem.id),
    "price": _item(SubscriptionItem.price),
    "prod": _item(SubscriptionItem.product),
    "in": _own(Invoice),
    "ii": _own(InvoiceItem),
    "inpay": lambda id: (
        select(Invoice.customer)
        .join(InvoicePayment, col(InvoicePayment.invoice) == Invoice.id)
        .where(_named(InvoicePayment.id, id))
    ),
    "pi": _own(PaymentIntent),
    "ch": _own(Charge),
    "py": _own(Charge),
    "re": _through_charge(Refund),
    "pyr": _through_charge(Refund),
    "du": _through_charge(Dispute),
    "dp": _through_charge(Dispute),
    "pm": _own(PaymentMethod),
    "card": _own(PaymentMethod),
    "cn": _own(CreditNote),
    "evt": _own(Event),
}
