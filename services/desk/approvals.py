"""What waits for a second person, and what do they say? Allowing it carries it out as it was asked for.

What has changed in Stripe since stops it, as it would have stopped the one who asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Action
from models.ledger import DECLINED
from services import database, durable
from services.desk import catalog, commands, entries, ledger, limits, loading, runner
from services.desk.commands import LONGEST_REASON, Outcome
from services.desk.entries import Entry
from services.errors import Conflict, InvalidInput, NotAllowed
from services.staff import people
from services.staff.roles import Person


@dataclass(frozen=True, slots=True)
class Request:
    """Something that waits. `over` are the limits that it exceeds; `is_own`: the looker has asked for it;
    `why_not`: why the looker may not allow it, "" where they may."""

    entry: Entry
    over: tuple[str, ...]
    is_own: bool
    why_not: str


def count(session: Session) -> int:
    """How many wait."""
    waiting = sa.select(sa.func.count()).select_from(Action).where(col(Action.state) == "waiting")
    return session.scalar(waiting) or 0


def waiting(session: Session, person: Person, *, limit: int = 50) -> list[Request]:
    """What waits, the oldest first, as this person sees it."""
    oldest = (col(Action.opened_at), col(Action.token))
    rows = {
        row.token: row
        for row in session.exec(
            select(Action).where(Action.state == "waiting").order_by(*oldest).limit(limit)
        )
    }
    told = entries.told(session, [(entries.ACTIONS, token) for token in rows])
    return [_request(session, person, rows[entry.token], entry) for entry in told]


def _request(session: Session, person: Person, row: Action, entry: Entry) -> Request:
    why_not = _why_not(session, person, row)
    return Request(entry, tuple(row.over), row.staff == person.id, why_not)


def _why_not(session: Session, person: Person, row: Action) -> str:
    """Why this person may not allow it; "" where they may."""
    permission = catalog.find(row.command).permission
    if row.staff == person.id:
        return "You asked for it yourself: somebody else has to look at it."
    if reason := person.why_not(permission):
        return reason
    if not person.policy.approvals:
        return "Approvals are switched off on the page Policy: it can only be declined."
    asker = people.find(session, row.staff)
    if asker is None or not asker.may(permission):
        return f"{row.staff_name} may not do this any more: it can only be declined."
    days_before = limits.days_before(session, row.customer, but=row.token)
    return " ".join(limits.exceeded(person, limits.of(row), days_before=days_before))


def allow(person: Person, token: str) -> Outcome:
    """Carries out what was asked for, and waits up to 20 s for its outcome.

    Raises NotAllowed for who asked, and for whom it is too much as well; NotFound; Conflict where it does not
    wait (any more).
    """
    durable.require()
    with database.transaction() as session:
        row = ledger.get(session, token)
        limits.take_turn(session, row.customer)
        if reason := _why_not(session, person, row):
            raise NotAllowed("approve this", reason)
        partition = loading.load(session, row.customer, row.object_id).partition
        if not ledger.approve(session, token, person):
            raise _not_waiting(row)
    runner.start(row, 1, partition)
    return commands.wait(token)


def decline(person: Person, token: str, note: str) -> Outcome:
    """Says no, with a reason for who asked; who asked themselves takes it back.

    Raises NotAllowed for others who may not do such a thing, NotFound, InvalidInput without a reason, and
    Conflict where it does not wait (any more).
    """
    note = note.strip()
    with database.transaction() as session:
        row = ledger.get(session, token)
        is_own = row.staff == person.id
        if not is_own:
            person.require(catalog.find(row.command).permission)
        if not is_own and not 0 < len(note) <= LONGEST_REASON:
            raise InvalidInput(
                f"Say why not, in up to {LONGEST_REASON} characters: {row.staff_name} will want to know.",
                field="note",
            )
        did = "took it back" if is_own else "said no"
        said = f"{person.name} {did}{f': {note}' if note else '.'}"
        if not ledger.decline(session, token, person, error={"message": said, DECLINED: True}):
            raise _not_waiting(row)
    return Outcome(token, "failed", said)


def _not_waiting(row: Action) -> Conflict:
    by = f" {row.decider_name} has decided about it." if row.decider_name else ""
    return Conflict(f"This does not wait for approval any more.{by}", remedy="Look at its row in Activity.")
