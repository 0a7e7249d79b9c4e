"""What comes in every month, from how many customers, per currency?

MRR now is the sum of what the writer keeps on each subscription (`mrr_micros`, see `mrr`). Active customer:
a subscription `active` or `past_due` with MRR above zero. Trial MRR (what the running trials would bring)
stands beside it, never inside it: see `trials.running_now`. Currencies are never added.

MRR of a past instant is reconstructed: of the subscriptions that had begun, had not ended and were out of
their trial, those count whose invoice (not a draft, not void) covers the instant with a service period. One
whose prices and quantities were the same as now counts as it does now; any other by its invoice lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Invoice, InvoiceLine, Price, Subscription, SubscriptionItem
from services.metrics.mrr import COUNTED
from services.metrics.trials import has_ended, in_trial
from services.money import MICROS


@dataclass(frozen=True, slots=True)
class Revenue:
    """One currency: MRR in micros, and how many active customers it comes from."""

    mrr: int = 0
    customers: int = 0


def now(session: Session) -> dict[str, Revenue]:
    """MRR and active customers as they stand, by currency."""
    s = Subscription
    rows = session.execute(
        sa.select(col(s.currency), sa.func.sum(col(s.mrr_micros)), sa.func.count(col(s.customer).distinct()))
        .where(col(s.status).in_(COUNTED), col(s.mrr_micros) > 0)
        .group_by(col(s.currency))
    )
    return {currency: Revenue(int(micros), customers) for currency, micros, customers in rows}


def reconstructed(session: Session, at: int) -> dict[str, Revenue]:
    """MRR and active customers at a past instant (UTC seconds), by currency."""
    worth = _worth(at)
    rows = session.execute(
        sa.select(worth.c.currency, sa.func.sum(worth.c.micros), sa.func.count(worth.c.customer.distinct()))
        .where(worth.c.micros > 0)
        .group_by(worth.c.currency)
    )
    return {currency: Revenue(int(micros), customers) for currency, micros, customers in rows}


def _worth(at: int) -> sa.Subquery:
    """What each subscription that was served at the instant was worth a month."""
    s, billed, items = Subscription, _billed(at), _priced_now()
    same = billed.c.full_price == items.c.full_price
    return (
        sa.select(
            col(s.customer),
            col(s.currency),
            sa.case((same, col(s.plan_micros)), else_=billed.c.micros).label("micros"),
        )
        .join(billed, billed.c.subscription == col(s.id))
        .join(items, items.c.subscription == col(s.id), isouter=True)
        .where(col(s.start_date) <= at, ~has_ended(at), ~in_trial(at), ~col(s.status).like("incomplete%"))
        .subquery()
    )


def _billed(at: int) -> sa.Subquery:
    """The invoice lines whose service period covers the instant, for each subscription."""
    line, price = InvoiceLine, Price
    net = col(line.amount) - col(line.discount_amount)
    full_price = sa.func.coalesce(col(price.unit_amount), 0) * sa.func.coalesce(col(line.quantity), 1)
    return (
        sa.select(
            col(line.subscription).label("subscription"),
            sa.func.sum(full_price).label("full_price"),
            sa.func.sum(_monthly(net)).label("micros"),
        )
        .join(price, col(price.id) == col(line.price))
        .join(Invoice, col(Invoice.id) == col(line.invoice))
        .where(
            col(line.period_end) > at,
            col(line.period_start) <= at,
            ~col(line.proration),
            col(price.interval).is_not(None),
            sa.func.coalesce(col(price.usage_type), "") != "metered",
            col(Invoice.status).not_in(("draft", "void")),
            ~col(Invoice.deleted),
        )
        .group_by(col(line.subscription))
        .subquery()
    )


def _priced_now() -> sa.Subquery:
    item, price = SubscriptionItem, Price
    full_price = sa.func.coalesce(col(price.unit_amount), 0) * col(item.quantity)
    return (
        sa.select(col(item.subscription).label("subscription"), sa.func.sum(full_price).label("full_price"))
        .join(price, col(price.id) == col(item.price))
        .where(sa.func.coalesce(col(price.usage_type), "") != "metered", ~col(item.deleted))
        .group_by(col(item.subscription))
        .subquery()
    )


def _monthly(amount: Any) -> Any:
    """SQL: an amount for the price's interval as micros a month (rounded down)."""
    interval, times = col(Price.interval), sa.func.coalesce(col(Price.interval_count), 1)
    per_year = sa.case(
        (interval == "year", 1), (interval == "month", 12), (interval == "week", 52), else_=365
    )
    return amount * MICROS * per_year // (12 * times)
