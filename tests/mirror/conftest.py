"""A living account with a history, our client for it, and a database that has pulled it."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa

from services import config
from services.mirror import identity, poll, pull
from services.stripe_api import client
from tests.support import rows
from tests.support.sandbox import Sandbox, start_sandbox

CUSTOMERS = 30
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no SQL of its own


class Passing:
    """Stands for the module `time` where only the account's time counts."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def sleep(self, seconds: float) -> None:
        """So much later by the account's clock."""
        self._sandbox.advance(seconds=seconds)


@dataclass
class History:
    """The folder of an account with eighteen months behind it, and the instant at which they end."""

    folder: Path
    end: int

    def copy(self, folder: Path) -> None:
        """An account at that instant, whatever time has passed since."""
        shutil.copytree(self.folder, folder)
        offset = self.end - int(time.time())
        with closing(sqlite3.connect(folder / "account.db")) as account, account:
            account.execute("INSERT OR REPLACE INTO facts VALUES ('offset', ?)", (offset,))


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """An account with a history; tests work on copies."""
    folder = tmp_path_factory.mktemp("history")
    with start_sandbox(folder, CUSTOMERS, seed=11) as written:
        end = written.now()
    return History(folder, end)


@pytest.fixture
def sandbox(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An account of the test's own, connected as the process's account.

    Where a look waits until a second is over, the account's clock moves on instead: a second takes no time.
    """
    folder = tmp_path / "account"
    history.copy(folder)
    with start_sandbox(folder, CUSTOMERS, seed=11) as started:
        client.configure(client.connect(started.key, started.url))
        monkeypatch.setattr(poll, "time", Passing(started))
        yield started
        client.configure(None)


@pytest.fixture
def claimed(database: ModuleType, sandbox: Sandbox) -> ModuleType:
    """An empty database that belongs to the account."""
    _claim(database)
    return database


def _claim(database: ModuleType) -> None:
    with database.transaction() as session:
        identity.claim(session, identity.ask(config.Settings(_env_file=None)))


@dataclass
class FirstPull:
    """What a pull wrote, and the account's time after it."""

    fill: Callable[[sa.Engine], None]
    at: int


@pytest.fixture(scope="session")
def first_pulls() -> dict[str, FirstPull]:
    """By the kind of database."""
    return {}


@pytest.fixture
def pulled(database: ModuleType, sandbox: Sandbox, first_pulls: dict[str, FirstPull]) -> ModuleType:
    """A database that has pulled the account: one of each kind did, the others get what it wrote."""
    kind, engine = database.engine().dialect.name, database.engine()
    if first := first_pulls.get(kind):
        sandbox.advance(seconds=max(0, first.at - sandbox.now()))
        first.fill(engine)
        _claim(database)
    else:
        _claim(database)
        pull.whole_account()
        first_pulls[kind] = FirstPull(rows.copied(engine), sandbox.now() + 1)
    return database
