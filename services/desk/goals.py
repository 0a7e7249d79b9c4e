"""What do the founders want to reach, and by when? Set, changed and taken back by who may, seen by all who
may see numbers. Activity keeps who did it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import cast
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from models import Goal
from services import clock, money
from services.customers import audit
from services.desk import words
from services.errors import InvalidInput, NotFound
from services.metrics import goals
from services.metrics.goals import MEASURES, WHOLE, Mark, Measure, Way
from services.staff.roles import Permission, Person

TITLES: dict[Measure, str] = {
    "mrr": "MRR",
    "conversion": "Trial conversion",
    "recovery": "Recovery of failed payments",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be reached by the end of a day (in the workspace's zone): micros of MRR in a currency, or
    basis points."""

    measure: Measure
    target: int
    by: date
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A goal as it was set, its way, and what became known on it; the way is None without data."""

    id: int
    measure: Measure
    currency: str
    by: date
    way: Way | None
    marks: tuple[Mark, ...]


def every(session: Session, person: Person, zone: ZoneInfo) -> list[Kept]:
    """All goals, the one that is due first on top. Raises NotAllowed."""
    person.require(Permission.SEE_METRICS)
    due_first = select(Goal).order_by(col(Goal.ends), col(Goal.id))
    return [_kept(session, row, zone) for row in session.exec(due_first)]


def add(session: Session, person: Person, draft: Draft, zone: ZoneInfo) -> Goal:
    """Sets a goal; its way begins now, where the measure stands now.

    Raises InvalidInput where that is no way up, or where there is no data to begin from, and NotAllowed.
    """
    person.require(Permission.SET_GOALS)
    _check_measure(draft)
    now = clock.now()
    start = goals.value(session, draft.measure, draft.currency, as_of=now, zone=zone)
    if start is None:
        raise InvalidInput(
            f"{TITLES[draft.measure]} has no data yet, so there is nothing to begin from.",
            remedy="Set the goal once the first month is no longer open.",
        )
    row = Goal(
        measure=draft.measure, currency=draft.currency, target=draft.target, start=start, begins=now,
        ends=_end(draft.by, zone), created_by=person.id, created_at=now,
    )  # fmt: skip
    _check_way(row, start, now)
    session.add(row)
    session.flush()
    audit.record(session, person, "goal_set", object_id=str(row.id), after=_said(row, zone))
    return row


def change(session: Session, person: Person, id: int, target: int, by: date, zone: ZoneInfo) -> None:
    """Another target or another day; the way begins where it began.

    Raises InvalidInput where that is no way up, NotAllowed, and NotFound.
    """
    row = _row(session, person, id)
    before = _said(row, zone)
    row.target, row.ends = target, _end(by, zone)
    _check_way(row, row.start, clock.now())
    audit.changed(
        session, person, "goal_changed", "", object_id=str(id), before=before, after=_said(row, zone),
        always=("goal",),
    )  # fmt: skip


def remove(session: Session, person: Person, id: int, zone: ZoneInfo) -> None:
    """Takes a goal back. Raises NotAllowed, NotFound."""
    row = _row(session, person, id)
    session.delete(row)
    audit.record(session, person, "goal_removed", object_id=str(id), before=_said(row, zone))


def said(measure: Measure, value: int, currency: str) -> str:
    """A value of a measure as people write it: `$1,250.00`, `42.5 %`."""
    if measure == "mrr":
        return words.money(money.whole(value), currency)
    return f"{100 * value / WHOLE:.1f} %"


def _kept(session: Session, row: Goal, zone: ZoneInfo) -> Kept:
    measure, now = cast("Measure", row.measure), clock.now()
    standing = goals.value(session, measure, row.currency, as_of=now, zone=zone)
    known = goals.marks(session, measure, row.currency, row.begins, as_of=now, zone=zone)
    way = None
    if standing is not None:
        way = Way(row.begins, row.ends, row.start, row.target, Mark(now, standing))
    return Kept(row.id or 0, measure, row.currency, _day(row, zone), way, tuple(known))


def _row(session: Session, person: Person, id: int) -> Goal:
    person.require(Permission.SET_GOALS)
    row = session.get(Goal, id)
    if row is None:
        raise NotFound("goal", str(id), remedy="Somebody may have taken it back; load the page again.")
    return row


def _check_measure(draft: Draft) -> None:
    if draft.measure not in MEASURES:
        raise InvalidInput("The measure is not known.", field="measure", remedy="Choose one of the list.")
    if (draft.measure == "mrr") != bool(draft.currency):
        raise InvalidInput(
            "A goal for MRR names its currency, and no other does.",
            field="currency",
            remedy="Choose the currency.",
        )


def _check_way(row: Goal, start: int, now: int) -> None:
    measure = cast("Measure", row.measure)
    if row.ends <= now:
        raise InvalidInput("That day is over.", field="by", remedy="Choose a day to come.")
    if measure != "mrr" and row.target > WHOLE:
        raise InvalidInput("A share is at most 100 %.", field="target", remedy="Lower it.")
    if row.target <= start:
        raise InvalidInput(
            f"{TITLES[measure]} stands at {said(measure, start, row.currency)} already.",
            field="target",
            remedy="Choose a target above that.",
        )


def _end(by: date, zone: ZoneInfo) -> int:
    return clock.date_start(by, zone, plus_days=1)


def _day(row: Goal, zone: ZoneInfo) -> date:
    return clock.local(row.ends - 1, zone).date()


def _said(row: Goal, zone: ZoneInfo) -> dict[str, str]:
    """The goal as Activity tells it."""
    measure = cast("Measure", row.measure)
    of = f" in {row.currency.upper()}" if row.currency else ""
    return {
        "goal": f"{TITLES[measure]}{of}",
        "goal_target": said(measure, row.target, row.currency),
        "goal_by": _day(row, zone).isoformat(),
    }
