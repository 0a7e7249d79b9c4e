"""Why did trials bring nothing? By how they ended, by the reason that is known, by what they would have paid.

A first payment that failed tells its decline code (of the first try), a cancellation in the trial what the
customer chose as feedback, else Stripe's reason; customers' own words stand beside. A trial that ended
without a card tells nothing more. Free trials are over and brought nothing, but nothing was asked of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Customer, Product, Subscription, TrialFact
from services.metrics.periods import Period
from services.metrics.trials import slices
from services.metrics.trials.slices import TRIALS, Slice
from services.metrics.trials.trial_book import LOST

_ALL: Any = TrialFact.__table__.c  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Reason:
    """`trials` of one period that brought nothing and are alike: `micros` is what they would have paid a
    month in `currency`. `why` is "" where nothing says more than the state."""

    period: Period
    state: str
    why: str
    plan: str
    currency: str
    trials: int
    micros: int


@dataclass(frozen=True, slots=True)
class Comment:
    """What a customer wrote when it canceled its trial. `plan` is its name; instants in UTC seconds."""

    customer: str
    name: str
    email: str
    plan: str
    currency: str
    micros: int
    feedback: str
    comment: str
    canceled_at: int


def reasons(session: Session, asked: Slice) -> list[Reason]:
    """The trials of a slice that brought nothing, oldest period first; the slice must name its periods."""
    by_begin = {period.begins: period for period in asked.periods or ()}
    by = ("period", "state", "why", "plan", "currency")
    rows = sorted(slices.counted(session, TRIALS, asked, by, "trials", "micros"))
    return [Reason(by_begin[begins], *rest) for begins, *rest in rows if rest[0] in LOST]


def count_comments(session: Session, asked: Slice) -> int:
    """How many of a slice's trials were canceled with a comment."""
    return int(session.execute(sa.select(sa.func.count()).where(*_commented(asked))).scalar_one())


def comments(session: Session, asked: Slice, *, offset: int = 0, limit: int | None = None) -> list[Comment]:
    """What the customers of a slice wrote when they canceled their trial, newest first."""
    names = ("customer", "subscription", "plan", "currency", "plan_micros", "canceled_at")
    newest = sa.select(*(_ALL[name] for name in names)).where(*_commented(asked))
    page = newest.order_by(_ALL.canceled_at.desc(), _ALL.customer).offset(offset).limit(limit)
    t, s, c, p = page.subquery().c, Subscription, Customer, Product
    told = (
        sa.select(
            t.customer,
            sa.func.coalesce(col(c.name), ""),
            sa.func.coalesce(col(c.email), ""),
            sa.func.coalesce(col(p.name), t.plan),
            t.currency,
            t.plan_micros,
            sa.func.coalesce(col(s.cancellation_feedback), ""),
            sa.func.coalesce(col(s.cancellation_comment), ""),
            t.canceled_at,
        )
        .join(s, col(s.id) == t.subscription)
        .join(c, col(c.id) == t.customer, isouter=True)
        .join(p, col(p.id) == t.plan, isouter=True)
        .order_by(t.canceled_at.desc(), t.customer)
    )
    return [Comment(*row) for row in session.execute(told)]


def _commented(asked: Slice) -> Sequence[sa.ColumnElement[bool]]:
    """SQL: the trials of a slice with a comment. What is literal leads to the index made for it."""
    return [_ALL.commented == sa.literal_column("1"), *slices.conditions(TRIALS, asked)]
