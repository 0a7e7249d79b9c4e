"""Who should talk to which customer, by when, and what came of it?

A call is requested, scheduled, and closed as no_show, declined, or done with an outcome code. Each
change names the state that its author saw; where it is another by now, nothing is written.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlmodel import Session, col, select

from models import CallRequest, Staff
from services import changes, clock, database
from services.customers import audit, due, names
from services.errors import Conflict, InvalidInput, NotFound
from services.mirror import underived
from services.outreach import reachable
from services.staff import people
from services.staff.roles import Permission, Person
from services.text import with_usable_links

REQUESTED, SCHEDULED, DONE, NO_SHOW, DECLINED = "requested scheduled done no_show declined".split()
OPEN = (REQUESTED, SCHEDULED)
CLOSED = (DONE, NO_SHOW, DECLINED)
STATES = OPEN + CLOSED
_LONGEST_NOTE = 5_000
_FURTHEST = 366 * clock.DAY


@dataclass(frozen=True, slots=True)
class Wish:
    """A call that somebody asks for. `due_at` is an instant, None = no date; `assignee` a staff id."""

    customer: str
    assignee: int | None
    due_at: int | None
    note: str = ""


def new_token() -> str:
    """The name of a call that is about to be requested; made when its dialog opens."""
    return f"call_{secrets.token_hex(12)}"


def assignees(session: Session) -> list[Person]:
    """Everybody who may be asked to make calls."""
    return [person for person in people.active(session) if person.may(Permission.WORK_CALLS)]


def check_due(due_at: int | None) -> int | None:
    """The instant when a call is due, if one may ask for it: it lies ahead, within a year.

    Raises InvalidInput.
    """
    due.ahead(due_at)
    if due_at is not None and due_at > clock.now() + _FURTHEST:
        raise InvalidInput(
            "The date is more than a year away.", field="due_at", remedy="Choose a nearer one."
        )
    return due_at


def request(session: Session, token: str, person: Person, wish: Wish) -> bool:
    """Asks for a call, once for each token; whether it is new.

    Raises NotAllowed, NotFound, Conflict (deleted customer) and InvalidInput (assignee, due, note).
    """
    person.require(Permission.REQUEST_CALL)
    reachable.customer(session, wish.customer)
    values = {
        "token": token,
        "customer": wish.customer,
        "state": REQUESTED,
        "assignee": _check_assignee(session, wish.assignee),
        "requested_by": person.id,
        "requested_by_name": person.name,
        "note": _check_note(wish.note, "note"),
        "created_at": clock.now(),
        "due_at": check_due(wish.due_at),
        "outcome": None,
        "outcome_note": "",
        "closed_at": None,
        "closed_by": None,
        "closed_by_name": "",
    }
    changes.note(session)
    return database.insert_once(session, CallRequest, values)


def get(session: Session, token: str) -> CallRequest:
    """One call as it stands. Raises NotFound."""
    row = session.get(CallRequest, token)
    if row is None:
        raise NotFound("call", token, remedy="Choose one from the list.")
    return row


def schedule(session: Session, token: str, person: Person, due_at: int, *, seen: str) -> None:
    """Sets the time of an open call, or another time, or reopens one that was not held."""
    row = _locked(session, token, person, seen, (*OPEN, NO_SHOW))
    before = {"state": row.state, "due_at": row.due_at}
    row.due_at = check_due(due_at)
    row.state, row.outcome, row.closed_at = SCHEDULED, None, None
    row.closed_by, row.closed_by_name = None, ""
    after = {"state": row.state, "due_at": row.due_at}
    audit.changed(
        session, person, "call_scheduled", row.customer, object_id=token, before=before, after=after,
        always=("due_at",),
    )  # fmt: skip


def reassign(session: Session, token: str, person: Person, assignee: int | None, *, seen: str) -> None:
    """Gives an open call to somebody else, or to nobody."""
    row = _locked(session, token, person, seen, OPEN)
    before, row.assignee = row.assignee, _check_assignee(session, assignee)
    audit.changed(
        session, person, "call_reassigned", row.customer, object_id=token,
        before={"assignee": before}, after={"assignee": row.assignee},
    )  # fmt: skip


def close(
    session: Session, token: str, person: Person, state: str, outcome: str, note: str, *, seen: str
) -> None:
    """Says what came of an open call: `state` is done, no_show or declined, `outcome` a code where it was
    done, else ""."""
    row = _locked(session, token, person, seen, OPEN)
    if state not in CLOSED or (outcome not in names.OUTCOMES if state == DONE else outcome):
        raise InvalidInput("Say what came of the call.", field="outcome", remedy="Choose one of the list.")
    row.state, row.outcome, row.closed_at = state, outcome or None, clock.now()
    row.outcome_note = _check_note(note, "outcome_note")
    row.closed_by, row.closed_by_name = person.id, person.name
    underived.refresh_now(session, row.customer)


def _locked(session: Session, token: str, person: Person, seen: str, allowed: tuple[str, ...]) -> CallRequest:
    person.require(Permission.WORK_CALLS)
    row = session.exec(select(CallRequest).where(CallRequest.token == token).with_for_update()).first()
    if row is None:
        raise NotFound("call", token, remedy="Choose one from the list.")
    if row.state != seen or seen not in allowed:
        raise Conflict(
            "Somebody else has dealt with this call meanwhile.", remedy=f"Its state is “{row.state}” now."
        )
    return row


def _check_assignee(session: Session, id: int | None) -> int | None:
    if id is not None and id not in {person.id for person in assignees(session)}:
        name = session.exec(select(Staff.name).where(col(Staff.id) == id)).first() or "This person"
        raise InvalidInput(f"{name} does not make calls.", field="assignee", remedy="Choose another person.")
    return id


def _check_note(note: str, field: str) -> str:
    text = with_usable_links(note.strip())
    if len(text) > _LONGEST_NOTE:
        raise InvalidInput(
            f"The note has {len(text)} characters.", field=field, remedy=f"Shorten it to {_LONGEST_NOTE}."
        )
    return text
