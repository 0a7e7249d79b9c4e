"""What do a customer's subscriptions come to a month, and when was their trial first to end?

Derived after rows are written, in the same transaction. The first end of a trial is what its first invoice
of zero says (its line runs over the whole trial); without one, what was seen first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import Coupon, Customer, Discount, Invoice, InvoiceLine, Price, Subscription, SubscriptionItem
from services.among import among
from services.database import chunks
from services.metrics.revenue import pricing
from services.metrics.revenue.mrr import PricedItem, Rebate, deducted, mrr_micros, plan_micros
from services.metrics.statistics.sums import LARGEST
from services.mirror.tables import THESE, table, take_turn

_SUBSCRIPTION: Any = table(Subscription).c
_ITEM: Any = table(SubscriptionItem).c
_PRICE: Any = table(Price).c
_DISCOUNT: Any = table(Discount).c
_COUPON: Any = table(Coupon).c
_CUSTOMER: Any = table(Customer).c
_LINE: Any = table(InvoiceLine).c
_INVOICE: Any = table(Invoice).c
PRICED = ("interval", "interval_count", "usage_type", "currency", "unit_amount_decimal", "tiers",
          "tiers_mode", "transform_divide_by", "transform_round", "currency_options")  # fmt: skip
REBATED = ("percent_off", "amount_off", "currency", "duration", "applies_to")
_SAVED = ("mrr_micros", "plan_micros", "unvalued_items", "first_trial_end")


def refresh(session: Session, customers: Collection[str]) -> None:
    """Recomputes what is derived on the customers' subscriptions: rates, and when trials were to end."""
    take_turn(session)
    for some in chunks(customers):
        _refresh(session.connection(), some)


def _refresh(connection: sa.Connection, customers: list[str]) -> None:
    subscriptions = connection.execute(_subscriptions(), {"ids": customers}).all()
    if not subscriptions:
        return
    items = _items(connection, customers)
    of_customer = _discounts_of_customers(connection, customers)
    trials = _first_trial_ends(connection, customers)
    wanted = {id for row in subscriptions for id in row.discounts} | set(of_customer.values())
    wanted |= {id for rows in items.values() for row in rows for id in row.discounts}
    rebates = _rebates(connection, wanted)
    changed = []
    for row in subscriptions:
        discounts = row.discounts or [of_customer.get(row.customer, "")]
        derived = {
            **_rates(row, items.get(row.id, []), discounts, rebates),
            "first_trial_end": trials.get(row.id, row.first_trial_end),
        }
        if any(getattr(row, name) != value for name, value in derived.items()):
            changed.append({"subscription_id": row.id, **derived})
    _save(connection, changed)


@cache
def _subscriptions() -> Any:
    names = ("id", "customer", "status", "currency", "pause_collection", "discounts", *_SAVED)
    return sa.select(*(_SUBSCRIPTION[name] for name in names)).where(among(_SUBSCRIPTION.customer, THESE))


def _rates(
    row: Any, items: Iterable[Any], discounts: Iterable[str], rebates: dict[str, Rebate]
) -> dict[str, int]:
    priced = [
        PricedItem(
            tariff=pricing.tariff(item, row.currency) if item.price_id else pricing.UNKNOWN,
            quantity=item.quantity,
            interval=item.interval,
            interval_count=item.interval_count or 1,
            usage_type=item.usage_type,
            product=item.product,
            rebates=tuple(rebates[id] for id in item.discounts if id in rebates),
        )
        for item in items
    ]
    shared = [rebates[id] for id in discounts if id in rebates]
    after = deducted()
    plan = plan_micros(priced, shared, currency=row.currency, deducted=after)
    if plan > LARGEST:  # more than a column holds is nothing that anybody pays
        return {"mrr_micros": 0, "plan_micros": 0, "unvalued_items": len(priced)}
    return {
        "mrr_micros": mrr_micros(
            row.status, row.pause_collection, priced, shared, currency=row.currency, deducted=after
        ),
        "plan_micros": plan,
        "unvalued_items": sum(item.unvalued for item in priced),
    }


def _items(connection: sa.Connection, customers: list[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(_priced_items(), {"ids": customers}):
        found[row.subscription].append(row)
    return found


@cache
def _priced_items() -> Any:
    return (
        sa.select(
            _ITEM.subscription,
            _ITEM.quantity,
            _ITEM.discounts,
            _ITEM.product,
            _PRICE.id.label("price_id"),
            *(_PRICE[name] for name in PRICED),
        )
        .join_from(table(SubscriptionItem), table(Subscription), _SUBSCRIPTION.id == _ITEM.subscription)
        .outerjoin(table(Price), _PRICE.id == _ITEM.price)
        .where(among(_SUBSCRIPTION.customer, THESE), _ITEM.deleted.is_(False))
        .order_by(_ITEM.id)
    )


def _discounts_of_customers(connection: sa.Connection, customers: list[str]) -> dict[str, str]:
    """A customer's own discount: it counts for subscriptions that have none."""
    query = sa.select(_CUSTOMER.id, _CUSTOMER.discount).where(
        _CUSTOMER.id.in_(customers), _CUSTOMER.discount.is_not(None)
    )
    return {row.id: row.discount for row in connection.execute(query)}


def _rebates(connection: sa.Connection, discounts: set[str]) -> dict[str, Rebate]:
    found = {}
    for some in chunks(discounts):
        rows = connection.execute(
            sa.select(_DISCOUNT.id, *(_COUPON[name] for name in REBATED))
            .join_from(table(Discount), table(Coupon), _COUPON.id == _DISCOUNT.coupon)
            .where(_DISCOUNT.id.in_(some), _DISCOUNT.deleted.is_(False))
        )
        for id, percent_off, amount_off, currency, duration, applies_to in rows:
            found[id] = Rebate(percent_off, amount_off, currency, duration, frozenset(applies_to))
    return found


def _first_trial_ends(connection: sa.Connection, customers: list[str]) -> dict[str, int]:
    return {row.id: row.period_end for row in connection.execute(_first_trials(), {"ids": customers})}


@cache
def _first_trials() -> Any:
    return (
        sa.select(_SUBSCRIPTION.id, _LINE.period_end)
        .join_from(table(Subscription), table(InvoiceLine), _LINE.subscription == _SUBSCRIPTION.id)
        .join(table(Invoice), _INVOICE.id == _LINE.invoice)
        .where(
            among(_SUBSCRIPTION.customer, THESE),
            _LINE.period_start == _SUBSCRIPTION.trial_start,
            _LINE.period_end > _LINE.period_start,
            _LINE.amount == 0,
        )
        .order_by(_INVOICE.created.desc(), _INVOICE.id.desc())
    )


def _save(connection: sa.Connection, changed: list[dict[str, Any]]) -> None:
    if not changed:
        return
    connection.execute(
        sa.update(table(Subscription))
        .where(_SUBSCRIPTION.id == sa.bindparam("subscription_id"))
        .values({name: sa.bindparam(name) for name in _SAVED}),
        changed,
    )
