"""When does a billing period end?

All times are whole seconds since 1970 UTC. A monthly period that starts on the 31st ends on the last day of
shorter months and comes back to the 31st.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from typing import Any

HOUR = 3600
DAY = 24 * HOUR
_FIXED = {"day": DAY, "week": 7 * DAY}
_MONTHS = {"month": 1, "year": 12}


def add_months(anchor: int, months: int) -> int:
    """The same time of day so many months later (or earlier), on the month's last day at most."""
    start = datetime.fromtimestamp(anchor, UTC)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def boundary(anchor: int, recurring: dict[str, Any], number: int) -> int:
    """The anchor's period boundary with this number; 0 is the anchor itself."""
    interval, count = recurring["interval"], recurring["interval_count"]
    if interval in _FIXED:
        return int(anchor + number * count * _FIXED[interval])
    return add_months(anchor, number * count * _MONTHS[interval])


def next_boundary(anchor: int, recurring: dict[str, Any], after: int) -> int:
    """The first boundary later than `after`."""
    interval, count = recurring["interval"], recurring["interval_count"]
    if interval in _FIXED:
        length = count * _FIXED[interval]
        return int(anchor + ((after - anchor) // length + 1) * length)
    start, moment = datetime.fromtimestamp(anchor, UTC), datetime.fromtimestamp(after, UTC)
    months = (moment.year - start.year) * 12 + moment.month - start.month
    number = months // (count * _MONTHS[interval])
    while (found := boundary(anchor, recurring, number)) <= after:
        number += 1
    return found
