"""A whole world in one process: an account that needs no HTTP, its clock, and a desk that looks when told to.

The desk is the real one (pull, inbox, writer), the account is the sandbox's engine; only the wire between
them is gone, so that hundreds of customers can live through a year in seconds. Time stands still unless it
is moved: `World` stands for the module `time` wherever the account's time counts.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit

from models import Action, ActionStep
from services import clock, config
from services.mirror import identity, poll, pull
from services.sandbox import api
from services.sandbox.billing import payments
from services.sandbox.billing.account import Account
from services.sandbox.errors import ApiError
from services.sandbox.service import EVENTS_KEPT, Options, Service
from services.stripe_api import client
from services.stripe_api.transport import AS_OF
from tests.metrics.oracle.reading import Seen, Thing, read
from tests.support.sandbox import KEY

DAY = 86_400


class _Clock:
    """The sandbox's clock, standing still."""

    offset = 0

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        return self.at


@dataclass
class Retry:
    """A try to charge an invoice that staff asked for; `done`: it was paid."""

    at: int
    customer: str
    invoice: str
    done: bool


class World:
    """An account and its time. `account` is the engine: see services/sandbox/billing."""

    def __init__(self, begins: int, seed: int = 7) -> None:
        self.service = Service(Options(Path(":memory:"), port=1, customers=0, seed=seed, life=False, rate=0))
        self._lock, self._clock = threading.Lock(), _Clock(begins)
        self.retried: list[Retry] = []
        self.service.clock = self._clock  # type: ignore[assignment]
        self.account.now = begins
        self.service.build()

    @property
    def account(self) -> Account:
        return self.service.account

    @property
    def now(self) -> int:
        """The account's time."""
        return self._clock.at

    def pass_until(self, at: int) -> None:
        """Lets time pass, with all that falls due on the way."""
        with self._lock:
            self._clock.at = max(at, self._clock.at)
            self.account.events_from = self._clock.at - EVENTS_KEPT
            self.account.advance(self._clock.at)
            self.service.store.commit()

    def do(self, deed: Any, *args: Any, **params: Any) -> Any:
        """Carries out a function of the engine; None where the account refuses."""
        with self._lock:
            try:
                made = deed(self.account, *args, **params)
            except ApiError as error:
                if not getattr(error, "happened", False):
                    self.service.store.rollback()
                made = None
            self.service.store.commit()
            return made

    def retry(self, invoice: Thing) -> None:
        """Staff have an invoice charged from the desk; from when there is one, it keeps a record of that."""
        made = self.do(payments.pay, invoice["id"])
        self.retried.append(Retry(self.now, invoice["customer"], invoice["id"], made is not None))

    def get(self, path: str, params: dict[str, Any]) -> Thing:
        """What the account's HTTP API answers to a GET."""
        body, _, _ = self._answer("GET", path, urlencode(params, doseq=True))
        return dict(json.loads(body))

    def _answer(
        self, method: str, path: str, query: str, body: str = ""
    ) -> tuple[bytes, int, dict[str, str]]:
        headers = {"authorization": f"Bearer {KEY}"}
        with self._lock:
            made = api.answer(self.service, api.Request(method.upper(), path, query, body, headers))
        return made.body, made.status, made.headers

    # What stands for an HTTP client

    def request_with_retries(
        self, method: str, url: str, headers: Any, post_data: Any = None, **_: Any
    ) -> tuple[bytes, int, dict[str, str]]:
        """The answer to one request of the desk's."""
        asked = urlsplit(url)
        body, status, answered = self._answer(method, asked.path, asked.query, post_data or "")
        date = {"Date": formatdate(self.now, usegmt=True), AS_OF: str(self.now)}
        return body, status, answered | date

    # What stands for the module `time`

    def time(self) -> float:
        return float(self.now)

    def sleep(self, seconds: float) -> None:
        """So much later by the account's clock."""
        self.pass_until(self.now + int(seconds))


class Desk:
    """A desk on a world: it connects once, then looks when it is told to."""

    def __init__(self, world: World, database: ModuleType) -> None:
        self.world, self._database = world, database
        self.seen: Seen | None = None

    def connect(self) -> None:
        """The first pull of everything; notes what can be seen at that moment."""
        with self._database.transaction() as session:
            identity.claim(session, identity.ask(config.Settings(_env_file=None)))
        self.seen = Seen(self.world.now, read(self.world.get))
        pull.whole_account()

    def look(self) -> None:
        """Takes in what has happened since the last look, when staff's retries were its own."""
        assert self.seen is not None
        self._record(retry for retry in self.world.retried if retry.at > self.seen.now)
        poll.once()
        self.seen.hear(self.world.get, self.world.now)

    def _record(self, retries: Iterable[Retry]) -> None:
        with self._database.transaction() as session:
            for number, one in enumerate(retries):
                token, state = f"{one.invoice}:{one.at}:{number}", "done" if one.done else "refused"
                about = {"customer": one.customer, "object_id": one.invoice, "opened_at": one.at}
                session.add(
                    Action(
                        token=token, command="retry_payment", state="done" if one.done else "failed", **about
                    )
                )
                session.add(ActionStep(token=token, step="pay", idempotency_key=token, state=state))


@contextmanager
def desk_on(world: World, database: ModuleType) -> Iterator[Desk]:
    """A desk whose account is this world, and whose time is this world's."""
    account = client.connect(KEY, "http://127.0.0.1:1")
    account._transport = world  # type: ignore[assignment]
    client.configure(account)
    with patch.object(clock, "time", world), patch.object(identity, "time", world), \
            patch.object(poll, "time", world):  # fmt: skip
        clock.follow(0)
        try:
            yield Desk(world, database)
        finally:
            client.configure(None)
