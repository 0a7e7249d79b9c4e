"""What do the founders want to reach, and by when? Set, changed and taken back by who may, seen by all who
may see numbers. Activity keeps who did it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import cast
from zoneinfo import ZoneInfo

from babel.numbers import format_percent
from sqlmodel import Session, col, select

from models import Goal
from services import clock, config, money
from services.customers import audit
from services.customers.recognise import CURRENCIES
from services.desk import words
from services.errors import InvalidInput, NotFound
from services.metrics import goals
from services.metrics.goals import MEASURES, WHOLE, Mark, Measure, Way
from services.metrics.statistics.sums import LARGEST
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
    """A goal as it was set: from `start` at `begins` to `target` at `ends` (UTC seconds), the end of the day
    `by`. Values are micros of MRR, or basis points."""

    id: int
    measure: Measure
    currency: str
    start: int
    target: int
    begins: int
    ends: int
    by: date

    def way(self, now: Mark) -> Way:
        """Its way, where the measure stands so now."""
        return Way(self.begins, self.ends, self.start, self.target, now)


def every(session: Session, person: Person, zone: ZoneInfo) -> list[Kept]:
    """All goals, the one that is due first on top. Raises NotAllowed."""
    person.require(Permission.SEE_METRICS)
    due_first = select(Goal).order_by(col(Goal.ends), col(Goal.id))
    return [_kept(row, zone) for row in session.exec(due_first)]


def add(session: Session, person: Person, draft: Draft, zone: ZoneInfo) -> Goal:
    """Sets a goal; its way begins now, where the measure stands now.

    Raises InvalidInput where that is no way up, or more than can be kept, or where there is no data to begin
    from, and NotAllowed.
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

    Raises InvalidInput where that is no way up, or more than can be kept, NotAllowed, and NotFound.
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
    return str(format_percent(value / WHOLE, "#,##0.0 %", locale=config.settings().workspace_locale))


def _kept(row: Goal, zone: ZoneInfo) -> Kept:
    measure, day = cast("Measure", row.measure), _day(row, zone)
    return Kept(row.id or 0, measure, row.currency, row.start, row.target, row.begins, row.ends, day)


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
    if draft.currency and draft.currency not in CURRENCIES:
        raise InvalidInput("The currency is not known.", field="currency", remedy="Choose one of the list.")


def _check_way(row: Goal, start: int, now: int) -> None:
    measure = cast("Measure", row.measure)
    if row.ends <= now:
        raise InvalidInput("That day is over.", field="by", remedy="Choose a day to come.")
    if measure != "mrr" and row.target > WHOLE:
        raise InvalidInput("A share is at most 100 %.", field="target", remedy="Lower it.")
    if row.target > LARGEST:
        raise InvalidInput("No MRR comes to that much.", field="target", remedy="Lower it.")
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
