"""What is a request for, may it wait behind all others, and how long may the whole take?

Whoever begins something says so once; everything that is asked meanwhile counts as part of it, in threads too
that `thread` and `pool` make.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from services.errors import Unavailable

ACTION, BACKFILL, CONNECT, EVENTS, POLL, RECONCILE, START, SYNC = (
    "action", "backfill", "connect", "events", "poll", "reconcile", "start", "sync",
)  # fmt: skip
_LEAST = 0.01  # seconds: nothing can wait for no time at all


@dataclass(frozen=True, slots=True)
class Errand:
    """One of the purposes above; one that is `gentle` leaves most of what we may ask to the others. Nothing
    more is asked after `until` (s, monotonic).
    """

    purpose: str = ACTION
    gentle: bool = False
    until: float = math.inf

    def require_time(self) -> None:
        """Raises OutOfTime where its time is over."""
        if time.monotonic() >= self.until:
            raise OutOfTime

    def at_most(self, seconds: float) -> float:
        """So many seconds, or what is left of its time."""
        return min(seconds, max(_LEAST, self.until - time.monotonic()))


class OutOfTime(Unavailable):
    """What may take only so long has taken it: Stripe answers slowly, or with errors of its own."""

    def __init__(self) -> None:
        super().__init__(
            "This took too long and was stopped: Stripe answers slowly, or with errors of its own.",
            remedy="What was read until then is stored. Try again in a minute, or see status.stripe.com.",
        )


_OURS = Errand()
_current: ContextVar[Errand] = ContextVar("errand", default=_OURS)


def current() -> Errand:
    """What this thread asks Stripe for now; where nobody said, a person's action."""
    return _current.get()


@contextmanager
def on(purpose: str, *, gently: bool = False, within: float = math.inf) -> Iterator[None]:
    """Everything asked in here, or by the function that this decorates, is for the purpose.

    `within`: seconds for all of it, after which asking raises OutOfTime.
    """
    before = _current.set(Errand(purpose, gently, time.monotonic() + within))
    try:
        yield
    finally:
        _current.reset(before)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is asked in here may take so long, or what is left of the whole. Asking raises OutOfTime then."""
    errand = current()
    before = _current.set(replace(errand, until=min(errand.until, time.monotonic() + seconds)))
    try:
        yield
    finally:
        _current.reset(before)


def thread(work: Callable[[], None], name: str) -> threading.Thread:
    """A thread that asks for what its maker asks for."""
    errand = current()

    def run() -> None:
        _current.set(errand)
        work()

    return threading.Thread(target=run, name=name)


def pool(workers: int) -> ThreadPoolExecutor:
    """Threads that ask for what their maker asks for."""
    return ThreadPoolExecutor(workers, initializer=_current.set, initargs=(current(),))
