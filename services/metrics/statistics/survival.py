"""What share of trials has converted by each day since the start, where some are still waiting?

Kaplan and Meier's estimate (Journal of the American Statistical Association 53 (1958) 457-481): a trial that
has not converted counts among those who could for as long as it has been watched, and no longer. So a young
trial neither lowers the share nor is left out. Whether two curves differ by chance: the log-rank test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import erfc, exp, log, sqrt

from services.metrics.statistics.statistics import Z95, Interval


@dataclass(frozen=True, slots=True)
class Watched:
    """Trials by day since their start (position 0: the first day).

    `at_risk`: how many had not converted before that day and were watched through it; `converted`: how many
    of these converted on that day.
    """

    at_risk: Sequence[int]
    converted: Sequence[int]

    def __post_init__(self) -> None:
        pairs = zip(self.at_risk, self.converted, strict=True)
        if not all(0 <= converted <= at_risk for at_risk, converted in pairs):
            raise ValueError("more trials converted on a day than were watched on it")


@dataclass(frozen=True, slots=True)
class Point:
    """By the end of `day` a `share` (0 to 1) had converted; `at_risk` trials tell of that day."""

    day: int
    share: float
    interval: Interval
    at_risk: int


def curve(watched: Watched) -> list[Point]:
    """The share converted by the end of each day, for as long as anybody was watched.

    Its 95 % interval: Greenwood's variance on the scale of log(-log) of the share not converted
    (Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, 2nd edition 2002, section 1.4),
    which keeps it between 0 and 1. Before the first conversion it has no width.
    """
    found: list[Point] = []
    left, variance, low = 1.0, 0.0, 0.0
    for day, (at_risk, converted) in enumerate(zip(watched.at_risk, watched.converted, strict=True)):
        if not at_risk:
            break
        left *= 1 - converted / at_risk
        if converted < at_risk:
            variance += converted / (at_risk * (at_risk - converted))
        interval = _interval(left, variance) if left else Interval(low, 1.0)
        low = interval.low
        found.append(Point(day, 1 - left, interval, at_risk))
    return found


def _interval(left: float, variance: float) -> Interval:
    """Of the share converted, where `left` (above 0) have not."""
    if left == 1:
        return Interval(0.0, 0.0)
    reach = Z95 * sqrt(variance) / log(left)  # below 0
    return Interval(1 - left ** exp(reach), 1 - left ** exp(-reach))


def chance(one: Watched, two: Watched) -> float | None:
    """How likely two curves differ at least so much by chance alone, from 0 to 1; None where nobody converted
    or one has no trials.

    The log-rank test (Mantel, Cancer Chemotherapy Reports 50 (1966) 163-170), with one degree of freedom.
    """
    surplus = variance = 0.0
    days = zip_longest(one.at_risk, one.converted, two.at_risk, two.converted, fillvalue=0)
    for here, mine, there, theirs in days:
        together, converted = here + there, mine + theirs
        if together < 2 or not converted:
            continue
        share = here / together
        surplus += mine - converted * share
        variance += converted * share * (1 - share) * (together - converted) / (together - 1)
    return erfc(sqrt(surplus * surplus / variance / 2)) if variance else None
