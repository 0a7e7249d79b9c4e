"""What runs here: which version, on which database, in how many processes?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from services import database, durable
from services.version import version


@dataclass(frozen=True, slots=True)
class Installation:
    """`size` in bytes of the database; `processes` by their slot, True for the one that tells it."""

    version: str
    database: str
    size: int
    processes: dict[str, bool]


def read() -> Installation:
    """How it is now. Raises LockUnusable where it cannot be told who lives."""
    kind, size = _sqlite() if database.is_sqlite() else _postgres()
    return Installation(version(), kind, size, durable.living())


def place() -> str:
    """Which database it is, without a password."""
    url = database.engine().url
    return str(url.database) if database.is_sqlite() else f"{url.database} on {url.host or 'this machine'}"


def _sqlite() -> tuple[str, int]:
    path = Path(database.engine().url.database or "")
    size = sum(file.stat().st_size for file in (path, path.with_name(f"{path.name}-wal")) if file.exists())
    return f"SQLite {database.sqlite_module().sqlite_version}", size


def _postgres() -> tuple[str, int]:
    told = sa.text("SELECT current_setting('server_version'), pg_database_size(current_database())")
    with database.session() as session:
        version, size = session.connection().execute(told).one()
    return f"PostgreSQL {version.partition(' ')[0]}", size
