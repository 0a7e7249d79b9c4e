"""What has gone on with these customers? The parts of their facts that come from many rows.

Each function takes a connection and some customers' ids and returns facts by customer; customers without
any are left out.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any

import sqlalchemy as sa

from models import (
    CallRequest,
    Charge,
    Customer,
    CustomerProfile,
    Dispute,
    Invoice,
    Message,
    PaymentMethod,
    Price,
    Product,
    SubscriptionItem,
)
from services.among import among
from services.database import chunks
from services.metrics.recovery.failures import OPEN_DISPUTES, Failure, is_open_failure, last
from services.metrics.trials.trials import dearest_first
from services.mirror.tables import THESE, held, table

Facts = dict[str, Any]
SENT = ("accepted", "delivered", "outbox")
_EVERY = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly"}

_CUSTOMER: Any = table(Customer).c
_CHARGE: Any = table(Charge).c
_INVOICE: Any = table(Invoice).c
_DISPUTE: Any = table(Dispute).c
_METHOD: Any = table(PaymentMethod).c
_ITEM: Any = table(SubscriptionItem).c
_PRICE: Any = table(Price).c
_PRODUCT: Any = table(Product).c
_MESSAGE: Any = table(Message).c
_CALL: Any = table(CallRequest).c
_PROFILE: Any = table(CustomerProfile).c


def plan_name(product: str | None, interval: str | None, count: int | None, more: int = 0) -> str:
    """A plan as people say it: `Team, yearly`, `Team, every 3 months + 1 more`."""
    name = product or ""
    if interval:
        often = count or 1
        every = _EVERY.get(interval, f"every {interval}") if often == 1 else f"every {often} {interval}s"
        name = f"{name}, {every}" if name else every
    return f"{name} + {more} more" if more else name


def plans(connection: sa.Connection, main: dict[str, str]) -> dict[str, Facts]:
    """`product` and `plan` of each customer, from its main subscription's id: the dearest item's."""
    found: dict[str, list[Any]] = defaultdict(list)
    for some in chunks(main.values()):
        for row in connection.execute(_items(), {"ids": some}):
            found[row.subscription].append(row)
    return {customer: _plan(found[id]) for customer, id in main.items() if id in found}


@cache
def _items() -> Any:
    return (
        sa.select(_ITEM.subscription, _ITEM.product, _PRODUCT.name, _PRICE.interval, _PRICE.interval_count)
        .join_from(table(SubscriptionItem), table(Price), _PRICE.id == _ITEM.price, isouter=True)
        .outerjoin(table(Product), _PRODUCT.id == _ITEM.product)
        .where(among(_ITEM.subscription, THESE), _ITEM.deleted.is_(False))
        .order_by(*dearest_first(_ITEM, _PRICE))
    )


def _plan(items: list[Any]) -> Facts:
    first = items[0]
    name = plan_name(first.name, first.interval, first.interval_count, len(items) - 1)
    return {"product": first.product, "plan": name}


def cards(connection: sa.Connection, methods: dict[str, str | None]) -> dict[str, Facts]:
    """Whether a payment method is on file, and the card: the default one, else the last one charged.
    `methods` are the ids of what the customers would be charged to."""
    known: dict[str, Any] = {}
    for some in chunks(set(filter(None, methods.values()))):
        known |= {row.id: row for row in connection.execute(_methods(), {"ids": some})}
    last = {row.id: row for row in connection.execute(_last_charged(), {"ids": list(methods)})}
    found = {}
    for customer, method in methods.items():
        card, charged = known.get(method or ""), last.get(customer)
        found[customer] = {
            "payment_method_on_file": method is not None,
            "card_last4": (card and card.last4) or (charged and charged.last4) or "",
            "card_country": (card and card.country) or (charged and charged.country),
        }
    return found


@cache
def _methods() -> Any:
    return sa.select(_METHOD.id, _METHOD.last4, _METHOD.country).where(among(_METHOD.id, THESE))


@cache
def _last_charged() -> Any:
    """The card of each customer's last charge."""

    def latest(column: Any) -> Any:
        return (
            sa.select(column)
            .where(_CHARGE.customer == _CUSTOMER.id, _CHARGE.card_last4.is_not(None))
            .order_by(_CHARGE.created.desc(), _CHARGE.id.desc())
            .limit(1)
            .correlate(table(Customer))
            .scalar_subquery()
        )

    return sa.select(
        _CUSTOMER.id, latest(_CHARGE.card_last4).label("last4"), latest(_CHARGE.card_country).label("country")
    ).where(among(_CUSTOMER.id, THESE))


def failures(connection: sa.Connection, customers: list[str]) -> dict[str, Facts]:
    """Failed invoices that are open. Money in the currency with most of it."""
    rows = connection.execute(_failed_invoices(), {"ids": customers}).all()
    reasons = last(connection, [row.id for row in rows])
    by_customer: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_customer[row.customer].append(row)
    return {customer: _failed(invoices, reasons) for customer, invoices in by_customer.items()}


@cache
def _failed_invoices() -> Any:
    return sa.select(
        _INVOICE.id,
        _INVOICE.customer,
        _INVOICE.currency,
        _INVOICE.amount_remaining,
        _INVOICE.attempt_count,
        _INVOICE.next_payment_attempt,
    ).where(is_open_failure(), among(_INVOICE.customer, THESE))


def _failed(invoices: list[Any], reasons: dict[str, Failure]) -> Facts:
    sums: dict[str, int] = defaultdict(int)
    for row in invoices:
        sums[row.currency] += row.amount_remaining
    currency = max(sorted(sums), key=lambda code: sums[code])
    retries = [row.next_payment_attempt for row in invoices if row.next_payment_attempt is not None]
    known = [reasons[row.id] for row in invoices if row.id in reasons]
    latest = max(known, key=lambda failure: (failure.at, failure.code), default=None)
    return {
        "failed_invoices": len(invoices),
        "open_amount": held(sums[currency]),
        "open_currency": currency,
        "attempts": max(row.attempt_count for row in invoices),
        "next_payment_attempt": min(retries, default=None),
        "failure_code": latest.code if latest else "",
    }


def disputes(connection: sa.Connection, customers: list[str]) -> dict[str, Facts]:
    """How many disputes are not decided yet."""
    rows = connection.execute(_open_disputes(), {"ids": customers})
    return {customer: {"open_disputes": number} for customer, number in rows}


@cache
def _open_disputes() -> Any:
    return (
        sa.select(_CHARGE.customer, sa.func.count())
        .join_from(table(Dispute), table(Charge), _CHARGE.id == _DISPUTE.charge)
        .where(_DISPUTE.status.in_(OPEN_DISPUTES), among(_CHARGE.customer, THESE))
        .group_by(_CHARGE.customer)
    )


def contacts(connection: sa.Connection, customers: list[str]) -> dict[str, Facts]:
    """When we last reached out: a message that was sent, or a call that took place."""
    found: dict[str, Facts] = {}
    for query in _reached_out():
        for customer, at, kind in connection.execute(query, {"ids": customers}):
            before = found.get(customer)
            if at is not None and (before is None or at > before["last_contact_at"]):
                found[customer] = {"last_contact_at": at, "last_contact_kind": kind}
    return found


@cache
def _reached_out() -> tuple[Any, Any]:
    messages = sa.select(_MESSAGE.customer, sa.func.max(_MESSAGE.sent_at), sa.func.max(_MESSAGE.channel))
    calls = sa.select(_CALL.customer, sa.func.max(_CALL.closed_at), sa.literal("call"))
    sent = messages.where(among(_MESSAGE.customer, THESE), _MESSAGE.state.in_(SENT))
    held = calls.where(among(_CALL.customer, THESE), _CALL.state == "done")
    return sent.group_by(_MESSAGE.customer), held.group_by(_CALL.customer)


def owners(connection: sa.Connection, customers: list[str]) -> dict[str, Facts]:
    """Who looks after each customer."""
    rows = connection.execute(_owned(), {"ids": customers})
    return {customer: {"owner": owner} for customer, owner in rows}


@cache
def _owned() -> Any:
    return sa.select(_PROFILE.customer, _PROFILE.owner).where(among(_PROFILE.customer, THESE))
