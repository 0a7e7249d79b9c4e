"""How did MRR and the customers behind it move, month by month? In one currency.

All of it are sums of the daily cells of `revenue_book`, so that months are sums of their days, movements add
up to the change of MRR, and parts (plans, countries) to the whole. Shared definition: metrics, Money and
Churn. What stands at the end of a period is what stood at the end of its last day.

Amounts of other currencies are left out, or converted with the view's rates (see `exchange`): exactly, so
that they add up too. A customer who pays in two currencies then counts in each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import MetricsState, RevenueCell, RevenueDay, RevenueMonth
from services.metrics.counting import rollups
from services.metrics.periods import Period
from services.metrics.revenue.exchange import Rate
from services.metrics.revenue.movements import KINDS, SWITCH
from services.metrics.statistics.sums import total

Amount = int | Fraction  # micros; a fraction where they were converted


@dataclass(frozen=True, slots=True)
class View:
    """Whose revenue: a plan (product id) and a country, "" for all; in which currency. `rates` are those by
    which other currencies are converted into it."""

    currency: str
    plan: str = ""
    country: str = ""
    rates: tuple[Rate, ...] = ()

    @property
    def weights(self) -> dict[str, Amount]:
        """What a micro of each currency in view is in micros of the view's."""
        return {rate.currency: rate.weight for rate in self.rates} | {self.currency: 1}


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`, in the same unit; `value` None is "no data". Parts may be below 0 or above whole."""

    part: Amount
    whole: Amount

    @property
    def value(self) -> float | None:
        """The share."""
        return float(self.part / self.whole) if self.whole else None


@dataclass(frozen=True, slots=True)
class Level:
    """What stands at an instant: micros, and customers with MRR above zero."""

    mrr: Amount = 0
    committed: Amount = 0
    trial: Amount = 0
    customers: int = 0

    @property
    def arr(self) -> Amount:
        """MRR times twelve."""
        return 12 * self.mrr

    @property
    def arpa(self) -> int | None:
        """MRR for each active customer, in micros, rounded down; None is "no data"."""
        return int(self.mrr // self.customers) if self.customers else None

    def __add__(self, more: Level) -> Level:
        """What stands once more has come."""
        return Level(
            self.mrr + more.mrr,
            self.committed + more.committed,
            self.trial + more.trial,
            self.customers + more.customers,
        )


@dataclass(frozen=True, slots=True)
class Movements:
    """One period: what stood before it and at its end, and what moved.

    `moved` are micros and `people` customers by movement (see `movements.KINDS`; `switch` moves plans only);
    `churned` and `churned_people` the churn by cause. Churned and contracted amounts are below 0, and so are
    customers who churned.
    """

    period: Period
    before: Level
    after: Level
    moved: Mapping[str, Amount]
    people: Mapping[str, int]
    churned: Mapping[str, Amount]
    churned_people: Mapping[str, int]

    @property
    def net(self) -> Amount:
        """By how much MRR changed."""
        return self.after.mrr - self.before.mrr

    @property
    def gross_churn(self) -> Share:
        """Revenue churn, gross: (churned + contraction) / MRR at the start."""
        return Share(-self.moved["churn"] - self.moved["contraction"], self.before.mrr)

    @property
    def net_churn(self) -> Share:
        """Revenue churn, net: gross, less expansion and reactivation; below 0 where it grew by itself."""
        back = self.moved["expansion"] + self.moved["reactivation"]
        return Share(self.gross_churn.part - back, self.before.mrr)

    @property
    def customer_churn(self) -> Share:
        """Churned customers / active customers at the start."""
        return Share(-self.people["churn"], self.before.customers)


@dataclass(frozen=True, slots=True)
class Part:
    """What one plan (product id) or country ("" is not known) stands at."""

    key: str
    level: Level


@dataclass(frozen=True, slots=True)
class Options:
    """The currencies in which anybody ever came to any MRR or trial MRR, that of most customers first; the
    plans (product ids) and countries."""

    currencies: tuple[str, ...]
    plans: tuple[str, ...]
    countries: tuple[str, ...]


def options(session: Session, until: int) -> Options:
    """What views can be of, as of before `until` (UTC seconds)."""
    c = RevenueMonth
    key = (col(c.currency), col(c.plan), col(c.country))
    asked = sa.select(*key, sa.func.sum(col(c.accounts))).where(rollups.standing(c), col(c.month) < until)
    rows = session.execute(asked.group_by(*key)).all()
    customers: dict[str, int] = defaultdict(int)
    for code, _, _, people in rows:
        customers[code] += int(people)
    return Options(
        tuple(sorted(customers, key=lambda code: (-customers[code], code))),
        tuple(sorted({plan for _, plan, _, _ in rows if plan})),
        tuple(sorted({country for _, _, country, _ in rows if country})),
    )


def exact_since(session: Session) -> int | None:
    """From when on history was recorded as it happened (UTC seconds); before, it is reconstructed."""
    return session.execute(sa.select(col(MetricsState.exact_since))).scalar()


def is_counted(session: Session) -> bool:
    """Whether cells have been made yet."""
    return rollups.generation(session) > 0


@dataclass(frozen=True, slots=True)
class _Piece:
    """By how much things moved on a day, for one kind of movement and one cause."""

    day: int
    kind: str
    cause: str
    by: Level


def movements(session: Session, view: View, periods: Sequence[Period]) -> list[Movements]:
    """What each of the adjoining periods, oldest first, brought."""
    begins = [period.begins for period in periods]
    pieces: dict[int, list[_Piece]] = defaultdict(list)
    for piece in _pieces(session, view, begins[0], periods[-1].ends):
        pieces[bisect_right(begins, piece.day)].append(piece)
    found, before = [], _all(pieces[0])
    for place, period in enumerate(periods, start=1):
        found.append(_period(period, before, pieces[place]))
        before = found[-1].after
    return found


def _pieces(session: Session, view: View, since: int, until: int) -> list[_Piece]:
    """All that moved before `until`, day by day, oldest first; what did before `since`, as of one day."""
    c = _cells(view)
    day = sa.case((col(c.day) < since, since - 1), else_=col(c.day))
    asked = sa.select(day, col(c.kind), col(c.cause), col(c.currency), *_sums(c, _people(c, view)))
    asked = asked.where(*_within(c, view), col(c.day) < until)
    by_day = asked.group_by(sa.text("1"), col(c.kind), col(c.cause), col(c.currency)).order_by(sa.text("1"))
    rows = session.execute(by_day)
    return [_Piece(at, kind, cause, level) for at, kind, cause, level in _levels(view, rows)]


def _cells(view: View) -> Any:
    """The smallest table that knows of the view's filters."""
    return RevenueCell if view.plan or view.country else RevenueDay


def _people(cells: Any, view: View) -> Any:
    """SQL: whom a view counts: a plan's customers are those of the plan, all others count once."""
    return cells.customers if view.plan else cells.accounts


def _sums(cells: Any, people: Any) -> tuple[Any, ...]:
    """SQL: what a level is made of."""
    amounts = (cells.mrr, cells.committed, cells.trial)
    return (*(total(col(amount)) for amount in amounts), sa.func.sum(col(people)))


def _levels(view: View, rows: Iterable[Any]) -> list[Any]:
    """Rows whose last five columns are a currency and what `_sums` says, with a level in their place."""
    weights, found = view.weights, []
    for *key, code, mrr, committed, trial, people in rows:
        weight = weights[code]
        amounts = (weight * int(mrr), weight * int(committed), weight * int(trial))
        found.append((*key, Level(*amounts, int(people))))
    return found


def _all(pieces: Iterable[_Piece]) -> Level:
    return sum((piece.by for piece in pieces), Level())


def _period(period: Period, before: Level, pieces: Sequence[_Piece]) -> Movements:
    moved: dict[str, Amount] = dict.fromkeys((*KINDS, SWITCH), 0)
    people = dict.fromkeys((*KINDS, SWITCH), 0)
    churned: dict[str, Amount] = defaultdict(int)
    churned_people: dict[str, int] = defaultdict(int)
    for piece in pieces:
        if piece.kind:
            moved[piece.kind] += piece.by.mrr
            people[piece.kind] += piece.by.customers
        if piece.kind == "churn":
            churned[piece.cause] += piece.by.mrr
            churned_people[piece.cause] += piece.by.customers
    return Movements(period, before, before + _all(pieces), moved, people, churned, churned_people)


def daily(session: Session, view: View, since: int, until: int) -> list[tuple[int, Level]]:
    """What stood at the end of each day on which anything moved, and before the first: from the day that
    begins at `since` to before `until` (UTC seconds), oldest first."""
    level, found = Level(), dict[int, Level]()
    for piece in _pieces(session, view, since, until):
        level += piece.by
        found[max(piece.day, since)] = level
    return list(found.items())


def left_out(session: Session, view: View, until: int) -> dict[str, Level]:
    """What stood before `until` (UTC seconds) in currencies that the view does not convert, the most
    customers first."""
    c = _cells(view)
    asked = sa.select(col(c.currency), *_sums(c, _people(c, view)))
    asked = asked.where(*_filtered(c, view), col(c.currency).not_in(view.weights), col(c.day) < until)
    rows = session.execute(asked.group_by(col(c.currency)))
    levels = {code: Level(*map(int, numbers)) for code, *numbers in rows}
    some = {code: level for code, level in levels.items() if level.mrr or level.trial}
    return dict(sorted(some.items(), key=lambda one: -one[1].customers))


def by(session: Session, name: str, view: View, until: int) -> list[Part]:
    """What each plan, or country (`name`), stood at before `until` (UTC seconds), the largest first."""
    m, c = RevenueMonth, RevenueCell
    begun = sa.select(sa.func.max(col(m.month))).where(rollups.standing(m), col(m.month) < until)
    last = session.execute(begun).scalar() or 0
    levels: dict[str, Level] = defaultdict(Level)
    for cells, when in ((m, col(m.month) < last), (c, col(c.day).between(last, until - 1))):
        for part, level in _parts(session, cells, name, view, when):
            levels[part] += level
    some = [Part(part, level) for part, level in levels.items() if level.mrr or level.trial]
    return sorted(some, key=lambda part: (-part.level.mrr, part.key))


def _parts(
    session: Session, cells: Any, name: str, view: View, when: sa.ColumnElement[bool]
) -> list[tuple[str, Level]]:
    key = col(getattr(cells, name))
    people = cells.customers if name == "plan" else _people(cells, view)
    asked = sa.select(key, col(cells.currency), *_sums(cells, people)).where(*_within(cells, view), when)
    return _levels(view, session.execute(asked.group_by(key, col(cells.currency))))


def _within(cells: Any, view: View) -> list[sa.ColumnElement[bool]]:
    return [*_filtered(cells, view), col(cells.currency).in_(view.weights)]


def _filtered(cells: Any, view: View) -> list[sa.ColumnElement[bool]]:
    wanted = [rollups.standing(cells)]
    wanted += [col(cells.plan) == view.plan] if view.plan else []
    return wanted + ([col(cells.country) == view.country] if view.country else [])
