"""How many trials become customers: by month or week of their start, within how many days, by what?

Cohort rate: converted / started in that month or week, optionally within N days of the start. A cohort not
yet old enough is open: it is shown as such and never as a low rate. Period rate, as Stripe shows it:
converted / trials ended in the last 30 days.

The trials of a slice are read once, counted by the period of their start, their state and the days that they
took; every number here is a sum of these, so that parts add up to the whole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Price, Product, TrialCell, TrialFact
from services.clock import DAY
from services.metrics.counting.rollups import standing
from services.metrics.periods import Period
from services.metrics.statistics.statistics import Rate, percentile
from services.metrics.trials import slices
from services.metrics.trials.slices import EVERYONE, TRIALS, Segment, Slice
from services.metrics.trials.trials import STATES

WINDOWS = (7, 14, 30, 60, 90)
HEAT_DAYS = (0, 1, 2, 3, 5, 7, 10, 14, 17, 21, 25, 30, 45, 60, 75, 90)
RECENT_DAYS = 30
_YEAR = 365 * DAY
_ALL: Any = TrialFact.__table__.c  # type: ignore[attr-defined]
_CELL: Any = TrialCell.__table__.c  # type: ignore[attr-defined]


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
class HeatRow:
    """A cohort by day since its start: `shares` stand beside the days asked for, each what had converted by
    that day of all that started; None where the youngest trial is not that old."""

    period: Period
    started: int
    shares: tuple[Rate | None, ...]


@dataclass(frozen=True, slots=True)
class Days:
    """How long `count` conversions took, in days: half of them no longer than `median`, nine of ten no
    longer than `p90`."""

    count: int
    median: int
    p90: int


@dataclass(frozen=True, slots=True)
class Group:
    """The trials of the closed cohorts that share `key`, a value of a dimension ("" = not given)."""

    key: str
    rate: Rate
    states: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Tally:
    """One period's trials: by state, and how many (`so_far`) had converted by each of `days` (ascending)."""

    whole: int
    states: Counter[str]
    days: Sequence[int]
    so_far: Sequence[int]

    def converted(self, window: int | None) -> int:
        """How many converted within so many days; None: at any time."""
        place = len(self.days) if window is None else bisect_right(self.days, window)
        return self.so_far[place - 1] if place else 0


def _tally(states: Counter[str], took: Mapping[int, int]) -> _Tally:
    days = sorted(took)
    return _Tally(states.total(), states, days, list(accumulate(took[day] for day in days)))


@dataclass(frozen=True)
class Outcomes:
    """What became of a slice's trials: `counts` by the first instant of the period of their start, by state,
    and by the days that they took to convert (-1: they did not)."""

    periods: tuple[Period, ...]
    as_of: int
    counts: Mapping[tuple[int, str, int], int] = field(default_factory=dict)

    @cached_property
    def _tallies(self) -> Mapping[int, _Tally]:
        """The periods' trials by the first instant of each."""
        states: dict[int, Counter[str]] = {period.begins: Counter() for period in self.periods}
        took: dict[int, Counter[int]] = {period.begins: Counter() for period in self.periods}
        for (begins, state, days), count in self.counts.items():
            states[begins][state] += count
            if state == "converted":
                took[begins][days] += count
        return {begins: _tally(states[begins], took[begins]) for begins in states}

    def cohorts(self, window: int | None) -> list[Cohort]:
        """Every period's cohort, oldest first; `window` in days."""
        return [self._cohort(period, window) for period in self.periods]

    def _cohort(self, period: Period, window: int | None) -> Cohort:
        states = self._states([period])
        running = period.ends > self.as_of or states["running"] > 0
        too_young = running if window is None else period.ends + window * DAY > self.as_of
        return Cohort(period, states, self._rate([period], window), too_young)

    def _states(self, periods: Collection[Period]) -> dict[str, int]:
        tallies = [self._tallies[period.begins] for period in periods]
        return {state: sum(tally.states[state] for tally in tallies) for state in STATES}

    def _rate(self, periods: Collection[Period], window: int | None) -> Rate:
        tallies = [self._tallies[period.begins] for period in periods]
        return Rate(sum(tally.converted(window) for tally in tallies), sum(tally.whole for tally in tallies))

    def closed(self, window: int | None) -> tuple[Period, ...]:
        """The periods whose cohorts are old enough for the window."""
        return tuple(cohort.period for cohort in self.cohorts(window) if not cohort.open)

    def rate(self, window: int | None) -> Rate:
        """The closed cohorts taken together."""
        return self._rate(self.closed(window), window)

    def group(self, key: str, periods: Collection[Period], window: int | None) -> Group:
        """The trials of some of the periods taken together."""
        return Group(key, self._rate(periods, window), self._states(periods))

    def count(self, state: str) -> int:
        """How many of the trials are in a state."""
        return sum(count for (_, one, _), count in self.counts.items() if one == state)

    @property
    def started(self) -> int:
        """How many trials started."""
        return sum(self.counts.values())

    @property
    def days(self) -> Days | None:
        """How long the conversions took; None without any."""
        took: Counter[int] = Counter()
        for (_, state, days), count in self.counts.items():
            if state == "converted":
                took[days] += count
        median, p90 = percentile(took, 0.5), percentile(took, 0.9)
        return None if median is None or p90 is None else Days(took.total(), median, p90)

    def heat(self, days: Sequence[int] = HEAT_DAYS) -> list[HeatRow]:
        """Every period's cohort by day since the start, oldest first."""
        return [self._heat(period, days) for period in self.periods]

    def _heat(self, period: Period, days: Sequence[int]) -> HeatRow:
        old = [period.ends + day * DAY <= self.as_of for day in days]
        pairs = zip(days, old, strict=True)
        shares = tuple(self._rate([period], day) if is_old else None for day, is_old in pairs)
        return HeatRow(period, self._rate([period], None).whole, shares)


def outcomes(session: Session, asked: Slice, *, as_of: int) -> Outcomes:
    """What became of a slice's trials, which must name its periods; `as_of`: how old they are by now."""
    return outcomes_by(session, asked, "", as_of=as_of).get("", Outcomes(asked.periods or (), as_of))


def outcomes_by(session: Session, asked: Slice, dim: str, *, as_of: int) -> dict[str, Outcomes]:
    """The same by the values of a dimension, one of slices.TRIAL_DIMS; with "" all are under ""."""
    by = [dim] if dim else []
    found: dict[str, dict[tuple[int, str, int], int]] = {}
    for *value, begins, state, days, count in slices.counted(
        session, TRIALS, asked, [*by, "period", "state", "days"], "trials"
    ):
        found.setdefault(value[0] if value else "", {})[begins, state, days] = count
    return {value: Outcomes(asked.periods or (), as_of, counts) for value, counts in found.items()}


def breakdown(session: Session, asked: Slice, dim: str, window: int | None, *, as_of: int) -> list[Group]:
    """The closed cohorts taken together, by the values of a dimension, largest first."""
    parts = outcomes_by(session, asked, dim, as_of=as_of)
    closed = together(parts.values(), asked, as_of).closed(window)
    found = [part.group(value, closed, window) for value, part in parts.items()]
    return sorted((one for one in found if one.rate.whole), key=lambda group: (-group.rate.whole, group.key))


def together(parts: Collection[Outcomes], asked: Slice, as_of: int) -> Outcomes:
    """The outcomes of all parts of a slice, added up."""
    counts: Counter[tuple[int, str, int]] = Counter()
    for part in parts:
        counts.update(part.counts)
    return Outcomes(asked.periods or (), as_of, counts)


def period_rate(session: Session, segment: Segment = EVERYONE, *, as_of: int) -> Rate:
    """Converted / trials ended in the last 30 days, as Stripe shows it."""
    where = slices.conditions(TRIALS, Slice("month", None, segment))
    counted = sa.select(_ALL.state, sa.func.count()).where(ended_recently(as_of), *where)
    states = {state: int(count) for state, count in session.execute(counted.group_by(_ALL.state))}
    return Rate(states.get("converted", 0), sum(states.values()))


def ended_recently(as_of: int) -> sa.ColumnElement[bool]:
    """SQL: whether a trial is of the period rate: it ended in the last 30 days."""
    recent = (_ALL.over_at > as_of - RECENT_DAYS * DAY) & (_ALL.over_at <= as_of)
    ended: sa.ColumnElement[bool] = recent & (_ALL.state != "running")
    return ended


def running(session: Session, segment: Segment = EVERYONE) -> int:
    """How many trials still run, whenever they started."""
    rows = slices.counted(session, TRIALS, Slice("month", None, segment), ["state"], "trials")
    return sum(count for state, count in rows if state == "running")


def last_closed(cohorts: Sequence[Cohort]) -> tuple[Cohort | None, Cohort | None]:
    """The youngest closed cohort that has trials, and the one before it."""
    closed = [cohort for cohort in reversed(cohorts) if not cohort.open and cohort.started]
    return (closed[0] if closed else None, closed[1] if len(closed) > 1 else None)


def plan_names(session: Session) -> dict[str, str]:
    """Every product's name by its id."""
    return {id: name or id for id, name in session.execute(sa.select(col(Product.id), col(Product.name)))}


@dataclass(frozen=True, slots=True)
class Priced:
    """A price: `unit_amount` in minor units each `every` `interval`s; None where it is not one amount."""

    plan: str
    nickname: str
    currency: str
    unit_amount: int | None
    interval: str
    every: int


def prices(session: Session) -> dict[str, Priced]:
    """Every recurring price by its id."""
    p = Price
    nickname, interval = sa.func.coalesce(col(p.nickname), ""), col(p.interval)
    columns = (col(p.product), nickname, col(p.currency), col(p.unit_amount), interval, col(p.interval_count))
    rows = session.execute(sa.select(col(p.id), *columns).where(interval.is_not(None)))
    return {id: Priced(*rest) for id, *rest in rows}


def typical_days(session: Session, *, as_of: int) -> int | None:
    """How many days most trials of the last year (nine of ten) were given at their start; None without."""
    mine = (_CELL.dim == "trial_days", _CELL.grain == "month", _CELL.period > as_of - _YEAR)
    counted = sa.select(_CELL.value, sa.func.sum(_CELL.trials)).where(standing(TrialCell), *mine)
    given = {int(days): int(trials) for days, trials in session.execute(counted.group_by(_CELL.value))}
    given = {days: trials for days, trials in given.items() if days and trials}
    return percentile(given, 0.9)


def usual_window(days: int | None) -> int:
    """The window that lets trials of that many days end, be billed and be tried again: 30 where it fits."""
    return next((window for window in WINDOWS if window >= max(30, (days or 0) + 10)), WINDOWS[-1])
