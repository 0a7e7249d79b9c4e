"""What would the next invoice be?

Worked out by really doing it, and then undoing the transaction: a preview and the bill that follows cannot
differ. So nothing of what the preview made can be kept but the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.sandbox.billing import changes, cycles, invoiceitems, invoices, resuming, subscriptions
from services.sandbox.billing.account import Account
from services.sandbox.billing.agenda import ENDED, period_end
from services.sandbox.errors import InvalidRequest, MissingParameter
from services.sandbox.store import Body


def upcoming(account: Account, subscription_id: str) -> Body:
    """The invoice that the subscription's next renewal will bring, as `invoice.upcoming` shows it."""
    return _undone(account, lambda: _renewal(account, subscription_id))


def create(account: Account, **params: Any) -> Body:
    """A preview. Stripe's parameters: customer, currency (of a new subscription), subscription,
    subscription_details (items, trial_end, proration_behavior, proration_date, billing_cycle_anchor,
    cancel_at, cancel_at_period_end, cancel_now, resume_at, default_tax_rates), invoice_items, discounts,
    automatic_tax. Shows the invoice that the change brings at once, else the next renewal's.
    Raises InvalidRequest (invoice_upcoming_none) when there will be none.
    """
    return _undone(account, lambda: _preview(account, params))


def _undone(account: Account, work: Callable[[], Body]) -> Body:
    """Do the work with nothing committed before it, keep a copy of its invoice, and undo it all."""
    now = account.now
    account.store.commit()
    account.previewing = True
    try:
        shown = dict(work())
    finally:
        account.previewing, account.now = False, now
        account.store.rollback()
    return {**shown, "id": f"upcoming_{shown['id']}", "created": now, "status": "draft"}


def _preview(account: Account, params: dict[str, Any]) -> Body:
    details = dict(params.get("subscription_details") or {})
    customer = _customer(account, params)
    for item in params.get("invoice_items") or []:
        invoiceitems.create(account, customer=customer, subscription=params.get("subscription"), **item)
    if params.get("subscription"):
        return _of_subscription(account, params, details)
    if details.get("items"):
        started = {"customer": customer, "payment_behavior": "default_incomplete", **details}
        beside = ("currency", "discounts", "automatic_tax")
        started |= {name: params[name] for name in beside if params.get(name)}
        created = subscriptions.create(account, **started)
        return account.get("invoice", created["latest_invoice"])
    pending = invoices.pending_items(account, customer, None)
    if not pending:
        raise _nothing(f"Nothing to invoice for customer {customer}.")
    return invoices.draft(account, account.customer(customer), "manual", pending=pending)


def _of_subscription(account: Account, params: dict[str, Any], details: dict[str, Any]) -> Body:
    subscription = account.get("subscription", params["subscription"], "subscription")
    before = subscription["latest_invoice"]
    if details.pop("cancel_now", False):
        return _of_cancel(account, subscription, details)
    if details.pop("resume_at", None):
        subscription = resuming.resume(account, subscription["id"], **details)
        return account.get("invoice", subscription["latest_invoice"])
    if "discounts" in params:  # "": without those that it has
        details["discounts"] = params["discounts"]
    if details:
        subscription = changes.update(account, subscription["id"], **details)
    if subscription["latest_invoice"] != before:
        return account.get("invoice", subscription["latest_invoice"])
    return _renewal(account, subscription["id"])


def _of_cancel(account: Account, subscription: Body, details: dict[str, Any]) -> Body:
    before = subscription["latest_invoice"]
    prorate = details.get("proration_behavior", "create_prorations") != "none"
    subscriptions.cancel(account, subscription["id"], invoice_now=True, prorate=prorate)
    if subscription["latest_invoice"] == before:
        raise _nothing(f"Canceling {subscription['id']} now brings no invoice.")
    return account.get("invoice", subscription["latest_invoice"])


def _renewal(account: Account, subscription_id: str) -> Body:
    subscription = account.get("subscription", subscription_id, "subscription")
    if subscription["status"] in ENDED or subscription["status"] == "paused":
        raise _nothing(
            f"No upcoming invoices for subscription {subscription_id}: it is {subscription['status']}."
        )
    at = subscription["trial_end"] if subscription["status"] == "trialing" else period_end(subscription)
    if subscription["cancel_at"] and subscription["cancel_at"] <= at:
        return _last(account, subscription)
    account.now = max(account.now, at)
    return cycles.bill(account, subscription, "subscription_cycle", cycles.span_from(subscription, at))


def _last(account: Account, subscription: Body) -> Body:
    """The invoice that the planned end brings."""
    before, account.now = subscription["latest_invoice"], max(account.now, subscription["cancel_at"])
    subscriptions.run_out(account, subscription)
    if subscription["latest_invoice"] == before:
        raise _nothing(f"No upcoming invoices for subscription {subscription['id']}: it will be canceled.")
    return account.get("invoice", subscription["latest_invoice"])


def _customer(account: Account, params: dict[str, Any]) -> str:
    if params.get("customer"):
        return str(account.customer(params["customer"])["id"])
    if not params.get("subscription"):
        raise MissingParameter("customer")
    return str(account.get("subscription", params["subscription"], "subscription")["customer"])


def _nothing(message: str) -> InvalidRequest:
    return InvalidRequest(message, code="invoice_upcoming_none")
