"""What a customer subscribes to: subscriptions, their items and their discounts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field

from models.base import Mirrored, big, json_column, long_text, metadata_column, partial_index

ENDED = frozenset(("canceled", "incomplete_expired"))  # the statuses of a subscription that is over for good


class Subscription(Mirrored, table=True):
    """Stripe's subscription.

    `current_period_start/end` are the earliest of its items. `first_trial_end` is the trial's end as
    it was first seen: `trial_end - first_trial_end` says by how much the trial was moved. `mrr_micros`
    is what it counts for in MRR now, `plan_micros` what its items come to a month whatever its status
    (both after forever discounts; shared definition in services/metrics/revenue/mrr); `unvalued_items` counts
    the items that neither can hold, as their price is not known beforehand or comes to more than a column
    holds. `trial_offer` is true when an item runs on a trial offer, which cannot be extended. `paused_at` is
    when its status became `paused`.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        partial_index("ix_subscriptions_canceled", "canceled_at IS NOT NULL", "canceled_at"),
        partial_index("ix_subscriptions_unvalued", "unvalued_items > 0", "currency"),
    )

    customer: str = Field(index=True)
    status: str = Field(index=True)
    currency: str = ""
    collection_method: str = ""
    days_until_due: int | None = big()
    start_date: int = big(0, nullable=False)
    billing_cycle_anchor: int | None = big()
    current_period_start: int | None = big()
    current_period_end: int | None = big()
    trial_start: int | None = Field(default=None, sa_type=BigInteger, index=True)
    trial_end: int | None = Field(default=None, sa_type=BigInteger, index=True)
    first_trial_end: int | None = big()
    trial_end_behavior: str | None = None
    trial_offer: bool = False
    cancel_at: int | None = big()
    cancel_at_period_end: bool = False
    canceled_at: int | None = big()
    ended_at: int | None = Field(default=None, sa_type=BigInteger, index=True)
    cancellation_reason: str | None = None
    cancellation_feedback: str | None = None
    cancellation_comment: str | None = long_text()
    paused_by: str | None = None
    paused_at: int | None = big()
    pause_collection: str | None = None
    pause_resumes_at: int | None = big()
    default_payment_method: str | None = None
    default_source: str | None = None
    latest_invoice: str | None = None
    schedule: str | None = None
    discounts: list[str] = json_column(list)
    mrr_micros: int = big(0, nullable=False)
    plan_micros: int = big(0, nullable=False)
    unvalued_items: int = 0
    metadata_: dict[str, Any] = metadata_column()


class SubscriptionItem(Mirrored, table=True):
    """An item of a subscription: a price and a quantity. Carries its parent's `as_of`."""

    __tablename__ = "subscription_items"

    subscription: str = Field(index=True)
    price: str = Field(default="", index=True)
    product: str = ""
    quantity: int = big(1, nullable=False)
    current_period_start: int | None = big()
    current_period_end: int | None = big()
    discounts: list[str] = json_column(list)
    metadata_: dict[str, Any] = metadata_column()


class Discount(Mirrored, table=True):
    """A coupon at work on a customer, a subscription or an item, from `start` to `end` (None: open); or on
    one `invoice`, or an item of it: such a one names the customer, too."""

    __tablename__ = "discounts"

    coupon: str = ""
    promotion_code: str | None = None
    customer: str | None = Field(default=None, index=True)
    subscription: str | None = Field(default=None, index=True)
    subscription_item: str | None = None
    invoice: str | None = None
    start: int = big(0, nullable=False)
    end: int | None = big()
