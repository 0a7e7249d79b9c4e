"""Which subscriptions did Stripe cancel at the end of their trial, as there was no payment method?

Stripe gives no reason of its own for it. The rows tell: nobody asked for the end before the trial was over,
and no invoice has come since, which a trial that goes on leads to at once, also where staff ended it.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import col

from models import Invoice, Subscription
from services.metrics.trials.trials import is_regular

_LATE: Final = 3600  # seconds within which Stripe gets round to a trial that is over


def without_method() -> sa.ColumnElement[bool]:
    """SQL: whether the subscription ended with its trial, for want of a payment method; never NULL."""
    s = Subscription
    behavior, asked, ended = col(s.trial_end_behavior), col(s.canceled_at), col(s.ended_at)
    found = (
        (sa.func.coalesce(behavior, "") == "cancel")
        & (asked >= col(s.trial_end))
        & (ended <= col(s.trial_end) + _LATE)
        & col(s.default_payment_method).is_(None)
        & col(s.default_source).is_(None)
        & ~_went_on()
    )
    return sa.func.coalesce(found, sa.false())


def told_by(event: Any) -> sa.ColumnElement[bool]:
    """SQL: whether the event tells of such an end."""
    of_it = sa.exists().where(col(Subscription.id) == col(event.object_id), without_method())
    return sa.case((col(event.type) == "customer.subscription.deleted", of_it), else_=sa.false())


def _went_on() -> sa.ColumnElement[bool]:
    """Whether the subscription was billed after its trial, be it for nothing; its first invoice, of zero, may
    be of the same second where staff ended the trial at once."""
    i: Any = Invoice
    return sa.exists().where(
        col(i.subscription) == col(Subscription.id),
        col(i.created) >= col(Subscription.trial_end),
        is_regular(i),
        sa.func.coalesce(col(i.billing_reason), "") != "subscription_create",
    )
