"""What moved since the end of a day as Stripe's page counts it?

All that moved here, but for customers of whom some subscription was once not collected from: to Stripe
neither the pause nor its end is a movement, so theirs are counted again without it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlmodel import Session, col

from models import RevenueCell, RevenueMove, Subscription, SubscriptionState
from services.metrics.counting import rollups
from services.metrics.revenue import timelines
from services.metrics.revenue.movements import Point
from services.metrics.statistics.sums import total


@dataclass(slots=True)
class Moved:
    """MRR in micros by currency, and customers of all currencies together."""

    mrr: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    customers: int = 0

    def add(self, rows: Iterable[tuple[str, int, int]], sign: int = 1) -> None:
        """Adds what moved, by currency: micros and customers."""
        for code, micros, people in rows:
            self.mrr[code] += sign * int(micros)
            self.customers += sign * int(people)


def since(session: Session, day: int | None, now: int) -> Moved:
    """What moved from the day that begins at `day` until now (UTC seconds); nothing where no day is named."""
    found = Moved()
    if day is None:
        return found
    c, m, paused = RevenueCell, RevenueMove, _paused(session)
    cells = sa.select(col(c.currency), total(col(c.mrr)), sa.func.sum(col(c.people)))
    found.add(
        tuple(row)
        for row in session.execute(
            cells.where(rollups.standing(c), col(c.day) >= day).group_by(col(c.currency))
        )
    )
    moves = sa.select(col(m.currency), total(col(m.mrr)), sa.func.sum(col(m.people)))
    mine = moves.where(col(m.day) >= day, col(m.customer).in_(paused)).group_by(col(m.currency))
    found.add((tuple(row) for row in session.execute(mine)), sign=-1)
    found.add(_by_stripe(session, paused, day, now))
    return found


def _paused(session: Session) -> list[str]:
    """The customers of whom some subscription was not collected from at some time."""
    s, log = Subscription, SubscriptionState
    asked = sa.select(col(s.customer)).join(log, col(log.subscription) == col(s.id))
    return sorted(set(session.execute(asked.where(col(log.pause_collection).is_not(None))).scalars()))


def _by_stripe(
    session: Session, customers: Collection[str], day: int, now: int
) -> Iterable[tuple[str, int, int]]:
    """What these moved without regard to pauses."""
    before: dict[str, int] = defaultdict(int)
    after: dict[str, int] = defaultdict(int)
    for one in timelines.of_customers(session, sorted(customers), now, collected_only=False):
        then, stands = _at(one.points, day), _at(one.points, now + 1)
        before[one.customer] += then
        after[one.customer] += stands
        yield one.currency, stands - then, 0
    yield "", 0, _active(after) - _active(before)


def _at(points: Iterable[Point], instant: int) -> int:
    """What stood before an instant (UTC seconds)."""
    return next((point.mrr for point in reversed([*points]) if point.at < instant), 0)


def _active(mrr: Mapping[str, int]) -> int:
    return sum(amount > 0 for amount in mrr.values())
