"""How sure is a rate, and what is typical? Small pure functions.

A rate whose denominator is 0 is "no data", never 0 %. Rates carry a 95 % interval (Wilson).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, hypot, sqrt

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`: shares between 0 and 1, or a difference of two shares."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rate:
    """`part` of `whole`, both counts."""

    part: int
    whole: int

    def __post_init__(self) -> None:
        if not 0 <= self.part <= self.whole:
            raise ValueError(f"a rate of {self.part} in {self.whole} makes no sense")

    @property
    def value(self) -> float | None:
        """The share between 0 and 1; None is "no data"."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> Interval | None:
        """Where the true share lies with 95 % confidence; None without data."""
        return wilson(self.part, self.whole) if self.whole else None


def may_be_chance(one: Rate, two: Rate) -> bool:
    """Whether the difference of two rates could be 0 with 95 % confidence, or one has no data."""
    between = difference(one, two)
    return between is None or between.low <= 0 <= between.high


def difference(one: Rate, two: Rate) -> Interval | None:
    """Where `one` - `two` truly lies with 95 % confidence, from -1 to 1; None where one has no data.

    Newcombe's hybrid score interval for independent groups (Statistics in Medicine 17 (1998) 873-890,
    method 10): the reaches of both Wilson intervals towards each other, and away, add up like sides at a
    right angle.
    """
    mine, other = one.interval, two.interval
    if mine is None or other is None:
        return None
    here, there = one.part / one.whole, two.part / two.whole
    return Interval(
        here - there - hypot(here - mine.low, other.high - there),
        here - there + hypot(mine.high - here, there - other.low),
    )


def wilson(part: int, whole: int, z: float = Z95) -> Interval:
    """Wilson's score interval for `part` in `whole` (> 0)."""
    share = part / whole
    spread = z * z / whole
    middle = (share + spread / 2) / (1 + spread)
    reach = z * sqrt(share * (1 - share) / whole + spread / (4 * whole)) / (1 + spread)
    low = 0.0 if part == 0 else max(0.0, middle - reach)
    high = 1.0 if part == whole else min(1.0, middle + reach)
    return Interval(low, high)


def percentile(counted: Mapping[int, int], share: float) -> int | None:
    """The smallest value that `share` (0 < share <= 1) of all do not exceed; `counted` says how often each
    value was seen. None where none was."""
    place = max(1, ceil(share * sum(counted.values())))
    for value in sorted(counted):
        place -= counted[value]
        if place <= 0:
            return value
    return None
