"""The pull's readers against a server with limits, on a clock that jumps from one thing to the next."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from itertools import count

import pytest

from services.mirror.readers import _READERS
from services.mirror.windows import Plan, Window
from services.stripe_api.client import Page
from services.stripe_api.pacing import LIVE, TEST, Limits, Pacer
from tests.mirror.lists import Lists, times

_LATENCY = 0.1  # seconds, more or less
PAGES = {
    "events": 300, "invoices": 125, "charges": 100, "payments": 100, "intents": 100, "customers": 40,
    "items": 9, "prices": 1,
}  # fmt: skip


class Server:
    """Lets through what its limits allow, and saves a second's worth."""

    def __init__(self, limits: Limits, taken: float) -> None:
        self._tokens = {"": limits.account - taken} | dict.fromkeys(PAGES, limits.endpoint)
        self._rates, self._at = self._tokens.copy(), dict.fromkeys(self._tokens, 0.0)

    def refuses(self, resource: str, at: float) -> str | None:
        """The reason of a 429."""
        for name, reason in ((resource, "endpoint-rate"), ("", "global-rate")):
            passed, self._at[name] = at - self._at[name], at
            rate = self._rates[name]
            self._tokens[name] = min(rate, self._tokens[name] + passed * rate)
            if self._tokens[name] < 1:
                return reason
            self._tokens[name] -= 1
        return None


class Pull:
    """The readers, who list all; `taken` of the account's rate is somebody else's."""

    def __init__(self, limits: Limits, taken: float = 0) -> None:
        self.now, self.slept, self.refused, self._draws = 0.0, 0.0, 0, random.Random(1)
        self.lists = Lists(**{name: times(self._draws, 100 * n - 50, 1.5) for name, n in PAGES.items()})
        self.pacer = Pacer(limits, now=lambda: self.now, sleep=self._sleep)
        self._server, self._idle, self._number = Server(limits, taken), _READERS, count()
        self._next: list[tuple[float, int, Callable[[], None]]] = []
        everything = [Window(name, 1) for name in PAGES]
        self._plan = Plan[None](
            everything,
            lambda *_: None,
            lambda name: self.pacer.delay(f"/v1/{name}"),
            lambda: self.pacer.part,
        )
        self._share_out()

    def run(self, until: float = 1e9) -> None:
        """Lets it go on, to its end or until an instant."""
        while self._next and self._next[0][0] <= until:
            self.now, _, step = heapq.heappop(self._next)
            step()

    def _later(self, seconds: float, step: Callable[[], None]) -> None:
        heapq.heappush(self._next, (self.now + seconds, next(self._number), step))

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds

    def _share_out(self) -> None:
        while self._idle and (window := self._plan._next()):
            self._plan._busy.append(window)
            self._idle -= 1
            self._ask(window)

    def _ask(self, window: Window) -> None:
        self.slept = 0.0
        sent = self.pacer.wait(f"/v1/{window.resource}")
        way = _LATENCY / 2 * self._draws.uniform(0.5, 1.5)
        self._later(self.slept + way, lambda: self._arrive(window, sent, way))

    def _arrive(self, window: Window, sent: float, way: float) -> None:
        if reason := self._server.refuses(window.resource, self.now):
            self.refused += 1
            self._later(way, lambda: self.pacer.slow_down(f"/v1/{window.resource}", reason, sent))
            self._later(way + 0.2, lambda: self._ask(window))
        else:
            page = self.lists.page(window)
            self._later(way, lambda: self._answered(window, page))

    def _answered(self, window: Window, page: Page) -> None:
        self._plan.give_back(window, page, None)
        self._idle += 1
        self._share_out()


@pytest.mark.parametrize("limits", [LIVE, TEST])
def test_nearly_all_that_the_limits_allow_is_asked_for(limits: Limits) -> None:
    pull = Pull(limits)
    pull.run()
    least = max(pull.lists.ideal / limits.account, pull.lists.pages("events") / limits.endpoint)
    assert least / pull.now >= 0.95
    assert pull.refused == 0
    assert pull.lists.requests <= 1.06 * pull.lists.ideal


@pytest.mark.parametrize("limits", [LIVE, TEST])
def test_what_somebody_else_leaves_is_found_out(limits: Limits) -> None:
    pull = Pull(limits, taken=0.6 * limits.account)
    pull.run()
    least = pull.lists.ideal / (0.4 * limits.account)
    assert least / pull.now >= 0.9
    assert 0 < pull.refused <= 0.06 * pull.lists.requests


def test_a_click_waits_for_a_few_requests_of_a_pull_and_not_for_all_its_readers() -> None:
    pull, waited = Pull(TEST), list[float]()
    for second in range(1, 20):
        pull.run(until=second)
        waited.append(pull.pacer.delay("/v1/invoices/*/pay"))
    assert max(waited) <= 8 / TEST.account
