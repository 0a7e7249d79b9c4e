"""An event as an endpoint of API version 2024-06-20 would send it: fields stand in their places of then.

What moved, and where from, is told by Stripe's changelogs of 2025-03-31.basil (periods, parents, payments of
invoices, pricing) and 2025-09-30.clover (the coupon of a discount).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Object = dict[str, Any]


def as_told_before(event: Object) -> Object:
    """A copy of an event whose object has the shape that it had in 2024."""
    told = copy.deepcopy(event)
    told["api_version"] = "2024-06-20"
    source = told["data"]["object"]
    reshape = _SHAPES.get(source["object"])
    if reshape is not None:
        reshape(source)
    return told


def _subscription(source: Object) -> None:
    items = source["items"]["data"]
    for name in ("current_period_start", "current_period_end"):
        told = [item.pop(name) for item in items]
        source[name] = told[0] if told else None
    source["plan"] = items[0]["plan"] if len(items) == 1 and "plan" in items[0] else None


def _invoice(source: Object) -> None:
    source["subscription"] = _parent(source, "subscription_details").get("subscription")
    source["paid"] = source["status"] == "paid"
    for line in source["lines"]["data"]:
        _line(line)


def _line(line: Object) -> None:
    parent = line.pop("parent", None) or {}
    item, pending = parent.get("subscription_item_details"), parent.get("invoice_item_details")
    told = item or pending or {}
    line["type"] = "subscription" if item else "invoiceitem"
    line["subscription"] = told.get("subscription")
    line["subscription_item"] = (item or {}).get("subscription_item")
    line["invoice_item"] = told.get("invoice_item")
    line["proration"] = bool(told.get("proration"))
    _priced(line)


def _invoice_item(source: Object) -> None:
    source["subscription"] = _parent(source, "subscription_details").get("subscription")
    _priced(source)


def _discount(source: Object) -> None:
    source["coupon"] = {"object": "coupon", "id": source.pop("source")["coupon"]}


def _priced(source: Object) -> None:
    """The price itself instead of its id."""
    told = (source.pop("pricing", None) or {}).get("price_details")
    source["price"] = told and {"object": "price", "id": told["price"], "product": told["product"]}


def _parent(source: Object, kind: str) -> Object:
    return (source.pop("parent", None) or {}).get(kind) or {}


_SHAPES: dict[str, Callable[[Object], None]] = {
    "subscription": _subscription,
    "invoice": _invoice,
    "invoiceitem": _invoice_item,
    "discount": _discount,
}
