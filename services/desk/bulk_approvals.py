"""What of the runs waits for a second person, because it is more accounts than who asked may take at once?

Allowing it begins the run in the name of who asked; what has changed since is judged row by row, as it runs.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import BulkRow, BulkRun
from models.ledger import DECLINED
from services import database, durable
from services.desk import approvals, bulk, bulk_kinds, bulk_preview, bulk_progress, words
from services.desk.approvals import Asked, Request
from services.desk.commands import Outcome
from services.desk.entries import Entry
from services.errors import Conflict, NotAllowed, NotFound
from services.staff.roles import Person

RUNS: Final = "bulk_runs"  # the source of such an entry
_NAMED: Final = 10


def waiting(session: Session, person: Person, *, limit: int = 50) -> list[Request]:
    """The runs that wait, the oldest first, as this person sees them."""
    oldest = (col(BulkRun.created_at), col(BulkRun.id))
    wanted = select(BulkRun).where(BulkRun.state == "asked").order_by(*oldest).limit(limit)
    return [_request(session, person, run) for run in session.exec(wanted)]


def _request(session: Session, person: Person, run: BulkRun) -> Request:
    asked, many = _asked(session, run), bulk_progress.accounts(session, run.id)
    entry = Entry(
        RUNS, run.id, run.command, bulk_kinds.find(run.command).run_title(run.form), run.created_at,
        run.state, asked.staff_name, customer="", customer_name=words.plural(many, "account"), role=run.role,
        reason=run.reason, happens=(_about(session, run, many),),
    )  # fmt: skip
    why_not, is_own = _why_not(session, person, run, asked), run.staff == person.id
    return Request(entry, (run.note,), is_own, why_not, person.may(asked.permission))


def _about(session: Session, run: BulkRun, many: int) -> str:
    first = list(dict.fromkeys(row.name for row in bulk_progress.rows(session, run.id, limit=_NAMED)))
    more = f" and {many - len(first)} more" if many > len(first) else ""
    return f"It is about {', '.join(first)}{more}. Open the run to see what it is to do to each."


def _asked(session: Session, run: BulkRun) -> Asked:
    permission = bulk_kinds.find(run.command).command.permission
    return Asked(permission, run.staff, bulk_progress.name_of(session, run.staff))


def _why_not(session: Session, person: Person, run: BulkRun, asked: Asked) -> str:
    """Why this person may not allow it; "" where they may."""
    if reason := approvals.why_not(session, person, asked):
        return reason
    return " ".join(bulk_preview.too_many(person, bulk_progress.accounts(session, run.id)))


def allow(person: Person, id: str) -> Outcome:
    """Begins the run in the name of who asked.

    Raises NotAllowed for who asked, and for whom it is too much as well; NotFound; Conflict where it does not
    wait (any more); and Unavailable.
    """
    durable.require()
    with database.transaction() as session:
        run = _get(session, id)
        asked = _asked(session, run)
        if reason := _why_not(session, person, run, asked):
            raise NotAllowed("approve this", reason)
        attempt = _decide(session, person, run, "running")
    bulk.begin(id, attempt)
    told = f"It has begun, in the name of {asked.staff_name}. The page Bulk runs shows how far it is."
    return Outcome(id, "running", told)


def decline(person: Person, id: str, note: str) -> Outcome:
    """Says no, with a reason for who asked; who asked themselves takes it back. Raises as the decline of an
    action."""
    with database.transaction() as session:
        run = _get(session, id)
        said = approvals.refusal(person, _asked(session, run), note)
        _decide(session, person, run, DECLINED, note=said)
        left = sa.update(BulkRow).where(col(BulkRow.run) == id, col(BulkRow.state) == "waiting")
        session.execute(left.values(state=DECLINED))
    return Outcome(id, "failed", said)


def _get(session: Session, id: str) -> BulkRun:
    """What waits is everybody's to see, as on the page Approvals."""
    run = session.get(BulkRun, id)
    if run is None:
        raise NotFound("bulk run", id, remedy="Look at the list again.")
    return run


def _decide(session: Session, person: Person, run: BulkRun, state: str, **values: object) -> int:
    """asked -> state, as this person has decided; which attempt it is then."""
    by: dict[str, object] = {"decider": person.id, "decider_name": person.name, **values}
    try:
        return bulk.move(session, run, "asked", state, further=1, **by)
    except Conflict:
        raise approvals.decided(run.decider_name, "Look at its page.") from None
