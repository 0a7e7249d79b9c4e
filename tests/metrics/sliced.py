"""What the desk says of parts of an account, in a shape in which the oracle can say the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from services.metrics.periods import Period
from services.metrics.recovery import dunning
from services.metrics.recovery.dunning import Asked, Part
from services.metrics.trials import conversion, curves, funnel
from services.metrics.trials.slices import Slice
from tests.metrics.oracle import failures, trials
from tests.metrics.oracle.failures import Failed
from tests.metrics.oracle.funnel import Journey
from tests.metrics.oracle.people import People
from tests.metrics.oracle.reading import Seen
from tests.metrics.oracle.recovery import Tries
from tests.metrics.oracle.trials import Trial

DIMS = ("plan", "price", "source", "currency", "country", "trial_days", "card_at_start", "extended")
PARTS: tuple[Part, ...] = ("plan", "country", "code", "by")
Told = dict[Any, Any]


def conversion_told(session: Session, asked: Slice, dim: str, at: int) -> Told:
    """How trials ended and how many converted within 30 days, by a value and the period of their start."""
    return {
        (value, cohort.period.key): (
            {state: count for state, count in cohort.states.items() if count}, cohort.rate.part
        )
        for value, part in conversion.outcomes_by(session, asked, dim, as_of=at).items()
        for cohort in part.cohorts(30)
        if cohort.started
    }  # fmt: skip


def conversion_asked(by_value: dict[str, list[Trial]], grain: str, zone: ZoneInfo) -> Told:
    """What the oracle says of them."""
    return {
        (value, period): (dict(trials.states(mine)), trials.rate(mine, 30)[0])
        for value, some in by_value.items()
        for period, mine in trials.cohorts(some, grain, zone).items()
    }


def curves_told(session: Session, asked: Slice, dim: str, at: int) -> Told:
    """How many trials were watched on each day, and how many converted on it."""
    found = curves.curves_by(session, asked, dim, as_of=at)
    return {value: (list(one.at_risk), list(one.converted)) for value, one in found.items()}


def curves_asked(by_value: dict[str, list[Trial]], at: int) -> Told:
    """What the oracle says of them."""
    return {value: trials.by_day(some, at, curves.LONGEST) for value, some in by_value.items()}


def funnel_told(session: Session, asked: Slice, dim: str) -> Told:
    """How many customers came how far, on which path."""
    return {
        (value, cell.path, cell.depth, cell.waits): cell.count
        for value, cells in funnel.walked_by(session, asked, dim).items()
        for cell in cells
    }


def funnel_asked(every: Iterable[Journey], value_of: Callable[[Journey], str]) -> Told:
    """What the oracle says of them."""
    return dict(Counter((value_of(one), one.path, len(one.reached) - 1, one.waits) for one in every))


def dunning_told(session: Session, asked: Asked, at: int) -> Told:
    """What became of failed payments by what they have in common, and what passed at once beside them."""
    numbers = dunning.read(session, asked, as_of=at)
    return {
        (part, group.key): (
            {state: (sums.count, sums.amount) for state, sums in group.states.items() if sums.count},
            (group.passed.count, group.passed.amount),
        )
        for part in PARTS
        for group in numbers.by(part)
    }


def dunning_asked(seen: Seen, tries: Tries, currency: str, months: Sequence[Period]) -> Told:
    """What the oracle says of them."""
    begins, ends, people = months[0].begins, months[-1].ends, People(seen)
    failed: Told = defaultdict(lambda: defaultdict(lambda: (0, 0)))
    passed: Told = defaultdict(lambda: (0, 0))
    for one in failures.failed(seen).values():
        if one.currency == currency and begins <= one.failed_at < ends and not one.is_first_after_trial:
            for key in _parts(one, people, tries):
                failed[key][one.came_to] = _more(failed[key][one.came_to], one.amount)
    for one in failures.passed(seen).values():
        if one.currency == currency and begins <= one.at < ends:
            for key in (("plan", one.plan), ("country", people.country(one.customer))):
                passed[key] = _more(passed[key], one.amount)
    return {key: (dict(failed[key]), passed[key]) for key in failed.keys() | passed.keys()}


def _parts(one: Failed, people: People, tries: Tries) -> list[tuple[str, str]]:
    found = [("plan", one.plan), ("country", people.country(one.customer)), ("code", tries.why(one))]
    return [*found, ("by", tries.paid_by(one))] if one.came_to == "recovered" else found


def _more(known: tuple[int, int], amount: int) -> tuple[int, int]:
    return known[0] + 1, known[1] + amount


def grouped(every: Iterable[Trial], value_of: Callable[[Trial], str]) -> dict[str, list[Trial]]:
    """The trials by a value."""
    found: dict[str, list[Trial]] = defaultdict(list)
    for one in every:
        found[value_of(one)].append(one)
    return dict(found)
