"""What share of trials has converted by each day since their start? The counts that a curve is drawn from.

A trial that did not convert is looked at for as many days as it is old, whatever its state: it may convert
yet. Only days that are over for a trial count, its conversions of today with tomorrow, so that whoever is
young neither lowers nor raises the curve (Kaplan and Meier's estimate does the rest).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import TrialFact
from services.clock import DAY
from services.metrics.periods import Period
from services.metrics.statistics.survival import Watched
from services.metrics.trials import slices
from services.metrics.trials.slices import TRIALS, Slice

LONGEST = 90  # days
_NEVER = -1
_ALL: Any = TrialFact.__table__.c  # type: ignore[attr-defined]
Seen = dict[tuple[int, int], int]  # trials by the days that they were looked at and the day they converted on


def curve(session: Session, asked: Slice, *, as_of: int) -> Watched:
    """The trials of all periods of a slice together, as of now."""
    return _curve(_added(list(_seen(session, asked, "", as_of).values())))


def curves(session: Session, asked: Slice, *, as_of: int) -> dict[Period, Watched]:
    """The trials of each period of a slice that has any, oldest first."""
    seen = _seen(session, asked, "", as_of)
    mine = {period: seen.get(("", period.begins)) for period in asked.periods or ()}
    return {period: _curve(found) for period, found in mine.items() if found}


def curves_by(session: Session, asked: Slice, dim: str, *, as_of: int) -> dict[str, Watched]:
    """The trials of all periods together, by the values of a dimension (one of slices.TRIAL_DIMS)."""
    parts: dict[str, list[Seen]] = {}
    for (value, _), found in _seen(session, asked, dim, as_of).items():
        parts.setdefault(value, []).append(found)
    return {value: _curve(_added(some)) for value, some in parts.items()}


def _seen(session: Session, asked: Slice, dim: str, as_of: int) -> Mapping[tuple[str, int], Seen]:
    """By value of the dimension and the first instant of the period of their start."""
    periods = asked.periods or ()
    old = asked.during([one for one in periods if one.ends + LONGEST * DAY <= as_of])
    young = asked.during([one for one in periods if one.ends + LONGEST * DAY > as_of])
    by = [dim] if dim else []
    age = sa.case((_ALL.started > as_of, 0), else_=(as_of - _ALL.started) // DAY)
    capped = sa.case((age > LONGEST, LONGEST), else_=age).label("age")
    found: dict[tuple[str, int], Seen] = {}
    for part, more in ((old, []), (young, [capped])):
        if not part.periods:
            continue
        rows = slices.counted(session, TRIALS, part, [*by, "period", "days", *more], "trials")
        for *value, begins, days, looked_at, count in (row if more else _aged(row) for row in rows):
            seen = found.setdefault((value[0] if value else "", begins), {})
            converted = days if 0 <= days <= looked_at else _NEVER
            seen[looked_at, converted] = seen.get((looked_at, converted), 0) + count
    return found


def _aged(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*row[:-1], LONGEST, row[-1])


def _added(parts: Sequence[Seen]) -> Seen:
    total: Seen = {}
    for part in parts:
        for key, count in part.items():
            total[key] = total.get(key, 0) + count
    return total


def _curve(seen: Seen) -> Watched:
    converted, leaving = [0] * (LONGEST + 1), [0] * (LONGEST + 1)
    for (looked_at, day), count in seen.items():
        if day == _NEVER:
            leaving[looked_at] += count
        else:
            converted[day] += count
            leaving[day] += count
    at_risk = list(accumulate(reversed(leaving)))[::-1]
    ends = next((day for day, number in enumerate(at_risk) if not number), LONGEST + 1)
    return Watched(tuple(at_risk[:ends]), tuple(converted[:ends]))
