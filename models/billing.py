"""What is asked for: invoices with their lines, pending items, payments and credit notes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from models.base import Mirrored, big, json_column, long_text, metadata_column


class Invoice(Mirrored, table=True):
    """Stripe's invoice. Paid is `status == "paid"`; amounts in minor units of `currency`.

    `next_payment_attempt` is None when Stripe will not try again by itself. `starting_balance` is the
    customer's balance (below 0: credit) before it is finalized, `ending_balance` after that, else None.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        Index("ix_invoices_customer_created", "customer", "created"),
        Index("ix_invoices_total", "total"),
    )

    customer: str = ""
    subscription: str | None = Field(default=None, index=True)
    number: str | None = Field(default=None, index=True)
    status: str | None = Field(default=None, index=True)
    billing_reason: str | None = None
    collection_method: str = ""
    currency: str = ""
    subtotal: int = big(0, nullable=False)
    total: int = big(0, nullable=False)
    amount_due: int = big(0, nullable=False)
    amount_paid: int = big(0, nullable=False)
    amount_remaining: int = big(0, nullable=False)
    starting_balance: int = big(0, nullable=False)
    ending_balance: int | None = big()
    attempted: bool = False
    attempt_count: int = 0
    auto_advance: bool = False
    next_payment_attempt: int | None = big()
    due_date: int | None = big()
    period_start: int | None = big()
    period_end: int | None = big()
    finalized_at: int | None = big()
    paid_at: int | None = big()
    voided_at: int | None = big()
    marked_uncollectible_at: int | None = big()
    hosted_invoice_url: str | None = long_text()
    invoice_pdf: str | None = long_text()
    default_payment_method: str | None = None
    default_source: str | None = None
    description: str | None = long_text()
    discounts: list[str] = json_column(list)
    metadata_: dict[str, Any] = metadata_column()

    @property
    def from_credit(self) -> int:
        """What the customer's credit paid of it."""
        return max(0, min(0, self._balance_after) - min(0, self.starting_balance))

    @property
    def carried(self) -> int:
        """What was too small to be charged and was moved to the customer's balance."""
        return max(0, max(0, self._balance_after) - max(0, self.starting_balance))

    @property
    def _balance_after(self) -> int:
        return self.starting_balance if self.ending_balance is None else self.ending_balance


class InvoiceLine(Mirrored, table=True):
    """A line of an invoice: its service period is `period_start/end`. Carries its parent's `as_of`."""

    __tablename__ = "invoice_lines"

    invoice: str = Field(index=True)
    amount: int = big(0, nullable=False)
    discount_amount: int = big(0, nullable=False)
    currency: str = ""
    description: str | None = long_text()
    quantity: int | None = big()
    period_start: int | None = big()
    period_end: int | None = big()
    price: str | None = None
    product: str | None = None
    subscription: str | None = Field(default=None, index=True)
    subscription_item: str | None = None
    invoice_item: str | None = None
    proration: bool = False


class InvoiceItem(Mirrored, table=True):
    """A pending or billed one-off item. `created` is Stripe's `date`; pending while `invoice` is None."""

    __tablename__ = "invoice_items"

    customer: str = Field(default="", index=True)
    subscription: str | None = Field(default=None, index=True)
    invoice: str | None = None
    amount: int = big(0, nullable=False)
    currency: str = ""
    description: str | None = long_text()
    quantity: int = big(1, nullable=False)
    period_start: int | None = big()
    period_end: int | None = big()
    price: str | None = None
    proration: bool = False
    metadata_: dict[str, Any] = metadata_column()


class InvoicePayment(Mirrored, table=True):
    """How an invoice was, or is to be, paid: joins an invoice with a payment intent or a charge."""

    __tablename__ = "invoice_payments"

    invoice: str = Field(default="", index=True)
    status: str = ""
    amount_paid: int | None = big()
    amount_requested: int = big(0, nullable=False)
    currency: str = ""
    is_default: bool = False
    payment_type: str = ""
    payment_intent: str | None = Field(default=None, index=True)
    charge: str | None = Field(default=None, index=True)
    paid_at: int | None = big()


class CreditNote(Mirrored, table=True):
    """Stripe's credit note on an invoice."""

    __tablename__ = "credit_notes"

    invoice: str = Field(default="", index=True)
    customer: str = Field(default="", index=True)
    number: str | None = None
    status: str = ""
    type: str | None = None
    reason: str | None = None
    currency: str = ""
    total: int = big(0, nullable=False)
    memo: str | None = long_text()
    metadata_: dict[str, Any] = metadata_column()
