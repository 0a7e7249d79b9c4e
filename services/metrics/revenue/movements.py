"""By how much did a customer's MRR move on each day, in which way, and why did it go?

Shared definition (metrics: Money, Churn): movements are new, expansion, contraction, churn and reactivation,
and add up to the change in MRR. A day compares what a customer came to at its end with what it came to at the
end of the day before, in one currency; weeks and months are sums of days. Canceling one of two subscriptions
is contraction. A customer churns when its MRR reaches 0 for any cause, and reactivates when it leaves 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.metrics.statistics.sums import MOST

KINDS = ("new", "reactivation", "expansion", "contraction", "churn")
SWITCH = "switch"
CAUSES = ("voluntary", "involuntary", "unpaid", "paused", "collection_paused", "free")


@dataclass(slots=True)  # not frozen: millions are made, in a third of the time
class Point:
    """What one subscription comes to a month from `at` (UTC seconds) until its next point, in micros.

    `cause` is why MRR is nothing (a trial is free), "" where it is something or was nothing yet; `exact`:
    nothing of it is reconstructed.
    """

    at: int
    plan: str = ""
    mrr: int = 0
    committed: int = 0
    trial: int = 0
    cause: str = ""
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Move:
    """How one plan's part of a customer's MRR moved on a day; see models.RevenueMove."""

    day: int
    plan: str
    kind: str
    cause: str
    mrr: int
    committed: int
    trial: int
    customers: int
    accounts: int
    after: int
    first_day: int
    exact: bool


@dataclass(slots=True)
class _Sum:
    mrr: int = 0
    committed: int = 0
    trial: int = 0


@dataclass(slots=True)
class _Standing:
    """What a customer came to at the end of a day, by plan."""

    plans: Mapping[str, _Sum] = field(default_factory=dict)
    first_day: int = 0

    @property
    def mrr(self) -> int:
        return sum(one.mrr for one in self.plans.values())


def moves(timelines: Sequence[Sequence[Point]], day_of: Callable[[int], int]) -> list[Move]:
    """All movements of one customer in one currency, oldest first.

    `timelines`: each subscription's points, oldest first. `day_of` names the day of an instant.
    """
    found: list[Move] = []
    latest: list[Point | None] = [None] * len(timelines)
    before = _Standing()
    for day, news in _by_day(timelines, day_of):
        last = list(latest)
        for index, point in news:
            latest[index] = point
        after = _standing(latest, before.first_day, day)
        exact = all(point.exact for _, point in news)
        found += _of_day(day, before, after, _cause(last, latest), exact=exact)
        before = after
    return found


def _by_day(
    timelines: Sequence[Sequence[Point]], day_of: Callable[[int], int]
) -> Iterator[tuple[int, list[tuple[int, Point]]]]:
    days: dict[int, list[tuple[int, Point]]] = defaultdict(list)
    for index, points in enumerate(timelines):
        for point in points:
            days[day_of(point.at)].append((index, point))
    return ((day, days[day]) for day in sorted(days))


def _standing(latest: Iterable[Point | None], first_day: int, day: int) -> _Standing:
    plans: dict[str, _Sum] = defaultdict(_Sum)
    for point in latest:
        if point is not None and (point.mrr or point.trial):
            one = plans[point.plan]
            one.mrr += min(point.mrr, MOST)
            one.committed += min(point.committed, MOST)
            one.trial += min(point.trial, MOST)
    found = _Standing(plans, first_day)
    if not first_day and found.mrr:
        found.first_day = day
    return found


def _cause(last: Sequence[Point | None], latest: Sequence[Point | None]) -> str:
    """Why the subscription that came to most the day before comes to nothing."""
    gone = [
        (then.mrr, now.cause)
        for then, now in zip(last, latest, strict=True)
        if then is not None and now is not None and then.mrr and not now.mrr
    ]
    return max(gone, default=(0, ""))[1]


def _kind(before: int, after: int, *, ever: bool) -> str:
    if before == after:
        return SWITCH
    if not before:
        return "reactivation" if ever else "new"
    if not after:
        return "churn"
    return "expansion" if after > before else "contraction"


def _of_day(day: int, before: _Standing, after: _Standing, cause: str, *, exact: bool) -> list[Move]:
    old, new = before.mrr, after.mrr
    kind = _kind(old, new, ever=bool(before.first_day))
    found = []
    for plan in sorted({*before.plans, *after.plans}):
        then, now = before.plans.get(plan, _Sum()), after.plans.get(plan, _Sum())
        if then == now:
            continue
        moved = now.mrr != then.mrr
        found.append(
            Move(
                day=day,
                plan=plan,
                kind=kind if moved else "",
                cause=cause if moved and kind == "churn" else "",
                mrr=now.mrr - then.mrr,
                committed=now.committed - then.committed,
                trial=now.trial - then.trial,
                customers=(now.mrr > 0) - (then.mrr > 0),
                accounts=0,
                after=new,
                first_day=after.first_day,
                exact=exact,
            )
        )
    return _with_accounts(found, (new > 0) - (old > 0))


def _with_accounts(found: list[Move], accounts: int) -> list[Move]:
    """The customer itself is counted once, on the plan that moved most."""
    if not accounts:
        return found
    most = max(range(len(found)), key=lambda at: (abs(found[at].mrr), found[at].plan))
    found[most] = replace(found[most], accounts=accounts)
    return found
