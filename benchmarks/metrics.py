"""What do the numbers cost: to count, to keep up, and to show, beside the plain question in SQL?

`python -m benchmarks.metrics --customers 10000 100000 --database sqlite postgresql --pages`: for each size
fresh tables with 1.2 subscriptions and some 10 invoices each; counts everybody, rebuilds the cells, takes in
10,000 changed customers, then asks what the charts ask, and plain questions over the tables, in DuckDB too;
with `--pages` opens each page of a desk over them.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import sqlalchemy as sa
from sqlmodel import Session

from benchmarks import metrics_pages, metrics_seed
from models import (
    Customer,
    CustomerFacts,
    Invoice,
    InvoiceLine,
    MetricsState,
    Price,
    Product,
    Subscription,
    SubscriptionItem,
)
from models.base import Base
from services import clock, database
from services.metrics import periods
from services.metrics.counting import counting, rollups, waiting
from services.metrics.counting.books import BOOKS
from services.metrics.recovery import dunning
from services.metrics.recovery.dunning import Asked
from services.metrics.revenue import bridge, retention, revenue_history
from services.metrics.revenue.bridge import Rules
from services.metrics.revenue.revenue_history import View
from services.metrics.trials import conversion, curves, forecast, funnel, why
from services.metrics.trials.slices import Slice
from tests.support import postgres

ZONE = ZoneInfo("Europe/Berlin")
CHANGED = 10_000
_SEEDED = (Product, Price, Customer, CustomerFacts, Subscription, SubscriptionItem, Invoice, InvoiceLine)
Question = Callable[[Session], object]


def main() -> None:
    """Prints a line of JSON for each size and database."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--customers", type=int, nargs="+", default=[10_000])
    options.add_argument("--database", nargs="+", default=["sqlite"], choices=["sqlite", "postgresql"])
    options.add_argument("--pages", action="store_true", help="whole pages, too")
    given = options.parse_args()
    for size in given.customers:
        for kind in given.database:
            with tempfile.TemporaryDirectory(prefix="trialdesk-bench-") as folder:
                print(json.dumps(_run(size, kind, Path(folder), pages=given.pages)), flush=True)


def _run(size: int, kind: str, folder: Path, *, pages: bool) -> dict[str, object]:
    with _empty(kind, folder) as url:
        if pages:
            metrics_pages.pull(folder / "desk", url, ZONE.key)
        with _tables(url):
            figures = measure(size, kind)
        if pages:
            figures["pages_ms"] = metrics_pages.measure(folder / "desk", url, ZONE.key)
        return figures


@contextmanager
def _empty(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/desk.db"
        return
    url = postgres.create_database()
    try:
        yield url
    finally:
        postgres.drop_database(url)


@contextmanager
def _tables(url: str) -> Iterator[None]:
    """The tables of a database, made where a desk has not made them; the clock stands where the books end."""
    database.configure(url)
    database.create_schema()
    clock.follow(metrics_seed.NOW - int(time.time()))
    try:
        yield
    finally:
        database.engine().dispose()


def measure(size: int, kind: str) -> dict[str, object]:
    """Seconds by what they were spent on; milliseconds of each question, beside the plain one."""
    figures: dict[str, object] = {"customers": size, "database": kind}
    figures["seed_s"] = _timed(lambda: _seed(size))
    with database.transaction() as session:
        waiting.mark_all(session, "", size)
    figures["count_s"] = _timed(lambda: counting.work(BOOKS, ZONE))
    figures["rebuild_s"] = _timed(_rebuild)
    figures["changed_s"] = _timed(lambda: _change(size))
    figures["cells"] = _cells()
    figures["questions_ms"] = {name: _asked(question) for name, question in _questions().items()}
    figures["plain_ms"] = {name: _asked(question) for name, question in _plain().items()}
    figures["duckdb_ms"] = _in_duckdb(size)
    figures["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return figures


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return round(time.perf_counter() - begun, 2)


def _seed(size: int) -> None:
    kind = database.engine().dialect.name
    for _, sql in metrics_seed.statements(size, _numbers_of(kind)):
        with database.engine().execution_options(writes=True).begin() as connection:
            connection.execute(sa.text(_spoken(sql, kind)))
    with database.engine().execution_options(writes=True).begin() as connection:
        connection.execute(sa.text("ANALYZE"))


def _numbers_of(kind: str) -> metrics_seed.Numbers:
    if kind == "postgresql":
        return lambda count: f"SELECT generate_series(0, {count} - 1) AS i"
    return lambda count: (
        f"WITH RECURSIVE upto(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM upto WHERE i < {count} - 1) "
        "SELECT i FROM upto"
    )


def _spoken(sql: str, kind: str) -> str:
    """The statement in the words of a database."""
    if kind == "postgresql":
        return sql.replace("ITEMS", "jsonb_build_array(jsonb_build_array(i.price, 1, '[]'::jsonb))")
    return sql.replace("ITEMS", "json_array(json_array(i.price, 1, json('[]')))")


def _rebuild() -> None:
    with database.session() as session:
        standing = rollups.generation(session)
    for book in BOOKS:
        rollups.fill(book, standing + 1, counting.calendar.of(ZONE))
    with database.transaction() as session:
        state = session.get(MetricsState, 1)
        assert state is not None
        state.generation = state.begun = standing + 1
    for each in (each for book in BOOKS for each in book.sums):
        rollups.keep_only(each.cells, standing + 1)


def _change(size: int) -> None:
    """Every so many subscriptions are canceled, and counted."""
    step = max(1, size // CHANGED)
    for_these = f"SELECT 'cus_' || i FROM ({_numbers_of(database.engine().dialect.name)(str(size))}) AS n"
    with database.transaction() as session:
        ids = session.execute(sa.text(f"{for_these} WHERE i % {step} = 0")).scalars().all()
        session.execute(
            sa.text(
                "INSERT INTO subscription_states (subscription, at, status, cancels, items, discounts, told) "
                f"SELECT s.subscription, {metrics_seed.NOW}, 'canceled', s.cancels, s.items, s.discounts, "
                "s.told FROM subscription_states s JOIN subscriptions b ON b.id = s.subscription "
                f"WHERE s.status = 'active' AND b.customer IN ({for_these} WHERE i % {step} = 0)"
            )
        )
        waiting.mark(session, ids)
    counting.work(BOOKS, ZONE)


def _cells() -> dict[str, int]:
    with database.session() as session:
        tables = {each.cells for book in BOOKS for each in book.sums} | {book.facts for book in BOOKS}
        return {
            table.__tablename__: session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in tables
        }


def _questions() -> dict[str, Question]:
    """What each view of the pages asks at its first load."""
    now = metrics_seed.NOW
    months = tuple(periods.last("month", 24, until=now, zone=ZONE))
    weeks = tuple(periods.last("week", 104, until=now, zone=ZONE))
    usd, by_month, by_week = View("usd"), Slice("month", months), Slice("week", weeks)
    return {
        "conversion: cohorts of months": lambda s: conversion.outcomes(s, by_month, as_of=now).cohorts(30),
        "conversion: cohorts of weeks, heat map": lambda s: conversion.outcomes(s, by_week, as_of=now).heat(),
        "conversion: 30-day rate": lambda s: conversion.period_rate(s, as_of=now),
        "conversion: curves": lambda s: curves.curves(s, by_month, as_of=now),
        "conversion: why not": lambda s: why.reasons(s, by_month),
        "conversion: groups by country": lambda s: conversion.breakdown(
            s, by_month, "country", 30, as_of=now
        ),
        "conversion: funnel": lambda s: funnel.walked(s, by_month),
        "conversion: expected": lambda s: forecast.now(s, now),
        "revenue: movements": lambda s: revenue_history.movements(s, usd, months),
        "revenue: daily": lambda s: revenue_history.daily(s, usd, months[0].begins, now),
        "revenue: plans": lambda s: revenue_history.by(s, "plan", usd, now),
        "revenue: countries": lambda s: revenue_history.by(s, "country", usd, now),
        "revenue: retention": lambda s: retention.cohorts(s, usd, months, now),
        "recovery: all": lambda s: dunning.read(s, Asked("usd", months), as_of=now),
        "stripe: MRR and customers": lambda s: bridge.read(s, Rules()),
    }


def _plain() -> dict[str, Question]:
    """The same kind of question as one plain GROUP BY over the tables."""
    return {
        name: lambda s, sql=sql: s.execute(sa.text(sql)).all() for name, sql in metrics_seed.PLAIN.items()
    }


def _in_duckdb(size: int) -> dict[str, dict[str, float]]:
    """The plain questions where columns are read instead of rows."""
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        for table in _SEEDED:
            connection.execute(_created(table))
        names = {model.__tablename__ for model in _SEEDED}
        for name, sql in metrics_seed.statements(size, lambda count: f"SELECT i FROM range({count}) AS r(i)"):
            if name not in names:
                continue
            connection.execute(sql)
        return {
            name: _best(lambda sql=sql: connection.execute(sql).fetchall())
            for name, sql in metrics_seed.PLAIN.items()
        }


def _asked(question: Question) -> dict[str, float]:
    def once() -> None:
        with database.session() as session:
            question(session)

    return _best(once)


def _best(work: Callable[[], object]) -> dict[str, float]:
    """Milliseconds of the first time, and the best of three after it."""
    times = []
    for _ in range(4):
        begun = time.perf_counter()
        work()
        times.append(round(1000 * (time.perf_counter() - begun), 1))
    return {"first": times[0], "again": min(times[1:])}


def _created(model: type[Base]) -> str:
    """The table as DuckDB makes it, without keys."""
    kinds = {"BIGINT": "BIGINT", "INTEGER": "BIGINT", "BOOLEAN": "BOOLEAN"}
    table = model.__table__  # type: ignore[attr-defined]
    columns = (f'"{column.name}" {kinds.get(str(column.type), "VARCHAR")}' for column in table.columns)
    return f"CREATE TABLE {table.name} ({', '.join(columns)})"


if __name__ == "__main__":
    main()
