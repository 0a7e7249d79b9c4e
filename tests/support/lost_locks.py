"""PostgreSQL gives away what a dropped connection held: the server ends the holders of our locks."""

from __future__ import annotations

import sqlalchemy as sa

from services import locks

_HOLDERS = sa.text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND classid = :ours"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def drop(engine: sa.Engine) -> int:
    """Ends the connections that hold locks of ours in this database; how many there were."""
    with engine.connect() as connection:
        return len(connection.execute(_HOLDERS, {"ours": locks.ADVISORY_CLASS}).all())
