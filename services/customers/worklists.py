"""What needs somebody today: running trials by days left, open failed payments by money at stake.

Both lists are one statement on indexed columns for a page, one for the count, and short ones for what
stands beside the rows of that page. Currencies are never added or compared: lists that sort by money
go currency by currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlmodel import Session, col

from models import (
    Customer,
    CustomerFacts,
    Invoice,
    Product,
    Staff,
    Subscription,
    SubscriptionItem,
)
from services.clock import DAY
from services.metrics.recovery.failures import Failure, is_of_ended, is_open_failure, last
from services.metrics.statistics.sums import total
from services.mirror import dealings

Condition = sa.ColumnElement[bool]
Contact = Literal["", "contacted", "not contacted"]
Standing = Literal["", "not ended", "ended"]
NO_OWNER: Final = 0
_subscription, _customer, _invoice = col(Subscription.id), col(Subscription.customer), col(Invoice.id)
_RUNNING = (col(Subscription.status) == "trialing", col(Subscription.deleted).is_(False))


@dataclass(frozen=True, slots=True)
class TrialFilter:
    """Which running trials. `within_days` from now; `product` an id; `owner` a staff id or NO_OWNER."""

    within_days: int | None = None
    product: str = ""
    card: bool | None = None
    contact: Contact = ""
    owner: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A running trial. `plan_micros` is what it would bring a month; `card` whether one is on file."""

    subscription: str
    customer: str
    name: str
    email: str
    plan: str
    currency: str
    plan_micros: int
    trial_end: int
    card: bool
    canceling: bool
    last_contact_at: int | None
    last_contact_kind: str
    owner: str


TRIAL_SORTS: Final[dict[str, Sequence[Any]]] = {
    "Days left": (col(Subscription.trial_end), _subscription),
    "Plan value": (col(Subscription.currency), col(Subscription.plan_micros).desc(), _subscription),
}


def trial_conditions(wanted: TrialFilter, now: int) -> list[Condition]:
    """The filter as conditions on subscriptions joined with their customers' facts."""
    found = list(_RUNNING)
    if wanted.within_days is not None:
        found.append(col(Subscription.trial_end) <= now + wanted.within_days * DAY)
    if wanted.product:
        found.append(_subscription.in_(_with_product(wanted.product)))
    if wanted.currency:
        found.append(col(Subscription.currency) == wanted.currency)
    if wanted.card is not None:
        found.append(col(CustomerFacts.payment_method_on_file).is_(wanted.card))
    return found + _people(wanted.contact, wanted.owner)


def count_trials(session: Session, where: Sequence[Condition]) -> int:
    """How many running trials match."""
    return session.scalar(_trials(sa.func.count()).where(*where)) or 0


def worth(session: Session, where: Sequence[Condition]) -> dict[str, int]:
    """What the matching trials would add to MRR: micros by currency, the largest first."""
    code, sums = col(Subscription.currency), total(col(Subscription.plan_micros))
    found = session.execute(_trials(code, sums).where(*where).group_by(code))
    return dict(sorted(((one, int(micros)) for one, micros in found), key=lambda one: -one[1]))


def trials(
    session: Session, where: Sequence[Condition], *, sort: str, offset: int, limit: int
) -> list[TrialRow]:
    """One page of the running trials that match `trial_conditions`; `sort` is a key of TRIAL_SORTS."""
    wanted = _trials(Subscription, CustomerFacts, Customer, Staff.name).where(*where)
    page = session.execute(wanted.order_by(*TRIAL_SORTS[sort]).offset(offset).limit(limit)).all()
    plans = dealings.plans(session.connection(), {row[0].id: row[0].id for row in page})
    return [_trial_row(row, plans.get(row[0].id, {}).get("plan", "")) for row in page]


def trial_ids(session: Session, where: Sequence[Condition], *, sort: str) -> list[str]:
    """All running trials that match, in the order of the list."""
    return list(session.scalars(_trials(_subscription).where(*where).order_by(*TRIAL_SORTS[sort])))


def trial_products(session: Session) -> dict[str, str]:
    """The products on trial now, name by id, in the order of their names."""
    found = session.execute(
        sa.select(col(Product.id), col(Product.name))
        .where(
            col(Product.id).in_(
                sa.select(col(SubscriptionItem.product))
                .join(Subscription, _subscription == col(SubscriptionItem.subscription))
                .where(*_RUNNING, col(SubscriptionItem.deleted).is_(False))
            )
        )
        .order_by(col(Product.name))
    )
    return {id: name or id for id, name in found}


def trial_currencies(session: Session) -> list[str]:
    """The currencies of the running trials, sorted."""
    code = col(Subscription.currency)
    found = sa.select(code).where(*_RUNNING).distinct().order_by(code)
    return list(session.scalars(found))


def _trials(*columns: Any) -> Any:
    return (
        sa.select(*columns)
        .select_from(Subscription)
        .join(CustomerFacts, col(CustomerFacts.customer) == _customer)
        .join(Customer, col(Customer.id) == _customer)
        .outerjoin(Staff, col(Staff.id) == col(CustomerFacts.owner))
    )


def _with_product(product: str) -> Any:
    return sa.select(col(SubscriptionItem.subscription)).where(
        col(SubscriptionItem.product) == product, col(SubscriptionItem.deleted).is_(False)
    )


def _people(contact: Contact, owner: int | None) -> list[Condition]:
    found: list[Condition] = []
    if contact:
        spoken = col(CustomerFacts.last_contact_at).is_not(None)
        found.append(spoken if contact == "contacted" else ~spoken)
    if owner is not None:
        owned = col(CustomerFacts.owner)
        found.append(owned.is_(None) if owner == NO_OWNER else owned == owner)
    return found


def _trial_row(found: Any, plan: str) -> TrialRow:
    subscription, facts, customer, owner = found
    return TrialRow(
        subscription=subscription.id,
        customer=subscription.customer,
        name=customer.name or "",
        email=customer.email or "",
        plan=plan,
        currency=subscription.currency,
        plan_micros=subscription.plan_micros,
        trial_end=subscription.trial_end or 0,
        card=facts.payment_method_on_file,
        canceling=subscription.cancel_at is not None or subscription.cancel_at_period_end,
        last_contact_at=facts.last_contact_at,
        last_contact_kind=facts.last_contact_kind,
        owner=owner or "",
    )


@dataclass(frozen=True, slots=True)
class FailureFilter:
    """Which open failures. `retry`: whether Stripe will try again by itself; None = either.

    `subscription`: whether the invoice's subscription has ended; one of no subscription has not.
    """

    currency: str = ""
    retry: bool | None = None
    contact: Contact = ""
    owner: int | None = None
    subscription: Standing = ""


@dataclass(frozen=True, slots=True)
class FailureRow:
    """An invoice whose payment failed and that is still open. `code` is the decline or failure code of
    the latest try, `advice` Stripe's; `amount` in minor units; `next_attempt` None = no further try;
    `card` whether a payment method is on file."""

    invoice: str
    number: str
    customer: str
    name: str
    email: str
    amount: int
    currency: str
    code: str
    advice: str
    card: bool
    attempts: int
    failed_since: int
    next_attempt: int | None
    hosted_invoice_url: str
    subscription_status: str
    last_contact_at: int | None
    last_contact_kind: str
    owner: str


@dataclass(frozen=True, slots=True)
class Stake:
    """What open failures come to in one currency, in minor units: of subscriptions that have not ended
    (what is at stake), and of those that have."""

    currency: str
    invoices: int
    amount: int
    ended_invoices: int = 0
    ended_amount: int = 0


def failure_conditions(wanted: FailureFilter) -> list[Condition]:
    """The filter as conditions on invoices joined with their customers' facts."""
    found: list[Condition] = [is_open_failure()]
    if wanted.currency:
        found.append(col(Invoice.currency) == wanted.currency)
    if wanted.retry is not None:
        again = col(Invoice.next_payment_attempt).is_not(None)
        found.append(again if wanted.retry else ~again)
    if wanted.subscription:
        found.append(is_of_ended() if wanted.subscription == "ended" else ~is_of_ended())
    return found + _people(wanted.contact, wanted.owner)


def stakes(session: Session, where: Sequence[Condition]) -> list[Stake]:
    """Count and money for each currency, in the order of the list: the one with most rows first."""
    ended = sa.case((is_of_ended(), 1), else_=0).label("ended")
    asked = _asked(Invoice.currency, Invoice.amount_remaining, ended).where(*where).subquery().c
    sums = sa.select(asked.currency, asked.ended, sa.func.count(), total(asked.amount_remaining))
    found: dict[str, list[int]] = {}
    for currency, over, count, amount in session.execute(sums.group_by(asked.currency, asked.ended)):
        found.setdefault(currency, [0, 0, 0, 0])[2 * over : 2 * over + 2] = count, int(amount)
    stakes = (Stake(currency, *numbers) for currency, numbers in found.items())
    return sorted(stakes, key=lambda one: (-one.invoices - one.ended_invoices, one.currency))


def failures(
    session: Session, where: Sequence[Condition], found: Sequence[Stake], *, offset: int, limit: int
) -> list[FailureRow]:
    """One page of the matching open failures: currencies in the order of their `stakes`, which were `found`;
    in each what is at stake, the largest first, then what ended subscriptions left."""
    if not found:
        return []
    wanted_ids = _sorted_failures(where, found).offset(offset).limit(limit)
    page = session.scalars(wanted_ids).all()  # whole rows would all be sorted for the few of a page
    wanted = (
        _asked(Invoice, CustomerFacts, Customer, Staff.name, Subscription.status)
        .join(Customer, col(Customer.id) == col(Invoice.customer))
        .outerjoin(Subscription, _subscription == col(Invoice.subscription))
        .outerjoin(Staff, col(Staff.id) == col(CustomerFacts.owner))
    )
    rows = {row[0].id: row for row in session.execute(wanted.where(_invoice.in_(page)))}
    reasons = last(session.connection(), page)
    return [_failure_row(rows[id], reasons.get(id)) for id in page]


def failure_ids(session: Session, where: Sequence[Condition], found: Sequence[Stake]) -> list[str]:
    """All matching open failures, in the order of the list."""
    return list(session.scalars(_sorted_failures(where, found))) if found else []


def _sorted_failures(where: Sequence[Condition], found: Sequence[Stake]) -> Any:
    ranks = {stake.currency: rank for rank, stake in enumerate(found)}
    currency, ended = sa.case(ranks, value=col(Invoice.currency)), sa.case((is_of_ended(), 1), else_=0)
    order = (currency, ended, col(Invoice.amount_remaining).desc(), _invoice)
    return _asked(Invoice.id).where(*where).order_by(*order)


def _asked(*columns: Any) -> Any:
    """Columns of invoices and of their customers' facts."""
    facts = col(CustomerFacts.customer) == col(Invoice.customer)
    return sa.select(*columns).select_from(Invoice).join(CustomerFacts, facts)


def _failure_row(found: Any, reason: Failure | None) -> FailureRow:
    invoice, facts, customer, owner, subscription_status = found
    return FailureRow(
        invoice=invoice.id,
        number=invoice.number or invoice.id,
        customer=invoice.customer,
        name=customer.name or "",
        email=customer.email or "",
        amount=invoice.amount_remaining,
        currency=invoice.currency,
        code=reason.code if reason else "",
        advice=reason.advice if reason else "",
        card=facts.payment_method_on_file,
        attempts=invoice.attempt_count,
        failed_since=invoice.finalized_at or invoice.created,
        next_attempt=invoice.next_payment_attempt,
        hosted_invoice_url=invoice.hosted_invoice_url or "",
        subscription_status=subscription_status or "",
        last_contact_at=facts.last_contact_at,
        last_contact_kind=facts.last_contact_kind,
        owner=owner or "",
    )
