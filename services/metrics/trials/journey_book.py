"""How far did each customer come? Facts for the funnel (`funnel` says what its steps mean).

Of trials it reads the facts that `trial_book` has counted of the same customers just before.
Nothing is too young for what the tables say; what must be a day old to be true of it comes due by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import (
    Customer,
    CustomerFacts,
    Invoice,
    InvoiceLine,
    JourneyCell,
    JourneyFact,
    Message,
    Subscription,
    TrialFact,
)
from services.among import among
from services.clock import DAY
from services.metrics.counting.calendar import Calendar
from services.metrics.counting.rollups import Amounts, Book, Counted, Key, Row, Sum, dicts
from services.metrics.trials import slices
from services.metrics.trials.trial_book import NOW, SENT, THESE
from services.metrics.trials.trials import EVER, is_paid, is_regular

_MARKS = (30, 90)  # days after the first payment
_UNDECIDED = -1


def count(session: Session, customers: Sequence[str], now: int, _calendar: Calendar) -> Counted:
    """The ways of these customers; due again on the day after which one is still paying, or is not."""
    asked = {"customers": list(customers), "now": now}
    facts = dicts(session.connection().execute(_journeys(), asked))
    paid = ((row["customer"], row["paid_at"]) for row in facts if row["waits"] and row["paid_at"] is not None)
    return Counted(facts, {customer: _next(at, now) for customer, at in paid})


def _next(paid_at: int, now: int) -> int:
    """The first mark that lies ahead."""
    return next(then for days in _MARKS if (then := paid_at + days * DAY) > now)


@cache
def _journeys() -> Any:
    """SQL: one row for each customer, as `JourneyFact`."""
    walked = _with_kept(_walked()).c
    paid, trialed = walked.paid_at.is_not(None), walked.trialed == 1
    after = sa.case((walked.kept_30 != 1, 0), (walked.kept_90 != 1, 1), else_=2)
    before = sa.case((~trialed, 0), (walked.method == 0, 1), (walked.in_trial == 1, 2), else_=3)
    future = (walked.kept_30 == _UNDECIDED) | ((walked.kept_30 == 1) & (walked.kept_90 == _UNDECIDED))
    kept = (column for column in walked if column.name in JourneyFact.model_fields)
    return sa.select(
        *kept,
        sa.case((trialed, "trial"), else_="direct").label("path"),
        sa.case((paid, after + sa.case((trialed, 4), else_=1)), else_=before).label("depth"),
        sa.case((paid & future, 1), (~paid & (walked.running == 1), 1), else_=0).label("waits"),
    )


def _walked() -> sa.CTE:
    """Who signed up, whether they trialed, had a way to pay, and when they first paid."""
    c, facts, t = Customer, CustomerFacts, TrialFact
    trialed = col(t.customer).is_not(None)
    paid_at = sa.case((trialed, col(t.converted_at)), else_=_first_payment(col(c.id)))
    flags = {
        "trialed": trialed,
        "method": (col(t.card_on_file) == 1) | (col(t.on_invoice) == 1),
        "in_trial": col(t.in_trial) == 1,
        "running": col(t.state) == "running",
        "extended": col(t.extended) == 1,
        "messaged_in_trial": col(t.messaged) == 1,
    }
    return (
        sa.select(
            col(c.id).label("customer"),
            col(c.created),
            sa.func.coalesce(col(t.plan), col(facts.product), "").label("plan"),
            sa.func.coalesce(col(facts.source), "").label("source"),
            sa.func.coalesce(col(t.currency), col(facts.currency), "").label("currency"),
            sa.func.coalesce(col(facts.country), "").label("country"),
            *(sa.case((flag, 1), else_=0).label(name) for name, flag in flags.items()),
            paid_at.label("paid_at"),
            col(t.trial_end),
        )
        .join_from(c, facts, col(facts.customer) == col(c.id), isouter=True)
        .join(t, col(t.customer) == col(c.id), isouter=True)
        .where(among(col(c.id), THESE))
        .cte("walked")
        .prefix_with("MATERIALIZED")
    )


def _with_kept(walked: sa.CTE) -> sa.CTE:
    """Adds `kept_30`, `kept_90` and `messaged`. Without the fence each would be looked up for every use."""
    marks = (_kept(walked, days).label(f"kept_{days}") for days in _MARKS)
    messaged = _messaged(walked.c).label("messaged")
    return sa.select(walked, *marks, messaged).cte("kept").prefix_with("MATERIALIZED")


def _messaged(walked: Any) -> sa.ColumnElement[int]:
    """SQL: whether a message of the desk reached the customer (1, 0): in the trial; without one, before the
    first payment, or ever of one who never paid."""
    m = Message
    before = sa.func.coalesce(col(m.sent_at) < walked.paid_at, col(m.sent_at).is_not(None))
    reached = sa.exists().where(col(m.customer) == walked.customer, col(m.state).in_(SENT), before)
    return sa.case((walked.trialed == 1, walked.messaged_in_trial), (reached, 1), else_=0)


def _first_payment(customer: Any) -> sa.ScalarSelect[Any]:
    """SQL: when the customer first paid a subscription's invoice above zero."""
    i = Invoice
    return (
        sa.select(sa.func.min(sa.func.coalesce(col(i.paid_at), col(i.created))))
        .where(col(i.customer) == customer, col(i.created) <= EVER)  # both lead SQLite to the right index
        .where(col(i.subscription).is_not(None), col(i.total) > 0, is_regular(i), is_paid(i, EVER))
        .scalar_subquery()
    )


def _kept(walked: sa.CTE, days: int) -> sa.ColumnElement[int]:
    """SQL: whether a paying customer still paid `days` later (1, 0), or it is too early to tell (-1).

    Decided by what was true then: an invoice line above zero covers that instant, on an invoice that was
    asked for and not given up by then, of a subscription that had not ended. A draft is asked for within a
    day at most; one that waited longer (collection paused, subscription unpaid) was not asked for then. Use
    is billed in arrears: what covers the day is on an invoice made at the period's end.
    """
    s, bill, line = Subscription, Invoice, InvoiceLine
    then = walked.c.paid_at + days * DAY
    given_up = sa.func.coalesce(col(bill.marked_uncollectible_at), col(bill.voided_at), 0)
    billed = sa.exists().where(
        col(s.customer) == walked.c.customer,
        sa.func.coalesce(col(s.ended_at), then + 1) > then,
        col(line.subscription) == col(s.id),
        col(line.period_start) <= then,
        col(line.period_end) > then,
        col(line.amount) > 0,
        ~col(line.proration),
        col(bill.id) == col(line.invoice),
        col(bill.total) > 0,
        col(bill.status).in_(("paid", "open")) | (given_up > then),
        (sa.func.coalesce(col(bill.finalized_at), col(bill.created)) <= then + DAY)
        | (col(bill.finalized_at) <= col(bill.created) + DAY),
        ~col(bill.deleted),
    )
    return sa.case((then > NOW, _UNDECIDED), (billed, 1), else_=0)


def sum_up(fact: Row, calendar: Calendar) -> Iterator[tuple[Key, Amounts]]:
    """The cells of a customer's way."""
    for key in slices.keys(fact, slices.JOURNEYS, calendar):
        yield key, (1,)


BOOK = Book(JourneyFact, count, (Sum(JourneyCell, sum_up),))
