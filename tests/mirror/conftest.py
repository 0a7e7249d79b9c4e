"""A living account with a history, our client for it, and a database that has pulled it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from services import config
from services.mirror import identity, poll, pull
from services.stripe_api import client
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


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an account with eighteen months behind it; tests work on copies."""
    folder = tmp_path_factory.mktemp("history")
    start_sandbox(folder, CUSTOMERS, seed=11).stop()
    return folder


@pytest.fixture
def sandbox(history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An account of the test's own, connected as the process's account.

    Where a look waits until a second is over, the account's clock moves on instead: a second takes no time.
    """
    folder = tmp_path / "account"
    shutil.copytree(history, folder)
    with start_sandbox(folder, CUSTOMERS, seed=11) as started:
        client.configure(client.connect(started.key, started.url))
        monkeypatch.setattr(poll, "time", Passing(started))
        yield started
        client.configure(None)


@pytest.fixture
def claimed(database: ModuleType, sandbox: Sandbox) -> ModuleType:
    """An empty database that belongs to the account."""
    with database.transaction() as session:
        identity.claim(session, identity.ask(config.Settings(_env_file=None)))
    return database


@pytest.fixture
def pulled(claimed: ModuleType) -> ModuleType:
    """A database that has pulled the account."""
    pull.whole_account()
    return claimed
