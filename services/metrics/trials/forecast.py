"""What may be expected of the trials that run now: how many convert within 60 days, and what MRR they bring?

Each running trial is as likely to convert as past trials of its plan that were still running at the same age
did within 60 days from there on. Where fewer than 30 such trials of the plan are known, those of all plans
tell; where these are fewer too, nothing is said. Only trials of days (UTC) within a year and a half, and long
enough ago for these days to be over, are compared with.

The interval holds what comes with 80 % probability if the future differs from that past as its months differ
from each other. It has the chance of each single trial, that past shares are known from so many trials only,
and how much more months vary than chance explains (method of moments, DerSimonian and Laird, Controlled
Clinical Trials 7 (1986) 177-188). How often it held is tried on past months: what would have been said on
their first day, by what was known then, beside what came.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import sqrt
from operator import attrgetter

import sqlalchemy as sa
from sqlmodel import Session, col

from models import TrialFact, TrialRun
from services.clock import DAY
from services.metrics.counting.rollups import standing
from services.metrics.periods import Period
from services.metrics.trials.trial_book import LONGEST_RUN

AHEAD = 60  # days
FEWEST = 30  # trials that a share is known from
SHARE = 0.8  # how often the interval should hold
_Z80 = 1.2815515655446004
_OLDEST, _YOUNGEST = 545, 2 * AHEAD  # days that past trials began before the forecast
_OLDEST_AGE = LONGEST_RUN - 1  # days; older trials are taken for as old


@dataclass(frozen=True, slots=True)
class Expected:
    """`value` with the interval from `low` to `high`: a number of trials, or micros."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of `running` trials: the conversions, and MRR in micros by currency, to expect within 60 days.

    `alike`: how many past trials it is known from. `unknown` running trials have too few like them, and are
    in none of it. `converted` is what came, None where it is too early to tell.
    """

    at: int
    running: int
    unknown: int
    alike: int
    conversions: Expected
    mrr: Mapping[str, Expected]
    converted: int | None = None

    @property
    def held(self) -> bool | None:
        """Whether what came lies in the interval; None where it is too early to tell."""
        if self.converted is None:
            return None
        return self.conversions.low <= self.converted <= self.conversions.high


@dataclass(frozen=True, slots=True)
class _Alike:
    """Past trials that were still running at an age, and those that converted within 60 days from there."""

    converted: int
    trials: int

    @property
    def share(self) -> float:
        return self.converted / self.trials


@dataclass(frozen=True, slots=True)
class _Running:
    """`count` running trials of a plan, an age in whole days, a currency and a worth (micros), of which so
    many `came` to convert within 60 days."""

    plan: str
    age: int
    currency: str
    micros: int
    count: int
    came: int


@dataclass(frozen=True, slots=True)
class _Began:
    """`count` trials of a plan that began on a day (since 1970), as in TrialRun."""

    day: int
    plan: str
    ran: int
    paid: int
    count: int


def now(session: Session, as_of: int) -> Forecast:
    """What to expect of the trials that run now (UTC seconds)."""
    running = _running(session, as_of, col(TrialFact.state) == sa.literal_column("'running'"))
    return _forecast(as_of, running, _pasts(session, [as_of])[as_of])


def tried(session: Session, months: Iterable[Period], as_of: int) -> list[Forecast]:
    """What would have been said on the first day of past months, and what came; without those of which it is
    too early to tell, and those without trials that it could be known from."""
    f = TrialFact
    firsts = [month.begins for month in months if month.begins + AHEAD * DAY <= as_of]
    pasts, longest = _pasts(session, firsts), _longest(session)
    found = []
    for at in firsts:
        running = _running(session, at, col(f.over_at) > at, col(f.started).between(at - longest, at))
        forecast = _forecast(at, running, pasts[at])
        if forecast.running > forecast.unknown:
            came = sum(one.came for one in running if pasts[at].alike(one.plan, one.age))
            found.append(replace(forecast, converted=came))
    return found


def held(forecasts: Iterable[Forecast]) -> tuple[int, int]:
    """In how many of the past months the interval held, and how many were tried."""
    known = [one.held for one in forecasts if one.held is not None]
    return sum(known), len(known)


def _longest(session: Session) -> int:
    """For how long the longest trial ran (seconds): no trial that runs began earlier."""
    f = TrialFact
    return session.execute(sa.select(sa.func.max(col(f.over_at) - col(f.started)))).scalar() or 0


def _running(session: Session, at: int, *ran: sa.ColumnElement[bool]) -> list[_Running]:
    f = TrialFact
    age = (sa.literal(at) - col(f.started)) // sa.literal(DAY)
    came = (col(f.converted_at) > at) & (col(f.converted_at) <= at + AHEAD * DAY)
    columns = (col(f.plan), age, col(f.currency), col(f.plan_micros))
    asked = sa.select(*columns, sa.func.count(), sa.func.sum(sa.case((came, 1), else_=0)))
    rows = session.execute(asked.where(*ran).group_by(*columns))
    return [_Running(plan, min(int(days), _OLDEST_AGE), *more) for plan, days, *more in rows]


class _Past:
    """The past trials by plan, and how many of them ran and converted after an age."""

    def __init__(self, today: int, rows: Iterable[_Began]) -> None:
        self._rows: dict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
        months: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for one in rows:
            self._rows[one.plan][one.ran, one.paid] += one.count
            month = months[(today - one.day) // 30]
            month[0] += one.count if one.paid >= 0 else 0
            month[1] += one.count
        self.trials = sum(trials for _, trials in months.values())
        self.restless = _restless([_Alike(*one) for one in months.values()])
        self._known: dict[tuple[str | None, int], _Alike] = {}

    def alike(self, plan: str, age: int) -> tuple[str | None, _Alike] | None:
        """Those of the plan, or of all plans (None); None where too few are known."""
        for whose in (plan, None):
            found = self._at(whose, age)
            if found.trials >= FEWEST:
                return whose, found
        return None

    def _at(self, plan: str | None, age: int) -> _Alike:
        """Of one plan, or of all (None)."""
        if (plan, age) not in self._known:
            some = self._rows.values() if plan is None else [self._rows.get(plan, Counter())]
            rows = chain.from_iterable(one.items() for one in some)
            still = [(converted, count) for (ran, converted), count in rows if ran > age]
            came = sum(count for converted, count in still if age < converted <= age + AHEAD)
            self._known[plan, age] = _Alike(came, sum(count for _, count in still))
        return self._known[plan, age]


def _pasts(session: Session, instants: Sequence[int]) -> dict[int, _Past]:
    """The trials to compare with at each instant, read at once: those of whole days (UTC) only."""
    if not instants:
        return {}
    rows = _began(session, min(instants) // DAY - _OLDEST, max(instants) // DAY - _YOUNGEST)
    found = {}
    for at in instants:
        first, last = (
            bisect_left(rows, at // DAY - age, key=attrgetter("day")) for age in (_OLDEST, _YOUNGEST)
        )
        found[at] = _Past(at // DAY, rows[first:last])
    return found


def _began(session: Session, first: int, last: int) -> list[_Began]:
    """The trials that began from one day to before another (days since 1970), oldest first."""
    r = TrialRun
    within = (col(r.day) >= first * DAY, col(r.day) < last * DAY)
    asked = sa.select(col(r.day), col(r.plan), col(r.ran), col(r.paid), col(r.trials))
    rows = session.execute(asked.where(standing(r), *within).order_by(col(r.day), col(r.plan))).all()
    return [_Began(day // DAY, *rest) for day, *rest in rows]


def _restless(months: Sequence[_Alike]) -> float:
    """By how much of itself the share of a month varies beyond chance (a standard deviation; 0: not)."""
    trials, converted = sum(one.trials for one in months), sum(one.converted for one in months)
    if len(months) < 2 or not 0 < converted < trials:
        return 0.0
    share = converted / trials
    spread = share * (1 - share)
    excess = sum(one.trials * (one.share - share) ** 2 for one in months) / spread - (len(months) - 1)
    scale = trials - sum(one.trials**2 for one in months) / trials
    beyond = sqrt(max(0.0, excess / scale) * spread) / share if scale else 0.0
    return beyond * (1 + (_Z80**2 + 1) / (4 * (len(months) - 1)))  # it is known from few months itself


def _forecast(at: int, running: Sequence[_Running], past: _Past) -> Forecast:
    likely = [(one, past.alike(one.plan, one.age)) for one in running]
    known = [(one, *found) for one, found in likely if found is not None]
    total = sum(one.count for one in running)
    currencies = sorted({one.currency for one, *_ in known})
    return Forecast(
        at=at,
        running=total,
        unknown=total - sum(one.count for one, *_ in known),
        alike=past.trials,
        conversions=_expected([(1, *part) for part in known], past.restless),
        mrr={
            code: _expected(
                [(part[0].micros, *part) for part in known if part[0].currency == code], past.restless
            )
            for code in currencies
        },
    )


def _expected(parts: Iterable[tuple[int, _Running, str | None, _Alike]], restless: float) -> Expected:
    """The sum of what each trial is worth times how likely it is. The shares of one plan at different ages
    come from the same past trials: what is not known of them adds up."""
    value = single = 0.0
    shared: dict[str | None, float] = defaultdict(float)
    for worth, one, whose, found in parts:
        weight, spread = worth * one.count, found.share * (1 - found.share)
        value += weight * found.share
        single += worth * weight * spread
        shared[whose] += weight * sqrt(spread / found.trials)
    doubts = single + sum(doubt**2 for doubt in shared.values()) + (value * restless) ** 2
    reach = _Z80 * sqrt(doubts)
    return Expected(value, max(0.0, value - reach), value + reach)
