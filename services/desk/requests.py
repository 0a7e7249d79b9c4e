"""What do staff say to customers who want to leave?

open -> offered (something else; it waits for the customer) -> refused | withdrawn | elsewhere, or approved by
whichever cancel does what was asked for (services/desk/asked): the ledger says so, and the request with it,
in one transaction. Whoever decides, asks, or ends a cancel has the customer's turn (services/desk/limits) in
that.
"""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, select

from models import Action, CancellationRequest, Subscription
from models.requests import UNDECIDED
from services import clock
from services.customers import audit, names
from services.desk import asked, limits, words
from services.desk.asked import Seen
from services.desk.command import limited, required
from services.errors import Conflict, InvalidInput, NotFound
from services.staff.roles import Permission, Person

LONGEST_NOTE = 500
_UNDER_WAY = ("running", "unknown")


def undecided(session: Session, id: str) -> CancellationRequest:
    """A request that nobody has decided about. Raises NotFound, and Conflict where somebody has."""
    row = session.get(CancellationRequest, id, populate_existing=True)
    if row is None:
        raise NotFound("request", id, remedy="Choose one from the list.")
    if row.state not in UNDECIDED:
        raise Conflict(asked.dealt_with(row), remedy="Look at it again.")
    return row


def offer(session: Session, person: Person, id: str, what: str, note: str, *, seen: Seen) -> None:
    """Keeps what the customer was offered instead: `what` is one of names.OFFERS, `note` says it exactly.

    `seen` is the request as the person saw it. Raises NotAllowed, NotFound, InvalidInput, and Conflict where
    it is not as that any more, or somebody has begun to cancel the subscription.
    """
    if what not in names.OFFERS:
        raise InvalidInput("Choose what is offered.", field="what")
    note = _required(note, "Say what exactly is offered: the message to the customer begins with it.")
    row = _locked(session, person, id, seen)
    row.state = "offered"
    _note(row, person, f"offered {names.OFFERS[what].lower()}: {note}")
    _audit(session, person, "cancel_offered", row, offer=what, said=note)


def refuse(session: Session, person: Person, id: str, reason: str, *, seen: Seen) -> None:
    """Says no, with a reason for colleagues. Raises as `offer`."""
    reason = _required(reason, "Say why it is refused: colleagues will read it here.")
    row = _decide(session, person, id, seen, "refused")
    _note(row, person, f"refused it: {reason}")
    _audit(session, person, "cancel_refused", row, said=reason)


def withdraw(session: Session, person: Person, id: str, note: str, *, seen: Seen) -> None:
    """The customer stays. Raises as `offer`."""
    note = limited(note.strip(), "note", LONGEST_NOTE)
    row = _decide(session, person, id, seen, "withdrawn")
    _note(row, person, f"said that the customer stays{f': {note}' if note else '.'}")
    _audit(session, person, "cancel_withdrawn", row, said=note)


def close(session: Session, person: Person, id: str, *, seen: Seen) -> None:
    """Closes a request for what has ended or will anyway. Raises as `offer`, Conflict also where the
    subscription goes on."""
    row = _decide(session, person, id, seen, "elsewhere")
    how = asked.settled(session.get(Subscription, row.subscription))
    if not how:
        raise Conflict("The subscription goes on: nobody has ended it.", remedy="Look at it again.")
    _note(row, person, f"closed it. {how}")
    _audit(session, person, "cancel_elsewhere", row, said=how)


def under_way(session: Session, rows: list[CancellationRequest]) -> dict[str, Action]:
    """The cancels of these requests' subscriptions that run or have an unknown end, by subscription."""
    if not rows:
        return {}
    found = session.exec(
        select(Action)
        .where(col(Action.customer).in_({row.customer for row in rows}), Action.command == "cancel")
        .where(col(Action.state).in_(_UNDER_WAY))
        .where(col(Action.object_id).in_({row.subscription for row in rows}))
    )
    return {action.object_id: action for action in found}


def is_about_to_end(action: Action) -> str:
    """How a cancel stands that is not over, as a sentence."""
    unknown = "whether it was done nobody knows yet; say so on Activity first"
    stands = unknown if action.state == "unknown" else "that is under way"
    return f"{action.staff_name} has begun to cancel the subscription: {stands}."


def _locked(session: Session, person: Person, id: str, seen: Seen) -> CancellationRequest:
    """The request in its customer's turn: no cancel begins meanwhile, and nobody else decides."""
    person.require(Permission.CANCEL)
    limits.take_turn(session, undecided(session, id).customer)
    row = undecided(session, id)
    if asked.as_seen(row) != seen:
        raise Conflict("This request has changed meanwhile.", remedy="Look at what it says now, then decide.")
    if other := under_way(session, [row]).get(row.subscription):
        raise Conflict(is_about_to_end(other), remedy="Nothing was changed.")
    return row


def _decide(session: Session, person: Person, id: str, seen: Seen, state: str) -> CancellationRequest:
    row = _locked(session, person, id, seen)
    row.state, row.decided_at = state, clock.now()
    row.decided_by, row.decided_by_name = person.id, person.name
    return row


def _required(note: str, message: str) -> str:
    return required({"note": note}, "note", message, longest=LONGEST_NOTE)


def _note(row: CancellationRequest, person: Person, did: str) -> None:
    """Adds a line. What was typed on several is one: else the second could pass for a colleague's."""
    line = " ".join(f"{words.moment(clock.now())}: {person.name} {did}".split())
    row.note = "\n".join(filter(None, (row.note, line)))


def _audit(session: Session, person: Person, kind: str, row: CancellationRequest, **after: Any) -> None:
    told = {name: value for name, value in after.items() if value}
    audit.record(session, person, kind, row.customer, object_id=row.subscription, after=told)
