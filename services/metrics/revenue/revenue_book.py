"""MRR as a book: each customer's movements day by day, and what they come to in all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import CustomerFacts, RetentionCell, RevenueCell, RevenueDay, RevenueMonth, RevenueMove
from services.among import among
from services.metrics.counting.calendar import Calendar
from services.metrics.counting.rollups import Amounts, Book, Counted, Key, Row, Sum
from services.metrics.revenue import timelines
from services.metrics.revenue.movements import Move, Point, moves

_MOVED = tuple(one.name for one in fields(Move))
_values_of = attrgetter(*_MOVED)
_sums_of = itemgetter("mrr", "committed", "trial", "customers", "accounts", "people")
_cell_of = itemgetter("currency", "day", "plan", "country", "kind", "cause")


def _count(session: Session, customers: Sequence[str], now: int, calendar: Calendar) -> Counted:
    found: dict[tuple[str, str], list[Sequence[Point]]] = defaultdict(list)
    due: dict[str, int] = {}
    for one in timelines.of_customers(session, customers, now):
        found[one.customer, one.currency].append(one.points)
        if one.due is not None:
            due[one.customer] = min(one.due, due.get(one.customer, one.due))
    country = _countries(session, customers)
    facts = [
        _fact(customer, currency, country.get(customer, ""), move)
        for (customer, currency), points in found.items()
        for move in moves(points, calendar.day)
    ]
    return Counted(_with_people(facts), due)


def _fact(customer: str, currency: str, country: str, move: Move) -> Row:
    named = dict(zip(_MOVED, _values_of(move), strict=True))
    return {"customer": customer, "currency": currency, "country": country, **named}


def _with_people(facts: list[Row]) -> list[Row]:
    """Adds whether somebody came or went as a customer of any currency, where one pays in several."""
    paid_in: dict[str, set[str]] = defaultdict(set)
    for row in sorted(facts, key=itemgetter("day")):
        mine = paid_in[row["customer"]]
        before = bool(mine)
        if row["accounts"]:
            mine.symmetric_difference_update({row["currency"]})
        row["people"] = bool(mine) - before
    return facts


def _countries(session: Session, customers: Sequence[str]) -> dict[str, str]:
    rows = session.connection().execute(_where_from(), {"customers": list(customers)}).all()
    return {row.customer: row.country for row in rows}


@cache
def _where_from() -> Any:
    f = CustomerFacts
    return sa.select(col(f.customer), col(f.country)).where(among(col(f.customer), "customers"))


def _of_day(row: Row, _: Calendar) -> Iterator[tuple[Key, Amounts]]:
    yield _cell_of(row), _sums_of(row)


def _of_whole_day(row: Row, _: Calendar) -> Iterator[tuple[Key, Amounts]]:
    yield (row["currency"], row["day"], row["kind"], row["cause"]), _sums_of(row)


def _of_month(row: Row, calendar: Calendar) -> Iterator[tuple[Key, Amounts]]:
    yield (row["currency"], calendar.month(row["day"]), row["plan"], row["country"]), _sums_of(row)


def _of_cohort(row: Row, calendar: Calendar) -> Iterable[tuple[Key, Amounts]]:
    if not row["first_day"] or not (row["mrr"] or row["accounts"]):
        return
    cohort, month = calendar.month(row["first_day"]), calendar.month(row["day"])
    yield (row["currency"], cohort, month, row["country"]), (row["mrr"], row["accounts"])


BOOK = Book(
    RevenueMove,
    _count,
    (
        Sum(RevenueDay, _of_whole_day),
        Sum(RevenueCell, _of_day),
        Sum(RevenueMonth, _of_month),
        Sum(RetentionCell, _of_cohort),
    ),
)
