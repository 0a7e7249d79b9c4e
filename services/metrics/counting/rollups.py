"""How do facts about customers become the cells that charts read, and how do cells stay right?

A book counts one thing. Its *facts* are rows about single customers, counted anew whenever something about a
customer has changed; they are the rows behind every number. Its *cells* are sums of what the facts come to,
by all that charts slice by. A fact that changes takes what it came to out of its cells and puts what it comes
to now into them, so that the cells always are what adding up all facts would give; a rebuild does just that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import MetricsState
from models.base import Base
from services import database
from services.among import among
from services.locks import Confirm, unguarded
from services.metrics.counting.calendar import Calendar

Row = dict[str, Any]
Key = tuple[Any, ...]
Amounts = tuple[int, ...]
Sums = dict[Key, Amounts]
_READ, _AT_ONCE, _HELD = 20_000, 1_000, 100_000  # facts and cells in a statement, cells in memory


@dataclass(frozen=True, slots=True)
class Counted:
    """What a book found of some customers: their facts, and `due`: who must be counted again without anything
    changing, as time alone changes their facts, and when (UTC seconds)."""

    facts: list[Row]
    due: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sum:
    """One table of cells. `sum_up` says which of them a fact is part of, by their key columns without the
    generation, with what it adds to their other columns."""

    cells: type[Base]
    sum_up: Callable[[Row, Calendar], Iterable[tuple[Key, Amounts]]]


@dataclass(frozen=True, slots=True)
class Book:
    """One thing that is counted: `count` finds the facts of some customers as of an instant."""

    facts: type[Base]
    count: Callable[[Session, Sequence[str], int, Calendar], Counted]
    sums: tuple[Sum, ...]


def generation(session: Session) -> int:
    """Which generation of cells pages read."""
    return session.execute(sa.select(col(MetricsState.generation))).scalar() or 0


def standing(cells: Any) -> sa.ColumnElement[bool]:
    """SQL: whether a cell is of the generation that pages read."""
    of = sa.select(col(MetricsState.generation)).scalar_subquery()
    is_read: sa.ColumnElement[bool] = col(cells.generation) == sa.func.coalesce(of, 0)
    return is_read


@dataclass(frozen=True, slots=True)
class News:
    """By what facts differ from those that are kept: `put` are new or changed, `taken` what they were, `gone`
    those that are no longer there. `due` as in Counted."""

    put: Sequence[Row]
    taken: Sequence[Row]
    gone: Sequence[Row]
    due: Mapping[str, int]


def compare(session: Session, book: Book, customers: Sequence[str], now: int, calendar: Calendar) -> News:
    """Counts these customers anew as of an instant (UTC seconds); writes nothing."""
    before = {_key(book.facts, row): row for row in _known(session, book.facts, customers)}
    counted = book.count(session, customers, now, calendar)
    after = {_key(book.facts, row): row for row in counted.facts}
    put = [row for key, row in after.items() if before.get(key) != row]
    taken = [before[key] for row in put if (key := _key(book.facts, row)) in before]
    return News(put, taken, [row for key, row in before.items() if key not in after], counted.due)


def apply(session: Session, book: Book, news: News, calendar: Calendar, *, move: bool) -> None:
    """Writes news in the caller's transaction, and moves the cells along where asked to."""
    _save(session, book.facts, news.put, news.gone)
    for each in book.sums if move else ():
        moved = _moved(each, calendar, taken=[*news.taken, *news.gone], put=news.put)
        add(session, each.cells, generation(session), moved)


def _known(session: Session, facts: type[Base], customers: Sequence[str]) -> list[Row]:
    return dicts(session.connection().execute(_facts_of(facts), {"customers": list(customers)}))


def dicts(found: sa.CursorResult[Any]) -> list[Row]:
    """The rows by the names of their columns. Read at once: one by one takes drivers much longer."""
    names = tuple(found.keys())
    return [dict(zip(names, row, strict=True)) for row in found.all()]


@cache
def _facts_of(facts: type[Base]) -> Any:
    columns = _table(facts).c
    return sa.select(*columns).where(among(columns.customer, "customers"))


def _moved(of: Sum, calendar: Calendar, *, taken: Iterable[Row], put: Iterable[Row]) -> Sums:
    sums: Sums = {}
    for row in put:
        for key, amounts in of.sum_up(row, calendar):
            sums[key] = tuple(map(int.__add__, sums[key], amounts)) if key in sums else amounts
    for row in taken:
        for key, amounts in of.sum_up(row, calendar):
            sums[key] = tuple(map(int.__sub__, sums.get(key, (0,) * len(amounts)), amounts))
    return {key: amounts for key, amounts in sums.items() if any(amounts)}


def fill(
    book: Book,
    generation: int,
    calendar: Calendar,
    stop: Callable[[], bool] = lambda: False,
    confirm: Confirm = unguarded,
) -> None:
    """Adds all facts up into the cells of a generation that nobody reads yet, in short transactions;
    `confirm` is called before each commit."""
    found: list[Sums] = [{} for _ in book.sums]
    for rows in _in_pieces(book.facts):
        for each, sums in zip(book.sums, found, strict=True):
            for key, amounts in sum_of(each, rows, calendar).items():
                sums[key] = tuple(map(int.__add__, sums[key], amounts)) if key in sums else amounts
            if len(sums) > _HELD:
                _flush(each.cells, generation, sums, confirm)
        if stop():
            return
    for each, sums in zip(book.sums, found, strict=True):
        _flush(each.cells, generation, sums, confirm)


def _flush(cells: type[Base], generation: int, sums: Sums, confirm: Confirm) -> None:
    keys = list(sums)
    for at in range(0, len(keys), _AT_ONCE):
        with database.transaction() as session:
            _put(session, cells, generation, {key: sums[key] for key in keys[at : at + _AT_ONCE]})
            confirm()
    sums.clear()


def _in_pieces(facts: type[Base]) -> Iterator[list[Row]]:
    """All facts, in the order of their keys, some thousands at a time."""
    columns, keys = _table(facts).c, [_table(facts).c[name] for name in _key_names(facts)]
    after: Any = None
    while True:
        page = sa.select(*columns).order_by(*keys).limit(_READ)
        if after is not None:
            page = page.where(sa.tuple_(*keys) > sa.tuple_(*after))
        with database.session() as session:
            rows = dicts(session.connection().execute(page))
        if not rows:
            return
        yield rows
        after = _key(facts, rows[-1])


def keep_only(cells: type[Base], generation: int, confirm: Confirm = unguarded) -> None:
    """Removes the cells of all other generations, in short transactions; `confirm` as in `fill`."""
    table, keys = _table(cells), [_table(cells).c[name] for name in _key_names(cells)]
    others = sa.select(*keys).where(table.c.generation != generation).limit(_AT_ONCE)
    while True:
        with database.transaction() as session:
            found = session.connection().execute(others).all()
            if found:
                session.connection().execute(
                    _remove(cells), [dict(zip(_these(cells), row, strict=True)) for row in found]
                )
            confirm()
        if len(found) < _AT_ONCE:
            return


def sum_of(of: Sum, rows: Iterable[Row], calendar: Calendar) -> Sums:
    """What these facts come to, by cell."""
    return _moved(of, calendar, taken=(), put=rows)


def _save(session: Session, facts: type[Base], changed: Sequence[Row], gone: Sequence[Row]) -> None:
    connection = session.connection()
    if gone:
        connection.execute(
            _remove(facts), [dict(zip(_these(facts), _key(facts, row), strict=True)) for row in gone]
        )
    if changed:
        connection.execute(_upsert(facts, connection.dialect.name), list(changed))


def add(session: Session, cells: type[Base], generation: int, sums: Sums) -> None:
    """Adds sums to the cells of a generation; cells that come to nothing by that go."""
    if sums:
        _put(session, cells, generation, sums)
        touched = [dict(zip(_these(cells), (generation, *key), strict=True)) for key in sums]
        session.connection().execute(_drop(cells), touched)


def _put(session: Session, cells: type[Base], generation: int, sums: Sums) -> None:
    connection, names = session.connection(), (*_key_names(cells), *_amount_names(cells))
    rows = [
        dict(zip(names, (generation, *key, *amounts), strict=True))
        for key, amounts in sorted(sums.items(), key=lambda one: tuple(map(str, one[0])))
    ]
    connection.execute(_raise(cells, connection.dialect.name), rows)


def _key(model: type[Base], row: Row) -> Key:
    return tuple(row[name] for name in _key_names(model))


def _table(model: type[Any]) -> sa.Table:
    table: sa.Table = model.__table__
    return table


@cache
def _key_names(model: type[Base]) -> tuple[str, ...]:
    return tuple(column.name for column in _table(model).c if column.primary_key)


@cache
def _amount_names(model: type[Base]) -> tuple[str, ...]:
    return tuple(column.name for column in _table(model).c if not column.primary_key)


@cache
def _these(model: type[Base]) -> tuple[str, ...]:
    return tuple(f"the_{name}" for name in _key_names(model))


@cache
def _is_this(model: type[Base]) -> sa.ColumnElement[bool]:
    columns = _table(model).c
    return sa.and_(*(columns[name] == sa.bindparam(f"the_{name}") for name in _key_names(model)))


@cache
def _remove(model: type[Base]) -> Any:
    return sa.delete(_table(model)).where(_is_this(model))


@cache
def _drop(cells: type[Base]) -> Any:
    columns = _table(cells).c
    return sa.delete(_table(cells)).where(
        _is_this(cells), *(columns[name] == 0 for name in _amount_names(cells))
    )


@cache
def _upsert(facts: type[Base], dialect: str) -> Any:
    insert, keys = database.insert(facts, dialect), _key_names(facts)
    values = {name: insert.excluded[name] for name in _amount_names(facts)}
    return insert.on_conflict_do_update(index_elements=list(keys), set_=values)


@cache
def _raise(cells: type[Base], dialect: str) -> Any:
    insert, columns = database.insert(cells, dialect), _table(cells).c
    sums = {name: columns[name] + insert.excluded[name] for name in _amount_names(cells)}
    return insert.on_conflict_do_update(index_elements=list(_key_names(cells)), set_=sums)
