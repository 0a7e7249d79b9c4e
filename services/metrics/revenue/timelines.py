"""What did each subscription of some customers come to, from its start until now?

From its first known state on by the log, exactly; before that by what its invoices asked for (see
`reconstruction`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Discount, Subscription, SubscriptionState
from services.among import among
from services.metrics.revenue import reconstruction, served, worth
from services.metrics.revenue.movements import Point
from services.metrics.revenue.mrr import counts
from services.metrics.revenue.reconstruction import Life, Seen
from services.metrics.revenue.served import Billed
from services.metrics.revenue.worth import PriceList

_NEVER_BEGAN = ("incomplete", "incomplete_expired")
_UNPAID = ("past_due", "unpaid")
THESE = "ids"


@dataclass(frozen=True, slots=True)
class Timeline:
    """The points of one subscription until now, oldest first; `due` is when time alone adds the next one (UTC
    seconds), None where it does not."""

    customer: str
    currency: str
    points: Sequence[Point]
    due: int | None = None


def of_customers(
    session: Session, customers: Sequence[str], now: int, *, collected_only: bool = True
) -> list[Timeline]:
    """The timelines of all subscriptions of these customers as of an instant (UTC seconds). Without
    `collected_only` those count, too, whose collection is paused."""
    subscriptions = session.connection().execute(_subscriptions(), {"ids": list(customers)}).all()
    states = _states(session, [row.id for row in subscriptions])
    of_customer = _customer_discounts(session, customers)
    known = [(row, states[row.id]) for row in subscriptions if states[row.id]]
    prices = _prices(session, [state for _, mine in known for state in mine], of_customer)
    older = [(row, mine[0]) for row, mine in known if _is_older(row, mine[0])]
    billed = served.of(session, [(row.id, first) for row, first in older])
    found = []
    for row, mine in known:
        own = of_customer.get(row.customer, ())
        recorded = _recorded(row, mine, prices, own, collected_only)
        recorded[0].exact = not _is_older(row, mine[0])  # what it shows may have come before it was seen
        points = [*_reconstructed(row, mine[0], prices, own, billed.get(row.id)), *recorded]
        due = min((point.at for point in recorded if point.at > now), default=None)
        past = [point for point in points if point.at <= now]
        found.append(Timeline(row.customer, row.currency, past, due))
    return found


@cache
def _subscriptions() -> Any:
    s = Subscription
    columns = (
        s.id, s.customer, s.currency, s.created, s.start_date, s.ended_at,
        s.deleted, s.as_of,
    )  # fmt: skip
    return sa.select(*(col(one) for one in columns)).where(among(col(s.customer), THESE)).order_by(col(s.id))


def _states(session: Session, subscriptions: Collection[str]) -> Mapping[str, list[Any]]:
    """The log of each, oldest first."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in session.connection().execute(_log(), {"ids": list(subscriptions)}).all():
        found[row.subscription].append(row)
    return found


@cache
def _log() -> Any:
    s = SubscriptionState
    columns = (
        s.subscription, s.at, s.status, s.pause_collection, s.cancels, s.cancellation_reason, s.items,
        s.discounts, s.canceled_at, s.paused_at, s.trial_start, s.trial_end,
    )  # fmt: skip
    asked = sa.select(*(col(one) for one in columns)).where(among(col(s.subscription), THESE))
    return asked.order_by(col(s.subscription), col(s.at))


def _customer_discounts(session: Session, customers: Collection[str]) -> dict[str, list[str]]:
    """The ids of customers' own discounts, past ones too, the oldest first."""
    found: dict[str, list[str]] = defaultdict(list)
    for id, customer in session.connection().execute(_own_discounts(), {"ids": list(customers)}).all():
        found[customer].append(id)
    return found


@cache
def _own_discounts() -> Any:
    d = Discount
    own = sa.select(col(d.id), col(d.customer)).where(among(col(d.customer), THESE))
    of_another = (col(one).is_(None) for one in (d.subscription, d.subscription_item, d.invoice))
    return own.where(*of_another).order_by(col(d.start), col(d.id))


def _prices(session: Session, states: Sequence[Any], of_customer: Mapping[str, Iterable[str]]) -> PriceList:
    items = [item for state in states for item in state.items]
    discounts = {id for state in states for id in state.discounts}
    discounts |= {id for item in items for id in item[2]} | {id for ids in of_customer.values() for id in ids}
    return worth.price_list(session, {item[0] for item in items}, discounts)


def _is_older(row: Any, first: Any) -> bool:
    """Whether the subscription had begun before it was first seen."""
    return row.start_date < first.at and first.status not in _NEVER_BEGAN


def _recorded(
    row: Any, states: Sequence[Any], prices: PriceList, own: Iterable[str], collected_only: bool
) -> list[Point]:
    found = []
    status = ""
    for state, until in zip(states, [*(one.at for one in states[1:]), None], strict=True):
        for at in _turns(state, until, prices, own):
            paused = state.pause_collection if collected_only else None
            found.append(_exact(row, state, at, prices, own, paused=paused, was=status))
        status = state.status
    if row.deleted and states[-1].status not in ("canceled", *_NEVER_BEGAN):
        found.append(Point(max(row.as_of, states[-1].at), prices.plan(states[-1].items), cause="voluntary"))
    return found


def _turns(state: Any, until: int | None, prices: PriceList, own: Iterable[str]) -> list[int]:
    """When what a state comes to begins, and where a discount comes or goes meanwhile."""
    named = [id for _, _, ids in state.items for id in ids]
    cuts = prices.turns([*(state.discounts or own), *named])
    return sorted({state.at, *(at for at in cuts if state.at < at < (until or reconstruction.FOR_EVER))})


def _exact(
    row: Any, state: Any, at: int, prices: PriceList, own: Iterable[str], *, paused: str | None, was: str
) -> Point:
    micros = _micros(row, state, at, prices, own)
    plan = prices.plan(state.items)
    if state.status == "trialing":
        return Point(at, plan, trial=0 if paused else micros, cause="free")
    if not counts(state.status, paused):
        return Point(at, plan, cause=_cause(state, was))
    return Point(
        at, plan, mrr=micros, committed=0 if state.cancels else micros, cause="" if micros else "free"
    )


def _micros(row: Any, state: Any, at: int, prices: PriceList, own: Iterable[str]) -> int:
    """What a state comes to a month with the discounts of an instant."""
    shared = prices.running(state.discounts or _latest(own, prices, at), at)
    items = [(price, quantity, prices.running(ids, at)) for price, quantity, ids in state.items]
    return prices.micros(items, shared, row.currency)


def _latest(own: Iterable[str], prices: PriceList, at: int) -> list[str]:
    """The customer's discount as of an instant: one that is given takes the place of the one before."""
    return [id for id in own if id in prices.discounts and prices.discounts[id].begins <= at][-1:]


def _cause(state: Any, was: str) -> str:
    """Why a state does not count. Involuntary: it ended while past due or unpaid, or for want of
    a payment."""
    if state.status == "canceled":
        failed = was in _UNPAID or state.cancellation_reason == "payment_failed"
        return "involuntary" if failed else "voluntary"
    if state.status in ("unpaid", "paused"):
        return str(state.status)
    return "collection_paused" if state.pause_collection else "free"


def _reconstructed(
    row: Any, first: Any, prices: PriceList, own: Iterable[str], billed: Billed | None
) -> list[Point]:
    if billed is None:
        return []
    recurring = prices.recurring(first.items)
    tiered = any(price.billing_scheme == "tiered" for price, _ in recurring)
    full_price = sum((price.unit_amount or 0) * quantity for price, quantity in recurring)
    seen = Seen(
        at=first.at,
        plan=prices.plan(first.items),
        worth=_micros(row, first, first.at, prices, own),
        full_price=None if tiered else full_price,
        items=len(recurring),
    )
    return reconstruction.before(seen, _life(row, first, billed), billed.lines)


def _life(row: Any, first: Any, billed: Billed) -> Life:
    trial = (first.trial_start, first.trial_end) if first.trial_start and first.trial_end else None
    ended = row.ended_at if row.ended_at and row.ended_at <= first.at else None
    stopped = {"unpaid": billed.failed_at, "paused": first.paused_at}.get(first.status)
    cause = _cause(first, "past_due" if billed.was_owing else "")
    cancels = first.canceled_at if first.cancels or ended else None
    unasked = "free" if ended else _cause(first, "")
    return Life(row.start_date, trial, ended, stopped, cause, cancels, unasked)
