"""Which payments failed, what is at stake, and what came back, per currency?

Failed payment: an invoice above zero whose attempt failed. It is open while it still asks for money.
States: recovered (paid by any means), in recovery, lost (void, uncollectible, or its subscription is over).
The first invoice after a trial is left out of the recovery rate and reported as `missed_payment` with the
trials; it is among the open failures, because somebody has to see to it.

What is open now is asked of the invoices. What once failed is told by the facts that `failure_book` counts,
a moment after the tables change; `payments` is what it counts them by. Open failures of a past instant are
reconstructed from when invoices first failed, were paid and given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from models import Charge, Customer, Dispute, Event, FailureFact, Invoice, Subscription
from services.metrics.recovery import failures
from services.metrics.recovery.failures import OPEN_DISPUTES, is_of_ended, is_open_failure
from services.metrics.statistics.statistics import Rate
from services.metrics.statistics.sums import total
from services.metrics.trials.trials import has_ended, is_regular

CameTo = Literal["recovered", "in_recovery", "lost"]
CAME_TO: tuple[CameTo, ...] = get_args(CameTo)
_Rows = sa.Select[str, str, int, bool]


@dataclass(frozen=True, slots=True)
class AtStake:
    """One currency: how many invoices or disputes, of how many customers, and their amount (minor units)."""

    count: int = 0
    customers: int = 0
    amount: int = 0


class OpenFailures(NamedTuple):
    """Failed payments that ask for money, by currency: those of subscriptions that have `ended`, and all
    others."""

    at_stake: dict[str, AtStake]
    ended: dict[str, AtStake]


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


def open_failures(session: Session) -> OpenFailures:
    """Failed payments that are open now, with their money."""
    i, ended = Invoice, is_of_ended().label("ended")
    rows: _Rows = sa.select(col(i.currency), col(i.customer), col(i.amount_remaining).label("amount"), ended)
    return _summed(session, rows.where(is_open_failure()))


def open_failures_at(session: Session, at: int) -> OpenFailures:
    """Failed payments that were open at a past instant (UTC seconds), reconstructed."""
    f = FailureFact
    over = sa.select(has_ended(at)).where(col(Subscription.id) == col(f.subscription)).scalar_subquery()
    ended = sa.func.coalesce(over, sa.false()).label("ended")
    rows: _Rows = sa.select(col(f.currency), col(f.customer), col(f.due).label("amount"), ended)
    still = col(f.closed_at).is_(None) | (col(f.closed_at) > at)
    return _summed(session, rows.where(col(f.failed_at) <= at, still))


def _summed(session: Session, rows: _Rows) -> OpenFailures:
    """What rows of currency, customer, amount and ended come to. They are read once: SQLite would look up
    each subscription for every place where `ended` is named."""
    each = rows.cte("each").prefix_with("MATERIALIZED").c
    counts = (sa.func.count(), sa.func.count(each.customer.distinct()), total(each.amount))
    found = OpenFailures({}, {})
    grouped = sa.select(each.currency, each.ended, *counts).group_by(each.currency, each.ended)
    for currency, ended, count, customers, amount in session.execute(grouped):
        side = found.ended if ended else found.at_stake
        side[currency] = AtStake(count, customers, int(amount))
    return found


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
    f = FailureFact
    counts = (_sum_if(col(f.state) == state, 1) for state in CAME_TO)
    money = (_sum_if(col(f.state) == "recovered", col(f.amount)), total(col(f.amount)))
    asked = sa.select(col(f.currency), *counts, *money).where(*_failed(begins, ends))
    rows = session.execute(asked.group_by(col(f.currency)))
    return {currency: Recovery(*map(int, numbers)) for currency, *numbers in rows}


def failed(
    session: Session, begins: int, ends: int, currency: str, *, offset: int = 0, limit: int | None = None
) -> list[Failed]:
    """These payments with what became of them, the latest first; `limit` None reads them all."""
    f, i, c = FailureFact, Invoice, Customer
    number = sa.func.coalesce(col(i.number), col(f.invoice))
    named = (col(f.customer), sa.func.coalesce(col(c.name), ""), sa.func.coalesce(col(c.email), ""))
    became = (col(f.currency), col(f.amount), col(f.state), col(f.failed_at), col(f.paid_at))
    page = (
        sa.select(col(f.invoice), number, *named, *became)
        .join_from(f, i, col(i.id) == col(f.invoice), isouter=True)
        .join(c, col(c.id) == col(f.customer), isouter=True)
        .where(col(f.currency) == currency, *_failed(begins, ends))
        .order_by(col(f.failed_at).desc(), col(f.invoice))
    )
    return [Failed(*row) for row in session.execute(page.offset(offset).limit(limit))]


def _failed(begins: int, ends: int) -> tuple[sa.ColumnElement[bool], ...]:
    """SQL: which payments first failed in a period and count for the rate."""
    f = FailureFact
    return col(f.failed_at) >= begins, col(f.failed_at) < ends, ~col(f.first_after_trial)


def payments(customers: str) -> sa.Select[Any]:
    """SQL: each payment of some customers (the name of a parameter, see `among`) that failed, ever, with what
    became of it. `first_after_trial`: it is no part of the rate."""
    first, i, s = failures.first(customers), aliased(Invoice), aliased(Subscription)
    over = is_of_ended(i) | col(i.status).in_(("void", "uncollectible"))
    paid = col(i.status) == "paid"
    return (
        sa.select(
            col(i.id).label("invoice"),
            col(i.customer).label("customer"),
            sa.func.coalesce(col(i.subscription), "").label("subscription"),
            col(i.currency).label("currency"),
            col(i.total).label("amount"),
            col(i.amount_due).label("due"),
            sa.case((paid, "recovered"), (over, "lost"), else_="in_recovery").label("came_to"),
            first.c.failed_at,
            sa.case((paid, col(i.paid_at))).label("paid_at"),
            _closed_at(i).label("closed_at"),
            col(i.attempt_count).label("attempt_count"),
            col(i.collection_method).label("collection_method"),
            is_first_after_trial(i, s).label("first_after_trial"),
        )
        .join_from(first, i, col(i.id) == first.c.invoice)
        .join(s, col(s.id) == col(i.subscription), isouter=True)
        .where(col(i.total) > 0)
    )


def _closed_at(invoice: Any) -> sa.ColumnElement[int | None]:
    """SQL: since when an invoice asks for nothing more, 0 where that is not known; None while it asks."""
    i = invoice
    resolved = sa.func.coalesce(col(i.paid_at), col(i.voided_at), col(i.marked_uncollectible_at), 0)
    asks = (col(i.status) == "open") & (col(i.amount_remaining) > 0)
    return sa.case((col(i.deleted), 0), (asks, sa.null()), else_=resolved)


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
