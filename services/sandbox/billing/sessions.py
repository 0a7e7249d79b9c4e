"""Which hosted pages can a customer be sent to: the portal, and Checkout?"""

from __future__ import annotations

from typing import Any

from services.sandbox.billing import cards, customers, metadata, subscriptions
from services.sandbox.billing.account import Account
from services.sandbox.billing.periods import DAY
from services.sandbox.errors import InvalidRequest, MissingParameter
from services.sandbox.store import Body

_OPEN_FOR = DAY


def open_portal(account: Account, *, customer: str, **params: Any) -> Body:
    """A short-lived link to the portal: customer, return_url, locale, flow_data, configuration."""
    account.customer(customer)
    token = account.ids.token(24)
    return account.new(
        "billing_portal.session",
        "bps",
        customer=customer,
        configuration=params.get("configuration") or "bpc_sandbox",
        return_url=params.get("return_url"),
        locale=params.get("locale"),
        flow=_flow(params.get("flow_data")),
        url=f"{account.public_url}/hosted/portal/{token}",
        notes={"token": token},
    )


def open_checkout(account: Account, *, mode: str, **params: Any) -> Body:
    """A Checkout page that takes a card (mode=setup) or starts a subscription (mode=subscription):
    customer or customer_email, line_items, subscription_data, success_url, cancel_url, currency, metadata.
    """
    _check_checkout(account, mode, params)
    session_id = account.ids.new("cs_test")
    customer = params.get("customer")
    intent = _setup_intent(account, customer) if mode == "setup" else None
    kept = {name: params[name] for name in ("line_items", "subscription_data") if name in params}
    return account.new(
        "checkout.session",
        "cs_test",
        id=session_id,
        mode=mode,
        customer=customer,
        customer_email=params.get("customer_email"),
        client_reference_id=params.get("client_reference_id"),
        currency=params.get("currency"),
        expires_at=params.get("expires_at") or account.now + _OPEN_FOR,
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        setup_intent=intent["id"] if intent else None,
        success_url=params.get("success_url"),
        cancel_url=params.get("cancel_url"),
        url=f"{account.public_url}/hosted/checkout/{session_id}",
        metadata=metadata.merge({}, params.get("metadata")),
        notes={"wanted": kept},
    )


def complete_checkout(account: Account, session_id: str, card: str) -> Body:
    """The customer filled in the page with a card (test card or behaviour). Raises CardDeclined."""
    session = account.get("checkout.session", session_id)
    if session["status"] != "open":
        raise InvalidRequest("This Checkout Session is no longer open.", "session")
    customer = session["customer"] or customers.create(account, email=session["customer_email"])["id"]
    method = cards.attach(account, card, customer=customer, default=session["mode"] == "subscription")
    fields: dict[str, Any] = {"status": "complete", "customer": customer, "url": None}
    if session["mode"] == "setup":
        _succeed(account, session["setup_intent"], method["id"], customer)
    else:
        fields |= _subscribe(account, session, customer, method["id"])
    account.change(session, None, **fields)
    account.emit("checkout.session.completed", session)
    return session


def expire(account: Account, session: Body) -> None:
    """The page was left open for too long."""
    account.change(session, None, status="expired", url=None)
    account.emit("checkout.session.expired", session)


def add_card(account: Account, customer: str, card: str) -> Body:
    """The customer adds a card in the portal: it becomes the default; open invoices stay open."""
    intent = _setup_intent(account, customer)
    method = cards.attach(account, card, customer=customer, default=True)
    for subscription in account.store.all("subscription", "customer = ?", (customer,)):
        if subscription["default_payment_method"] and subscription["ended_at"] is None:
            account.change(subscription, "customer.subscription.updated", default_payment_method=method["id"])
    _succeed(account, intent["id"], method["id"], customer)
    return method


def create_setup_intent(account: Account, **params: Any) -> Body:
    """A setup intent: customer, payment_method, confirm, description, metadata, usage."""
    customer = params.get("customer")
    if customer:
        account.customer(customer)
    intent = _setup_intent(account, customer, metadata=metadata.merge({}, params.get("metadata")))
    if params.get("payment_method") and params.get("confirm"):
        method = cards.attach(account, params["payment_method"], customer=customer) if customer else None
        _succeed(account, intent["id"], method["id"] if method else params["payment_method"], customer)
    return intent


def _setup_intent(account: Account, customer: str | None, **fields: Any) -> Body:
    intent_id = account.ids.new("seti")
    secret = f"{intent_id}_secret_{account.ids.token(24)}"
    intent = account.new(
        "setup_intent", "seti", id=intent_id, customer=customer, client_secret=secret, **fields
    )
    account.emit("setup_intent.created", intent)
    return intent


def _succeed(account: Account, intent_id: str, method: str, customer: str | None) -> None:
    intent = account.get("setup_intent", intent_id)
    account.change(intent, None, status="succeeded", payment_method=method, customer=customer)
    account.emit("setup_intent.succeeded", intent)


def _subscribe(account: Account, session: Body, customer: str, method: str) -> dict[str, Any]:
    wanted = account.store.notes(session["id"])["wanted"]
    data = wanted.get("subscription_data") or {}
    subscription = subscriptions.create(
        account,
        customer=customer,
        items=wanted["line_items"],
        default_payment_method=method,
        payment_behavior="error_if_incomplete",
        **data,
    )
    invoice = account.get("invoice", subscription["latest_invoice"])
    free = invoice["total"] == 0
    return {
        "subscription": subscription["id"],
        "invoice": invoice["id"],
        "payment_status": "no_payment_required" if free else "paid",
        "amount_total": invoice["total"],
        "amount_subtotal": invoice["subtotal"],
        "currency": invoice["currency"],
    }


def _check_checkout(account: Account, mode: str, params: dict[str, Any]) -> None:
    if mode not in ("setup", "subscription"):
        raise InvalidRequest(
            f"The sandbox's Checkout knows the modes setup and subscription, not {mode}.", "mode"
        )
    if params.get("customer"):
        account.customer(params["customer"])
    if mode == "setup" and not params.get("currency") and not params.get("allowed_payment_method_types"):
        raise MissingParameter("currency")
    if mode == "subscription" and not params.get("line_items"):
        raise MissingParameter("line_items")


def _flow(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    empty = dict.fromkeys(("subscription_cancel", "subscription_update", "subscription_update_confirm"))
    after = {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"}
    return {**empty, "after_completion": after, "type": given["type"]}
