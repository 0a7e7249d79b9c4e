"""How far did the people who signed up come?

Funnel: signed up (the customer's `created`) -> trial started -> payment method on file, or collected by
invoice -> trial over -> first payment -> still paying after 30 and 90 days. Each step counts the same
customers as the step before it, so that each is a part of it. A customer who never trialed goes straight to
paying in a path of its own. Who paid had a way to pay, whatever is on file today. Steps that lie in the
future for some are said to be undecided for those. Still paying is decided by what was true on that day: an
invoice above zero covers it, paid or still asked for. What happens later changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from models import Customer, CustomerFacts, Invoice, InvoiceLine, Subscription
from services.clock import DAY
from services.metrics.periods import Period, index_of
from services.metrics.trials import EVERYONE, Segment, is_paid, is_regular, trials

Path = Literal["trial", "direct"]
TRIAL_STEPS = ("signed_up", "trial", "method", "over", "paid", "paying_30", "paying_90")
DIRECT_STEPS = ("signed_up", "paid", "paying_30", "paying_90")
_UNDECIDED = -1
# Made once: an alias of a wide table takes a millisecond.
_CUSTOMER, _FACTS, _INVOICE = aliased(Customer), aliased(CustomerFacts), aliased(Invoice)
_SUBSCRIPTION, _LINE = aliased(Subscription), aliased(InvoiceLine)


@dataclass(frozen=True, slots=True)
class Step:
    """`count` customers reached the step; for `undecided` more of the step before it is too early to tell."""

    name: str
    count: int
    undecided: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """`count` customers alike: `period` of sign-up, `depth` the last step reached on their path (from 0).

    `waits`: the step after `depth` lies in the future for them.
    """

    period: int
    plan: str
    source: str
    currency: str
    path: Path
    depth: int
    waits: bool
    count: int


def journeys(as_of: int, segment: Segment = EVERYONE) -> sa.CTE:
    """One row for each customer created by `as_of` (UTC seconds).

    Columns: customer, created, plan, source, currency, path, depth (position in the path's steps), waits,
    trial_end, paid_at.
    """
    walked = _with_kept(_walked(as_of, segment), as_of)
    kept_30, kept_90 = walked.c.kept_30, walked.c.kept_90
    paid, trialed = walked.c.paid_at.is_not(None), walked.c.trialed == 1
    after = sa.case((kept_30 != 1, 0), (kept_90 != 1, 1), else_=2)
    before = sa.case((~trialed, 0), (walked.c.method == 0, 1), (walked.c.in_trial == 1, 2), else_=3)
    future = (kept_30 == _UNDECIDED) | ((kept_30 == 1) & (kept_90 == _UNDECIDED))
    return sa.select(
        walked,
        sa.case((trialed, "trial"), else_="direct").label("path"),
        sa.case((paid, after + sa.case((trialed, 4), else_=1)), else_=before).label("depth"),
        sa.case((paid & future, 1), (~paid & (walked.c.running == 1), 1), else_=0).label("waits"),
    ).cte("journeys")


def _walked(as_of: int, segment: Segment) -> sa.CTE:
    """Who signed up, whether they trialed, had a way to pay, and when they first paid."""
    c, facts, t = _CUSTOMER, _FACTS, trials(as_of).c
    trialed = t.customer.is_not(None)
    paid_at = sa.case((trialed, t.converted_at), else_=_first_payment(col(c.id), as_of))
    has_method = (t.card_on_file == 1) | (t.on_invoice == 1)
    plan, source = sa.func.coalesce(t.plan, facts.product, ""), sa.func.coalesce(facts.source, "")
    currency = sa.func.coalesce(t.currency, facts.currency, "")
    return (
        sa.select(
            col(c.id).label("customer"),
            col(c.created),
            plan.label("plan"),
            source.label("source"),
            currency.label("currency"),
            sa.case((trialed, 1), else_=0).label("trialed"),
            sa.case((has_method, 1), else_=0).label("method"),
            sa.func.coalesce(t.in_trial, 0).label("in_trial"),
            sa.case((t.state == "running", 1), else_=0).label("running"),
            paid_at.label("paid_at"),
            t.trial_end,
        )
        .join_from(c, facts, col(facts.customer) == col(c.id), isouter=True)
        .join(t.customer.table, t.customer == col(c.id), isouter=True)
        .where(col(c.created) <= as_of, *segment.where(plan, source, currency))
        .cte("walked")
        .prefix_with("MATERIALIZED")
    )


def _with_kept(walked: sa.CTE, as_of: int) -> sa.CTE:
    """Adds `kept_30` and `kept_90`. Without the fence each would be looked up for every use of it."""
    marks = (_kept(walked, days, as_of).label(f"kept_{days}") for days in (30, 90))
    return sa.select(walked, *marks).cte("kept").prefix_with("MATERIALIZED")


def _first_payment(customer: Any, as_of: int) -> sa.ScalarSelect[Any]:
    """SQL: when the customer first paid a subscription's invoice above zero."""
    i = _INVOICE
    return (
        sa.select(sa.func.min(sa.func.coalesce(col(i.paid_at), col(i.created))))
        .where(col(i.customer) == customer, col(i.created) <= as_of)  # both lead SQLite to the right index
        .where(col(i.subscription).is_not(None), col(i.total) > 0, is_regular(i), is_paid(i, as_of))
        .scalar_subquery()
    )


def _kept(walked: sa.CTE, days: int, as_of: int) -> sa.ColumnElement[int]:
    """SQL: whether a paying customer still paid `days` later (1, 0), or it is too early to tell (-1).

    Decided by what was true then: an invoice line above zero covers that instant, on an invoice that was
    asked for and not given up by then, of a subscription that had not ended. A draft is asked for within a
    day at most; one that waited longer (collection paused, subscription unpaid) was not asked for then. Use
    is billed in arrears: what covers the day is on an invoice made at the period's end.
    """
    s, bill, line = _SUBSCRIPTION, _INVOICE, _LINE
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
    return sa.case((then > as_of, _UNDECIDED), (billed, 1), else_=0)


def cells(session: Session, periods: Sequence[Period], *, as_of: int) -> list[Cell]:
    """Counts everybody who signed up in the adjoining `periods` by how far they came by `as_of`."""
    j = journeys(as_of).c
    keys = (index_of(j.created, periods), j.plan, j.source, j.currency, j.path, j.depth, j.waits)
    inside = (j.created >= periods[0].begins, j.created < periods[-1].ends)
    grouped = sa.select(*keys, sa.func.count()).where(*inside)
    rows = session.execute(grouped.group_by(*(sa.text(str(n)) for n in range(1, 8))))
    return [
        Cell(period, plan, source, currency, path, depth, bool(waits), count)
        for period, plan, source, currency, path, depth, waits, count in rows
    ]


def steps(counted: Iterable[Cell], path: Path) -> list[Step]:
    """The path's steps with their counts. `direct` begins with all who signed up and never trialed."""
    names = TRIAL_STEPS if path == "trial" else DIRECT_STEPS
    reached, waiting = [0] * len(names), [0] * len(names)
    for cell in counted:
        if cell.path == path:
            reached[cell.depth] += cell.count
            if cell.waits:
                waiting[cell.depth + 1] += cell.count
        elif path == "trial":
            reached[0] += cell.count
    totals = list(accumulate(reversed(reached)))[::-1]
    return [Step(*one) for one in zip(names, totals, waiting, strict=True)]
