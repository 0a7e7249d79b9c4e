"""How do rows reach the database at its own speed? Past SQLAlchemy's work for each row and value.

The rows go to the driver as plain values, which stand in the statement that writes them and says which ids it
wrote. On PostgreSQL many go by COPY into a table of this transaction alone, from where one statement writes
them all: to make and drop it leaves dozens of dead rows in the catalog, too many for each webhook.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from services.mirror.shapes.reading import Row

Names = tuple[str, ...]
Values = tuple[Any, ...]
FEW = 40  # rows; on PostgreSQL a table pays off above
_AT_ONCE = 200  # rows in a statement
_PLACES = 30_000  # for values in a statement; SQLite has room for 32,766
_NAME = "incoming"
_UNSENDABLE = (sa.exc.DataError, psycopg.DataError, OverflowError, UnicodeEncodeError)
_MISUSED = (sa.exc.InterfaceError, sa.exc.ProgrammingError, psycopg.ProgrammingError)
_SENDABLE = (str, int, float, type(None))


@dataclass(frozen=True, slots=True)
class _Incoming:
    """Rows on their way into a table, and the statement that makes a table of the transaction's own for them.

    `pick` takes a row's values; `constants` stand for the columns that rows leave out; `json` are the places
    of values that are written as JSON; `types` what each column takes.
    """

    names: Names
    create: str
    pick: Callable[[Row], Values]
    constants: Values
    json: tuple[int, ...]
    types: tuple[frozenset[type], ...]

    def tuples(self, rows: Sequence[Row]) -> list[Values]:
        """The rows as the driver takes them."""
        return [self._convert([*self.pick(row), *self.constants]) for row in rows]

    def require_types(self, values: Sequence[Values]) -> None:
        """Raises DataError where a value is none of its column's: SQLite stores any, PostgreSQL some."""
        for name, types, column in zip(self.names, self.types, zip(*values, strict=True), strict=True):
            if not types.issuperset(map(type, column)):
                raise sa.exc.DataError(
                    f"{name} in rows for {_NAME}", None, TypeError("a value of no such type")
                )

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
    values, insert = incoming.tuples(rows), statement(incoming.names)
    incoming.require_types(values)
    with _refused(values):
        if connection.dialect.name == "postgresql" and len(rows) > FEW:
            return _by_copy(connection, incoming, insert, values)
        size = min(_AT_ONCE, _PLACES // len(incoming.names))
        pieces = (values[at : at + size] for at in range(0, len(values), size))
        return [id for piece in pieces for id in _by_statement(connection, incoming.names, insert, piece)]


def select(names: Names) -> sa.Select[Any]:
    """The rows on their way, as a query."""
    columns: list[Any] = [sa.column(name) for name in names]
    # without WHERE, SQLite takes the ON of ON CONFLICT for a join's
    return sa.select(*columns).select_from(sa.table(_NAME)).where(sa.true())


def _by_statement(connection: sa.Connection, names: Names, insert: Any, values: list[Values]) -> list[str]:
    spelled = _spelled(insert, names, len(values), connection.dialect)
    return list(connection.exec_driver_sql(spelled, _flat(connection, values)).scalars())


def _by_copy(connection: sa.Connection, incoming: _Incoming, insert: Any, values: list[Values]) -> list[str]:
    connection.exec_driver_sql(incoming.create)
    _copy(connection, incoming, values)
    written = connection.execute(insert).scalars().all()
    connection.exec_driver_sql(f"DROP TABLE {_NAME}")
    return list(written)


def _spelled(insert: Any, names: Names, rows: int, dialect: sa.Dialect) -> str:
    """The INSERT with places for so many rows' values instead of the query."""
    head, tail = _around_query(insert, names, dialect)
    place = "?" if dialect.paramstyle == "qmark" else "%s"
    row = f"({', '.join([place] * len(names))})"
    return f"{head}VALUES {', '.join([row] * rows)}{tail}"


@cache
def _around_query(insert: Any, names: Names, dialect: sa.Dialect) -> tuple[str, str]:
    text = str(insert.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    head, _query, tail = text.partition(str(select(names).compile(dialect=dialect)))
    return head, tail


def _flat(connection: sa.Connection, values: list[Values]) -> Values:
    flat = tuple(chain.from_iterable(values))
    if connection.dialect.name != "postgresql":
        return flat
    # as text, like COPY: else a number of the wrong kind is rounded, or taken for a fault of the statement
    return tuple(str(one) if isinstance(one, int | float) else one for one in flat)


@contextmanager
def _refused(values: list[Values]) -> Iterator[None]:
    """Raises DataError where the driver or the database refuses one of these values."""
    try:
        yield
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
        pick=itemgetter(*given),
        constants=tuple(_default(column) for column in left_out),
        json=tuple(place for place, column in enumerate(columns) if isinstance(column.type, sa.JSON)),
        types=tuple(_types(column) for column in columns),
    )


def _types(column: sa.Column[Any]) -> frozenset[type]:
    held = column.type.python_type if isinstance(column.type, sa.Integer | sa.Boolean) else str
    return frozenset((held, type(None)))


def _default(column: sa.Column[Any]) -> Any:
    default: Any = column.default
    if default is None:
        return None
    return default.arg if default.is_scalar else default.arg(None)
