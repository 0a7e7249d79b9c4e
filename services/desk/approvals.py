"""What waits for a second person, and what do they say? Allowing it carries it out as it was asked for.

What has changed in Stripe since stops it, as it would have stopped the one who asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Action, BulkRun
from models.ledger import DECLINED
from services import database, durable
from services.desk import catalog, commands, entries, ledger, limits, loading, runner
from services.desk.commands import LONGEST_REASON, Outcome
from services.desk.entries import Entry
from services.errors import Conflict, InvalidInput, NotAllowed
from services.staff import people
from services.staff.roles import Permission, Person


@dataclass(frozen=True, slots=True)
class Request:
    """Something that waits. `over` are the limits that it exceeds; `is_own`: the looker has asked for it;
    `why_not`: why the looker may not allow it, "" where they may; `may_decline`: they may say no."""

    entry: Entry
    over: tuple[str, ...]
    is_own: bool
    why_not: str
    may_decline: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for something that needs a `permission`."""

    permission: Permission
    staff: int | None
    staff_name: str


def count(session: Session) -> int:
    """How many wait, bulk runs among them."""
    actions = sa.select(sa.func.count()).select_from(Action).where(col(Action.state) == "waiting")
    runs = sa.select(sa.func.count()).select_from(BulkRun).where(col(BulkRun.state) == "asked")
    return session.scalar(sa.select(actions.scalar_subquery() + runs.scalar_subquery())) or 0


def waiting(session: Session, person: Person, *, limit: int = 50) -> list[Request]:
    """The actions that wait, the oldest first, as this person sees them."""
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
    why_not, is_own = _why_not(session, person, row), row.staff == person.id
    return Request(entry, tuple(row.over), is_own, why_not, person.may(_asked(row).permission))


def _asked(row: Action) -> Asked:
    return Asked(catalog.find(row.command).permission, row.staff, row.staff_name)


def _why_not(session: Session, person: Person, row: Action) -> str:
    """Why this person may not allow it; "" where they may."""
    if reason := why_not(session, person, _asked(row)):
        return reason
    days_before = limits.days_before(session, row.customer, but=row.token)
    return " ".join(limits.exceeded(person, limits.of(row), days_before=days_before))


def why_not(session: Session, person: Person, asked: Asked) -> str:
    """Why this person may not allow it, however much it is; "" where they may."""
    if asked.staff == person.id:
        return "You asked for it yourself: somebody else has to look at it."
    if reason := person.why_not(asked.permission):
        return reason
    if not person.policy.approvals:
        return "Approvals are switched off on the page Policy: it can only be declined."
    asker = people.find(session, asked.staff)
    if asker is None or not asker.may(asked.permission):
        return f"{asked.staff_name} may not do this any more: it can only be declined."
    return ""


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
            raise _not_waiting(session, row)
    runner.start(row, 1, partition)
    return commands.wait(token)


def decline(person: Person, token: str, note: str) -> Outcome:
    """Says no, with a reason for who asked; who asked themselves takes it back.

    Raises NotAllowed for others who may not do such a thing, NotFound, InvalidInput without a reason, and
    Conflict where it does not wait (any more).
    """
    with database.transaction() as session:
        row = ledger.get(session, token)
        said = refusal(person, _asked(row), note)
        if not ledger.decline(session, token, person, error={"message": said, DECLINED: True}):
            raise _not_waiting(session, row)
    return Outcome(token, "failed", said)


def refusal(person: Person, asked: Asked, note: str) -> str:
    """What is told of a no, or of what is taken back. Raises NotAllowed, and InvalidInput with no reason."""
    note, is_own = note.strip(), asked.staff == person.id
    if not is_own:
        person.require(asked.permission)
    if not is_own and not 0 < len(note) <= LONGEST_REASON:
        raise InvalidInput(
            f"Say why not, in up to {LONGEST_REASON} characters: {asked.staff_name} will want to know.",
            field="note",
        )
    did = "took it back" if is_own else "said no"
    return f"{person.name} {did}{f': {note}' if note else '.'}"


def _not_waiting(session: Session, row: Action) -> Conflict:
    session.refresh(row)  # the statement that did not change it has changed what the session knows
    return decided(row.decider_name, "Look at its row in Activity.")


def decided(decider_name: str, where: str) -> Conflict:
    """That somebody has decided already, and `where` to look."""
    by = f" {decider_name} has decided about it." if decider_name else ""
    return Conflict(f"This does not wait for approval any more.{by}", remedy=where)
