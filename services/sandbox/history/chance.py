"""How does the history decide? Random draws that come out the same for the same seed and names."""

import math
import random
from collections.abc import Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


class Chance(random.Random):
    """Draws for one subject."""

    def happens(self, probability: float) -> bool:
        """True with the probability."""
        return self.random() < probability

    def weighted(self, weights: Mapping[T, float]) -> T:
        """One of the keys, each as likely as its weight says."""
        return self.choices(list(weights), list(weights.values()))[0]

    def span(self, least: float, most: float, unit: int) -> int:
        """Seconds between `least` and `most` units, e.g. `span(1, 3, DAY)`."""
        return int(self.uniform(least, most) * unit)

    def moments(self, rate: float, start: int, end: int, unit: int) -> Iterator[int]:
        """Times between start and end at which something happens that happens `rate` times in each `unit`
        of seconds.
        """
        moment = float(start)
        while rate > 0:
            moment += -math.log(1.0 - self.random()) / rate * unit
            if moment >= end:
                return
            yield int(moment)


def chance(*names: object) -> Chance:
    """The draws of one subject: `chance(7, "customer", 12)` always draws the same."""
    return Chance(":".join(map(str, names)))
