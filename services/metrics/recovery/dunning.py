"""How often do payments fail, how much of it comes back, how soon, and by what? In one currency.

Failure rate: failed at the first try / tried, in the month of the first try. Recovery rate: recovered /
failed, of the payments that first failed in a month. Both by volume (the invoices' totals) and by count. A
month is open while one of its payments is still in recovery, or the month itself is not over: its rate lies
between what is recovered and what still can be, and is not its last word. What is lost is no longer asked
for, or by a subscription that is over. A refund or a dispute after recovery does not turn it back. The first
invoice after a trial is left out of all of it (see `recovery`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import sqlalchemy as sa
from sqlmodel import Session, col

from models import FailureCell, PassedCell
from services.metrics.counting.rollups import standing
from services.metrics.periods import Period
from services.metrics.recovery.recovery import CAME_TO, CameTo
from services.metrics.revenue.revenue_history import Share
from services.metrics.statistics.statistics import Rate
from services.metrics.statistics.sums import total

Part = Literal["plan", "country", "code", "by"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which payments a question is about: those of a currency that were first tried in one of the adjoining
    periods (oldest first), of a plan (a product id; "" those without one, None all)."""

    currency: str
    periods: tuple[Period, ...]
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class Payments:
    """So many payments, and what their invoices come to (minor units of one currency)."""

    count: int = 0
    amount: int = 0

    def __add__(self, other: Payments) -> Payments:
        return Payments(self.count + other.count, self.amount + other.amount)


@dataclass(frozen=True, slots=True)
class Group:
    """Payments that have something in common: what failed, by what became of it, and what passed at once."""

    key: str
    states: Mapping[CameTo, Payments]
    passed: Payments = Payments()

    @property
    def failed(self) -> Payments:
        """All that failed."""
        return sum(self.states.values(), Payments())

    @property
    def failure(self) -> Rate:
        """Failed / tried, by count."""
        return Rate(self.failed.count, self.failed.count + self.passed.count)

    @property
    def failure_volume(self) -> Share:
        """Failed / tried, by volume."""
        return Share(self.failed.amount, self.failed.amount + self.passed.amount)

    @property
    def recovery(self) -> Rate:
        """Recovered / failed, by count."""
        return Rate(self.states["recovered"].count, self.failed.count)

    @property
    def recovery_volume(self) -> Share:
        """Recovered / failed, by volume."""
        return Share(self.states["recovered"].amount, self.failed.amount)

    @property
    def possible_volume(self) -> Share:
        """What is recovered or still can be / failed, by volume."""
        still = self.states["recovered"] + self.states["in_recovery"]
        return Share(still.amount, self.failed.amount)


@dataclass(frozen=True, slots=True)
class Cohort(Group):
    """The payments of one period. `open`: what became of them is not decided for all."""

    period: Period = field(kw_only=True)
    open: bool = field(kw_only=True)


@dataclass(frozen=True)
class Numbers:
    """All about the payments of a question; `cells` are (month, part, value, state) and their payments,
    `tried` (month, plan, country) and the payments that passed, `plans` (plan, state)."""

    asked: Asked
    as_of: int
    cells: Mapping[tuple[int, str, str, str], Payments]
    plans: Mapping[tuple[str, str], Payments]
    tried: Mapping[tuple[int, str, str], Payments]

    @cached_property
    def cohorts(self) -> Sequence[Cohort]:
        """Every period's payments, oldest first."""
        return [self._cohort(period) for period in self.asked.periods]

    @cached_property
    def closed(self) -> Sequence[Cohort]:
        """The periods in which something failed, and of which all is decided."""
        return [one for one in self.cohorts if not one.open and one.failed.count]

    @cached_property
    def all(self) -> Group:
        """The payments of all periods together."""
        return together(self.cohorts)

    @cached_property
    def days(self) -> Counter[int]:
        """How many payments were recovered on which day after the first failure."""
        found: Counter[int] = Counter()
        for (_, part, value, _), payments in self.cells.items():
            if part == "days":
                found[int(value)] += payments.count
        return found

    def by(self, part: Part) -> list[Group]:
        """The payments of all periods by plan, country, code of the first failure, or what paid them; what
        most money failed by first."""
        if part == "plan":
            found = _grouped(((key, state), sums) for (key, state), sums in self.plans.items())
        else:
            mine = ((key[2:], sums) for key, sums in self.cells.items() if key[1] == part)
            found = _grouped(mine)
        passed = self._passed(part)
        groups = [_group(key, found.get(key, {}), passed[key]) for key in {*found, *passed}]
        return sorted(groups, key=lambda one: (-one.failed.amount, -one.failed.count, one.key))

    def _passed(self, part: Part) -> dict[str, Payments]:
        found: dict[str, Payments] = defaultdict(Payments)
        if part in ("plan", "country"):
            for (_, plan, country), payments in self.tried.items():
                found[plan if part == "plan" else country] += payments
        return found

    def _cohort(self, period: Period) -> Cohort:
        states = {state: self.cells.get((period.begins, "", "", state), Payments()) for state in CAME_TO}
        passed = sum(
            (payments for key, payments in self.tried.items() if key[0] == period.begins), Payments()
        )
        is_open = period.ends > self.as_of or states["in_recovery"].count > 0
        return Cohort(period.key, states, passed, period=period, open=is_open)


def together(groups: Iterable[Group]) -> Group:
    """The payments of these groups as one."""
    states: dict[CameTo, Payments] = dict.fromkeys(CAME_TO, Payments())
    passed = Payments()
    for one in groups:
        states = {state: states[state] + one.states[state] for state in CAME_TO}
        passed += one.passed
    return Group("", states, passed)


def _grouped(cells: Iterable[tuple[tuple[str, str], Payments]]) -> dict[str, dict[str, Payments]]:
    found: dict[str, dict[str, Payments]] = defaultdict(lambda: defaultdict(Payments))
    for (key, state), payments in cells:
        found[key][state] += payments
    return found


def _group(key: str, states: Mapping[str, Payments], passed: Payments) -> Group:
    return Group(key, {state: states.get(state, Payments()) for state in CAME_TO}, passed)


def read(session: Session, asked: Asked, *, as_of: int) -> Numbers:
    """Counts the payments of a question; `periods` are whole months of the workspace's zone."""
    f, p = FailureCell, PassedCell
    return Numbers(
        asked,
        as_of,
        _summed(session, asked, f, col(f.month), col(f.part), col(f.value), col(f.state)),
        _summed(session, asked, f, col(f.plan), col(f.state), where=(col(f.part) == "",)),
        _summed(session, asked, p, col(p.month), col(p.plan), col(p.country)),
    )


def _summed(session: Session, asked: Asked, cells: Any, *keys: Any, where: Sequence[Any] = ()) -> Any:
    """What the cells of a question come to, by some of their keys."""
    wanted = [
        standing(cells),
        col(cells.currency) == asked.currency,
        col(cells.month) >= asked.periods[0].begins,
        col(cells.month) <= asked.periods[-1].begins,
    ]
    if asked.plan is not None:
        wanted.append(col(cells.plan) == asked.plan)
    sums = sa.select(*keys, sa.func.sum(col(cells.payments)), total(col(cells.amount)))
    rows = session.execute(sums.where(*wanted, *where).group_by(*keys))
    return {tuple(key): Payments(int(count), int(amount)) for *key, count, amount in rows}


def currencies(session: Session) -> dict[str, int]:
    """How many payments were tried in each currency, the most first."""
    found: Counter[str] = Counter()
    for cells, where in ((FailureCell, (col(FailureCell.part) == "",)), (PassedCell, ())):
        sums = sa.select(col(cells.currency), sa.func.sum(col(cells.payments))).where(standing(cells), *where)
        for currency, number in session.execute(sums.group_by(col(cells.currency))):
            found[currency] += int(number)
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def plans(session: Session) -> list[str]:
    """The plans (product ids, "" for none) of all payments."""
    found = {
        plan
        for cells in (FailureCell, PassedCell)
        for plan in session.execute(sa.select(col(cells.plan)).where(standing(cells)).distinct()).scalars()
    }
    return sorted(found)
