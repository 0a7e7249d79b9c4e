"""Which calls are to be made, by whom, and which have been made? Due first, those without a date last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from models import CallRequest, Customer, CustomerFacts, Staff
from services.customers import places
from services.customers.places import LocalTime
from services.outreach.calls import OPEN, STATES

Condition = sa.ColumnElement[bool]
NOBODY = 0
_MOST_OPEN = 100
_assignee = aliased(Staff)


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls. `state`: one of calls.STATES, `open` for both open ones, "" for all.

    `assignee` is a staff id or NOBODY; `due_before` keeps open calls with a time before this instant.
    """

    state: str = "open"
    assignee: int | None = None
    due_before: int | None = None


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call with what the caller should know: the customer's phone, plan, value, trial and clock."""

    token: str
    state: str
    customer: str
    name: str
    email: str
    phone: str
    local: LocalTime | None
    due_at: int | None
    overdue: bool
    assignee: int | None
    assignee_name: str
    requested_by: str
    created_at: int
    note: str
    outcome: str
    outcome_note: str
    closed_at: int | None
    status: str
    plan: str
    currency: str
    value_micros: int
    trial_end: int | None


def conditions(wanted: CallFilter) -> list[Condition]:
    """The filter as conditions on call requests."""
    found: list[Condition] = []
    if wanted.state == "open":
        found.append(col(CallRequest.state).in_(OPEN))
    elif wanted.state:
        found.append(col(CallRequest.state) == wanted.state)
    if wanted.assignee is not None:
        owned = col(CallRequest.assignee)
        found.append(owned.is_(None) if wanted.assignee == NOBODY else owned == wanted.assignee)
    if wanted.due_before is not None:
        found += [col(CallRequest.state).in_(OPEN), col(CallRequest.due_at) < wanted.due_before]
    return found


def count(session: Session, where: Sequence[Condition]) -> int:
    """How many calls match."""
    return session.scalar(sa.select(sa.func.count()).select_from(CallRequest).where(*where)) or 0


def count_by_state(session: Session, where: Sequence[Condition]) -> dict[str, int]:
    """How many calls match in each state, zeros too."""
    found = session.execute(
        sa.select(col(CallRequest.state), sa.func.count()).where(*where).group_by(col(CallRequest.state))
    )
    return dict.fromkeys(STATES, 0) | dict(found.all())


def page(session: Session, where: Sequence[Condition], now: int, *, offset: int, limit: int) -> list[CallRow]:
    """One page of the calls that match `conditions`: open before closed, due first, closed last first."""
    order = (
        col(CallRequest.closed_at).is_not(None),
        col(CallRequest.closed_at).desc(),
        col(CallRequest.due_at).is_(None),
        col(CallRequest.due_at),
        col(CallRequest.created_at),
        col(CallRequest.token),
    )
    wanted: Any = (
        sa.select(CallRequest, Customer, CustomerFacts, col(_assignee.name))
        .outerjoin(Customer, col(Customer.id) == col(CallRequest.customer))
        .outerjoin(CustomerFacts, col(CustomerFacts.customer) == col(CallRequest.customer))
        .outerjoin(_assignee, col(_assignee.id) == col(CallRequest.assignee))
        .where(*where)
    )
    found = session.execute(wanted.order_by(*order).offset(offset).limit(limit))
    return [_row(now, *parts) for parts in found]


def open_with(session: Session, customers: Sequence[str], now: int) -> list[CallRow]:
    """The calls with these customers that are still to be made, due first."""
    where = [col(CallRequest.state).in_(OPEN), col(CallRequest.customer).in_(customers)]
    return page(session, where, now, offset=0, limit=_MOST_OPEN)


def _row(
    now: int, call: CallRequest, customer: Customer | None, facts: CustomerFacts | None, assignee: str | None
) -> CallRow:
    who = customer or Customer(id=call.customer, created=0)
    known = facts or CustomerFacts(customer=call.customer)
    return CallRow(
        token=call.token,
        state=call.state,
        customer=call.customer,
        name=who.name or "",
        email=who.email or "",
        phone=who.phone or "",
        local=places.local_time(who, at=now),
        due_at=call.due_at,
        overdue=call.state in OPEN and call.due_at is not None and call.due_at < now,
        assignee=call.assignee,
        assignee_name=assignee or "",
        requested_by=call.requested_by_name,
        created_at=call.created_at,
        note=call.note,
        outcome=call.outcome or "",
        outcome_note=call.outcome_note,
        closed_at=call.closed_at,
        status=known.status,
        plan=known.plan,
        currency=known.currency,
        value_micros=known.mrr_micros or known.plan_micros,
        trial_end=known.trial_end if known.status == "trialing" else None,
    )
