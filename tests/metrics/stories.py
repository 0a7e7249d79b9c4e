"""Random accounts that live on while a desk watches: some of it before it connects, some after."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from unittest.mock import patch
from zoneinfo import ZoneInfo

from services import config
from services.metrics.counting import counting, waiting
from services.metrics.counting.books import BOOKS
from tests.metrics.lives import Life, moments
from tests.metrics.oracle.reading import Seen
from tests.metrics.oracle.recovery import Tries
from tests.metrics.shops import open_shop
from tests.metrics.worlds import DAY, Desk, World, desk_on

ZONES = ("Asia/Kathmandu", "America/New_York", "Europe/Berlin", "Pacific/Auckland")
_BEGINS = 1_735_700_000
_BEFORE, _AFTER = 260, 100  # days
Then = Callable[["Story"], None]


@dataclass
class Story:
    """What became of an account, and all that the desk saw of it."""

    desk: Desk
    zone: ZoneInfo
    deducts_repeating: bool

    @property
    def seen(self) -> Seen:
        assert self.desk.seen is not None
        return self.desk.seen

    @property
    def tries(self) -> Tries:
        """All tries to charge invoices of which anything is known at the end."""
        mine = (one for one in self.desk.world.retried if one.at > self.seen.at)
        return Tries(self.seen.last, ((one.invoice, one.done) for one in mine))

    def count(self, database: ModuleType) -> None:
        """Has the desk count all that is due."""
        counting.work(BOOKS, self.zone)
        with database.session() as session:
            assert waiting.failed(session) == []


@contextmanager
def told(
    database: ModuleType, seed: int, customers: int, connected: Then = lambda story: None
) -> Iterator[Story]:
    """An account of so many customers at the end of its year, seen by a desk that connected in the middle.

    The desk looks now and then, and counts each time. Every other desk deducts repeating
    discounts, too. `connected` is called when it has just connected.
    """
    draws = random.Random(seed)
    world = World(_BEGINS, seed)
    shop = world.do(open_shop)
    world.account.set(when_retries_end=("cancel", "unpaid", "past_due")[seed % 3])
    connects = _BEGINS + draws.randrange((_BEFORE - 9) * DAY, _BEFORE * DAY)
    ends = connects + _AFTER * DAY
    every = moments(Life(shop, seed, number, _BEGINS, ends) for number in range(customers))
    switch = bool(seed % 2 == 0)
    with desk_on(world, database) as desk, _settings(mrr_deducts_repeating=switch):
        story = Story(desk, ZoneInfo(ZONES[seed % len(ZONES)]), switch)
        _live(world, every, connects)
        desk.connect()
        story.count(database)
        connected(story)
        while world.now < ends:
            _live(world, every, min(ends, world.now + draws.randrange(DAY // 4, 12 * DAY)))
            desk.look()
            story.count(database)
        story.seen.read_again(world.get, world.now)
        yield story


@contextmanager
def _settings(**these: bool) -> Iterator[None]:
    """The settings of the tests, but for these."""
    changed = config.settings().model_copy(update=these)
    with patch.object(config, "settings", lambda: changed):
        yield


def _live(world: World, every: list[tuple[int, int, Life]], until: int) -> None:
    """Has people do what they do until an instant; what is done is taken from the list."""
    while every and every[0][0] < until:
        at, _, life = every.pop(0)
        world.pass_until(at)
        life.act(world)
    world.pass_until(until)
