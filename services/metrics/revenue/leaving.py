"""When did paying customers decide to leave: how many subscriptions were canceled in each period?

By `canceled_at`, the moment of the decision; MRR falls only when the subscription ends. What was canceled in
the trial or at its end is left out, and so is a cancellation that was taken back. Shared definition: metrics,
Churn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Customer, CustomerFacts, Subscription, SubscriptionItem
from services.metrics.periods import Period, index_of
from services.metrics.revenue.revenue_history import View
from services.metrics.revenue.revenue_rows import Whole, whole_of


@dataclass(frozen=True, slots=True)
class Cancelled:
    """One subscription that was canceled at `at`, and ended or ends at `ends_at` (UTC seconds; None: not
    known). `micros` is what it comes to a month; `why` Stripe's feedback or reason, "" where none."""

    customer: str
    name: str
    email: str
    currency: str
    country: str
    at: int
    ends_at: int | None
    micros: int
    why: str


def counts(session: Session, view: View, periods: Sequence[Period]) -> list[int]:
    """How many subscriptions were canceled in each of the adjoining periods, oldest first."""
    place = index_of(sa.type_coerce(col(Subscription.canceled_at), sa.BigInteger), periods)
    asked = sa.select(place, sa.func.count()).where(*_within(view, periods))
    found = {at: int(number) for at, number in session.execute(asked.group_by(sa.text("1")))}
    return [found.get(at, 0) for at in range(len(periods))]


def count(session: Session, view: View, period: Period) -> int:
    """How many rows there are in all."""
    return counts(session, view, [period])[0]


def whole(session: Session, view: View, period: Period) -> Whole:
    """The same, and what these subscriptions came to a month."""
    s = Subscription
    return whole_of(session, view, col(s.currency), col(s.plan_micros), *_within(view, [period]))


def read(
    session: Session, view: View, period: Period, *, offset: int = 0, limit: int | None = None
) -> list[Cancelled]:
    """Who canceled in the period, the latest first; `limit` None reads them all."""
    s, c, f = Subscription, Customer, CustomerFacts
    asked = (
        sa.select(
            col(s.customer),
            sa.func.coalesce(col(c.name), ""),
            sa.func.coalesce(col(c.email), ""),
            col(s.currency),
            sa.func.coalesce(col(f.country), ""),
            col(s.canceled_at),
            sa.func.coalesce(col(s.ended_at), col(s.cancel_at)),
            col(s.plan_micros),
            sa.func.coalesce(col(s.cancellation_feedback), col(s.cancellation_reason), ""),
        )
        .join(c, col(c.id) == col(s.customer), isouter=True)
        .join(f, col(f.customer) == col(s.customer), isouter=True)
        .where(*_within(view, [period]))
    )
    latest_first = asked.order_by(col(s.canceled_at).desc(), col(s.id))
    return [Cancelled(*row) for row in session.execute(latest_first.offset(offset).limit(limit))]


def _within(view: View, periods: Sequence[Period]) -> list[Any]:
    s, item, f = Subscription, SubscriptionItem, CustomerFacts
    in_trial = sa.func.coalesce(col(s.trial_end), 0) >= col(s.canceled_at)
    wanted: list[Any] = [
        ~col(s.deleted), ~in_trial, ~col(s.status).like("incomplete%"),
        col(s.plan_micros) > 0, col(s.currency).in_(view.weights),
        col(s.canceled_at) >= periods[0].begins, col(s.canceled_at) < periods[-1].ends,
    ]  # fmt: skip
    if view.plan:
        has_it = (col(item.subscription) == col(s.id)) & (col(item.product) == view.plan) & ~col(item.deleted)
        wanted.append(sa.exists().where(has_it))
    if view.country:
        lives_there = sa.select(col(f.customer)).where(col(f.country) == view.country)
        wanted.append(col(s.customer).in_(lives_there))
    return wanted
