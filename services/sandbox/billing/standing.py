"""What does the outcome of an invoice do to its subscription, and when is a failed charge tried again?"""

from __future__ import annotations

from services.sandbox.billing import ending
from services.sandbox.billing.account import Account
from services.sandbox.billing.periods import DAY
from services.sandbox.store import Body, subscription_of

_BEHIND = ("past_due", "unpaid")


def subscription_for(account: Account, invoice: Body) -> Body | None:
    """The subscription that an invoice bills, or None."""
    found = subscription_of(invoice)
    return account.store.find(found) if found else None


def settled(account: Account, invoice: Body) -> None:
    """The invoice is paid, void or uncollectible: the subscription may be in good standing again."""
    subscription = subscription_for(account, invoice)
    if subscription is None or subscription["latest_invoice"] != invoice["id"]:
        return
    status = subscription["status"]
    if status == "incomplete":
        if invoice["status"] == "paid":
            account.change(subscription, "customer.subscription.updated", status="active")
        elif invoice["status"] == "void":
            ending.end(account, subscription, status="incomplete_expired")
    elif status in _BEHIND:
        account.change(subscription, "customer.subscription.updated", status="active")
    elif status == "paused" and _resumes(account, subscription) and invoice["status"] != "void":
        _restart(account, subscription, "active")


def _resumes(account: Account, subscription: Body) -> bool:
    return bool(account.store.notes(subscription["id"]).get("resuming"))


def _restart(account: Account, subscription: Body, status: str) -> None:
    """A paused subscription goes on, as its invoice was settled or its payment has failed."""
    account.note(subscription, resuming=False)
    account.change(subscription, "customer.subscription.updated", status=status)
    account.emit("customer.subscription.resumed", subscription)


def failed(account: Account, invoice: Body, *, again: bool) -> None:
    """A charge for the invoice failed. With `again` the next attempt is planned, or after the last one the
    account's setting is carried out: cancel, unpaid, or past_due as it is.
    """
    if again:
        account.change(invoice, "invoice.updated", next_payment_attempt=next_attempt(account, invoice))
    account.emit("invoice.payment_failed", invoice)
    subscription = subscription_for(account, invoice)
    if subscription is None:
        return
    if subscription["latest_invoice"] == invoice["id"]:
        if subscription["status"] == "active":
            account.change(subscription, "customer.subscription.updated", status="past_due")
        elif subscription["status"] == "paused" and _resumes(account, subscription):
            _restart(account, subscription, "past_due")
    if again and invoice["next_payment_attempt"] is None:
        after_the_last(account, subscription)


def next_attempt(account: Account, invoice: Body) -> int | None:
    """When a failed invoice is charged again (seconds UTC), None after the last attempt."""
    days = account.settings["retry_after_days"]
    retries = account.store.notes(invoice["id"]).get("retries", 0)
    if retries >= len(days):
        return None
    account.note(invoice, retries=retries + 1)
    return account.now + int(days[retries] * DAY)


def after_the_last(account: Account, subscription: Body) -> None:
    """Carry out what the account does when all attempts have failed."""
    if subscription["status"] not in ("past_due", "active"):
        return
    choice = account.settings["when_retries_end"]
    if choice == "cancel":
        ending.end(account, subscription, reason="payment_failed")
    else:
        account.change(subscription, "customer.subscription.updated", status=choice)


def overdue(account: Account, invoice: Body) -> None:
    """An invoice that was sent is not paid in time; called again 30 days later for the final step."""
    subscription = subscription_for(account, invoice)
    if account.store.notes(invoice["id"]).get("overdue"):
        account.note(invoice, given_up=True)
        if subscription and subscription["latest_invoice"] == invoice["id"]:
            after_the_last(account, subscription)
        return
    account.note(invoice, overdue=True)
    account.emit("invoice.overdue", invoice)
    if (
        subscription
        and subscription["status"] == "active"
        and subscription["latest_invoice"] == invoice["id"]
    ):
        account.change(subscription, "customer.subscription.updated", status="past_due")
