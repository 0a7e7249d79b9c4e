"""How fast may we ask?

One token bucket for the account and one for each endpoint. A 429 lowers the bucket that it names
(`Stripe-Rate-Limited-Reason`) and time raises it again, never above where it began: so it stays close below
what is left to us, whoever else asks. Where several processes ask, each has its part (`sharing`). Rates are
requests a second, times seconds of a monotonic clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_LOWEST = 1.0
_SAVED = 0.5  # seconds' worth of tokens: they arrive less evenly than they left, and Stripe saves them, too
_LOWERED = 0.9
_RECOVERY = 1.03  # factor for each second: what one 429 took is back in 3.6 s
_GENTLE = 0.2  # of the account's rate, for what may wait: the rest is always free for others
_ENDPOINT_REASONS = ("endpoint-rate", "endpoint-concurrency", "resource-specific")


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a second that the other side allows: in all, and for each endpoint."""

    account: float
    endpoint: float


LIVE = Limits(account=100, endpoint=25)
TEST = Limits(account=25, endpoint=25)
LOCAL = Limits(account=2_000, endpoint=2_000)


class Bucket:
    """Tokens that refill at `rate` a second up to half a second's worth; not safe for threads by itself."""

    def __init__(self, rate: float, at: float, parts: int = 1) -> None:
        self._whole, self._lowest = rate, min(_LOWEST, rate) / parts
        self.first_rate = self.rate = rate / parts
        self._tokens, self._at, self._lowered_at = self._most(), at, at

    def take(self, at: float) -> float:
        """Takes one token and says how many seconds to wait before using it."""
        self._refill(at)
        self._tokens -= 1
        return max(0.0, -self._tokens / self.rate)

    def delay(self, at: float) -> float:
        """How many seconds one would wait for a token that is taken now."""
        self._refill(at)
        return max(0.0, (1 - self._tokens) / self.rate)

    def lower(self, at: float, sent: float) -> None:
        """Lowers the rate and empties the bucket: the other side said that it was too fast.

        What was `sent` before the last time says nothing new: all that were under way are refused together.
        """
        self._refill(at)
        self._tokens = min(self._tokens, 0.0)
        if sent >= self._lowered_at:
            self._lowered_at, self.rate = at, max(self._lowest, self.rate * _LOWERED)

    def divide(self, at: float, parts: int) -> None:
        """Leaves all but one of so many equal parts to others; what was learned stays in proportion."""
        self._refill(at)
        learned, self.first_rate = self.rate / self.first_rate, self._whole / parts
        self._lowest = min(_LOWEST, self._whole) / parts
        self.rate = self.first_rate * learned
        self._tokens = min(self._tokens, self._most())

    def _most(self) -> float:
        return max(1.0, self.rate * _SAVED)

    def _refill(self, at: float) -> None:
        passed, self._at = max(0.0, at - self._at), at
        self._tokens = min(self._most(), self._tokens + passed * self.rate)
        self.rate = min(self.first_rate, self.rate * _RECOVERY ** min(passed, 1_000))


class Pacer:
    """Paces the requests of all threads of this process to one account."""

    def __init__(
        self,
        limits: Limits,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.sent = 0  # requests since the beginning, those that are tried again too
        self.part = limits.endpoint / limits.account  # of all requests, that one endpoint may have
        self._limits, self._now, self._sleep = limits, now, sleep
        self._lock = threading.Lock()
        self._askers = 1
        self._account = Bucket(limits.account, now())
        self._gentle = Bucket(limits.account * _GENTLE, now())
        self._endpoints: dict[str, Bucket] = {}

    def wait(self, endpoint: str, *, gentle: bool = False) -> float:
        """Returns when one more request to the endpoint may be sent, and that instant; a `gentle` one leaves
        others room.
        """
        if gentle:
            with self._lock:
                seconds = self._gentle.take(self._now())
            if seconds:
                self._sleep(seconds)
        with self._lock:
            at = self._now()
            self.sent += 1
            seconds = max(self._account.take(at), self._endpoint(endpoint, at).take(at))
        if seconds:
            self._sleep(seconds)
        return at + seconds

    def delay(self, endpoint: str) -> float:
        """How many seconds one more request to the endpoint would have to wait now."""
        with self._lock:
            at = self._now()
            return max(self._account.delay(at), self._endpoint(endpoint, at).delay(at))

    def slow_down(self, endpoint: str, reason: str | None, sent: float) -> None:
        """Learns from a 429 to what was `sent` then. Without a reason it is a lock time-out on one object: no
        bucket is to blame.
        """
        with self._lock:
            at = self._now()
            if reason in _ENDPOINT_REASONS:
                self._endpoint(endpoint, at).lower(at, sent)
            elif reason:
                self._account.lower(at, sent)

    def share_among(self, askers: int) -> None:
        """Keeps one of so many equal parts of all limits, from now on; see `sharing`."""
        with self._lock:
            if askers == self._askers:
                return
            self._askers, at = askers, self._now()
            for bucket in (self._account, self._gentle, *self._endpoints.values()):
                bucket.divide(at, askers)

    def rate(self, endpoint: str | None = None) -> float:
        """Requests a second now allowed to the endpoint, or in all."""
        with self._lock:
            at = self._now()
            return self._endpoint(endpoint, at).rate if endpoint else self._account.rate

    def _endpoint(self, endpoint: str, at: float) -> Bucket:
        bucket = self._endpoints.get(endpoint)
        if bucket is None:
            bucket = self._endpoints[endpoint] = Bucket(self._limits.endpoint, at, self._askers)
        return bucket
