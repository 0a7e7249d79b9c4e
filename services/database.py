"""Where are the tables, and how does one read and write them?

SQLite (WAL) by default, PostgreSQL by URL. Readers open `session()`, writers open `transaction()`, each for
a short time; a function that takes a session never commits it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlmodel import Session

from models import Base
from services.errors import ConfigurationError, DatabaseAway

DBOS_NEEDS_SQLITE = (3, 42)
_BUSY_TIMEOUT_MS = 10_000
SQLITE_TAKEN = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_SHUT_DOWN = "57P"  # PostgreSQL's class of states of a server that ends or begins
_IN_THE_WAY = ("40001", "40P01", "55P03")  # its states where transactions are in each other's way
_ILL_SQLITE = (8, 10, 11, 13, 14, 26)  # read-only, input/output, corrupt, full, cannot be opened, no database
_ILL = ("53100", "53200", "58", "XX001", "XX002")  # PostgreSQL: no disk, no memory, the system, damaged data
_CHUNK = 500


def sqlite_module() -> ModuleType:
    """The one SQLite library of this process: two on one file would lose each other's locks.

    Raises ConfigurationError where neither Python's own nor pysqlite3 is new enough.
    """
    if sqlite3.sqlite_version_info >= DBOS_NEEDS_SQLITE:
        return sqlite3
    try:
        import pysqlite3
    except ImportError:
        raise ConfigurationError(
            f"SQLite {sqlite3.sqlite_version} is too old: 3.42 or newer is needed.",
            remedy="Install pysqlite3-binary, use a newer Python, or set DATABASE_URL to PostgreSQL.",
        ) from None
    module: ModuleType = pysqlite3.dbapi2
    return module


def open_engine(url: str, *, connects_within: int | None = None) -> sa.Engine:
    """An engine for `sqlite:///path` or `postgresql://...`. Raises ConfigurationError on any other URL.

    `connects_within`: seconds for a server that says nothing, which its driver waits for two minutes for; the
    URL's own connect_timeout counts more.
    """
    try:
        parsed = make_url(url)
    except (sa.exc.ArgumentError, ValueError):  # the latter of a port that is no number
        raise ConfigurationError(
            "DATABASE_URL is not a database address.",
            remedy="Use sqlite:///path/to/file.db or postgresql://user:password@host/name.",
        ) from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        patience = {"connect_timeout": str(connects_within)} if connects_within else {}
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg", query=patience | parsed.query),
            pool_pre_ping=True,
            pool_size=10,
            hide_parameters=True,
        )
    if backend != "sqlite":
        raise ConfigurationError(
            f"DATABASE_URL names “{backend}”, which the desk does not speak.",
            remedy="Use sqlite or postgresql.",
        )
    return _open_sqlite(parsed)


def _open_sqlite(url: sa.URL) -> sa.Engine:
    _make_private(Path(url.database or ""))
    engine = sa.create_engine(
        url, module=sqlite_module(), pool_size=20, max_overflow=40, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def _make_private(file: Path) -> None:
    """A new file is for the desk's own user only: it holds customers. What SQLite writes beside is alike."""
    require_folder(file.parent)
    if not file.exists():
        file.touch(mode=0o600)


def require_folder(folder: Path) -> None:
    """Makes the folder where it is missing. Raises ConfigurationError where one cannot write into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except (FileExistsError, NotADirectoryError):
        file = next((one for one in (folder, *folder.parents) if one.is_file()), folder)
        raise ConfigurationError(
            f"Cannot write to {folder}: {'it' if file == folder else file} is a file, not a folder.",
            remedy="Set DATA_DIR to a folder; one that is missing is made.",
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"Cannot write to {folder}: {error.strerror}.",
            remedy="Make the folder writable, or set DATA_DIR to another one.",
        ) from None


def _prepare_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.execute(
        "PRAGMA cache_size=-8000"
    )  # kB for each connection; the system keeps the file's pages, too
    cursor.execute("PRAGMA wal_autocheckpoint=8000")  # pages: what is written often reaches the file once
    cursor.close()
    connection.create_function("lower", 1, _lower, deterministic=True)  # its own knows ASCII only


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _begin(connection: sa.Connection) -> None:
    # A reader that turns writer in the middle fails at once instead of waiting: take the lock first.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class _Current:
    engine: sa.Engine | None = None
    writer = threading.RLock()


def configure(url: str, *, connects_within: int | None = None) -> sa.Engine:
    """Opens the process's database; replaces the one before. See `open_engine`."""
    if _Current.engine is not None:
        _Current.engine.dispose()
    _Current.engine = open_engine(url, connects_within=connects_within)
    return _Current.engine


def reach(opened: sa.Engine | None = None) -> None:
    """Raises DatabaseAway where a database (the process's, unless one is given) does not let us in."""
    try:
        (opened or engine()).connect().close()
    except sa.exc.DBAPIError as error:
        raise DatabaseAway(_first_line(error)) from None


def absence(error: Exception) -> DatabaseAway | None:
    """What an error means where it says that the server is away or has ended; None for any other.

    Nobody may take it for an answer: what was under way may have been committed.
    """
    if not isinstance(error, sa.exc.OperationalError):
        return None
    state = getattr(error.orig, "sqlstate", None)
    never_connected = isinstance(error.orig, psycopg.OperationalError) and state is None
    away = error.connection_invalidated or never_connected or str(state)[:3] == _SHUT_DOWN
    return DatabaseAway(_first_line(error)) if away else None


def is_passing(error: Exception) -> bool:
    """Whether an error says that the server is away, or that another transaction was in the way: what was
    asked is not to blame, and may be asked again."""
    if not isinstance(error, sa.exc.OperationalError):
        return False
    is_taken = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in SQLITE_TAKEN
    in_the_way = getattr(error.orig, "sqlstate", None) in _IN_THE_WAY
    return is_taken or in_the_way or absence(error) is not None


def is_ill(error: Exception) -> bool:
    """Whether an error says that the database is damaged or full, whatever was asked of it."""
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _ILL_SQLITE or state.startswith(_ILL)


def _first_line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]


def engine() -> sa.Engine:
    """The process's database. Raises ConfigurationError before `configure`."""
    if _Current.engine is None:
        raise ConfigurationError("The database is not open yet.", remedy="Start the desk with `make run`.")
    return _Current.engine


def is_open() -> bool:
    """Whether `configure` has been called in this process."""
    return _Current.engine is not None


@contextmanager
def session() -> Iterator[Session]:
    """A session for reading; nothing is committed."""
    with Session(engine(), expire_on_commit=False) as opened:
        yield opened


@contextmanager
def snapshot() -> Iterator[Session]:
    """A session for reading that sees the tables as they were at its first question, whatever is written
    meanwhile; on SQLite every session does. For answers that must agree with each other."""
    alike = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    reading = engine() if is_sqlite() else engine().execution_options(**alike)
    with Session(reading, expire_on_commit=False) as opened:
        yield opened


@contextmanager
def transaction() -> Iterator[Session]:
    """A session for writing; commits at the end, rolls back on any error. Never inside another one."""
    writing = engine().execution_options(writes=True)
    with _in_turn(), Session(writing, expire_on_commit=False) as opened, opened.begin():
        yield opened


@contextmanager
def _in_turn() -> Iterator[None]:
    """SQLite has one writer, and whoever finds it taken looks again after up to 100 ms: the threads of this
    process tell each other instead. Who waits longer than SQLite would is left to its word.
    """
    writes = is_sqlite() and _Current.writer.acquire(timeout=_BUSY_TIMEOUT_MS / 1000)
    try:
        yield
    finally:
        if writes:
            _Current.writer.release()


def chunks(ids: Iterable[str], size: int = _CHUNK) -> Iterable[list[str]]:
    """The ids, each once and sorted, in lists short enough for one statement."""
    ordered = sorted(set(ids))
    return (ordered[at : at + size] for at in range(0, len(ordered), size))


def insert(table: type[Base], dialect: str) -> Any:
    """An INSERT into the table that can say what to do with rows that are there already."""
    make: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return make(table.__table__)  # type: ignore[attr-defined]


def insert_once(session: Session, table: type[Base], values: dict[str, Any]) -> bool:
    """Whether the row is new; a row with the same primary key stays as it is, whoever writes it meanwhile."""
    connection = session.connection()
    statement = insert(table, connection.dialect.name).values(values).on_conflict_do_nothing()
    # not rowcount, which PostgreSQL's driver leaves at -1 here
    return connection.execute(statement.returning(sa.literal(1))).first() is not None


def epoch(dialect: str) -> sa.ColumnElement[int]:
    """SQL: the database's own clock, in whole seconds UTC."""
    if dialect == "postgresql":
        return sa.cast(sa.func.floor(sa.extract("epoch", sa.func.clock_timestamp())), sa.BigInteger)
    return sa.cast(sa.func.strftime("%s", "now"), sa.BigInteger)


def create_schema() -> None:
    """Creates all tables straight from the models (tests; installations use services.migrations.upgrade)."""
    Base.metadata.create_all(engine())


def is_sqlite() -> bool:
    """Whether the process's database is SQLite."""
    return engine().dialect.name == "sqlite"


def beside(suffix: str) -> Path:
    """Where a file of ours lies that belongs to the SQLite database: next to it, named after it."""
    return Path(engine().url.database or "").with_suffix(f".{suffix}")
