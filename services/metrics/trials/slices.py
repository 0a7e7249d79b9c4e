"""Whose trials, or whose way, is a question about, and where is it answered: from cells, or from facts?

Cells answer what they are cut by: plan, source and currency together, in months and weeks; any one other
dimension beside plan and currency, in months. What is asked by more than that is counted from the facts
themselves, which takes longer, by the same names and to the same result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import JourneyCell, JourneyFact, TrialCell, TrialFact
from services.metrics.counting.calendar import Calendar
from services.metrics.counting.rollups import Key, Row, standing
from services.metrics.periods import Grain, Period
from services.metrics.statistics.sums import total

NOT_GIVEN = "\0"  # what no name can be
_MAIN = ("plan", "source", "currency")
_DETAIL = ("plan", "currency")


@dataclass(frozen=True, slots=True)
class Segment:
    """Which customers to look at: a product id, a source, a currency and a country.

    "" takes all; NOT_GIVEN those without one.
    """

    plan: str = ""
    source: str = ""
    currency: str = ""
    country: str = ""

    def wanted(self) -> dict[str, str]:
        """The values that it asks for, by column."""
        pairs = {name: getattr(self, name) for name in ("plan", "source", "currency", "country")}
        return {name: "" if value == NOT_GIVEN else value for name, value in pairs.items() if value}


EVERYONE = Segment()


@dataclass(frozen=True, slots=True)
class Slice:
    """Trials that started, or customers who signed up, in some periods of a grain (None: whenever), of a
    segment; with `dim` only those of whom that dimension is `value` ("": not given)."""

    grain: Grain
    periods: tuple[Period, ...] | None
    segment: Segment = EVERYONE
    dim: str = ""
    value: str = ""

    def of(self, dim: str, value: str) -> Slice:
        """The part of it with this value of a dimension."""
        return replace(self, dim=dim, value=value)

    def during(self, periods: Sequence[Period]) -> Slice:
        """The part of it that began in these periods."""
        return replace(self, periods=tuple(periods))

    def wanted(self) -> list[tuple[str, str]]:
        """The columns that it filters by, each with its value."""
        narrowed = [(self.dim, self.value)] if self.dim else []
        return [*self.segment.wanted().items(), *narrowed]


@dataclass(frozen=True, slots=True)
class Ground:
    """Facts and the cells they are summed up in. `at` is the column of a fact that says when it began;
    `own` are the cells' columns that say what is counted; `amounts` how each amount is had from facts."""

    facts: Any
    cells: Any
    at: str
    dims: tuple[str, ...]
    own: tuple[str, ...]
    amounts: Mapping[str, sa.ColumnElement[int]]

    def column(self, name: str) -> Any:
        """A column of the facts; a dimension of numbers as text, as cells hold it."""
        column = self.facts.__table__.c[name]
        is_number = name in self.dims and isinstance(column.type, sa.Integer)
        return sa.cast(column, sa.String) if is_number else column

    def began(self) -> Any:
        """The column that says when a fact began."""
        return self.facts.__table__.c[self.at]


TRIAL_DIMS = (
    *_MAIN, "price", "country", "trial_days", "card_at_start", "extended", "called", "messaged",
)  # fmt: skip
JOURNEY_DIMS = (*_MAIN, "country", "extended", "messaged")
_WORTH: Any = TrialFact.plan_micros
TRIALS = Ground(
    TrialFact, TrialCell, "started", TRIAL_DIMS, ("state", "days"),
    {"trials": sa.func.count(), "micros": total(_WORTH)},
)  # fmt: skip
JOURNEYS = Ground(
    JourneyFact, JourneyCell, "created", JOURNEY_DIMS, ("path", "depth", "waits"),
    {"customers": sa.func.count()},
)  # fmt: skip


def keys(row: Row, ground: Ground, days: Calendar, more: Sequence[str] = ()) -> Iterator[Key]:
    """The cells that a fact is part of, by their key without the generation; `more`: dimensions beside the
    ground's own."""
    began, own = row[ground.at], tuple(row[name] for name in ground.own)
    plan, source, currency = (row[name] for name in _MAIN)
    month = days.month(began)
    yield ("", "month", month, plan, source, currency, "", *own)
    yield ("", "week", days.week(began), plan, source, currency, "", *own)
    for dim in (*ground.dims[len(_MAIN) :], *more):
        yield (dim, "month", month, plan, "", currency, str(row[dim]), *own)


def counted(
    session: Session, ground: Ground, asked: Slice, by: Sequence[str | sa.Label[Any]], *amounts: str
) -> Iterator[tuple[Any, ...]]:
    """What a slice comes to by some columns: rows of their values and of the amounts.

    `by` are `period` (its first instant), dimensions and the ground's own columns, from cells where these can
    tell; any SQL over the facts' columns has the facts counted.
    """
    dim = _layout(ground, asked, by)
    chosen = _of_facts(ground, asked, by) if dim is None else _of_cells(ground, asked, by, dim)
    sums = [ground.amounts[name] if dim is None else total(_cell(ground, name)) for name in amounts]
    places = [sa.text(str(place)) for place in range(1, len(by) + 1)]
    for row in session.execute(chosen.add_columns(*sums).group_by(*places)):
        found = [int(amount or 0) for amount in row[len(by) :]]
        if any(found):
            yield (*row[: len(by)], *found)


def _layout(ground: Ground, asked: Slice, by: Sequence[str | sa.Label[Any]]) -> str | None:
    """The dimension whose cells can answer ("": the main ones); None where none can."""
    names = {name for name, _ in asked.wanted()} | {name for name in by if isinstance(name, str)}
    more = names - {"period", *_MAIN, *ground.own}
    if any(not isinstance(name, str) for name in by) or len(more) > 1:
        return None
    if not more:
        return ""
    return None if "source" in names or asked.grain != "month" else more.pop()


def _of_cells(ground: Ground, asked: Slice, by: Sequence[Any], dim: str) -> sa.Select[Any]:
    kept = {*(_DETAIL if dim else _MAIN), *ground.own, "period"}

    def column(name: str) -> Any:
        return _cell(ground, name if name in kept else "value")

    where = [column(name) == value for name, value in asked.wanted()]
    if asked.periods is not None:
        where.append(_cell(ground, "period").in_([period.begins for period in asked.periods]))
    of = (_cell(ground, "dim") == dim, _cell(ground, "grain") == asked.grain)
    return sa.select(*map(column, by)).where(standing(ground.cells), *of, *where)


def _cell(ground: Ground, name: str) -> Any:
    return ground.cells.__table__.c[name]


def _of_facts(ground: Ground, asked: Slice, by: Sequence[Any]) -> sa.Select[Any]:
    def column(name: Any) -> Any:
        if name == "period":
            return _period(ground.began(), asked.periods or ())
        return ground.column(name) if isinstance(name, str) else name

    return sa.select(*map(column, by)).select_from(ground.facts.__table__).where(*conditions(ground, asked))


@dataclass(frozen=True, slots=True)
class Options:
    """What can be filtered by: product ids, sources, currency codes and countries that any customer has."""

    plans: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()


def options(session: Session) -> Options:
    """What there is to choose from, in alphabetical order."""
    ever = Slice("month", None)
    main = [row[: len(_MAIN)] for row in counted(session, JOURNEYS, ever, _MAIN, "customers")]
    columns = list(zip(*main, strict=True)) or [()] * len(_MAIN)
    countries = (country for country, _ in counted(session, JOURNEYS, ever, ["country"], "customers"))
    return Options(*(tuple(sorted(set(one) - {""})) for one in (*columns, countries)))


def conditions(ground: Ground, asked: Slice) -> list[sa.ColumnElement[bool]]:
    """SQL: whether a fact is part of a slice."""
    where: list[sa.ColumnElement[bool]] = [ground.column(name) == value for name, value in asked.wanted()]
    if asked.periods is not None:
        began = ground.began()
        spans = ((began >= begins) & (began < ends) for begins, ends in _spans(asked.periods))
        where.append(sa.or_(sa.false(), *spans))
    return where


def _spans(periods: Sequence[Period]) -> Iterator[tuple[int, int]]:
    """The periods with those that adjoin taken together: from, to before."""
    begins = ends = None
    for period in sorted(periods, key=lambda one: one.begins):
        if begins is not None and ends == period.begins:
            ends = period.ends
            continue
        if begins is not None and ends is not None:
            yield begins, ends
        begins, ends = period.begins, period.ends
    if begins is not None and ends is not None:
        yield begins, ends


def _period(began: Any, periods: Sequence[Period]) -> Any:
    """SQL: the first instant of the one of the periods that holds the instant."""
    ordered = sorted(periods, key=lambda one: one.begins)
    whens = [(began < period.ends, period.begins) for period in ordered]
    return sa.case(*whens, else_=sa.null()) if whens else sa.null()
