"""How far is it to a goal, and is what happens on its way?

The way is a straight line from the value at the beginning to the target at its end. A goal is about one of:
- `mrr`: MRR of one currency, in micros, as it stands at the end of each day;
- `conversion`: the share of a month's trials that converted within the usual window, of the youngest month
  that is no longer open; known once that month's last trial is old enough;
- `recovery`: the share of a month's failed payments, by count and of all currencies, that were recovered, of
  the youngest month that is no longer open; known at the month's end.
Shares are in basis points, rounded down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from sqlmodel import Session

from services import clock
from services.clock import DAY
from services.metrics import periods
from services.metrics.counting import rollups
from services.metrics.periods import Period
from services.metrics.recovery import dunning
from services.metrics.recovery.dunning import Asked, Cohort
from services.metrics.revenue import revenue, revenue_history
from services.metrics.revenue.revenue import Revenue
from services.metrics.revenue.revenue_history import View
from services.metrics.statistics.statistics import Rate
from services.metrics.trials import conversion
from services.metrics.trials.slices import Slice

Measure = Literal["mrr", "conversion", "recovery"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
Standing = Literal["reached", "on_track", "behind", "missed"]
WHOLE = 10_000  # basis points
_MONTHS = 24  # that are looked back for one that is no longer open
_WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Mark:
    """What was known at an instant (UTC seconds): micros of MRR, or basis points."""

    at: int
    value: int


@dataclass(frozen=True, slots=True)
class Walked:
    """Where a measure stands (None without data), and what became known of it, oldest first."""

    now: Mark | None
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """From a value at `begins` to the target at `ends` (UTC seconds), and where it stands (`now`)."""

    begins: int
    ends: int
    start: int
    target: int
    now: Mark

    @property
    def planned(self) -> int:
        """Where the straight line was when the last whole day ended, rounded down: it does not move by the
        minute."""
        gone = min(max(self.now.at - self.begins, 0) // DAY * DAY, self.ends - self.begins)
        return self.start + (self.target - self.start) * gone // (self.ends - self.begins)

    @property
    def standing(self) -> Standing:
        """Reached, or on track or behind the line; missed where its time is over."""
        if self.now.value >= self.target:
            return "reached"
        if self.now.at >= self.ends:
            return "missed"
        return "on_track" if self.now.value >= self.planned else "behind"

    @property
    def a_week(self) -> int | None:
        """By how much it has to grow every week from now on, rounded up; None where that is over."""
        left = self.ends - self.now.at
        missing = self.target - self.now.value
        return -(-missing * _WEEK // left) if left > 0 and missing > 0 else None


def value(session: Session, measure: Measure, currency: str, *, as_of: int, zone: ZoneInfo) -> int | None:
    """Where a measure stands (micros of MRR, or basis points); None without data."""
    if measure == "mrr":
        if not rollups.generation(session):
            return None
        return revenue.now(session).by_currency.get(currency, Revenue()).mrr
    known = list(_known(session, measure, as_of, zone))
    return known[-1].value if known else None


def walked(
    session: Session, measure: Measure, currency: str, since: int, *, as_of: int, zone: ZoneInfo
) -> Walked:
    """Where a measure stands, and what became known of it from an instant on."""
    if measure == "mrr":
        now = value(session, measure, currency, as_of=as_of, zone=zone) or 0
        return Walked(Mark(as_of, now), tuple(_earned(session, currency, since, as_of, zone)))
    known = list(_known(session, measure, as_of, zone))
    standing = Mark(as_of, known[-1].value) if known else None
    return Walked(standing, tuple(mark for mark in known if mark.at >= since))


def _earned(session: Session, currency: str, since: int, as_of: int, zone: ZoneInfo) -> Iterator[Mark]:
    """MRR at the end of each day on which it moved."""
    days = revenue_history.daily(session, View(currency), clock.day_start(since, zone), as_of)
    ends = {min(day + DAY, as_of): level.mrr for day, level in days if day + DAY > since}
    for at, mrr in ends.items():
        yield Mark(at, int(mrr))  # of one currency it is whole


def _known(session: Session, measure: Measure, as_of: int, zone: ZoneInfo) -> Iterator[Mark]:
    """The shares of months that are no longer open, each when it was known, oldest first."""
    months = periods.last("month", _MONTHS, until=as_of, zone=zone)
    found = _converted if measure == "conversion" else _recovered
    for at, rate in found(session, months, as_of):
        if rate.whole:
            yield Mark(at, rate.part * WHOLE // rate.whole)


def _converted(session: Session, months: Sequence[Period], as_of: int) -> Iterator[tuple[int, Rate]]:
    window = conversion.usual_window(conversion.typical_days(session, as_of=as_of))
    outcomes = conversion.outcomes(session, Slice("month", tuple(months)), as_of=as_of)
    for cohort in outcomes.cohorts(window):
        if not cohort.open:
            yield cohort.period.ends + window * DAY, cohort.rate


def _recovered(session: Session, months: Sequence[Period], as_of: int) -> Iterator[tuple[int, Rate]]:
    """By count: currencies are never added."""
    of_each = [
        dunning.read(session, Asked(currency, tuple(months)), as_of=as_of).cohorts
        for currency in dunning.currencies(session)
    ]
    for cohorts in zip(*of_each, strict=True):
        if not any(cohort.open for cohort in cohorts):
            yield cohorts[0].period.ends, _together(cohorts)


def _together(cohorts: Sequence[Cohort]) -> Rate:
    rates = [cohort.recovery for cohort in cohorts]
    return Rate(sum(rate.part for rate in rates), sum(rate.whole for rate in rates))
