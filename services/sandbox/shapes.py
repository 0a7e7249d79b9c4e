"""What did an object look like at an older version of the API?

For the fault `shape_old`: the fields that have moved since (2024-06-20) are put where they were.
"""

from __future__ import annotations

from typing import Any

from services.sandbox.billing.account import Account
from services.sandbox.store import subscription_of

OLD_VERSION = "2024-06-20"


def old(account: Account, body: Any) -> Any:
    """A copy in the older shape, of an object, a list, or an event with what is in it."""
    if isinstance(body, list):
        return [old(account, entry) for entry in body]
    if not isinstance(body, dict):
        return body
    copied = {name: old(account, value) for name, value in body.items()}
    kind = body.get("object")  # in an event's data it is the object itself
    change = _CHANGES.get(kind) if isinstance(kind, str) else None
    return change(account, copied) if change else copied


def _subscription(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    for item in body["items"]["data"]:
        body["current_period_start"] = item.pop("current_period_start")
        body["current_period_end"] = item.pop("current_period_end")
    body["discount"] = _first_discount(account, body.pop("discounts"))
    return body


def _first_discount(account: Account, ids: list[Any]) -> Any:
    if not ids:
        return None
    found = account.store.find(ids[0]) if isinstance(ids[0], str) else ids[0]
    return old(account, dict(found)) if found else None


def _discount(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    source = body.pop("source", None)
    if source is not None:
        coupon = (
            account.store.find(source["coupon"]) if isinstance(source["coupon"], str) else source["coupon"]
        )
        body["coupon"] = dict(coupon) if coupon else None
    return body


def _invoice(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    body["subscription"] = subscription_of(body)
    body.pop("parent")
    body.pop("payments", None)
    body["paid"] = body["status"] == "paid"
    payment = account.store.find(account.store.notes(body["id"]).get("payment", ""))
    intent_id = payment["payment"]["payment_intent"] if payment else None
    intent = account.store.find(intent_id) if intent_id else None
    body |= {"payment_intent": intent_id, "charge": intent["latest_charge"] if intent else None}
    body |= {"discount": _first_discount(account, body["discounts"]), "tax": None}
    return body


def _line(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    parent, pricing = body.pop("parent", None) or {}, body.pop("pricing", None) or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    body["proration"] = details.get("proration", False)
    body["subscription"] = details.get("subscription")
    body["subscription_item"] = details.get("subscription_item")
    body["price"] = _price(account, pricing)
    return body


def _invoiceitem(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    body["subscription"] = subscription_of(body)
    body.pop("parent")
    body["price"] = _price(account, body.pop("pricing", None) or {})
    return body


def _price(account: Account, pricing: dict[str, Any]) -> Any:
    details = pricing.get("price_details")
    found = account.store.find(details["price"]) if details else None
    return dict(found) if found else None


def _charge(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    intent = body["payment_intent"]
    body["invoice"] = account.store.notes(intent).get("invoice") if isinstance(intent, str) else None
    return body


def _intent(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    body["invoice"] = account.store.notes(body["id"]).get("invoice")
    return body


def _promotion_code(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    coupon = body.pop("promotion")["coupon"]
    found = account.store.find(coupon) if isinstance(coupon, str) else coupon
    body["coupon"] = dict(found) if found else None
    return body


def _event(_account: Account, body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "api_version": OLD_VERSION}


_CHANGES = {
    "subscription": _subscription,
    "discount": _discount,
    "invoice": _invoice,
    "line_item": _line,
    "invoiceitem": _invoiceitem,
    "charge": _charge,
    "payment_intent": _intent,
    "promotion_code": _promotion_code,
    "event": _event,
}
