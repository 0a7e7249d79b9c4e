"""How do many rows reach the database at its own speed? Past SQLAlchemy's work for each row and value.

The rows go to the driver as plain tuples, into a table of this transaction alone (on PostgreSQL by COPY);
from there one statement writes them all, and says which ids it wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from services.mirror.shapes.reading import Row

Names = tuple[str, ...]
Values = tuple[Any, ...]
_NAME = "incoming"
_UNSENDABLE = (sa.exc.DataError, psycopg.DataError, OverflowError, UnicodeEncodeError)
_MISUSED = (sa.exc.InterfaceError, sa.exc.ProgrammingError, psycopg.ProgrammingError)
_SENDABLE = (str, int, float, type(None))


@dataclass(frozen=True, slots=True)
class _Incoming:
    """The transaction's own table for rows on their way into another one.

    `pick` takes a row's values; `constants` stand for the columns that rows leave out; `json` are the places
    of values that are written as JSON.
    """

    names: Names
    create: str
    insert: str
    pick: Callable[[Row], Values]
    constants: Values
    json: tuple[int, ...]

    def tuples(self, rows: Sequence[Row]) -> list[Values]:
        """The rows as the driver takes them."""
        return [self._convert([*self.pick(row), *self.constants]) for row in rows]

    def _convert(self, values: list[Any]) -> Values:
        for place in self.json:
            values[place] = json.dumps(values[place])
        return tuple(values)


def upsert(
    connection: sa.Connection, table: sa.Table, statement: Callable[[Names], Any], rows: Sequence[Row]
) -> list[str]:
    """Writes the rows (all with the same columns, ids unique), returns the ids that were written.

    Columns that the rows lack get their default. `statement` makes, of the columns' names, an INSERT from
    `select(names)` that says what to do with rows that are there, and returns the ids. Raises DataError where
    a value is none that the database takes, and IntegrityError where one is missing.
    """
    incoming = _incoming(table, tuple(rows[0]), connection.dialect)
    connection.exec_driver_sql(incoming.create)
    _send(connection, incoming, incoming.tuples(rows))
    written = connection.execute(statement(incoming.names)).scalars().all()
    connection.exec_driver_sql(f"DROP TABLE {_NAME}")
    return list(written)


def select(names: Names) -> sa.Select[Any]:
    """The rows on their way, as a query."""
    columns: list[Any] = [sa.column(name) for name in names]
    # without WHERE, SQLite takes the ON of ON CONFLICT for a join's
    return sa.select(*columns).select_from(sa.table(_NAME)).where(sa.true())


def _send(connection: sa.Connection, incoming: _Incoming, values: list[Values]) -> None:
    try:
        if connection.dialect.name == "postgresql":
            _copy(connection, incoming, values)
        else:
            connection.exec_driver_sql(incoming.insert, values)
    except (*_UNSENDABLE, *_MISUSED) as error:
        if isinstance(error, _MISUSED) and all(isinstance(one, _SENDABLE) for row in values for one in row):
            raise  # else drivers say it of a value whose type no column takes
        raise sa.exc.DataError(f"rows for {_NAME}", None, error) from None


def _copy(connection: sa.Connection, incoming: _Incoming, values: list[Values]) -> None:
    columns = ", ".join(f'"{name}"' for name in incoming.names)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {_NAME} ({columns}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)


@cache
def _incoming(table: sa.Table, given: Names, dialect: sa.Dialect) -> _Incoming:
    left_out = [column for column in table.c if column.name not in given]
    columns = [sa.Column(name, table.c[name].type) for name in given]
    columns += [sa.Column(column.name, column.type) for column in left_out]
    made = sa.Table(_NAME, sa.MetaData(), *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")
    return _Incoming(
        names=tuple(column.name for column in columns),
        create=str(CreateTable(made).compile(dialect=dialect)),
        insert=str(sa.insert(made).compile(dialect=dialect)),
        pick=itemgetter(*given),
        constants=tuple(_default(column) for column in left_out),
        json=tuple(place for place, column in enumerate(columns) if isinstance(column.type, sa.JSON)),
    )


def _default(column: sa.Column[Any]) -> Any:
    default: Any = column.default
    if default is None:
        return None
    return default.arg if default.is_scalar else default.arg(None)
