"""What do customers say who want to leave? Kept as they said it, with who heard it, the newest for certain.

A subscription has one request at most that nobody has decided about: what is said again is added to it.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, replace
from typing import Final

from sqlmodel import Session, select

from models import CancellationRequest, Subscription
from models.requests import UNDECIDED
from models.subscriptions import ENDED
from services import clock, database
from services.customers import audit, names
from services.desk import asked, limits
from services.desk.command import limited
from services.errors import Conflict, InvalidInput, NotFound
from services.staff.roles import Permission, Person

LONGEST_COMMENT = 2_000
LONGEST_IN_ALL = 4_000  # characters of all that was said about one request
MOST_AGAIN = 20
MADE_WAY: Final = "…"  # stands for words that newer ones left no room for


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer wants. `when`: one of names.WISHES; `reason`: one of names.FEEDBACK; `comment`: their
    own words."""

    subscription: str
    when: str = "period_end"
    reason: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Saying:
    """What was said at once: its id, when (UTC seconds), and who of the staff heard it; "" where the customer
    wrote it themselves."""

    id: str
    at: int
    by: str
    comment: str


def new_id() -> str:
    """The name of what is about to be said; made when its dialog or form opens."""
    return uuid.uuid4().hex


def record(session: Session, person: Person, id: str, wish: Wish) -> CancellationRequest:
    """Keeps what this person has heard, once for its id.

    Raises NotAllowed, InvalidInput, NotFound, and Conflict where the subscription has ended or the id was
    used for another one.
    """
    person.require(Permission.ANNOTATE)
    return _keep(session, id, _checked(wish), _subscription(session, wish), person)


def receive(session: Session, customer: str, id: str, wish: Wish) -> CancellationRequest:
    """Keeps what this customer says themselves, once for its id. Raises as `record`; NotFound also for
    the subscription of another customer."""
    subscription = _subscription(session, wish)
    if subscription.customer != customer:
        raise _unknown(wish)
    return _keep(session, id, _checked(wish), subscription, None)


def sayings(row: CancellationRequest) -> list[Saying]:
    """All that was said about a request, the oldest first."""
    first = Saying(row.id, row.received_at, row.received_by_name, row.comment)
    return [first, *(Saying(**each) for each in row.again)]


def in_short(row: CancellationRequest) -> str:
    """What the customer said, without who heard it, on one line; the newest first."""
    newest_first = [" ".join(each.comment.split()) for each in reversed(sayings(row))]
    return " / ".join(text for text in newest_first if text not in ("", MADE_WAY))


def _subscription(session: Session, wish: Wish) -> Subscription:
    found = session.get(Subscription, wish.subscription)
    if found is None:
        raise _unknown(wish)
    return found


def _unknown(wish: Wish) -> NotFound:
    return NotFound("subscription", wish.subscription, remedy="Look for it on the customer's page.")


def _checked(wish: Wish) -> Wish:
    if wish.when not in names.WISHES:
        raise InvalidInput("Choose when the subscription should end.", field="when")
    if wish.reason not in names.FEEDBACK:
        raise InvalidInput("Choose one of the reasons in the list.", field="reason")
    return replace(wish, comment=limited(wish.comment.strip(), "comment", LONGEST_COMMENT))


def _keep(
    session: Session, id: str, wish: Wish, subscription: Subscription, person: Person | None
) -> CancellationRequest:
    limits.take_turn(session, subscription.customer)
    known = session.exec(
        select(CancellationRequest).where(CancellationRequest.subscription == subscription.id)
    ).all()
    for row in known:
        if any(id == each.id for each in sayings(row)):
            return row
    if subscription.deleted or subscription.status in ENDED:
        over = f"{asked.settled(subscription)} There is nothing to cancel."
        raise Conflict(over, remedy="Nothing was kept.")
    waiting = [row for row in known if row.state in UNDECIDED]
    said = Saying(id, clock.now(), person.name if person else "", wish.comment)
    row = _added(waiting[0], said, wish) if waiting else _begun(session, said, wish, subscription, person)
    told = {"wish": wish.when, **({"feedback": wish.reason} if wish.reason else {})}
    kind = "cancel_asked_again" if waiting else "cancel_asked"
    audit.record(session, person, kind, row.customer, object_id=row.subscription, after=told)
    return row


def _begun(
    session: Session, said: Saying, wish: Wish, subscription: Subscription, person: Person | None
) -> CancellationRequest:
    row = CancellationRequest(
        id=said.id,
        customer=subscription.customer,
        subscription=subscription.id,
        received_at=said.at,
        received_by=person.id if person else None,
        received_by_name=said.by,
        source="staff" if person else "customer",
        wish=wish.when,
        reason=wish.reason,
        comment=said.comment,
    )
    if not database.insert_once(session, CancellationRequest, row.model_dump()):
        raise Conflict(
            "This was kept for another subscription already.", remedy="Open the form anew, and send that."
        )
    return session.get_one(CancellationRequest, said.id)


def _added(row: CancellationRequest, said: Saying, wish: Wish) -> CancellationRequest:
    """The request with what the customer says now; what was offered did not keep them."""
    again = [*sayings(row)[1:], said][-MOST_AGAIN:]
    row.state, row.wish, row.reason = "open", wish.when, wish.reason or row.reason
    row.comment, *comments = _fitting([row.comment, *(each.comment for each in again)])
    row.again = [asdict(replace(each, comment=text)) for each, text in zip(again, comments, strict=True)]
    return row


def _fitting(comments: list[str]) -> list[str]:
    """The comments, of which the newest stay that fit."""
    left, kept = LONGEST_IN_ALL, list[str]()
    for comment in reversed(comments):
        left -= len(comment)
        kept.append(comment if left >= 0 or not comment else MADE_WAY)
    return kept[::-1]
