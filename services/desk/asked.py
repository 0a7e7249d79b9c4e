"""Does a cancel still do what the customer asks for? What its dialog had seen of that, and what fulfils it.

A cancel keeps, among its parameters, the subscription's request to cancel as it stood when its dialog opened.
What differs before the first call stops it. What differs after that is not what was carried out: the request
stays open, and its card says how the subscription stands.
"""

from __future__ import annotations

from typing import Final

from sqlmodel import Session, col, select

from models import Action, CancellationRequest, Subscription
from models.requests import UNDECIDED
from models.subscriptions import ENDED
from services import clock
from services.customers import names
from services.desk import limits, words
from services.desk.command import Params

SEEN: Final = "request"  # among the parameters of a cancel
Seen = dict[str, str]
_SINCE = "since this dialog was opened"


def seen(session: Session, subscription: str) -> Seen | None:
    """The subscription's request as a dialog sees it that opens now: which, how it stands, the last word.

    That is the one that nobody has decided about, else the latest; None where nobody has asked.
    """
    row = _latest(session, subscription)
    return as_seen(row) if row else None


def as_seen(row: CancellationRequest) -> Seen:
    """What of a request may not change between looking at it and deciding."""
    said = row.again[-1]["id"] if row.again else row.id
    return {"id": row.id, "state": row.state, "wish": row.wish, "said": said}


def differs(session: Session, subscription: str, seen: Seen | None) -> str:
    """What the customer has said since, or a colleague, as a sentence; "" where all is as a dialog had seen
    it."""
    row = _latest(session, subscription)
    return _differs(row, seen) if row and as_seen(row) != seen else ""


def fulfil(session: Session, action: Action) -> None:
    """The request that this cancel had seen is approved with it, where the subscription ends no later than
    was asked for; one that has changed since stays open."""
    limits.take_turn(session, action.customer)
    row = _latest(session, action.object_id)
    if row is None or row.state not in UNDECIDED or as_seen(row) != action.params.get(SEEN):
        return
    if stays_open(action.params, action.before.get("current_period_end")):
        return
    row.state, row.token, row.decided_at = "approved", action.token, clock.now()
    row.decided_by, row.decided_by_name = action.staff, action.staff_name
    session.add(row)


def stays_open(params: Params, period_end: int | None) -> str:
    """That a cancel ends the subscription later than the request that it had seen asks for, as a sentence;
    "" where it fulfils it, or there is none. `period_end` is that of the running period."""
    asked = params.get(SEEN)
    if not asked or asked["state"] not in UNDECIDED or params["when"] in ("now", asked["wish"]):
        return ""
    ends = params.get("cancel_at")
    if asked["wish"] == "period_end" and ends and period_end and ends <= period_end:
        return ""
    return f"The customer asked for an earlier end ({_wish(asked['wish'])}): their request stays open."


def dealt_with(row: CancellationRequest) -> str:
    """Who has decided about a request, and how, as a sentence."""
    state = {"elsewhere": "closed"}.get(row.state, row.state)
    by = row.decided_by_name or "Somebody"
    return f"{by} has dealt with the customer's request to cancel: it is {state}."


def settled(subscription: Subscription | None) -> str:
    """That a subscription has ended or is set to end, as a sentence; "" where it goes on."""
    if subscription is None or subscription.deleted:
        return "The subscription is not in Stripe any more."
    if subscription.status in ENDED:
        return f"The subscription has ended{words.on(subscription.ended_at)}."
    ends = subscription.cancel_at
    if subscription.cancel_at_period_end:
        ends = ends or subscription.current_period_end
    return f"The subscription is set to end on {words.moment(ends)} already." if ends else ""


def _latest(session: Session, subscription: str) -> CancellationRequest | None:
    request = CancellationRequest
    first = (col(request.state).in_(UNDECIDED).desc(), col(request.received_at).desc(), col(request.id))
    wanted = select(request).where(request.subscription == subscription).order_by(*first).limit(1)
    return session.exec(wanted.execution_options(populate_existing=True)).first()


def _differs(row: CancellationRequest, seen: Seen | None) -> str:
    if row.state not in UNDECIDED:
        return dealt_with(row)
    if row.state == "offered":
        return f"The customer was offered something else {_SINCE}."
    did = "asked again" if seen and seen["id"] == row.id else "asked"
    return f"The customer has {did} to cancel {_SINCE}: {_wish(row.wish)}."


def _wish(wish: str) -> str:
    return names.WISHES.get(wish, wish).lower()
