"""What do customers ask for who want to leave, and what do staff say to that?

open -> offered (something else; it waits for the customer) -> refused | withdrawn | elsewhere, or approved by
whichever cancel ends the subscription: the ledger says so, and the request with it, in one transaction. A
subscription has one request at most that nobody has decided about; what the customer says again is added to
it. Whoever decides has the customer's turn (services/desk/limits), as a command has that begins.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Action, CancellationRequest, Subscription
from models.requests import UNDECIDED
from models.subscriptions import ENDED
from services import clock
from services.customers import audit, names
from services.desk import limits, words
from services.errors import Conflict, InvalidInput, NotFound
from services.staff.roles import Permission, Person

LONGEST_COMMENT, LONGEST_NOTE = 2_000, 500
_UNDER_WAY = ("waiting", "running", "unknown")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer wants. `when`: one of names.WISHES; `reason`: one of names.FEEDBACK; `comment`: their
    own words."""

    subscription: str
    when: str = "period_end"
    reason: str = ""
    comment: str = ""


def new_id() -> str:
    """The name of a request that is about to be recorded; made when its dialog opens."""
    return uuid.uuid4().hex


def receive(session: Session, id: str, wish: Wish, person: Person | None = None) -> CancellationRequest:
    """Takes a request, once for its id; where one of the subscription's waits already, that with this added.

    `person` has heard it; None: the customer says so themselves. Raises NotAllowed, InvalidInput, NotFound,
    and Conflict where the subscription has ended.
    """
    if person:
        person.require(Permission.CANCEL)
    wish = _checked(wish)
    subscription = session.get(Subscription, wish.subscription)
    if subscription is None:
        raise NotFound("subscription", wish.subscription, remedy="Look for it on the customer's page.")
    limits.take_turn(session, subscription.customer)
    known = session.exec(select(CancellationRequest).where(_of(subscription.id))).all()
    for row in known:
        if id in (row.id, *row.again):
            return row
    _require_running(subscription)
    waiting = [row for row in known if row.state in UNDECIDED]
    row = _added(waiting[0], id, wish) if waiting else _new(id, subscription, wish, person)
    session.add(row)
    session.flush()
    kind = "cancel_asked_again" if waiting else "cancel_asked"
    _audit(session, person, kind, row, wish=wish.when, feedback=wish.reason)
    return row


def _new(id: str, subscription: Subscription, wish: Wish, person: Person | None) -> CancellationRequest:
    return CancellationRequest(
        id=id,
        customer=subscription.customer,
        subscription=subscription.id,
        received_at=clock.now(),
        received_by=person.id if person else None,
        received_by_name=person.name if person else "",
        source="staff" if person else "customer",
        wish=wish.when,
        reason=wish.reason,
        comment=wish.comment,
    )


def _added(row: CancellationRequest, id: str, wish: Wish) -> CancellationRequest:
    """The request with what the customer says now; what was offered did not keep them."""
    row.again = [*row.again, id]
    row.state, row.wish = "open", wish.when
    row.reason = wish.reason or row.reason
    row.comment = "\n".join(filter(None, (row.comment, wish.comment)))
    return row


def _checked(wish: Wish) -> Wish:
    if wish.when not in names.WISHES:
        raise InvalidInput("Choose when the subscription should end.", field="when")
    if wish.reason not in names.FEEDBACK:
        raise InvalidInput("Choose one of the reasons in the list.", field="reason")
    comment = _limited(wish.comment, "comment", LONGEST_COMMENT)
    return Wish(wish.subscription, wish.when, wish.reason, comment)


def _limited(text: str, field: str, longest: int) -> str:
    text = text.strip()
    if len(text) > longest:
        raise InvalidInput(
            f"This is {len(text)} characters long; {longest} fit.", field=field, remedy="Shorten it."
        )
    return text


def _require_running(subscription: Subscription) -> None:
    if subscription.deleted or subscription.status in ENDED:
        raise Conflict(f"{_ended(subscription)} There is nothing to cancel.", remedy="Nothing was kept.")


def settled(subscription: Subscription | None) -> str:
    """That a subscription has ended or is set to end, as a sentence; "" where it goes on."""
    if subscription is None or subscription.deleted or subscription.status in ENDED:
        return _ended(subscription)
    ends = subscription.cancel_at
    if subscription.cancel_at_period_end:
        ends = ends or subscription.current_period_end
    return f"The subscription is set to end on {words.moment(ends)} already." if ends else ""


def _ended(subscription: Subscription | None) -> str:
    if subscription is None or subscription.deleted:
        return "The subscription is not in Stripe any more."
    on = f" on {words.moment(subscription.ended_at)}" if subscription.ended_at else ""
    return f"The subscription has ended{on}."


def undecided(session: Session, id: str) -> CancellationRequest:
    """A request that nobody has decided about. Raises NotFound, and Conflict where somebody has."""
    row = session.get(CancellationRequest, id, populate_existing=True)
    if row is None:
        raise NotFound("request", id, remedy="Choose one from the list.")
    if row.state not in UNDECIDED:
        by = row.decided_by_name or "Somebody"
        raise Conflict(f"{by} has dealt with this request: it is {_said(row)}.", remedy="Look at it again.")
    return row


def _said(row: CancellationRequest) -> str:
    return {"elsewhere": "closed"}.get(row.state, row.state)


def offer(session: Session, person: Person, id: str, what: str, note: str, *, seen: str) -> None:
    """Keeps what the customer was offered instead: `what` is one of names.OFFERS, `note` says it exactly.

    `seen` is the state that the person saw. Raises NotAllowed, NotFound, InvalidInput, and Conflict where it
    is another by now or the subscription is about to end.
    """
    if what not in names.OFFERS:
        raise InvalidInput("Choose what is offered.", field="what")
    note = _required(note, "Say what exactly is offered: colleagues will read it here.")
    row = _locked(session, person, id, seen)
    row.state = "offered"
    _note(row, person, f"offered {names.OFFERS[what].lower()}: {note}")
    _audit(session, person, "cancel_offered", row, offer=what, said=note)


def refuse(session: Session, person: Person, id: str, reason: str, *, seen: str) -> None:
    """Says no, with a reason for colleagues. Raises as `offer`."""
    reason = _required(reason, "Say why it is refused: colleagues will read it here.")
    row = _decide(session, person, id, seen, "refused")
    _note(row, person, f"refused it: {reason}")
    _audit(session, person, "cancel_refused", row, said=reason)


def withdraw(session: Session, person: Person, id: str, note: str, *, seen: str) -> None:
    """The customer stays. Raises as `offer`."""
    note = _limited(note, "note", LONGEST_NOTE)
    row = _decide(session, person, id, seen, "withdrawn")
    _note(row, person, f"said that the customer stays{f': {note}' if note else '.'}")
    _audit(session, person, "cancel_withdrawn", row, said=note)


def close(session: Session, person: Person, id: str, *, seen: str) -> None:
    """Closes a request for what has ended or will anyway. Raises as `offer`, Conflict also where the
    subscription goes on."""
    row = _decide(session, person, id, seen, "elsewhere")
    how = settled(session.get(Subscription, row.subscription))
    if not how:
        raise Conflict("The subscription goes on: nobody has ended it.", remedy="Look at it again.")
    _note(row, person, f"closed it. {how}")
    _audit(session, person, "cancel_elsewhere", row, said=how)


def fulfil(session: Session, action: Action) -> None:
    """What this action ended was asked for: the request is approved with that."""
    found = sa.update(CancellationRequest).where(_of(action.object_id), _IS_UNDECIDED)
    approved = {
        "state": "approved",
        "token": action.token,
        "decided_by": action.staff,
        "decided_by_name": action.staff_name,
        "decided_at": clock.now(),
    }
    session.execute(found.values(**approved))


def under_way(session: Session, rows: list[CancellationRequest]) -> dict[str, Action]:
    """The cancels of these requests' subscriptions that wait, run or have an unknown end, by subscription."""
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
    stands = {
        "waiting": "that waits for approval",
        "unknown": "whether it was done nobody knows yet; say so on Activity first",
    }.get(action.state, "that is under way")
    return f"{action.staff_name} has begun to cancel the subscription: {stands}."


_IS_UNDECIDED = col(CancellationRequest.state).in_(UNDECIDED)


def _of(subscription: str) -> sa.ColumnElement[bool]:
    return col(CancellationRequest.subscription) == subscription


def _locked(session: Session, person: Person, id: str, seen: str) -> CancellationRequest:
    """The request in its customer's turn: no cancel begins meanwhile, and nobody else decides."""
    person.require(Permission.CANCEL)
    limits.take_turn(session, undecided(session, id).customer)
    row = undecided(session, id)
    if row.state != seen:
        raise Conflict("This request has changed meanwhile.", remedy="Look at what it says now, then decide.")
    if other := under_way(session, [row]).get(row.subscription):
        raise Conflict(is_about_to_end(other), remedy="Nothing was changed.")
    return row


def _decide(session: Session, person: Person, id: str, seen: str, state: str) -> CancellationRequest:
    row = _locked(session, person, id, seen)
    row.state, row.decided_at = state, clock.now()
    row.decided_by, row.decided_by_name = person.id, person.name
    return row


def _required(note: str, message: str) -> str:
    note = _limited(note, "note", LONGEST_NOTE)
    if not note:
        raise InvalidInput(message, field="note")
    return note


def _note(row: CancellationRequest, person: Person, did: str) -> None:
    line = f"{words.moment(clock.now())}: {person.name} {did}"
    row.note = "\n".join(filter(None, (row.note, line)))


def _audit(
    session: Session, person: Person | None, kind: str, row: CancellationRequest, **after: Any
) -> None:
    told = {name: value for name, value in after.items() if value}
    audit.record(session, person, kind, row.customer, object_id=row.subscription, after=told)
