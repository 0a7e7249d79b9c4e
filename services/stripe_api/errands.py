"""What is a request for, and may it wait behind all others?

Whoever begins something says so once; everything that is asked meanwhile counts as part of it, in threads too
that `thread` and `pool` make.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

ACTION, BACKFILL, CONNECT, EVENTS, POLL, RECONCILE, START, SYNC = (
    "action", "backfill", "connect", "events", "poll", "reconcile", "start", "sync",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Errand:
    """One of the purposes above; one that is `gentle` leaves most of what we may ask to the others."""

    purpose: str = ACTION
    gentle: bool = False


_OURS = Errand()
_current: ContextVar[Errand] = ContextVar("errand", default=_OURS)


def current() -> Errand:
    """What this thread asks Stripe for now; where nobody said, a person's action."""
    return _current.get()


@contextmanager
def on(purpose: str, *, gently: bool = False) -> Iterator[None]:
    """Everything asked in here, or by the function that this decorates, is for the purpose."""
    before = _current.set(Errand(purpose, gently))
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
