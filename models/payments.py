"""What is paid and what fails: payment methods, payment intents, charges, refunds, disputes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from models.base import Mirrored, big, long_text, metadata_column


class PaymentMethod(Mirrored, table=True):
    """A card or another way to pay that we have seen (default payment methods, and charges)."""

    __tablename__ = "payment_methods"

    customer: str | None = Field(default=None, index=True)
    type: str = ""
    brand: str | None = None
    last4: str | None = Field(default=None, index=True)
    exp_month: int | None = None
    exp_year: int | None = None
    funding: str | None = None
    country: str | None = None


class PaymentIntent(Mirrored, table=True):
    """Stripe's payment intent, with its last error."""

    __tablename__ = "payment_intents"

    customer: str | None = Field(default=None, index=True)
    amount: int = big(0, nullable=False)
    amount_received: int = big(0, nullable=False)
    currency: str = ""
    status: str = ""
    latest_charge: str | None = None
    payment_method: str | None = None
    error_code: str | None = None
    decline_code: str | None = None
    advice_code: str | None = None
    error_message: str | None = long_text()
    canceled_at: int | None = big()
    metadata_: dict[str, Any] = metadata_column()


class Charge(Mirrored, table=True):
    """Stripe's charge: one attempt. `decline_code` is the issuer's reason where there is one."""

    __tablename__ = "charges"
    __table_args__ = (
        Index("ix_charges_customer_created", "customer", "created"),
        Index("ix_charges_amount", "amount"),
    )

    customer: str | None = None
    payment_intent: str | None = Field(default=None, index=True)
    payment_method: str | None = None
    amount: int = big(0, nullable=False)
    amount_captured: int = big(0, nullable=False)
    amount_refunded: int = big(0, nullable=False)
    currency: str = ""
    status: str = ""
    paid: bool = False
    refunded: bool = False
    disputed: bool = False
    failure_code: str | None = None
    failure_message: str | None = long_text()
    decline_code: str | None = None
    advice_code: str | None = None
    outcome_type: str | None = None
    card_brand: str | None = None
    card_last4: str | None = Field(default=None, index=True)
    card_exp_month: int | None = None
    card_exp_year: int | None = None
    card_country: str | None = None
    receipt_url: str | None = long_text()
    description: str | None = long_text()
    metadata_: dict[str, Any] = metadata_column()


class Refund(Mirrored, table=True):
    """Stripe's refund of a charge."""

    __tablename__ = "refunds"

    charge: str | None = Field(default=None, index=True)
    payment_intent: str | None = Field(default=None, index=True)
    amount: int = big(0, nullable=False)
    currency: str = ""
    status: str | None = None
    reason: str | None = None
    failure_reason: str | None = None
    metadata_: dict[str, Any] = metadata_column()


class Dispute(Mirrored, table=True):
    """Stripe's dispute; evidence is due by `evidence_due_by`."""

    __tablename__ = "disputes"

    charge: str = Field(default="", index=True)
    payment_intent: str | None = None
    amount: int = big(0, nullable=False)
    currency: str = ""
    status: str = Field(default="", index=True)
    reason: str = ""
    evidence_due_by: int | None = big()
    is_charge_refundable: bool = False
    metadata_: dict[str, Any] = metadata_column()
