"""Which customers want to leave, what do they pay, and which of them still wait for a word of ours?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col

from models import CancellationRequest, Charge, Customer, Subscription
from models.requests import UNDECIDED
from models.subscriptions import ENDED
from services.customers import contents
from services.desk import requests
from services.metrics import sums

Condition = sa.ColumnElement[bool]
TO_DECIDE: Final = "to_decide"  # open, and what was offered something
STATES: Final = (*UNDECIDED, "approved", "refused", "withdrawn", "elsewhere")
_MOST_OPEN = 100  # of one customer


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests. `state`: one of STATES, TO_DECIDE, or "" for all; `reason`: one of names.FEEDBACK, None
    for all."""

    state: str = TO_DECIDE
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A request with what one should know to decide: the plan, what it comes to in a month (micros; of a
    trial what it would), how the subscription stands ("": it is gone), and what the customer has paid so far
    less refunds, by currency.

    `settled`: it has ended or is set to end already; `under_way`: somebody is about to end it; both are
    sentences, and only said of what is undecided.
    """

    row: CancellationRequest
    name: str
    email: str
    plan: str
    currency: str
    value_micros: int
    status: str
    trial_end: int | None
    paid: tuple[tuple[str, int], ...]
    settled: str = ""
    under_way: str = ""

    @property
    def is_undecided(self) -> bool:
        """Whether somebody still has to decide."""
        return self.row.state in UNDECIDED

    @property
    def is_over(self) -> bool:
        """Whether the subscription has ended."""
        return not self.status or self.status in ENDED


def conditions(wanted: RequestFilter) -> list[Condition]:
    """The filter as conditions on requests."""
    found: list[Condition] = []
    state = col(CancellationRequest.state)
    if wanted.state == TO_DECIDE:
        found.append(state.in_(UNDECIDED))
    elif wanted.state:
        found.append(state == wanted.state)
    if wanted.reason is not None:
        found.append(col(CancellationRequest.reason) == wanted.reason)
    return found


def count(session: Session, where: Sequence[Condition]) -> int:
    """How many requests match."""
    return session.scalar(sa.select(sa.func.count()).select_from(CancellationRequest).where(*where)) or 0


def count_open(session: Session) -> int:
    """How many wait for a first word of ours; what was offered something waits for the customer."""
    return count(session, [col(CancellationRequest.state) == "open"])


def count_by_state(session: Session, where: Sequence[Condition]) -> dict[str, int]:
    """How many match in each state, zeros too."""
    state = col(CancellationRequest.state)
    found = session.execute(sa.select(state, sa.func.count()).where(*where).group_by(state))
    return dict.fromkeys(STATES, 0) | dict(found.all())


def page(session: Session, where: Sequence[Condition], *, offset: int, limit: int) -> list[Request]:
    """One page of the requests that match: undecided before decided, the longest waiting first, then the last
    decided first."""
    request = CancellationRequest
    order = (
        col(request.decided_at).is_not(None),
        col(request.decided_at).desc(),
        col(request.received_at),
        col(request.id),
    )
    wanted: Any = (
        sa.select(request, Customer, Subscription)
        .outerjoin(Customer, col(Customer.id) == col(request.customer))
        .outerjoin(Subscription, col(Subscription.id) == col(request.subscription))
        .where(*where)
        .order_by(*order)
    )
    found = session.execute(wanted.offset(offset).limit(limit)).all()
    return _told(session, [tuple(parts) for parts in found])


def undecided_of(session: Session, customer: str) -> dict[str, Request]:
    """The customer's requests that nobody has decided about, by subscription."""
    where = [*conditions(RequestFilter()), col(CancellationRequest.customer) == customer]
    return {one.row.subscription: one for one in page(session, where, offset=0, limit=_MOST_OPEN)}


Found = tuple[CancellationRequest, Customer | None, Subscription | None]


def _told(session: Session, found: Sequence[Found]) -> list[Request]:
    if not found:
        return []
    plans = _plans(session, {row.subscription for row, _, _ in found})
    paid = _paid(session, {row.customer for row, _, _ in found})
    waiting = [row for row, _, _ in found if row.state in UNDECIDED]
    begun = requests.under_way(session, waiting)
    ending = {id: requests.is_about_to_end(action) for id, action in begun.items()}
    return [
        _request(
            *parts, plan=plans.get(parts[0].subscription, ""), paid=paid.get(parts[0].customer, ()),
            under_way=ending.get(parts[0].subscription, "") if parts[0] in waiting else "",
        )
        for parts in found
    ]  # fmt: skip


def _request(
    row: CancellationRequest, customer: Customer | None, subscription: Subscription | None, **told: Any
) -> Request:
    return Request(
        row=row,
        name=(customer.name if customer else None) or "",
        email=(customer.email if customer else None) or "",
        currency=subscription.currency if subscription else "",
        value_micros=(subscription.mrr_micros or subscription.plan_micros) if subscription else 0,
        status=subscription.status if subscription else "",
        trial_end=subscription.trial_end if subscription and subscription.status == "trialing" else None,
        settled=requests.settled(subscription) if row.state in UNDECIDED else "",
        **told,
    )


def _plans(session: Session, subscriptions: set[str]) -> dict[str, str]:
    """What each is for, by the names of its products."""
    found: dict[str, list[str]] = defaultdict(list)
    for item, _, product in contents.items(session, subscriptions):
        found[item.subscription].append(product.name if product else item.product or item.price)
    return {id: " + ".join(called) for id, called in found.items()}


def _paid(session: Session, customers: set[str]) -> dict[str, tuple[tuple[str, int], ...]]:
    """What each has paid so far less refunds, by currency."""
    whose, currency = col(Charge.customer), col(Charge.currency)
    kept = sums.total(col(Charge.amount) - col(Charge.amount_refunded))
    succeeded = (whose.in_(customers), sa.func.coalesce(col(Charge.status), "") == "succeeded")
    found = session.execute(
        sa.select(whose, currency, kept).where(*succeeded).group_by(whose, currency).order_by(currency)
    )
    paid: dict[str, tuple[tuple[str, int], ...]] = {}
    for customer, code, amount in found:
        paid[customer] = (*paid.get(customer, ()), (code, int(amount)))
    return paid
