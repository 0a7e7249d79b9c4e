"""What comes in every month, from how many customers, per currency?

MRR now is the sum of what the writer keeps on each subscription (`mrr_micros`, see `mrr`). Active customer:
a subscription `active` or `past_due` with MRR above zero. Trial MRR (what the running trials would bring)
stands beside it, never inside it: see `trials.running_now`. Currencies are never added. What was: see
`revenue_history`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Subscription
from services.metrics.revenue.mrr import COUNTED
from services.metrics.statistics.sums import total


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
