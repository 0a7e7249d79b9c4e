"""Who stayed? Customers, and what they pay, by the month in which they first came to any MRR.

Customers are cohorts, not plans: a view's plan has no say. All months together add up to the customers and
the MRR that stand. Shared definition: metrics, Churn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlmodel import Session, col

from models import RetentionCell
from services.metrics.counting import rollups
from services.metrics.periods import Period
from services.metrics.revenue import revenue_history
from services.metrics.revenue.revenue_history import Amount, Level, Movements, View
from services.metrics.statistics.sums import total


@dataclass(frozen=True, slots=True)
class Retained:
    """The customers who first paid in the month `cohort` (its first instant): how many `started` and with
    which `new` MRR; `customers` and `mrr` (micros) at the end of each of the months from it on."""

    cohort: int
    started: int
    new: Amount
    customers: Sequence[int]
    mrr: Sequence[Amount]


def cohorts(session: Session, view: View, months: Sequence[Period], until: int) -> list[Retained]:
    """Each month's new customers, and what they came to at the end of it and of each month after it, as far
    as these have begun before `until` (UTC seconds)."""
    begun = [month for month in months if month.begins < until]
    starts, moved = (
        revenue_history.movements(session, replace(view, plan=""), begun),
        _moved(session, view),
    )
    return [_retained(one, begun[at:], moved) for at, one in enumerate(starts)]


def _moved(session: Session, view: View) -> Mapping[tuple[int, int], Level]:
    """What moved, by cohort and month."""
    c, weights = RetentionCell, view.weights
    key = (col(c.cohort), col(c.month), col(c.currency))
    asked = sa.select(*key, total(col(c.mrr)), sa.func.sum(col(c.accounts)))
    asked = asked.where(rollups.standing(c), col(c.currency).in_(weights))
    if view.country:
        asked = asked.where(col(c.country) == view.country)
    moved: dict[tuple[int, int], Level] = defaultdict(Level)
    for cohort, month, code, mrr, people in session.execute(asked.group_by(*key)):
        moved[cohort, month] += Level(weights[code] * int(mrr), customers=int(people))
    return moved


def _retained(start: Movements, months: Sequence[Period], moved: Mapping[tuple[int, int], Level]) -> Retained:
    level, standing = Level(), []
    for month in months:
        level += moved.get((start.period.begins, month.begins), Level())
        standing.append(level)
    return Retained(
        start.period.begins,
        start.people["new"],
        start.moved["new"],
        [one.customers for one in standing],
        [one.mrr for one in standing],
    )
