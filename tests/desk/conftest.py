"""A desk on each database, with its queues running, on an account of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from services import database, durable
from services.stripe_api import client
from tests.conftest import BACKENDS
from tests.desk.bench import Bench
from tests.support import postgres
from tests.support.sandbox import KEY, Sandbox, start_sandbox


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An empty sandbox account."""
    with start_sandbox(tmp_path_factory.mktemp("account")) as sandbox:
        yield sandbox


@pytest.fixture(scope="module", params=BACKENDS)
def idle_desk(
    request: pytest.FixtureRequest, account: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """A desk on an empty database, once on SQLite and once on PostgreSQL, whose queues do not run."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("desk") / "desk.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        url = f"sqlite:///{path}"
    else:
        url = postgres.create_database(request.getfixturevalue("postgres_template"))
    database.configure(url)
    client.configure(client.connect(KEY, account.url))
    yield Bench(account)
    client.configure(None)
    database.engine().dispose()
    if request.param == "postgresql":
        postgres.drop_database(url)


@pytest.fixture(scope="module")
def desk(idle_desk: Bench) -> Iterator[Bench]:
    """The same with its queues running."""
    durable.launch()
    yield idle_desk
    durable.shutdown()


@pytest.fixture(autouse=True)
def _nothing_goes_wrong_by_itself(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "account" in request.fixturenames:
        request.getfixturevalue("account").heal()
