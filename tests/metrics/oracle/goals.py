"""Where do goals stand, and which trials does a forecast speak of? Shares in basis points, rounded down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from zoneinfo import ZoneInfo

from tests.metrics.oracle.failures import Failed
from tests.metrics.oracle.reading import DAY
from tests.metrics.oracle.trials import Trial

WINDOWS = (7, 14, 30, 60, 90)
AHEAD, ENOUGH = 60, 30  # days of a forecast, and trials that it is known from
Month = tuple[int, int]  # from, to before


def months(now: int, zone: ZoneInfo, count: int) -> list[Month]:
    """The last months up to this one, the youngest first."""
    local = datetime.fromtimestamp(now, zone)
    place = local.year * 12 + local.month - 1
    return [(_first(at, zone), _first(at + 1, zone)) for at in range(place, place - count, -1)]


def _first(month: int, zone: ZoneInfo) -> int:
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=zone).timestamp())


def conversion(given: Iterable[tuple[Trial, int]], now: int, zone: ZoneInfo) -> int | None:
    """The share that converted within the usual window of the youngest month that is as old; `given`: the
    trials, and for how many days each was."""
    every = list(given)
    window = _usual_window(every, now, zone)
    for begins, ends in months(now, zone, 24):
        mine = [one for one, _ in every if begins <= one.started < ends]
        if mine and ends + window * DAY <= now:
            came = sum(one.took is not None and one.took <= window * DAY for one in mine)
            return came * 10_000 // len(mine)
    return None


def _usual_window(given: Iterable[tuple[Trial, int]], now: int, zone: ZoneInfo) -> int:
    """It lets nine of ten trials of the last year's months end, be billed and be tried again: 30 days at
    least, and ten more than they were given."""
    year = [begins for begins, _ in months(now, zone, 13) if begins > now - 365 * DAY]
    days = sorted(days for one, days in given if days and year[-1] <= one.started)
    longest = days[ceil(0.9 * len(days)) - 1] if days else 0
    return next((one for one in WINDOWS if one >= max(30, longest + 10)), WINDOWS[-1])


def recovery(failed: Iterable[Failed], now: int, zone: ZoneInfo) -> int | None:
    """The share, by count and of all currencies, that was recovered of the payments that first failed in the
    youngest month that is over and of which none is in recovery."""
    every = [one for one in failed if not one.is_first_after_trial]
    for begins, ends in months(now, zone, 24):
        mine = Counter(one.came_to for one in every if begins <= one.failed_at < ends)
        if mine and ends <= now and not mine["in_recovery"]:
            return mine["recovered"] * 10_000 // mine.total()
    return None


@dataclass
class Forecast:
    """Of how many running trials one speaks, of how many of these it cannot tell, from how many past ones,
    and how many of the others converted."""

    running: int
    unknown: int
    alike: int
    converted: int


def forecast(every: Iterable[Trial], running: Iterable[Trial], at: int) -> Forecast:
    """What a forecast at an instant is about; `running`: the trials that ran then."""
    first, last = at // DAY - 545, at // DAY - 2 * AHEAD
    past = [one for one in every if first <= one.started // DAY < last]
    mine = list(running)
    known = [one for one in mine if _is_known(one, past, min((at - one.started) // DAY, AHEAD))]
    came = [one for one in known if one.converted_at and at < one.converted_at <= at + AHEAD * DAY]
    return Forecast(len(mine), len(mine) - len(known), len(past), len(came))


def _is_known(trial: Trial, past: Iterable[Trial], age: int) -> bool:
    """Whether enough past trials, of its plan or of all, ran as long."""
    still = [one.plan for one in past if _ran(one) > age]
    return len(still) >= ENOUGH or still.count(trial.plan) >= ENOUGH


def _ran(trial: Trial) -> int:
    """For how many days a trial was not decided, one more where an invoice came after it."""
    billed = trial.state in ("converted", "missed_payment")
    return max(0, -((trial.started - trial.over_at) // DAY)) + billed
