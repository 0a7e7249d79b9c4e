"""What time is it for the account, and where does a day begin for the workspace?

The sandbox's clock can be moved; the desk follows it. `follow` is told the difference by whoever last
heard from the account. All instants are whole seconds since 1970 UTC.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

DAY = 86_400


class _Offset:
    seconds: int = 0


def follow(offset: int) -> None:
    """Sets the account's clock less this machine's clock, in seconds."""
    _Offset.seconds = offset


def offset() -> int:
    """The account's clock less this machine's, in seconds; 0 on a real account."""
    return _Offset.seconds


def now() -> int:
    """The account's present instant."""
    return int(time.time()) + _Offset.seconds


def days_left(until: int, at: int) -> int:
    """Days from `at` to `until`, rounded up (facts: ceiling of the remaining time / 24 h); 0 once over."""
    return max(0, -((at - until) // DAY))


def local(instant: int, zone: ZoneInfo) -> datetime:
    """The instant as a wall-clock time in a zone."""
    return datetime.fromtimestamp(instant, UTC).astimezone(zone)


def day_start(instant: int, zone: ZoneInfo, *, plus_days: int = 0) -> int:
    """The first instant of the local day that holds `instant`, moved by whole local days."""
    return date_start(local(instant, zone).date(), zone, plus_days=plus_days)


def date_start(day: date, zone: ZoneInfo, *, plus_days: int = 0) -> int:
    """The first instant of a calendar day in a zone, moved by whole local days."""
    return _instant(datetime.combine(day, time_of_day()) + timedelta(days=plus_days), zone)


def month_start(instant: int, zone: ZoneInfo, *, plus_months: int = 0) -> int:
    """The first instant of the local month that holds `instant`, moved by whole months."""
    at = local(instant, zone)
    index = at.year * 12 + at.month - 1 + plus_months
    return _instant(datetime(index // 12, index % 12 + 1, 1), zone)  # noqa: DTZ001 - zone added there


def week_start(instant: int, zone: ZoneInfo, *, plus_weeks: int = 0) -> int:
    """The first instant of the local Monday of the week that holds `instant`, moved by whole weeks."""
    weekday = local(instant, zone).weekday()
    return day_start(instant, zone, plus_days=7 * plus_weeks - weekday)


def _instant(wall: datetime, zone: ZoneInfo) -> int:
    return int(wall.replace(tzinfo=zone).timestamp())
