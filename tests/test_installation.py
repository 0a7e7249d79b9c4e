"""What runs here is told on both databases."""

from __future__ import annotations

import time
from types import ModuleType

from services import durable, installation
from services.version import version


def test_the_database_and_its_size_are_told(database: ModuleType) -> None:
    found = installation.read()
    kind = "SQLite 3." if database.is_sqlite() else "PostgreSQL 1"
    assert found.version == version()
    assert found.database.startswith(kind)
    assert found.size > 100_000
    assert found.processes == {}


def test_a_process_that_does_background_work_is_alive(database: ModuleType) -> None:
    durable.launch()
    try:
        assert installation.read().processes == {"desk-0": True}
    finally:
        durable.shutdown()
    until = time.monotonic() + 5  # the server notices a little later that a connection has gone
    while installation.read().processes and time.monotonic() < until:
        time.sleep(0.02)
    assert installation.read().processes == {}
