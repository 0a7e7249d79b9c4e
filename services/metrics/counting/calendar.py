"""On which day, in which week and month of the workspace does an instant lie?

Days, weeks (from Monday) and months are cut in the workspace's zone and named by their first instant (UTC
seconds). Each is worked out once and kept: to count a large account asks millions of times.
"""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo

from services import clock

_QUARTER = 900  # seconds: no zone is set off by less, and none changes its offset between two of these


class Calendar:
    """The days, weeks and months of one zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._days: dict[int, int] = {}
        self._weeks: dict[int, int] = {}
        self._months: dict[int, int] = {}

    def day(self, instant: int) -> int:
        """The first instant of the day that holds the instant."""
        quarter = instant // _QUARTER
        if (found := self._days.get(quarter)) is None:
            found = self._days[quarter] = clock.day_start(instant, self.zone)
        return found

    def week(self, instant: int) -> int:
        """The first instant of the week that holds the instant."""
        day = self.day(instant)
        if (found := self._weeks.get(day)) is None:
            found = self._weeks[day] = clock.week_start(day, self.zone)
        return found

    def month(self, instant: int) -> int:
        """The first instant of the month that holds the instant."""
        day = self.day(instant)
        if (found := self._months.get(day)) is None:
            found = self._months[day] = clock.month_start(day, self.zone)
        return found


@cache
def of(zone: ZoneInfo) -> Calendar:
    """The one calendar of a zone in this process."""
    return Calendar(zone)
