"""How does a subscription end?"""

from __future__ import annotations

from typing import Any

from services.sandbox import objects
from services.sandbox.billing import discounts, invoices
from services.sandbox.billing.account import Account
from services.sandbox.store import Body, subscription_of


def end(
    account: Account,
    subscription: Body,
    *,
    reason: str = "cancellation_requested",
    details: dict[str, Any] | None = None,
    status: str = "canceled",
) -> None:
    """The subscription is over now. Its drafts and open invoices are no longer collected automatically, nor
    is any open invoice of a customer whose subscription is canceled; its pending invoice items stay.
    `details` may hold feedback and comment.
    """
    kept = {name: value for name, value in subscription["cancellation_details"].items() if name != "reason"}
    cancellation = objects.part("cancellation_details", **{**kept, **(details or {}), "reason": reason})
    for invoice in account.store.all("invoice", "customer = ?", (subscription["customer"],)):
        its = subscription_of(invoice) == subscription["id"]
        asked = invoice["status"] == "open" and status == "canceled"
        if asked or (its and invoice["status"] in ("draft", "open")):
            invoices.stop_collecting(account, invoice)
    fields: dict[str, Any] = {"status": status, "ended_at": account.now}
    if status == "canceled":
        fields["canceled_at"] = subscription["canceled_at"] or account.now
        fields["cancellation_details"] = cancellation
    if status == "canceled" and not subscription["cancel_at_period_end"]:
        fields["cancel_at"] = None
    _let_discounts_go(account, subscription)
    if status == "canceled":
        account.change(subscription, None, **fields)
        account.emit("customer.subscription.deleted", subscription)
    else:
        account.change(subscription, "customer.subscription.updated", **fields)


def _let_discounts_go(account: Account, subscription: Body) -> None:
    ids = [id for holder in (subscription, *subscription["items"]["data"]) for id in holder["discounts"]]
    for discount, _ in discounts.running(account, ids, account.now):
        account.emit("customer.discount.deleted", discount)
