"""Which days, weeks and months does a number cover? Cut in the workspace's zone, end excluded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from services import clock

Grain = Literal["month", "week"]


@dataclass(frozen=True, slots=True)
class Period:
    """From `begins` to before `ends` (UTC seconds); `key` is `2026-05` or the Monday `2026-05-04`."""

    key: str
    begins: int
    ends: int


def last(grain: Grain, count: int, *, until: int, zone: ZoneInfo) -> list[Period]:
    """The `count` weeks or months up to the one that holds `until`, oldest first."""
    return [_period(grain, until, zone, back) for back in range(count - 1, -1, -1)]


def _period(grain: Grain, until: int, zone: ZoneInfo, back: int) -> Period:
    start = _month if grain == "month" else _week
    begins = start(until, zone, -back)
    form = "%Y-%m" if grain == "month" else "%Y-%m-%d"
    return Period(clock.local(begins, zone).strftime(form), begins, start(until, zone, 1 - back))


def _month(instant: int, zone: ZoneInfo, plus: int) -> int:
    return clock.month_start(instant, zone, plus_months=plus)


def _week(instant: int, zone: ZoneInfo, plus: int) -> int:
    return clock.week_start(instant, zone, plus_weeks=plus)


def index_of(instant: sa.ColumnElement[Any], periods: Sequence[Period]) -> sa.ColumnElement[int]:
    """SQL: which of the adjoining periods (oldest first) holds the instant; -1 for those outside."""
    inside = ((instant < period.ends, index) for index, period in enumerate(periods))
    return sa.case((instant < periods[0].begins, -1), *inside, else_=-1)


def within(instant: sa.ColumnElement[Any], periods: Sequence[Period]) -> sa.ColumnElement[bool]:
    """SQL: whether one of the periods holds the instant."""
    return sa.or_(sa.false(), *((instant >= period.begins) & (instant < period.ends) for period in periods))
