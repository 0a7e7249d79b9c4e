"""What every test may ask for: an empty database of each kind, and a sandbox account of its own."""

from __future__ import annotations

import gc
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest
import sqlalchemy as sa
from sqlalchemy.util import LRUCache
from stripe import HTTPClient

from services import clock, database, durable
from tests.support import postgres, sample

hypothesis.settings.register_profile("all", deadline=None)  # no test is timed
hypothesis.settings.register_profile("quick", deadline=None, max_examples=40)
BACKENDS = ("sqlite", "postgresql")


def pytest_configure(config: pytest.Config) -> None:
    """`make test-all` tries every property with as many examples as Hypothesis finds right."""
    # A shell that starts us in the background ignores Ctrl-C, and every desk of ours would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    HTTPClient.INITIAL_DELAY, HTTPClient.MAX_DELAY = 0.02, 0.1  # how long the SDK waits before it asks again
    durable._ROUND_SECONDS = 0  # our servers of PostgreSQL are young, and nobody claims a slot on them again
    without_slow = config.getoption("markexpr") == "not slow"
    hypothesis.settings.load_profile("quick" if without_slow else "all")


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is slow
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with browser tests come last, the long ones first: no process waits for another's.

    A file runs as a whole where its first test stands. Playwright leaves an event loop running in the thread
    until the session ends; DBOS refuses to work there.
    """
    _try_a_sample_on_postgresql(items)
    tests = Counter(item.path for item in items if item.get_closest_marker("browser"))
    items.sort(
        key=lambda item: (item.path in tests, -tests[item.path], str(item.path) * (item.path in tests))
    )


def pytest_collection_finish() -> None:
    """What is imported by now stays: to search it for garbage again and again is a tenth of all work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _try_a_sample_on_postgresql(items: list[pytest.Item]) -> None:
    """What the same run tries on SQLite is slow on PostgreSQL, where it takes twice the time, but for one of
    four. What is about a database itself (`both_databases`) is tried on both each time."""
    known = {item.nodeid for item in items}
    for item in items:
        twin = item.nodeid.replace("postgresql", "sqlite")
        if twin == item.nodeid or twin not in known or item.get_closest_marker("both_databases"):
            continue
        # A desk of a module is started for all of its tests or for none.
        one = str(item.path.name) if "idle_desk" in _fixtures(item) else twin
        if not sample.holds(str(one), one_in=4):
            item.add_marker(pytest.mark.slow)


def _fixtures(item: pytest.Item) -> list[str]:
    return item.fixturenames if isinstance(item, pytest.Function) else []


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, copied for each test."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    _lay_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """The name of a PostgreSQL database with all tables, copied for each test."""
    url = postgres.create_database()
    _lay_tables(url)
    return sa.make_url(url).database or ""


@pytest.fixture(scope="session")
def postgres_copies(postgres_template: str) -> postgres.Copies:
    """Empty databases with all tables, one for each test."""
    return postgres.Copies(postgres_template)


def _lay_tables(url: str) -> None:
    database.configure(url)
    database.create_schema()
    database.engine().dispose()


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database with all tables, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "desk.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    copies: postgres.Copies = request.getfixturevalue("postgres_copies")
    url = copies.lend()
    yield url
    copies.take_back(url)


@pytest.fixture(name="database")
def open_database(database_url: str) -> Iterator[ModuleType]:
    """`services.database`, opened on an empty database with all tables."""
    _as_compiled_before(database.configure(database_url))
    yield database
    database.engine().dispose()


_FIRST: dict[str, sa.Engine] = {}  # by dialect


def _as_compiled_before(engine: sa.Engine) -> None:
    """Statements that an earlier test compiled are not compiled again: that is a quarter of all work here."""
    first = _FIRST.setdefault(engine.dialect.name, engine)
    if first is engine:
        first._compiled_cache = LRUCache(5_000)  # the usual 500 are what a few files need
    engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache


@pytest.fixture(params=BACKENDS)
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """A database without any table."""
    url = f"sqlite:///{tmp_path}/bare.db" if request.param == "sqlite" else postgres.create_database()
    yield database.configure(url)
    database.engine().dispose()
    if request.param == "postgresql":
        postgres.drop_database(url)


@pytest.fixture(autouse=True)
def _clock_stands_still_between_tests() -> Iterator[None]:
    yield
    clock.follow(0)
