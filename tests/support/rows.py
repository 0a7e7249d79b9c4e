"""Rows that took long to make, put into further databases of the same kind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import sqlalchemy as sa

from services import database


def copied(engine: sa.Engine) -> Callable[[sa.Engine], None]:
    """Copies all rows of a database; what it gives puts them into another one that has the tables only."""
    return _copied_sqlite(engine) if engine.dialect.name == "sqlite" else _copied_postgres(engine)


def _copied_sqlite(engine: sa.Engine) -> Callable[[sa.Engine], None]:
    aside = database.sqlite_module().connect(":memory:")
    with closing(engine.raw_connection()) as source:
        source.driver_connection.backup(aside)

    def fill(empty: sa.Engine) -> None:
        with closing(empty.raw_connection()) as target:
            aside.backup(target.driver_connection)

    return fill


def _copied_postgres(engine: sa.Engine) -> Callable[[sa.Engine], None]:
    names = sa.inspect(engine).get_table_names()
    with engine.connect() as source:
        rows = {name: _read(source, name) for name in names}
        begun = source.execute(_SEQUENCES).all()

    def fill(empty: sa.Engine) -> None:
        with empty.begin() as target:
            target.exec_driver_sql("SET LOCAL session_replication_role = replica")  # tables in any order
            for name, text in rows.items():
                if text:
                    _write(target, name, text)
            for sequence, last in begun:
                target.execute(sa.text("SELECT setval(:name, :last)"), {"name": sequence, "last": last})

    return fill


_SEQUENCES = sa.text(
    "SELECT quote_ident(sequencename), last_value FROM pg_sequences"
    " WHERE schemaname = current_schema() AND last_value IS NOT NULL"
)


def _read(connection: sa.Connection, table: str) -> bytes:
    with closing(connection.connection.cursor()) as cursor, cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
        return b"".join(copy)


def _write(connection: sa.Connection, table: str, text: bytes) -> None:
    with closing(connection.connection.cursor()) as cursor, cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
        copy.write(text)
