"""What can staff do with an invoice? (What the account does with invoices by itself is `cycles`.)"""

from __future__ import annotations

from typing import Any

from services.sandbox import objects
from services.sandbox.billing import cards, discounts, invoices, metadata, payments, standing
from services.sandbox.billing.account import Account
from services.sandbox.billing.agenda import ENDED
from services.sandbox.billing.periods import DAY, HOUR
from services.sandbox.errors import InvalidRequest, MissingParameter
from services.sandbox.store import Body

_DRAFT_FOR = HOUR


def create(account: Account, **params: Any) -> Body:
    """A draft. Stripe's parameters: customer or subscription, pending_invoice_items_behavior (include or
    exclude; for a subscription pending items are always taken), auto_advance, collection_method,
    days_until_due, due_date, description, discounts, default_payment_method, default_source, currency,
    footer, metadata.
    Raises InvalidRequest, and TooManyRequests beyond 10 a minute for a subscription.
    """
    subscription = _subscription(account, params)
    customer = account.customer(params.get("customer") or (subscription or {}).get("customer") or "")
    if subscription:
        invoices.check_rate(account, subscription["id"])
    fields = _terms(account, customer, params)
    advance = bool(params.get("auto_advance", False))
    include = params.get("pending_invoice_items_behavior", "exclude") == "include" or subscription is not None
    owner = subscription["id"] if subscription else None
    pending = invoices.pending_items(account, customer["id"], owner) if include else []
    if subscription and not pending:
        raise InvalidRequest("Nothing to invoice for subscription", code="invoice_no_subscription_line_items")
    if params.get("discounts"):
        owner = {
            "customer": customer["id"],
            "currency": fields.get("currency") or customer["currency"] or "usd",
        }
        fields["discounts"] = discounts.open_for(account, params["discounts"], **owner)
    invoice = invoices.draft(
        account,
        customer,
        "manual",
        subscription=subscription,
        pending=pending,
        auto_advance=advance,
        automatically_finalizes_at=account.now + _DRAFT_FOR if advance else None,
        **fields,
    )
    if params.get("days_until_due") is not None:
        account.note(invoice, days_until_due=params["days_until_due"])
    return invoice


def update(account: Account, invoice_id: str, **params: Any) -> Body:
    """Change a draft, or of a finalized invoice its metadata, description, auto_advance, payment method."""
    invoice = account.get("invoice", invoice_id, "invoice")
    fields: dict[str, Any] = {
        name: params[name] or None for name in ("description", "footer") if name in params
    }
    if "metadata" in params:
        fields["metadata"] = metadata.merge(invoice["metadata"], params["metadata"])
    fields |= cards.defaults(account, params, invoice["customer"])
    if "auto_advance" in params:
        fields["auto_advance"] = params["auto_advance"]
        if invoice["status"] == "draft":
            ends = account.now + _DRAFT_FOR if params["auto_advance"] else None
            fields["automatically_finalizes_at"] = ends
    for name in ("collection_method", "due_date", "days_until_due"):
        if name in params:
            invoices.require(invoice, "draft")
            fields[name] = params[name]
    if (days := fields.pop("days_until_due", None)) is not None:
        account.note(invoice, days_until_due=days)
    account.change(invoice, "invoice.updated", **fields)
    return invoice


def finalize(account: Account, invoice_id: str, *, auto_advance: bool | None = None) -> Body:
    """Open a draft now. With auto_advance (its own, unless given) it is charged within the hour."""
    invoice = account.get("invoice", invoice_id, "invoice")
    advance = invoice["auto_advance"] if auto_advance is None else auto_advance
    invoices.finalize(account, invoice)
    if invoice["status"] == "paid":
        standing.settled(account, invoice)
        return invoice
    automatic = advance and invoice["collection_method"] == "charge_automatically"
    next_attempt = account.now + HOUR if automatic else None
    account.change(invoice, "invoice.updated", auto_advance=advance, next_payment_attempt=next_attempt)
    return invoice


def pay(account: Account, invoice_id: str, **params: Any) -> Body:
    """Charge an invoice now: see `payments.pay`."""
    return payments.pay(account, invoice_id, **params)


def send(account: Account, invoice_id: str) -> Body:
    """Mail an invoice to the customer; a draft is finalized first."""
    invoice = account.get("invoice", invoice_id, "invoice")
    if invoice["collection_method"] != "send_invoice":
        raise InvalidRequest(
            "You can only manually send an invoice if its collection method is 'send_invoice'."
        )
    if invoice["status"] == "draft":
        finalize(account, invoice_id)
    account.emit("invoice.sent", invoice)
    return invoice


def void(account: Account, invoice_id: str) -> Body:
    """Nobody has to pay it any more."""
    invoice = account.get("invoice", invoice_id, "invoice")
    invoices.void(account, invoice)
    standing.settled(account, invoice)
    return invoice


def mark_uncollectible(account: Account, invoice_id: str) -> Body:
    """Nobody expects it to be paid any more."""
    invoice = account.get("invoice", invoice_id, "invoice")
    invoices.require(invoice, "open")
    invoices.give_up(account, invoice)
    standing.settled(account, invoice)
    return invoice


def delete(account: Account, invoice_id: str) -> Body:
    """Remove a draft that no subscription made; its items are pending again."""
    invoice = account.get("invoice", invoice_id, "invoice")
    invoices.require(invoice, "draft")
    if invoice["parent"]:
        raise InvalidRequest(
            "You can't delete invoices created by subscriptions.", code="invoice_not_editable"
        )
    for item in account.store.all("invoiceitem", "parent = ?", (invoice_id,)):
        account.change(item, None, invoice=None)
    account.emit("invoice.deleted", invoice)
    account.store.remove(invoice_id)
    return objects.deleted("invoice", invoice_id)


def _subscription(account: Account, params: dict[str, Any]) -> Body | None:
    if not params.get("subscription"):
        if not params.get("customer"):
            raise MissingParameter("customer")
        return None
    subscription = account.get("subscription", params["subscription"], "subscription")
    if params.get("customer") not in (None, subscription["customer"]):
        raise InvalidRequest("The subscription does not belong to this customer.", "subscription")
    if subscription["status"] in ENDED:
        raise InvalidRequest(f"The subscription {subscription['id']} has been canceled.", "subscription")
    return subscription


def _terms(account: Account, customer: Body, params: dict[str, Any]) -> dict[str, Any]:
    names = ("collection_method", "description", "due_date", "footer", "currency")
    fields = {name: params[name] for name in names if params.get(name)}
    fields |= cards.defaults(account, params, customer["id"])
    days, due = params.get("days_until_due"), params.get("due_date")
    if fields.get("collection_method") == "send_invoice" and days is None and due is None:
        raise MissingParameter("days_until_due")
    if days is not None and days > 365 * 5:
        raise InvalidRequest(
            f"days_until_due cannot be more than {365 * 5} days ({days * DAY} s).", "days_until_due"
        )
    if fields.get("collection_method") == "send_invoice" and not customer["email"]:
        raise InvalidRequest(
            "Missing email. In order to create invoices that are sent to the customer, the customer must "
            "have a valid email."
        )
    fields["metadata"] = metadata.merge({}, params.get("metadata"))
    return fields
