"""Which customers want to leave, what do they pay, and which of them still wait for a word of ours?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Action, CancellationRequest, Charge, Customer, Subscription
from models.requests import UNDECIDED
from models.subscriptions import ENDED
from services.customers import contents
from services.desk import asked, requests
from services.metrics.statistics import sums

Condition = sa.ColumnElement[bool]
TO_DECIDE: Final = "to_decide"  # open, and what was offered something
STATES: Final = (*UNDECIDED, "approved", "refused", "withdrawn", "elsewhere")
_MOST_OPEN = 100  # of one customer
_GOES_ON = "By now the subscription is not set to end."


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
    sentences, and only said of what is undecided. `goes_on`: the same of what is approved, and whose
    subscription is not set to end any more.
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
    goes_on: str = ""

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
    sorted_ids = sa.select(col(request.id)).where(*where).order_by(*order).offset(offset).limit(limit)
    ids = session.scalars(sorted_ids).all()  # whole rows would all be sorted for the few of a page
    return _told(session, ids)


def undecided_of(session: Session, customer: str) -> dict[str, Request]:
    """The customer's requests that nobody has decided about, by subscription."""
    where = [*conditions(RequestFilter()), col(CancellationRequest.customer) == customer]
    return {one.row.subscription: one for one in page(session, where, offset=0, limit=_MOST_OPEN)}


Found = tuple[CancellationRequest, Customer | None, Subscription | None]


def _found(session: Session, ids: Sequence[str]) -> list[Found]:
    """The requests of these ids in their order, with whose they are and what they are about."""
    request = CancellationRequest
    wanted: Any = (
        sa.select(request, Customer, Subscription)
        .outerjoin(Customer, col(Customer.id) == col(request.customer))
        .outerjoin(Subscription, col(Subscription.id) == col(request.subscription))
        .where(col(request.id).in_(ids))
    )
    found = {row.id: (row, *about) for row, *about in session.execute(wanted)}
    return [found[id] for id in ids]


def _told(session: Session, ids: Sequence[str]) -> list[Request]:
    if not ids:
        return []
    found = _found(session, ids)
    plans = _plans(session, {row.subscription for row, _, _ in found})
    paid = _paid(session, {row.customer for row, _, _ in found})
    begun = requests.under_way(session, [row for row, _, _ in found if row.state in UNDECIDED])
    return [
        _request(
            row, customer, subscription, begun.get(row.subscription), plan=plans.get(row.subscription, ""),
            paid=paid.get(row.customer, ()),
        )
        for row, customer, subscription in found
    ]  # fmt: skip


def _request(
    row: CancellationRequest,
    customer: Customer | None,
    subscription: Subscription | None,
    begun: Action | None,
    **told: Any,
) -> Request:
    who = customer or Customer(id=row.customer, created=0)
    known = subscription or Subscription(id=row.subscription, customer=row.customer, created=0, status="")
    settled = asked.settled(subscription)
    is_trial, is_undecided = known.status == "trialing", row.state in UNDECIDED
    return Request(
        row=row,
        name=who.name or "",
        email=who.email or "",
        currency=known.currency,
        value_micros=known.plan_micros if is_trial else known.mrr_micros,
        status=known.status,
        trial_end=known.trial_end if is_trial else None,
        settled=settled if is_undecided else "",
        under_way=requests.is_about_to_end(begun) if begun and is_undecided else "",
        goes_on=_GOES_ON if row.state == "approved" and not settled else "",
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
    succeeded = (whose.in_(customers), col(Charge.status) == "succeeded")
    found = session.execute(
        sa.select(whose, currency, kept).where(*succeeded).group_by(whose, currency).order_by(currency)
    )
    paid: dict[str, tuple[tuple[str, int], ...]] = {}
    for customer, code, amount in found:
        paid[customer] = (*paid.get(customer, ()), (code, int(amount)))
    return paid
