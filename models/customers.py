"""Who buys: Stripe's customers, and one row of facts for each that lists filter and sort on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from models.base import Base, Mirrored, big, json_column, long_text, metadata_column


class Customer(Mirrored, table=True):
    """Stripe's customer. `balance` in minor units of `currency`, negative = credit."""

    __tablename__ = "customers"

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    description: str | None = long_text()
    currency: str | None = None
    balance: int = big(0, nullable=False)
    delinquent: bool = False
    address_line1: str | None = None
    address_city: str | None = None
    address_state: str | None = None
    address_postal_code: str | None = None
    country: str | None = None
    preferred_locales: list[str] = json_column(list)
    default_payment_method: str | None = None
    default_source: str | None = None
    discount: str | None = None
    invoice_prefix: str | None = None
    test_clock: str | None = None
    metadata_: dict[str, Any] = metadata_column()


class CustomerFacts(Base, table=True):
    """One row for each customer, derived from the mirrored tables in the writer's own transaction.

    `status` is the most telling subscription status (see services/mirror/facts), `none` without any
    subscription. `mrr_micros` and `plan_micros` (what the running trial would bring) are monthly, in
    millionths of a minor unit of `currency`. `open_amount` is what failed invoices still ask for.
    `name_key` orders by name; `search_key` is name and email, each on a line: both without case, accents and
    signs that are not seen (services/text). `phone_key` is the phone's digits from the last to the first.
    """

    __tablename__ = "customer_facts"
    __table_args__ = (
        Index("ix_customer_facts_status_mrr", "status", "mrr_micros"),
        Index("ix_customer_facts_created_customer", "created", "customer"),
    )

    customer: str = Field(primary_key=True)
    created: int = big(0, nullable=False)
    deleted: bool = False
    name_key: str = Field(default="", index=True)
    search_key: str = ""
    email_key: str = Field(default="", index=True)
    email_domain: str = Field(default="", index=True)
    phone_key: str = Field(default="", index=True)
    country: str = Field(default="", index=True)
    source: str = Field(default="", index=True)
    currency: str = ""
    status: str = Field(default="none", index=True)
    subscription: str | None = None
    subscriptions: int = 0
    product: str | None = Field(default=None, index=True)
    plan: str = ""
    mrr_micros: int = big(0, nullable=False)
    plan_micros: int = big(0, nullable=False)
    trial_start: int | None = big()
    trial_end: int | None = Field(default=None, sa_type=BigInteger, index=True)
    cancel_at: int | None = big()
    payment_method_on_file: bool = False
    card_last4: str = Field(default="", index=True)
    failed_invoices: int = 0
    open_amount: int = big(0, nullable=False)
    open_currency: str = ""
    attempts: int = 0
    next_payment_attempt: int | None = big()
    failure_code: str = ""
    open_disputes: int = 0
    owner: int | None = Field(default=None, index=True)
    last_contact_at: int | None = big()
    last_contact_kind: str = ""
