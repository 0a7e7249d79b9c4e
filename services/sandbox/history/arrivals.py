"""When do customers sign up? More every month, fewer at weekends, in August and around Christmas."""

import math
from datetime import UTC, datetime

from services.sandbox.billing.periods import DAY, HOUR, add_months
from services.sandbox.history.chance import chance

MONTHS_OF_HISTORY = 18
_WEEKDAY = (1.15, 1.25, 1.2, 1.1, 0.95, 0.6, 0.65)
_MONTH = (1.1, 1.05, 1.05, 1.0, 0.98, 0.95, 0.9, 0.82, 1.12, 1.1, 1.05, 0.8)
_HALF_WAY, _STEEPNESS = 460, 190


def midnight(moment: int) -> int:
    """The start of the day in UTC."""
    return moment - moment % DAY


def beginning(now: int) -> int:
    """The midnight with which a history that reaches `now` begins."""
    return midnight(add_months(midnight(now), -MONTHS_OF_HISTORY))


def pull(day: int, first_day: int) -> float:
    """How strongly a day draws customers, without a unit. Growth slows down in the end."""
    moment = datetime.fromtimestamp(day, UTC)
    growth = 0.06 + 1 / (1 + math.exp((_HALF_WAY - (day - first_day) / DAY) / _STEEPNESS))
    return growth * _WEEKDAY[moment.weekday()] * _MONTH[moment.month - 1]


def rate(customers: int, first_day: int, today: int) -> float:
    """Customers for each unit of `pull`, so that as many sign up before today."""
    total = sum(pull(day, first_day) for day in range(first_day, today, DAY))
    return customers / total


def times_of(seed: int, day: int, count: int) -> list[int]:
    """When so many sign up on a day, in order: mostly while people work in Europe and America."""
    draws = chance(seed, "day", day)
    hours = [min(23.99, max(0.0, draws.gauss(14.5, 4.6))) for _ in range(count)]
    return sorted(day + int(hour * HOUR) for hour in hours)
