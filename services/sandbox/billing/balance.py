"""What does a customer have to their credit, and in which currency are they billed?"""

from __future__ import annotations

from typing import Any

from services.sandbox.billing.account import Account
from services.sandbox.errors import InvalidRequest
from services.sandbox.store import Body


def adjust(account: Account, customer: Body, amount: int, kind: str = "adjustment", **links: Any) -> Body:
    """Move the customer's balance (minor units; below zero is credit) and write down the transaction.
    `links` are fields of the transaction such as invoice, credit_note, description, currency.
    """
    currency = links.pop("currency", None) or customer["currency"] or "usd"
    use_currency(account, customer, currency)
    after = customer["balance"] + amount
    account.change(customer, "customer.updated", balance=after)
    return account.new(
        "customer_balance_transaction",
        "cbtxn",
        amount=amount,
        currency=currency,
        customer=customer["id"],
        ending_balance=after,
        type=kind,
        **links,
    )


def use_currency(account: Account, customer: Body, currency: str) -> None:
    """A customer has one currency, set by the first thing that is billed; raises InvalidRequest."""
    if customer["currency"] is None:
        account.change(customer, "customer.updated", currency=currency)
    elif customer["currency"] != currency:
        raise InvalidRequest(
            "You cannot combine currencies on a single customer. This customer has an active subscription, "
            f"subscription schedule, discount, quote, or invoice item with currency {customer['currency']}.",
            "currency",
        )
