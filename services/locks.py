"""Who does this, of all processes on this database? A lock with a name, which ends with its process.

On SQLite it is a file next to the desk's, on PostgreSQL an advisory lock of the server.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from services import database
from services.errors import Unavailable

Confirm = Callable[[], None]  # called before a commit; raises LockLost where nothing more may be written
ADVISORY_CLASS = 0x7D5  # ours among the advisory locks of a shared PostgreSQL server
_TRY = sa.text("SELECT pg_try_advisory_lock(:ours, hashtext(:name))")
_LET_GO = sa.text("SELECT pg_advisory_unlock(:ours, hashtext(:name))")
_HELD = sa.text(
    "SELECT name FROM unnest(CAST(:names AS text[])) AS name WHERE EXISTS (SELECT 1 FROM pg_locks "
    "WHERE locktype = 'advisory' AND granted AND classid = :ours "
    "AND objid::bigint = (hashtext(name)::bigint & 4294967295) "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


class LockUnusable(Unavailable):
    """What tells whether another process does something, a file or a server, cannot be used."""

    @classmethod
    def of_file(cls, path: Path, error: Exception) -> LockUnusable:
        """On SQLite."""
        return cls(
            f"The file {path} cannot be locked: {error}.",
            remedy="Check that it can be written and there is room; it may be removed while no desk runs.",
        )

    @classmethod
    def of_server(cls, name: str, error: Exception) -> LockUnusable:
        """On PostgreSQL."""
        why = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        return cls(
            f"PostgreSQL cannot say who holds the lock “{name}”: {why}.",
            remedy="Check that it runs and takes connections. The desk tries again by itself.",
        )


class LockLost(Unavailable):
    """The database gave a lock away while this process did what it stands for."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The database dropped the connection that kept all other desks from the same work (“{name}”).",
            remedy="It is begun again, where it was, by whichever desk comes first.",
        )


def unguarded() -> None:
    """For writes that need no lock."""


class Lock(Protocol):
    """A lock that this process holds, until `close`, its own death, or that of its connection."""

    name: str

    def confirm(self) -> None:
        """Raises LockLost where somebody else may hold it by now. For one thread at a time."""

    def close(self) -> None:
        """Lets it go."""


def claim(name: str) -> Lock | None:
    """The lock of this name, None where it is held already. Raises LockUnusable where that cannot be told."""
    return _FileLock.claim(name) if database.is_sqlite() else _PostgresLock.claim(name)


def held(names: Collection[str]) -> set[str]:
    """Those of these locks that a living process holds. Raises LockUnusable where that cannot be told."""
    if not database.is_sqlite():
        with database.session() as session:
            asked = {"ours": ADVISORY_CLASS, "names": list(names)}
            return set(session.connection().scalars(_HELD, asked))
    return {name for name in names if database.beside(f"{name}.lock").exists() and _is_taken(name)}


def _is_taken(name: str) -> bool:
    with alone(name) as mine:
        return mine is None


@contextlib.contextmanager
def alone(name: str) -> Iterator[Lock | None]:
    """The lock of this name, held to the end; None where another does this already, in whichever process.

    Raises LockUnusable where that cannot be told.
    """
    lock = claim(name)
    try:
        yield lock
    finally:
        if lock is not None:
            lock.close()


@dataclass
class _FileLock:
    """A SQLite file under an exclusive lock: the operating system drops it with the process."""

    name: str
    connection: Any

    @classmethod
    def claim(cls, name: str) -> _FileLock | None:
        module, path, connection = database.sqlite_module(), database.beside(f"{name}.lock"), None
        try:
            connection = module.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
            connection.execute("BEGIN EXCLUSIVE")
        except module.DatabaseError as error:
            if connection is not None:
                connection.close()
            if error.sqlite_errorcode & 0xFF in database.SQLITE_TAKEN:
                return None
            raise LockUnusable.of_file(path, error) from None
        return cls(name, connection)

    def confirm(self) -> None:
        """It cannot be lost."""

    def close(self) -> None:
        self.connection.close()


@dataclass
class _PostgresLock:
    """An advisory lock on a connection of its own: the server drops it with the connection."""

    name: str
    connection: sa.Connection

    @classmethod
    def claim(cls, name: str) -> _PostgresLock | None:
        url = database.engine().url
        engine = sa.create_engine(
            url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True
        )
        connection = None
        try:
            connection = engine.connect()
            if connection.scalar(_TRY, {"ours": ADVISORY_CLASS, "name": name}):
                return cls(name, connection)
        except sa.exc.SQLAlchemyError as error:
            if connection is not None:
                connection.close()
            raise LockUnusable.of_server(name, error) from None
        connection.close()
        return None

    def confirm(self) -> None:
        try:
            self.connection.scalar(sa.select(1))
        except sa.exc.SQLAlchemyError as error:
            raise LockLost(self.name) from error

    def close(self) -> None:
        with contextlib.suppress(sa.exc.SQLAlchemyError):  # it may be lost; else the server is slower than us
            self.connection.execute(_LET_GO, {"ours": ADVISORY_CLASS, "name": self.name})
        self.connection.close()
