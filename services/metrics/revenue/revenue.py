"""What comes in every month, from how many customers, per currency?

What each subscription comes to is kept on it (`mrr_micros`, see `mrr`). Active customer: a subscription
`active` or `past_due` with MRR above zero. Trial MRR (what the running trials would bring) stands beside it,
never inside it: see `trials.running_now`. Currencies are never added. What moved: see `revenue_history`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import RevenueDay, Subscription
from services.metrics.counting import rollups
from services.metrics.revenue.mrr import COUNTED
from services.metrics.statistics.sums import LARGEST, total


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


def now(session: Session) -> Revenues:
    """What stands now, with what cannot be valued; nothing before all is counted."""
    found, unknown = stood(session, LARGEST) or Revenues(0, {}), _unvalued(session)
    stands = {code: found.by_currency.get(code, Revenue()) for code in {*found.by_currency, *unknown}}
    valued = {code: replace(one, unvalued=unknown.get(code, 0)) for code, one in stands.items()}
    return replace(found, by_currency=valued)


def stood(session: Session, instant: int) -> Revenues | None:
    """What stood before the day that begins at the instant (UTC seconds); None before all is counted."""
    if not rollups.generation(session):
        return None
    c = RevenueDay
    sums = (total(col(c.mrr)), sa.func.sum(col(c.accounts)), sa.func.sum(col(c.people)))
    asked = sa.select(col(c.currency), *sums).where(rollups.standing(c), col(c.day) < instant)
    rows = [(code, *map(int, numbers)) for code, *numbers in session.execute(asked.group_by(col(c.currency)))]
    by_currency = {code: Revenue(mrr, customers) for code, mrr, customers, _ in rows if customers}
    return Revenues(sum(people for *_, people in rows), by_currency)


def is_active() -> sa.ColumnElement[bool]:
    """SQL: whether a subscription makes its customer an active one."""
    s = Subscription
    return ~col(s.deleted) & col(s.status).in_(COUNTED) & (col(s.mrr_micros) > 0)


def _unvalued(session: Session) -> dict[str, int]:
    """How many subscriptions hold an item whose price is not known beforehand, by currency."""
    s = Subscription
    some = col(s.unvalued_items) > sa.literal_column("0")  # literal, as in its index
    counts = (some, ~col(s.deleted), col(s.status).concat("").in_(COUNTED), col(s.pause_collection).is_(None))
    asked = sa.select(col(s.currency), sa.func.count()).where(*counts).group_by(col(s.currency))
    return {code: int(number) for code, number in session.execute(asked)}


def of_customers(session: Session, customers: sa.Select[Any]) -> dict[str, int]:
    """MRR as it stands of the customers whose ids a query finds: micros by currency, the largest first."""
    wanted = customers.cte("wanted")  # a CTE, so that no part of the query is taken for one about these rows
    s = Subscription
    sums = sa.select(col(s.currency), total(col(s.mrr_micros))).where(
        is_active(), col(s.customer).in_(sa.select(wanted.c[0]))
    )
    found = {code: int(micros) for code, micros in session.execute(sums.group_by(col(s.currency)))}
    return dict(sorted(found.items(), key=lambda one: -one[1]))
