"""Which payments failed, what is at stake, and what came back, per currency?

Failed payment: an invoice above zero whose attempt failed. It is open while it still asks for money.
States: recovered (paid by any means), in recovery, lost (void, uncollectible, or its subscription is over).
The first invoice after a trial is left out of the recovery rate and reported as `missed_payment` with the
trials; it is among the open failures, because somebody has to see to it.

Open failures of a past instant are reconstructed from when invoices first failed, were paid and given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from models import Charge, Customer, Dispute, Event, Invoice, Subscription
from services.metrics.recovery import failures
from services.metrics.recovery.failures import OPEN_DISPUTES, is_of_ended, is_open_failure
from services.metrics.statistics.statistics import Rate
from services.metrics.statistics.sums import total
from services.metrics.trials.trials import has_ended, is_regular

CameTo = Literal["recovered", "in_recovery", "lost"]
CAME_TO: tuple[CameTo, ...] = get_args(CameTo)


@dataclass(frozen=True, slots=True)
class AtStake:
    """One currency: how many invoices or disputes, of how many customers, and their amount (minor units)."""

    count: int = 0
    customers: int = 0
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of the payments of one currency that first failed in a period; amounts in minor units."""

    recovered: int = 0
    in_recovery: int = 0
    lost: int = 0
    recovered_amount: int = 0
    failed_amount: int = 0

    @property
    def rate(self) -> Rate:
        """Recovered / failed, by count."""
        return Rate(self.recovered, self.recovered + self.in_recovery + self.lost)


@dataclass(frozen=True, slots=True)
class Failed:
    """One payment that failed: `amount` in minor units; `failed_at` its first failure, in UTC seconds."""

    invoice: str
    number: str
    customer: str
    name: str
    email: str
    currency: str
    amount: int
    came_to: CameTo
    failed_at: int
    paid_at: int | None


def open_failures(session: Session, *, ended: bool) -> dict[str, AtStake]:
    """Failed payments that are open now, with their money, by currency.

    Either those of subscriptions that have `ended`, or all others: the money at stake.
    """
    mine = is_of_ended() if ended else ~is_of_ended()
    return _summed(session, is_open_failure() & mine, col(Invoice.amount_remaining))


def open_failures_at(session: Session, at: int, *, ended: bool) -> dict[str, AtStake]:
    """Failed payments that were open at a past instant (UTC seconds), reconstructed, by currency.

    `ended` as in `open_failures`, as of that instant.
    """
    i, first = Invoice, failures.first()
    resolved = sa.func.coalesce(col(i.paid_at), col(i.voided_at), col(i.marked_uncollectible_at), 0)
    failed = sa.select(first.c.invoice).where(first.c.failed_at <= at)
    still = ((col(i.status) == "open") & (col(i.amount_remaining) > 0)) | (resolved > at)
    over = sa.exists().where(col(Subscription.id) == col(i.subscription), has_ended(at))
    then = col(i.id).in_(failed) & still & (col(i.total) > 0) & ~col(i.deleted) & (over if ended else ~over)
    return _summed(session, then, col(i.amount_due))


def _summed(session: Session, condition: sa.ColumnElement[bool], amount: Any) -> dict[str, AtStake]:
    i = Invoice
    rows = session.execute(
        sa.select(col(i.currency), sa.func.count(), sa.func.count(col(i.customer).distinct()), total(amount))
        .where(condition)
        .group_by(col(i.currency))
    )
    return {currency: AtStake(count, customers, int(amount)) for currency, count, customers, amount in rows}


def open_disputes(session: Session) -> dict[str, AtStake]:
    """Disputes that are not decided, by currency."""
    return _disputes(session, col(Dispute.status).in_(OPEN_DISPUTES))


def disputed_of(session: Session, customers: sa.Select[Any]) -> dict[str, int]:
    """What is disputed and not decided of the customers whose ids a query finds: minor units by currency."""
    theirs = col(Charge.customer).in_(sa.select(customers.cte("wanted").c[0]))
    found = _disputes(session, col(Dispute.status).in_(OPEN_DISPUTES) & theirs)
    return {currency: each.amount for currency, each in found.items()}


def open_disputes_at(session: Session, at: int) -> dict[str, AtStake]:
    """Disputes that were not decided at a past instant (UTC seconds), reconstructed from the events."""
    closed = sa.exists().where(
        col(Event.object_id) == col(Dispute.id),
        col(Event.type) == "charge.dispute.closed",
        col(Event.created) > at,
    )
    return _disputes(
        session, (col(Dispute.created) <= at) & (col(Dispute.status).in_(OPEN_DISPUTES) | closed)
    )


def _disputes(session: Session, condition: sa.ColumnElement[bool]) -> dict[str, AtStake]:
    d = Dispute
    rows = session.execute(
        sa.select(
            col(d.currency),
            sa.func.count(),
            sa.func.count(col(Charge.customer).distinct()),
            total(col(d.amount)),
        )
        .join(Charge, col(Charge.id) == col(d.charge), isouter=True)
        .where(condition)
        .group_by(col(d.currency))
    )
    return {currency: AtStake(count, customers, int(amount)) for currency, count, customers, amount in rows}


def recovered(session: Session, begins: int, ends: int) -> dict[str, Recovery]:
    """What became so far of the payments that first failed from `begins` to before `ends`, by currency."""
    f = _failed(begins, ends).c
    counts = (_sum_if(f.came_to == state, 1) for state in CAME_TO)
    money = (_sum_if(f.came_to == "recovered", f.amount), total(f.amount))
    rows = session.execute(sa.select(f.currency, *counts, *money).group_by(f.currency))
    return {currency: Recovery(*map(int, numbers)) for currency, *numbers in rows}


def failed(
    session: Session, begins: int, ends: int, currency: str, *, offset: int = 0, limit: int | None = None
) -> list[Failed]:
    """These payments with what became of them, the latest first; `limit` None reads them all."""
    f, c = _failed(begins, ends).c, Customer
    named = (f.customer, sa.func.coalesce(col(c.name), ""), sa.func.coalesce(col(c.email), ""))
    page = (
        sa.select(f.invoice, f.number, *named, f.currency, f.amount, f.came_to, f.failed_at, f.paid_at)
        .join(c, col(c.id) == f.customer, isouter=True)
        .where(f.currency == currency)
        .order_by(f.failed_at.desc(), f.invoice)
    )
    return [Failed(*row) for row in session.execute(page.offset(offset).limit(limit))]


def _failed(begins: int, ends: int) -> sa.Subquery:
    """The payments that first failed in a period and count for the rate."""
    ever = payments()
    failed_at = ever.selected_columns.failed_at
    counts = (failed_at >= begins, failed_at < ends, sa.not_(ever.selected_columns.first_after_trial))
    return ever.where(*counts).subquery()


def payments(customers: str | None = None) -> sa.Select[Any]:
    """SQL: each payment that failed, ever, with what became of it: of everybody, or of some customers (the
    name of a parameter, see `among`). `first_after_trial`: it is no part of the rate."""
    first, i, s = failures.first(customers), aliased(Invoice), aliased(Subscription)
    over = is_of_ended(i) | col(i.status).in_(("void", "uncollectible"))
    paid = col(i.status) == "paid"
    return (
        sa.select(
            col(i.id).label("invoice"),
            sa.func.coalesce(col(i.number), col(i.id)).label("number"),
            col(i.customer).label("customer"),
            sa.func.coalesce(col(i.subscription), "").label("subscription"),
            col(i.currency).label("currency"),
            col(i.total).label("amount"),
            sa.case((paid, "recovered"), (over, "lost"), else_="in_recovery").label("came_to"),
            first.c.failed_at,
            sa.case((paid, col(i.paid_at))).label("paid_at"),
            col(i.attempt_count).label("attempt_count"),
            col(i.collection_method).label("collection_method"),
            is_first_after_trial(i, s).label("first_after_trial"),
        )
        .join_from(first, i, col(i.id) == first.c.invoice)
        .join(s, col(s.id) == col(i.subscription), isouter=True)
        .where(col(i.total) > 0)
    )


def _sum_if(condition: sa.ColumnElement[bool], value: Any) -> sa.ColumnElement[int]:
    return total(sa.case((condition, value), else_=0))


def is_first_after_trial(invoice: Any, subscription: Any) -> sa.ColumnElement[bool]:
    """SQL: whether the invoice is the first above zero of a (joined) subscription that began with a trial."""
    earlier = aliased(Invoice)
    before = sa.exists().where(
        col(earlier.subscription) == col(invoice.subscription),
        col(earlier.created) < col(invoice.created),
        col(earlier.total) > 0,
        col(earlier.status) != "void",
        is_regular(earlier),
    )
    return col(subscription.trial_start).is_not(None) & ~before
