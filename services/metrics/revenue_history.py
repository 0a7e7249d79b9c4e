"""How did MRR and the customers behind it move, month by month, and who stayed? Per currency.

All of it are sums of the daily cells of `revenue_book`, so that months are sums of their days, movements add
up to the change of MRR, and parts (plans, countries) to the whole. Shared definition: metrics, Money and
Churn. What stands at the end of a period is what stood at the end of its last day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import MetricsState, RetentionCell, RevenueCell
from services.metrics import rollups
from services.metrics.movements import KINDS, SWITCH
from services.metrics.periods import Period
from services.metrics.revenue import Revenue, Revenues
from services.metrics.sums import total


@dataclass(frozen=True, slots=True)
class View:
    """Whose revenue: one currency; a plan (product id) and a country, "" for all."""

    currency: str
    plan: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`, in the same unit; `value` None is "no data". Parts may be below 0 or above whole."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """The share."""
        return self.part / self.whole if self.whole else None


@dataclass(slots=True)
class Level:
    """What stands at an instant: micros, and customers with MRR above zero."""

    mrr: int = 0
    committed: int = 0
    trial: int = 0
    customers: int = 0

    @property
    def arr(self) -> int:
        """MRR times twelve."""
        return 12 * self.mrr

    @property
    def arpa(self) -> int | None:
        """MRR for each active customer, in micros, rounded down; None is "no data"."""
        return self.mrr // self.customers if self.customers else None


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
    moved: Mapping[str, int]
    people: Mapping[str, int]
    churned: Mapping[str, int]
    churned_people: Mapping[str, int]

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
class Retained:
    """The customers who first paid in the month `cohort` (its first instant): `customers` and `mrr` (micros)
    at the end of each of the months from it on."""

    cohort: int
    customers: Sequence[int]
    mrr: Sequence[int]


def currencies(session: Session) -> list[str]:
    """The currencies in which anybody ever came to any MRR or trial MRR."""
    c = RevenueCell
    found = sa.select(col(c.currency)).where(rollups.standing(c)).distinct()
    return sorted(session.execute(found).scalars())


def exact_since(session: Session) -> int | None:
    """From when on history was recorded as it happened (UTC seconds); before, it is reconstructed."""
    return session.execute(sa.select(col(MetricsState.exact_since))).scalar()


def is_counted(session: Session) -> bool:
    """Whether cells have been made yet."""
    return rollups.generation(session) > 0


def movements(session: Session, view: View, periods: Sequence[Period]) -> list[Movements]:
    """What each of the adjoining periods, oldest first, brought."""
    c = RevenueCell
    people = col(c.customers) if view.plan else col(c.accounts)
    sums = (total(col(c.mrr)), total(col(c.committed)), total(col(c.trial)), sa.func.sum(people))
    index = sa.case(
        *((col(c.day) < period.begins, place) for place, period in enumerate(periods)),
        (col(c.day) < periods[-1].ends, len(periods)),
        else_=-1,
    )  # fmt: skip
    asked = sa.select(index, col(c.kind), col(c.cause), *sums).where(*_within(c, view))
    rows = session.execute(asked.group_by(sa.text("1"), col(c.kind), col(c.cause)))
    pieces: dict[int, list[Any]] = defaultdict(list)
    for place, *rest in rows:
        pieces[place].append(rest)
    return _walk(periods, pieces)


def _walk(periods: Sequence[Period], pieces: Mapping[int, list[Any]]) -> list[Movements]:
    found, before = [], _moved(Level(), pieces.get(0, ()))
    for place, period in enumerate(periods, start=1):
        rows = pieces.get(place, ())
        after = _moved(before, rows)
        found.append(_period(period, before, after, rows))
        before = after
    return found


def _moved(level: Level, rows: Iterable[Any]) -> Level:
    mrr, committed, trial, people = level.mrr, level.committed, level.trial, level.customers
    for _, _, more_mrr, more_committed, more_trial, more_people in rows:
        mrr += int(more_mrr)
        committed += int(more_committed)
        trial += int(more_trial)
        people += int(more_people)
    return Level(mrr, committed, trial, people)


def _period(period: Period, before: Level, after: Level, rows: Iterable[Any]) -> Movements:
    moved, people = (dict.fromkeys((*KINDS, SWITCH), 0) for _ in range(2))
    churned: dict[str, int] = defaultdict(int)
    churned_people: dict[str, int] = defaultdict(int)
    for kind, cause, mrr, _, _, number in rows:
        if kind:
            moved[kind] += int(mrr)
            people[kind] += int(number)
        if kind == "churn":
            churned[cause] += int(mrr)
            churned_people[cause] += int(number)
    return Movements(period, before, after, moved, people, churned, churned_people)


def daily(session: Session, view: View, since: int, until: int) -> list[tuple[int, Level]]:
    """What stood at the end of each day on which anything moved, and before the first: from the day that
    begins at `since` to before `until` (UTC seconds), oldest first."""
    c = RevenueCell
    people = col(c.customers) if view.plan else col(c.accounts)
    sums = (total(col(c.mrr)), total(col(c.committed)), total(col(c.trial)), sa.func.sum(people))
    day = sa.case((col(c.day) < since, since - 1), else_=col(c.day)).label("of_day")
    asked = sa.select(day, sa.literal(""), sa.literal(""), *sums)
    asked = asked.where(*_within(c, view), col(c.day) < until).group_by(sa.text("1")).order_by(sa.text("1"))
    found, level = [], Level()
    for at, *rest in session.execute(asked):
        level = _moved(level, [rest])
        found.append((max(at, since), level))
    return found


def stood(session: Session, instant: int) -> Revenues | None:
    """What stood before the day that begins at the instant (UTC seconds); None before all is counted."""
    if not is_counted(session):
        return None
    c = RevenueCell
    sums = (total(col(c.mrr)), sa.func.sum(col(c.accounts)), sa.func.sum(col(c.people)))
    asked = sa.select(col(c.currency), *sums).where(rollups.standing(c), col(c.day) < instant)
    rows = [(code, *map(int, numbers)) for code, *numbers in session.execute(asked.group_by(col(c.currency)))]
    by_currency = {code: Revenue(mrr, customers) for code, mrr, customers, _ in rows if customers}
    return Revenues(sum(people for *_, people in rows), by_currency)


def by(session: Session, name: str, view: View, until: int) -> list[Part]:
    """What each plan, or country (`name`), stood at before `until` (UTC seconds), the largest first."""
    c = RevenueCell
    key = col(getattr(RevenueCell, name))
    people = col(c.accounts) if name == "country" and not view.plan else col(c.customers)
    sums = (total(col(c.mrr)), total(col(c.committed)), total(col(c.trial)), sa.func.sum(people))
    asked = sa.select(key, *sums).where(*_within(c, view), col(c.day) < until).group_by(key)
    found = [Part(part, Level(*map(int, numbers))) for part, *numbers in session.execute(asked)]
    some = [part for part in found if part.level.mrr or part.level.trial]
    return sorted(some, key=lambda part: (-part.level.mrr, part.key))


def retention(session: Session, view: View, cohorts: Sequence[Period], until: int) -> list[Retained]:
    """Each month's new customers and what they came to at the end of it and of each month after it, as far
    as these have begun before `until` (UTC seconds). `view.plan` has no say: cohorts are of customers."""
    c = RetentionCell
    asked = sa.select(col(c.cohort), col(c.month), total(col(c.mrr)), sa.func.sum(col(c.accounts)))
    asked = asked.where(rollups.standing(c), col(c.currency) == view.currency)
    if view.country:
        asked = asked.where(col(c.country) == view.country)
    moved: dict[tuple[int, int], tuple[int, int]] = {}
    for cohort, month, mrr, people in session.execute(asked.group_by(col(c.cohort), col(c.month))):
        moved[cohort, month] = int(mrr), int(people)
    begun = [period.begins for period in cohorts if period.begins < until]
    return [_retained(cohort, [month for month in begun if month >= cohort], moved) for cohort in begun]


def _retained(
    cohort: int, months: Sequence[int], moved: Mapping[tuple[int, int], tuple[int, int]]
) -> Retained:
    mrr, people, standing = 0, 0, []
    for month in months:
        more, others = moved.get((cohort, month), (0, 0))
        mrr, people = mrr + more, people + others
        standing.append((people, mrr))
    return Retained(cohort, [one for one, _ in standing], [one for _, one in standing])


def _within(cells: Any, view: View) -> list[sa.ColumnElement[bool]]:
    wanted = [rollups.standing(cells), col(cells.currency) == view.currency]
    wanted += [col(cells.plan) == view.plan] if view.plan else []
    return wanted + ([col(cells.country) == view.country] if view.country else [])
