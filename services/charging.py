"""Which payment method does Stripe charge? The first default that is set.

An invoice's comes before its subscription's, and that before the customer's; of each the payment method comes
before the source, which is the older kind. Source: `default_payment_method` and `default_source` of invoices
and subscriptions in Stripe's API reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


class Holder(Protocol):
    """An invoice, a subscription or a customer (for whom Stripe keeps the former in `invoice_settings`)."""

    @property
    def default_payment_method(self) -> str | None:
        """The id of a payment method."""

    @property
    def default_source(self) -> str | None:
        """The id of a source."""


@dataclass(frozen=True, slots=True)
class Default:
    """`kind` is the name that Stripe's parameters have for it; where a default is set, after `default_`."""

    kind: Literal["payment_method", "source"]
    id: str


def first(*holders: Holder | None) -> Default | None:
    """The default of the first of these that has any; None where none has."""
    for holder in filter(None, holders):
        if holder.default_payment_method:
            return Default("payment_method", holder.default_payment_method)
        if holder.default_source:
            return Default("source", holder.default_source)
    return None
