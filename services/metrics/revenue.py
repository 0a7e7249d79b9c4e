"""What comes in every month, from how many customers, per currency?

MRR now is the sum of what the writer keeps on each subscription (`mrr_micros`, see `mrr`). Active customer:
a subscription `active` or `past_due` with MRR above zero. Trial MRR (what the running trials would bring)
stands beside it, never inside it: see `trials.running_now`. Currencies are never added.

MRR of a past instant is reconstructed: of the subscriptions that had begun, had not ended and were out of
their trial, those count whose invoice (not a draft, not void) covers the instant with a service period. One
whose prices and quantities were the same as now counts as it does now; any other by the price and quantity
on its invoice lines, less the discount on them. Where a price's amount is not simply for one unit in the
subscription's currency (tiers, packages, another currency, fractions), what the lines ask for counts instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Invoice, InvoiceItem, InvoiceLine, Price, Subscription, SubscriptionItem
from services.metrics.mrr import COUNTED
from services.metrics.sums import product, share, total
from services.metrics.trials import has_ended, in_trial
from services.money import MICROS

_BASIS_POINTS = 10_000
_MOST_BILLED = 10**14  # minor units; Stripe takes invoices of up to 12 digits


@dataclass(frozen=True, slots=True)
class Revenue:
    """One currency: MRR in micros, how many active customers it comes from, and how many subscriptions hold
    an item whose price is not known beforehand, so that MRR is without it."""

    mrr: int = 0
    customers: int = 0
    unvalued: int = 0


@dataclass(frozen=True, slots=True)
class Revenues:
    """Revenue `by_currency`; `customers` counts the active ones of all currencies together, each once."""

    customers: int
    by_currency: Mapping[str, Revenue]


def is_active() -> sa.ColumnElement[bool]:
    """SQL: whether a subscription makes its customer an active one."""
    s = Subscription
    return ~col(s.deleted) & col(s.status).in_(COUNTED) & (col(s.mrr_micros) > 0)


def now(session: Session) -> Revenues:
    """MRR and active customers as they stand."""
    s = Subscription
    unvalued = (
        ~col(s.deleted)
        & col(s.status).in_(COUNTED)
        & (col(s.unvalued_items) > 0)
        & col(s.pause_collection).is_(None)
    )
    worth = sa.select(
        col(s.customer),
        col(s.currency),
        col(s.mrr_micros).label("micros"),
        sa.case((unvalued, 1), else_=0).label("unvalued"),
    )
    return _summed(session, worth.where(is_active() | unvalued))


def of_customers(session: Session, customers: sa.Select[Any]) -> dict[str, int]:
    """MRR as it stands of the customers whose ids a query finds: micros by currency, the largest first."""
    wanted = customers.cte("wanted")  # a CTE, so that no part of the query is taken for one about these rows
    s = Subscription
    sums = sa.select(col(s.currency), total(col(s.mrr_micros))).where(
        is_active(), col(s.customer).in_(sa.select(wanted.c[0]))
    )
    found = {code: int(micros) for code, micros in session.execute(sums.group_by(col(s.currency)))}
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def reconstructed(session: Session, at: int) -> Revenues:
    """MRR and active customers at a past instant (UTC seconds)."""
    w = _worth(at).c
    worth = sa.select(w.customer, w.currency, w.micros, sa.literal(0).label("unvalued"))
    return _summed(session, worth.where(w.micros > 0))


def _summed(session: Session, worth: sa.Select[Any]) -> Revenues:
    """What each subscription is worth, by currency; in the same statement how many customers there are."""
    each = worth.cte("worth").prefix_with("MATERIALIZED")
    w = each.c
    customers = sa.func.count(sa.case((w.micros > 0, w.customer)).distinct())
    sums = sa.select(w.currency, total(w.micros), customers, sa.func.sum(w.unvalued))
    everybody = sa.select(sa.null(), sa.literal(0), customers, sa.literal(0))
    rows = session.execute(sums.group_by(w.currency).union_all(everybody))
    found = {code: Revenue(int(micros), people, int(unknown)) for code, micros, people, unknown in rows}
    return Revenues(found.pop(None).customers, found)


def _worth(at: int) -> sa.Subquery:
    """What each subscription that was served at the instant was worth a month."""
    s, billed, items = Subscription, _billed(at), _items_now()
    same = billed.c.full_price == items.c.full_price  # NULL with tiers: there the invoice tells
    return (
        sa.select(
            col(s.customer),
            col(s.currency),
            sa.case((same, col(s.plan_micros)), else_=billed.c.micros).label("micros"),
        )
        .join(billed, billed.c.subscription == col(s.id))
        .join(items, items.c.subscription == col(s.id), isouter=True)
        .where(
            col(s.start_date) <= at,
            ~has_ended(at),
            ~in_trial(at),
            ~col(s.status).like("incomplete%"),
        )
        .subquery()
    )


def _billed(at: int) -> sa.Subquery:
    """What each subscription was billed for at the instant, by price and quantity."""
    now, found = _items_now(), sa.union_all(_lines(at), _changes(at)).subquery()
    of_item = sa.case((now.c.number == 1, ""), else_=found.c.item)
    latest = (found.c.period_start.desc(), found.c.created.desc(), found.c.id.desc())
    place = sa.func.row_number().over(partition_by=(found.c.subscription, of_item), order_by=latest)
    # What one item's change leaves of the others cannot be told: changes count where there is one item.
    known = (found.c.item != "") | (now.c.number == 1)
    joined = sa.select(found, place.label("place")).join(now, now.c.subscription == found.c.subscription)
    line = joined.where(known).subquery().c
    full_price = product(sa.func.coalesce(col(Price.unit_amount), 0), line.quantity)
    by_unit = share(_monthly(full_price), line.kept, _BASIS_POINTS)
    return (
        sa.select(
            line.subscription,
            _sum_without_tiers(Price, full_price),
            total(sa.case((_is_by_unit(Price, line.currency), by_unit), else_=_monthly(line.asked))).label(
                "micros"
            ),
        )
        .join(Price, col(Price.id) == line.price)
        .where(line.place == 1, _recurs(Price))
        .group_by(line.subscription)
        .subquery()
    )


def _lines(at: int) -> Any:
    """Invoice lines whose service period holds the instant; `kept` is what discounts left, in 1/10,000, and
    `asked` what all lines of the item on the invoice ask for: tiers have a line each."""
    line = InvoiceLine
    amount, net = col(line.amount), col(line.amount) - col(line.discount_amount)
    whole = sa.func.nullif(amount, 0, type_=sa.BigInteger)
    left = sa.case(
        (col(line.discount_amount).between(0, amount), net * _BASIS_POINTS // whole), else_=_BASIS_POINTS
    )
    item = sa.func.coalesce(col(line.subscription_item), col(line.price))
    asked = sa.cast(sa.over(sa.func.sum(net), partition_by=(col(line.invoice), item)), sa.BigInteger)
    return (
        sa.select(
            col(line.id),
            col(line.subscription),
            item.label("item"),
            col(line.price),
            sa.func.coalesce(col(line.quantity), 1).label("quantity"),
            sa.func.coalesce(left, 0).label("kept"),
            asked.label("asked"),
            col(line.currency),
            col(line.period_start),
            col(line.created),
        )
        .join(Invoice, col(Invoice.id) == col(line.invoice))
        .where(
            col(line.period_end) > at,
            col(line.period_start) <= at,
            ~col(line.proration),
            *(one.between(-_MOST_BILLED, _MOST_BILLED) for one in (amount, col(line.discount_amount))),
            col(Invoice.status).not_in(("draft", "void")),
            ~col(Invoice.deleted),
        )
    )


def _changes(at: int) -> Any:
    """What a change in mid-period asked for the rest of it, billed by now or still waiting to be.

    Only where the price says what the whole period costs: of the rest, the next invoice tells.
    """
    change = InvoiceItem
    return (
        sa.select(
            col(change.id),
            col(change.subscription),
            sa.literal("").label("item"),
            col(change.price),
            col(change.quantity),
            sa.literal(_BASIS_POINTS).label("kept"),
            col(change.amount).label("asked"),
            col(change.currency),
            col(change.period_start),
            col(change.created),
        )
        .join(Price, col(Price.id) == col(change.price))
        .where(
            _is_by_unit(Price, col(change.currency)),
            col(change.proration),
            col(change.amount) > 0,
            col(change.period_end) > at,
            col(change.period_start) <= at,
            col(change.created) <= at,
            ~col(change.deleted),
        )
    )


def _is_by_unit(price: Any, currency: Any) -> sa.ColumnElement[bool]:
    """SQL: whether the price's unit amount is what one costs in the currency."""
    known, package = col(price.unit_amount).is_not(None), col(price.transform_divide_by).is_not(None)
    return sa.and_(known, col(price.currency) == currency, ~package)


def _sum_without_tiers(price: Any, full_price: Any) -> sa.Label[Any]:
    """SQL: the prices of all items together; NULL where one goes by tiers."""
    tiered = sa.func.sum(sa.case((col(price.billing_scheme) == "tiered", 1), else_=0))
    return sa.case((tiered == 0, total(full_price))).label("full_price")


def _recurs(price: Any) -> sa.ColumnElement[bool]:
    metered = sa.func.coalesce(col(price.usage_type), "") == "metered"
    return col(price.interval).is_not(None) & ~metered


def _items_now() -> sa.Subquery:
    """How many items each subscription has now, and their price times quantity."""
    item, price = SubscriptionItem, Price
    full_price = product(sa.func.coalesce(col(price.unit_amount), 0), col(item.quantity))
    return (
        sa.select(
            col(item.subscription).label("subscription"),
            sa.func.count().label("number"),
            _sum_without_tiers(price, full_price),
        )
        .join(price, col(price.id) == col(item.price))
        .where(_recurs(price), ~col(item.deleted))
        .group_by(col(item.subscription))
        .subquery()
    )


def _monthly(amount: Any) -> Any:
    """SQL: an amount for the price's interval as micros a month (rounded down)."""
    interval = col(Price.interval)
    times = sa.cast(sa.func.coalesce(col(Price.interval_count), 1), sa.BigInteger)
    per_year = sa.case(
        (interval == "year", 1), (interval == "month", 12), (interval == "week", 52), else_=365
    )
    return share(amount, MICROS * per_year, 12 * times)
