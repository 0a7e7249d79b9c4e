"""What can be done to a customer?"""

from __future__ import annotations

from typing import Any

from services.sandbox import objects
from services.sandbox.billing import balance, cards, discounts, ending, metadata
from services.sandbox.billing.account import Account
from services.sandbox.billing.agenda import ENDED
from services.sandbox.errors import InvalidRequest
from services.sandbox.store import Body

_PLAIN = ("name", "email", "phone", "description", "preferred_locales", "tax_exempt", "shipping")


def create(account: Account, **params: Any) -> Body:
    """A new customer. Parameters as in Stripe: name, email, phone, description, address, shipping, metadata,
    balance, preferred_locales, tax_exempt, invoice_prefix, next_invoice_sequence, payment_method,
    invoice_settings.
    """
    fields = _fields(params)
    fields["metadata"] = metadata.merge({}, params.get("metadata"))
    fields["invoice_prefix"] = params.get("invoice_prefix") or account.ids.token(8).upper()
    fields["next_invoice_sequence"] = params.get("next_invoice_sequence") or 1
    customer = account.new("customer", "cus", **fields)
    account.emit("customer.created", customer)
    if params.get("payment_method"):
        cards.attach(account, params["payment_method"], customer=customer["id"])
    if params.get("balance"):
        balance.adjust(account, customer, params["balance"], "adjustment")
    if "invoice_settings" in params:
        _set_invoice_settings(account, customer, params["invoice_settings"])
    return customer


def update(account: Account, customer_id: str, **params: Any) -> Body:
    """Change a customer; parameters as in `create`, and default_source: a card that the customer has.

    `coupon` aside: that is `discounts` of a subscription.
    """
    customer = account.customer(customer_id, "id")
    fields = _fields(params)
    if "metadata" in params:
        fields["metadata"] = metadata.merge(customer["metadata"], params["metadata"])
    if "invoice_prefix" in params:
        fields["invoice_prefix"] = params["invoice_prefix"]
    if "next_invoice_sequence" in params:
        fields["next_invoice_sequence"] = params["next_invoice_sequence"]
    if "default_source" in params:
        source = cards.owned(account, params["default_source"], customer["id"], "default_source")
        fields["default_source"] = source["id"]
    if "invoice_settings" in params:
        fields["invoice_settings"] = _invoice_settings(account, customer, params["invoice_settings"])
    if "balance" in params and params["balance"] != customer["balance"]:
        balance.adjust(account, customer, params["balance"] - customer["balance"], "adjustment")
    account.change(customer, "customer.updated", **fields)
    return customer


def delete(account: Account, customer_id: str) -> Body:
    """Cancel the customer's subscriptions at once and leave a stub in the customer's place."""
    customer = account.customer(customer_id, "id")
    for subscription in account.store.all("subscription", "customer = ?", (customer_id,)):
        if subscription["status"] not in ENDED:
            ending.end(account, subscription, reason="cancellation_requested")
    for method in account.store.all("payment_method", "customer = ?", (customer_id,)):
        cards.detach(account, method["id"])
    customer = account.get("customer", customer_id)
    discounts.drop_all(account, customer)
    account.emit("customer.deleted", customer)
    stub = objects.deleted("customer", customer_id)
    account.store.replace(stub)
    return stub


def _fields(params: dict[str, Any]) -> dict[str, Any]:
    fields = {name: params[name] for name in _PLAIN if name in params}
    for name in ("name", "email", "phone", "description", "shipping"):
        if fields.get(name) == "":
            fields[name] = None
    if fields.get("email") and "@" not in fields["email"]:
        raise InvalidRequest(f"Invalid email address: {fields['email']}", "email", "email_invalid")
    if "address" in params:
        fields["address"] = objects.part("address", **params["address"]) if params["address"] else None
    return fields


def _set_invoice_settings(account: Account, customer: Body, given: dict[str, Any]) -> None:
    settings = _invoice_settings(account, customer, given)
    account.change(customer, "customer.updated", invoice_settings=settings)


def _invoice_settings(account: Account, customer: Body, given: dict[str, Any]) -> dict[str, Any]:
    settings = dict(customer["invoice_settings"])
    if "default_payment_method" in given:
        method_id = given["default_payment_method"] or None
        if method_id:
            cards.owned(account, method_id, customer["id"], "invoice_settings[default_payment_method]")
        settings["default_payment_method"] = method_id
    if "footer" in given:
        settings["footer"] = given["footer"] or None
    return settings
