"""An account's lists that are made up: only when each object was created."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from operator import neg

from services.mirror.windows import Window
from services.stripe_api.client import PAGE_SIZE, Page

BEGIN, END = 1_500_000_000, 1_600_000_000


class Lists:
    """`created` of each object by resource, newest first, its id being its place."""

    def __init__(self, **created: list[int]) -> None:
        self.created = {name: sorted(times, reverse=True) for name, times in created.items()}
        self.requests = 0

    def page(self, window: Window) -> Page:
        """What Stripe answers to a window's request."""
        self.requests += 1
        params, times = window.params(), self.created[window.resource]
        newest = bisect_left(times, -(params["created"]["lte"] or 2**40), key=neg)
        end = bisect_right(times, -(params["created"]["gte"] or 0), key=neg)
        begin = max(newest, int(params["starting_after"] or -1) + 1)
        found = [{"id": str(at), "created": times[at]} for at in range(begin, min(end, begin + PAGE_SIZE))]
        return Page(found, END, found[-1]["id"] if end > begin + PAGE_SIZE else None)

    def pages(self, name: str) -> int:
        """The fewest requests that list a resource."""
        return max(1, -(-len(self.created[name]) // PAGE_SIZE))

    @property
    def ideal(self) -> int:
        """The fewest requests that list all."""
        return sum(map(self.pages, self.created))


def times(draws: random.Random, objects: int, skew: float) -> list[int]:
    """Instants of so many objects; with a skew above 1 most are young."""
    return [int(END - (END - BEGIN) * draws.random() ** skew) for _ in range(objects)]
