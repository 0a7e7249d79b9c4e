"""What is a command about, and how does it stand?

A subject is always read from the tables: `loading` knows how.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from models import (
    Charge,
    Coupon,
    Customer,
    Dispute,
    Invoice,
    InvoiceItem,
    PaymentMethod,
    Price,
    Product,
    Subscription,
    SubscriptionItem,
)
from models.subscriptions import ENDED
from services import charging
from services.customers import contents
from services.customers.contents import Rebate
from services.desk import words
from services.desk.selling import Plan
from services.desk.terms import Terms
from services.metrics.recovery.failures import Failure

MARK = "trialdesk_action"  # the one metadata key of ours: the token of the last action
About = Literal["customer", "subscription", "invoice", "payment", "pending charge"]
PAYMENTS = ("ch_", "py_")  # how the ids of charges begin; the latter are not by card
BILLED = frozenset(("trialing", "active", "past_due"))  # again by themselves
LIVING = frozenset(("trialing", "active", "past_due", "unpaid", "paused", "incomplete"))


@dataclass(frozen=True, slots=True)
class Item:
    """A subscription's item with its price and product, as far as the tables know them.

    `successor` is the price that replaces an archived one: of the same product, currency and interval.
    """

    row: SubscriptionItem
    price: Price | None
    product: Product | None
    successor: Price | None = None

    @property
    def name(self) -> str:
        """The product's name, as people say it."""
        return self.product.name if self.product else self.row.product or self.row.price

    @property
    def now_sold(self) -> Item:
        """The same at its price's successor, where it has one."""
        if self.successor is None:
            return self
        row = SubscriptionItem(**self.row.model_dump() | {"price": self.successor.id})
        return Item(row, self.successor, self.product)

    def said(self, currency: str) -> str:
        """What it is in a currency, with its price and quantity, e.g. `3 × Team at $49.00 a month each`."""
        price = contents.in_currency(self.price, currency) if self.price else None
        return words.ordered(self.name, price, self.row.quantity)


@dataclass(frozen=True, slots=True)
class Subject:
    """A customer, and the subscription, invoice, payment or pending charge that a command is about.

    `others` are the customer's other living subscriptions; `unsettled` the invoices that charges of ours
    left open or as drafts; `pending` what waits for the subscription's next invoice; `last_failure` is of the
    invoice. `terms` are of a subscription that has ended; only `fresh` knows them. `card` is the payment
    method's row, where a subject is loaded alone. `latest` is the subscription's latest invoice;
    `set_aside` how many invoices there are of the kind that its pause of collection makes of them. `plans`,
    `coupons` and `rebates` (the customer's discounts that run) are there where a dialog offers them.
    `dispute` is the payment's latest; `debts` are the invoices that a customer as a whole owes;
    `ended_with_card`: the latest subscription that has ended has a card of its own.
    """

    customer: Customer
    subscription: Subscription | None = None
    items: tuple[Item, ...] = ()
    terms: Terms | None = None
    card: PaymentMethod | None = None
    latest: Invoice | None = None
    set_aside: int = 0
    pending: tuple[InvoiceItem, ...] = ()
    others: tuple[Subscription, ...] = ()
    other_products: frozenset[str] = field(default_factory=frozenset)
    unsettled: tuple[Invoice, ...] = ()
    invoice: Invoice | None = None
    last_failure: Failure | None = None
    plans: tuple[Plan, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    rebates: tuple[Rebate, ...] = ()
    payment: Charge | None = None
    dispute: Dispute | None = None
    item: InvoiceItem | None = None
    debts: tuple[Subject, ...] = ()
    ended_with_card: bool = False

    @property
    def kind(self) -> About:
        """What the command is about."""
        if self.payment or self.item:
            return "payment" if self.payment else "pending charge"
        return "invoice" if self.invoice else "subscription" if self.subscription else "customer"

    @property
    def object(self) -> Charge | InvoiceItem | Invoice | Subscription | Customer:
        """The row of what the command is about."""
        return self.payment or self.item or self.invoice or self.subscription or self.customer

    @property
    def object_id(self) -> str:
        """The id of what the command is about."""
        return self.object.id

    @property
    def partition(self) -> str:
        """What commands queue up behind: the living subscription, or the customer where there is none."""
        if self.subscription and self.subscription.status in LIVING:
            return self.subscription.id
        return (self.invoice and self.invoice.subscription) or self.customer.id

    @property
    def currency(self) -> str:
        """The currency that the customer pays in; "" before the first invoice."""
        if priced := self.payment or self.item or self.invoice:
            return priced.currency
        return (self.subscription.currency if self.subscription else "") or self.customer.currency or ""

    @property
    def payment_method(self) -> str | None:
        """What Stripe would charge."""
        return self._default.id if self._default else None

    @property
    def charged_to(self) -> dict[str, str]:
        """The same as Stripe's parameter for a payment."""
        return {self._default.kind: self._default.id} if self._default else {}

    @property
    def _default(self) -> charging.Default | None:
        """A subscription that has ended is charged no more; what follows it goes by the customer's first."""
        if not self.invoice and self.subscription and self.subscription.status in ENDED:
            return charging.first(self.customer, self.subscription)
        return charging.first(self.invoice, self.subscription, self.customer)

    def balance(self, currency: str) -> int:
        """What the customer owes from before (minor units), or has as credit (below 0), in that currency."""
        return self.customer.balance if self.customer.currency == currency else 0
