"""What does a running sandbox hold together?

The account lives on one thread: whatever touches it is given to `run`. The HTTP side only waits for answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any, Protocol, TypeVar

from services.sandbox import idempotency, objects
from services.sandbox.billing.account import Account
from services.sandbox.billing.lifecycle import open_account
from services.sandbox.clock import Clock
from services.sandbox.faults import Faults
from services.sandbox.ids import Ids
from services.sandbox.keys import Keys
from services.sandbox.limits import Limiter
from services.sandbox.webhooks import Webhooks

T = TypeVar("T")
_log = logging.getLogger(__name__)
EVENTS_KEPT = 30 * 86_400
_TIDY_EVERY = 3600


@dataclass(frozen=True)
class Options:
    """How the sandbox was started: `customers` of history at first start, `life` whether people go on doing
    things, `rate` requests a second (0: no limit) after a `burst`.
    """

    path: Path
    port: int
    customers: int = 1500
    seed: int = 7
    life: bool = True
    rate: float = 25
    burst: float = 1000

    @property
    def url(self) -> str:
        """Where the sandbox answers."""
        return f"http://127.0.0.1:{self.port}"


class Asked(Protocol):
    """What is remembered of a request."""

    id: str
    method: str
    path: str
    headers: dict[str, str]


class Answered(Protocol):
    """What is remembered of an answer."""

    status: int
    headers: dict[str, str]
    cut: bool


class Stopped(Exception):
    """The sandbox is told to stop while it writes its history."""


class Service:
    """One sandbox account, its clock, and what surrounds it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.account: Account = open_account(options.path, int(time.time()))
        self.store = self.account.store
        self.clock = Clock(self.store)
        self.account.now = min(self.clock.now(), self.account.next_due() or self.clock.now())
        self.account.public_url = options.url
        self.keys = Keys(self.store)
        self.faults = Faults()
        self.limiter = Limiter(options.rate, options.burst)
        self.webhooks = Webhooks(self.account, self.faults)
        self.ids = Ids(f"requests {time.time_ns()}")
        self.recent: deque[dict[str, Any]] = deque(maxlen=5000)
        self.progress = 0.0
        self.problem = ""
        self.account_id: str | None = self.store.fact("account")
        self.building = not self.store.fact("built", False)
        self._tidied = 0
        self._stopping = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="account")

    @staticmethod
    def was_left_unfinished(path: Path) -> bool:
        """Whether the file holds a history that was never finished."""
        if not path.exists():
            return False
        with contextlib.closing(sqlite3.connect(path)) as db:
            tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'facts'").fetchone()[0]
            return bool(tables) and not db.execute("SELECT 1 FROM facts WHERE name = 'built'").fetchone()

    @staticmethod
    def discard(path: Path) -> None:
        """Remove the account's files."""
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            name.unlink(missing_ok=True)

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Do something with the account, on its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    def build(self) -> None:
        """Make the account and write its history, at first start; else only get ready to go on."""
        if self.building:
            _make_account(self.account, self.options.seed)
            _write_history(self.account, self.options, self.clock.now(), self._set_progress)
            self.store.keep("built", True)
            self.store.commit()
        self.account_id = self.store.fact("account")
        self.account.on_trouble = self._leave_alone
        _register_life(self.account, self.options)
        self.account.on_event = self.webhooks.queue
        self.progress, self.building = 1.0, False

    def _set_progress(self, share: float) -> None:
        if self._stopping:
            raise Stopped
        self.progress = share

    def _leave_alone(self, object_id: str, error: Exception) -> None:
        """One object that cannot be moved on must not stop the account's time for all others."""
        _log.error("%s could not be moved on and is left alone", object_id, exc_info=error)
        self.store.rollback()

    def catch_up(self) -> None:
        """Let the account's time become the clock's time, with all that falls due on the way."""
        now = self.clock.now()
        self.account.request = {"id": None, "idempotency_key": None}
        self.account.events_from = now - EVENTS_KEPT
        self.account.advance(now)
        if now - self._tidied >= _TIDY_EVERY:
            self._tidied = now
            self.store.forget("event", now - EVENTS_KEPT)
            idempotency.forget(self.store, now)
        self.store.commit()

    def tick(self) -> None:
        """Time passes by itself."""
        if not self.building:
            self.catch_up()

    def http_date(self) -> str:
        """The account's time for the `Date` header."""
        return formatdate(self.clock.now(), usegmt=True)

    def remember(self, request: Asked, response: Answered) -> None:
        """Note a request for `/_sandbox/requests`."""
        self.recent.append(
            {
                "id": request.id,
                "method": request.method,
                "path": request.path,
                "idempotency_key": request.headers.get("idempotency-key"),
                "status": response.status,
                "replayed": "Idempotent-Replayed" in response.headers,
                "cut": response.cut,
                "at": time.time(),
            }
        )

    def close(self) -> None:
        """Finish what is under way, but for a history that has long to go, then let go of the file."""
        self._stopping = True
        self._thread.shutdown(wait=True)
        self.store.close()


def _make_account(account: Account, seed: int) -> None:
    account.store.keep("seed", seed)
    account.ids = Ids(f"{seed}:0")
    account_id = account.ids.new("acct")
    account.store.add(
        objects.new(
            "account",
            id=account_id,
            country="US",
            default_currency="usd",
            email="owner@trialdesk.example",
            created=account.now,
        )
    )
    account.store.keep("account", account_id)
    account.store.commit()


def _write_history(account: Account, options: Options, now: int, progress: Callable[[float], None]) -> None:
    if options.customers == 0:
        return
    from services.sandbox import history

    history.build(account, customers=options.customers, seed=options.seed, now=now, progress=progress)


def _register_life(account: Account, options: Options) -> None:
    if not options.life:
        return
    from services.sandbox import history

    history.enable(account)
