"""How many trials become customers: by month or week of their start, by plan, by source?

Cohort rate: converted / started in that month or week, optionally within N days of the start. A cohort not
yet old enough is open: it is shown as such and never as a low rate. Period rate, as Stripe shows it:
converted / trials ended in the last 30 days.

One query counts the trials by all that people slice by; every number here is a sum of its cells, so that
parts add up to the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Product, Subscription
from services.clock import DAY
from services.metrics.periods import Period, index_of, within
from services.metrics.statistics import Rate
from services.metrics.trials import EVERYONE, STATES, Segment, trials

WINDOWS = (7, 14, 30, 60, 90)
RECENT_DAYS = 30
_NEVER = 1_000_000
_YEAR = 365 * DAY


@dataclass(frozen=True, slots=True)
class Cell:
    """`count` trials that are alike. `cohort` is the position of the period of their start, -1 for earlier.

    `days` is the smallest window that holds their conversion; `recent`: they ended in the last 30 days.
    """

    cohort: int
    state: str
    plan: str
    source: str
    currency: str
    days: int
    recent: bool
    count: int

    def converted(self, window: int | None) -> bool:
        """Whether these trials converted, and within `window` days of the start where one is given."""
        return self.state == "converted" and (window is None or self.days <= window)


@dataclass(frozen=True, slots=True)
class Cohort:
    """The trials that started in one period. `open`: too young for its rate to be read."""

    period: Period
    states: Mapping[str, int]
    rate: Rate
    open: bool

    @property
    def started(self) -> int:
        """How many trials started."""
        return self.rate.whole


@dataclass(frozen=True, slots=True)
class Group:
    """The trials of the closed cohorts that share a plan (product id) or a source ("" = not given)."""

    key: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class Cube:
    """All trials by `as_of`, counted; `periods` are the cohorts, oldest first."""

    periods: Sequence[Period]
    as_of: int
    cells: Sequence[Cell]

    def only(self, segment: Segment) -> Cube:
        """The part of it that a segment covers."""
        mine = [cell for cell in self.cells if segment.holds(cell.plan, cell.source, cell.currency)]
        return Cube(self.periods, self.as_of, mine)

    def count(self, state: str) -> int:
        """How many trials are in a state, whenever they started."""
        return sum(cell.count for cell in self.cells if cell.state == state)

    def cohorts(self, window: int | None) -> list[Cohort]:
        """Every period's cohort, oldest first; `window` in days."""
        mine: list[list[Cell]] = [[] for _ in self.periods]
        for cell in self.cells:
            if cell.cohort >= 0:
                mine[cell.cohort].append(cell)
        return [self._cohort(period, cells, window) for period, cells in zip(self.periods, mine, strict=True)]

    def _cohort(self, period: Period, cells: Sequence[Cell], window: int | None) -> Cohort:
        counted = Counter(dict.fromkeys(STATES, 0))
        for cell in cells:
            counted[cell.state] += cell.count
        running = period.ends > self.as_of or counted["running"] > 0
        too_young = running if window is None else period.ends + window * DAY > self.as_of
        return Cohort(period, dict(counted), _rate(cells, window), too_young)

    def by(self, name: Literal["plan", "source"], window: int | None) -> list[Group]:
        """The closed cohorts taken together, by plan or by source, largest first."""
        closed = {index for index, cohort in enumerate(self.cohorts(window)) if not cohort.open}
        groups: dict[str, list[Cell]] = {}
        for cell in self.cells:
            if cell.cohort in closed:
                groups.setdefault(getattr(cell, name), []).append(cell)
        found = [Group(key, _rate(cells, window)) for key, cells in groups.items()]
        return sorted(found, key=lambda group: (-group.rate.whole, group.key))

    def period_rate(self) -> Rate:
        """Converted / trials ended in the last 30 days, as Stripe shows it."""
        return _rate((cell for cell in self.cells if cell.recent), None)


def _rate(cells: Iterable[Cell], window: int | None) -> Rate:
    part = whole = 0
    for cell in cells:
        whole += cell.count
        part += cell.count if cell.converted(window) else 0
    return Rate(part, whole)


def cube(session: Session, periods: Sequence[Period], *, as_of: int, segment: Segment = EVERYONE) -> Cube:
    """Counts all trials by `as_of` (UTC seconds), with the adjoining `periods` as cohorts."""
    t = trials(as_of, segment).c
    took = t.converted_at - t.started
    keys = (
        index_of(t.started, periods),
        t.state,
        t.plan,
        t.source,
        t.currency,
        sa.case(*((took <= days * DAY, days) for days in WINDOWS), else_=_NEVER),
        sa.case((ended_recently(t, as_of), 1), else_=0),
    )
    rows = session.execute(
        sa.select(*keys, sa.func.count()).group_by(*(sa.text(f"{n}") for n in range(1, 8)))
    )
    cells = [
        Cell(cohort, state, plan, source, currency, days, bool(late), count)
        for cohort, state, plan, source, currency, days, late, count in rows
    ]
    return Cube(periods, as_of, cells)


def ended_recently(t: Any, as_of: int) -> sa.ColumnElement[bool]:
    """SQL: whether a row of `trials` is of the period rate: it ended in the last 30 days."""
    ended: sa.ColumnElement[bool] = (
        (t.state != "running") & (t.over_at > as_of - RECENT_DAYS * DAY) & (t.over_at <= as_of)
    )
    return ended


def days_to_convert(
    session: Session, periods: Sequence[Period], *, as_of: int, segment: Segment = EVERYONE
) -> list[int]:
    """Days from the start to the first payment, ascending, of the converted trials begun in the periods."""
    t = trials(as_of, segment).c
    took = sa.select(t.converted_at - t.started).where(t.state == "converted", within(t.started, periods))
    return sorted(-(-seconds // DAY) for seconds in session.execute(took).scalars())


def plan_names(session: Session) -> dict[str, str]:
    """Every product's name by its id."""
    return {id: name or id for id, name in session.execute(sa.select(col(Product.id), col(Product.name)))}


def last_closed(cohorts: Sequence[Cohort]) -> tuple[Cohort | None, Cohort | None]:
    """The youngest closed cohort that has trials, and the one before it."""
    closed = [cohort for cohort in reversed(cohorts) if not cohort.open and cohort.started]
    return (closed[0] if closed else None, closed[1] if len(closed) > 1 else None)


def typical_days(session: Session, *, as_of: int) -> int | None:
    """How many days most trials of the last year (nine of ten) were given at their start; None without."""
    given = col(Subscription.first_trial_end) - col(Subscription.trial_start)
    mine = (col(Subscription.trial_start) > as_of - _YEAR, col(Subscription.trial_start) <= as_of, given > 0)
    total = session.execute(sa.select(sa.func.count()).where(*mine)).scalar_one()
    if not total:
        return None
    place = -(-total * 9 // 10) - 1
    seconds = session.execute(
        sa.select(given).where(*mine).order_by(given).offset(place).limit(1)
    ).scalar_one()
    return int(-(-seconds // DAY))


def usual_window(days: int | None) -> int:
    """The window that lets trials of that many days end, be billed and be tried again: 30 where it fits."""
    return next((window for window in WINDOWS if window >= max(30, (days or 0) + 10)), WINDOWS[-1])
