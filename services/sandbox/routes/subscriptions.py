"""Subscriptions and their items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.sandbox import objects
from services.sandbox.billing import changes, resuming, subscriptions
from services.sandbox.billing.account import Account
from services.sandbox.errors import NoSuchObject
from services.sandbox.listing import PAGING, Condition, Page, column, field, of_bodies, times
from services.sandbox.routes.catalog import PRICE_DATA
from services.sandbox.routing import Route, delete, get, lists, post, retrieve
from services.sandbox.schema import (
    Schema,
    boolean,
    either,
    hash_of,
    integer,
    list_of,
    metadata,
    natural,
    need,
    one_of,
    span,
    text,
    unset_or,
)
from services.sandbox.store import Body

_FEEDBACK = (
    "",
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
PRORATION = one_of("create_prorations", "none", "always_invoice")
DISCOUNTS = unset_or(list_of(hash_of({"coupon": text, "promotion_code": text, "discount": text})))
AUTOMATIC_TAX = hash_of({"enabled": need(boolean)})
DETAILS = hash_of({"feedback": one_of(*_FEEDBACK), "comment": text})
_ITEM: Schema = {"price": text, "price_data": PRICE_DATA, "quantity": natural, "metadata": metadata}
_NEW_ITEM: Schema = {**_ITEM, "discounts": DISCOUNTS, "tax_rates": list_of(text)}
_CHANGED_ITEM: Schema = {**_ITEM, "id": text, "deleted": boolean}
_TRIAL_SETTINGS = hash_of(
    {
        "end_behavior": need(
            hash_of({"missing_payment_method": need(one_of("cancel", "create_invoice", "pause"))})
        )
    }
)
_PAYMENT_BEHAVIOR = one_of(
    "allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"
)
_TRIAL_END = either(("now",), integer)
_ANCHOR = hash_of({"type": need(one_of("now", "unchanged"))})
_CANCEL_AT = either(("min_period_end", "max_period_end"), integer)
_COMMON: Schema = {
    "description": text,
    "metadata": metadata,
    "discounts": DISCOUNTS,
    "collection_method": one_of("charge_automatically", "send_invoice"),
    "days_until_due": natural,
    "default_payment_method": text,
    "default_source": text,
    "proration_behavior": PRORATION,
    "cancel_at_period_end": boolean,
    "payment_behavior": _PAYMENT_BEHAVIOR,
    "off_session": boolean,
    "payment_settings": hash_of(
        {
            "save_default_payment_method": one_of("off", "on_subscription"),
            "payment_method_types": list_of(text),
        }
    ),
    "trial_from_plan": boolean,
    "trial_settings": _TRIAL_SETTINGS,
}
_CREATE: Schema = {
    **_COMMON,
    "customer": need(text),
    "items": need(list_of(hash_of(_NEW_ITEM))),
    "automatic_tax": AUTOMATIC_TAX,
    "default_tax_rates": list_of(text),
    "currency": text,
    "trial_period_days": natural,
    "trial_end": _TRIAL_END,
    "billing_cycle_anchor": integer,
    "cancel_at": _CANCEL_AT,
    "add_invoice_items": list_of(hash_of({"price": need(text), "quantity": natural})),
}
_UPDATE: Schema = {
    **_COMMON,
    "items": list_of(hash_of(_CHANGED_ITEM)),
    "trial_end": _TRIAL_END,
    "billing_cycle_anchor": _ANCHOR,
    "proration_date": integer,
    "cancel_at": unset_or(_CANCEL_AT),
    "cancellation_details": DETAILS,
    "pause_collection": unset_or(
        hash_of(
            {
                "behavior": need(one_of("keep_as_draft", "mark_uncollectible", "void")),
                "resumes_at": integer,
            }
        )
    ),
}
PREVIEWED: Schema = {
    "items": list_of(hash_of({**_CHANGED_ITEM, **_NEW_ITEM})),
    "default_tax_rates": list_of(text),
    "trial_end": _TRIAL_END,
    "proration_behavior": PRORATION,
    "proration_date": integer,
    "billing_cycle_anchor": _ANCHOR,
    "cancel_at": unset_or(_CANCEL_AT),
    "cancel_at_period_end": boolean,
    "cancel_now": boolean,
    "resume_at": text,
}


def _by_status(params: dict[str, Any]) -> Sequence[Condition]:
    status = params.get("status")
    if status == "all":
        return []
    if status == "ended":
        return [("label IN (?, ?)", ("canceled", "incomplete_expired"))]
    if status:
        return [("label = ?", (status,))]
    return [("label <> ?", ("canceled",))]


def _of_price(price: str) -> Condition:
    has = "EXISTS (SELECT 1 FROM json_each(body, '$.items.data') WHERE json_extract(value, '$.price.id') = ?)"
    return has, (price,)


def _holder(account: Account, item_id: str) -> tuple[Body, Body]:
    for subscription in account.store.all("subscription", "instr(body, ?) > 0", (f'"{item_id}"',)):
        for item in subscription["items"]["data"]:
            if item["id"] == item_id:
                return subscription, item
    raise NoSuchObject("subscription_item", item_id)


def _list_items(account: Account, *, subscription: str, **params: Any) -> Page:
    body = account.get("subscription", subscription, "subscription")
    url = f"/v1/subscription_items?subscription={subscription}"
    return of_bodies(url, body["items"]["data"], params)


def _item(account: Account, item_id: str) -> Body:
    return _holder(account, item_id)[1]


def _add_item(account: Account, *, subscription: str, **params: Any) -> Body:
    behaviour = _take(params)
    before = account.get("subscription", subscription, "subscription")
    known = {item["id"] for item in before["items"]["data"]}
    after = changes.update(account, subscription, items=[params], **behaviour)
    return next(item for item in after["items"]["data"] if item["id"] not in known)


def _change_item(account: Account, item_id: str, **params: Any) -> Body:
    behaviour = _take(params)
    subscription, _ = _holder(account, item_id)
    after = changes.update(account, subscription["id"], items=[{"id": item_id, **params}], **behaviour)
    return next(item for item in after["items"]["data"] if item["id"] == item_id)


def _remove_item(account: Account, item_id: str, **params: Any) -> Body:
    subscription, _ = _holder(account, item_id)
    gone = {"id": item_id, "deleted": True}
    changes.update(account, subscription["id"], items=[gone], **params)
    return objects.deleted("subscription_item", item_id)


def _take(params: dict[str, Any]) -> dict[str, Any]:
    names = ("proration_behavior", "proration_date", "payment_behavior")
    return {name: params.pop(name) for name in names if name in params}


_PRORATED: Schema = {
    "proration_behavior": PRORATION,
    "proration_date": integer,
    "payment_behavior": _PAYMENT_BEHAVIOR,
}

ROUTES: list[Route] = [
    lists(
        "/v1/subscriptions",
        "subscription",
        {
            "customer": (text, column("customer")),
            "price": (text, _of_price),
            "collection_method": (text, field("collection_method")),
            "status": (text, lambda _value: ("1", ())),
            "current_period_end": (span, times("json_extract(body, '$.items.data[0].current_period_end')")),
            "current_period_start": (
                span,
                times("json_extract(body, '$.items.data[0].current_period_start')"),
            ),
        },
        always=_by_status,
    ),
    post("/v1/subscriptions", subscriptions.create, _CREATE),
    retrieve("/v1/subscriptions/{id}", "subscription"),
    post("/v1/subscriptions/{id}", changes.update, _UPDATE),
    delete(
        "/v1/subscriptions/{id}",
        subscriptions.cancel,
        {"invoice_now": boolean, "prorate": boolean, "cancellation_details": DETAILS},
    ),
    post(
        "/v1/subscriptions/{id}/resume",
        resuming.resume,
        {
            "billing_cycle_anchor": _ANCHOR,
            "proration_behavior": PRORATION,
            "proration_date": integer,
            "payment_behavior": one_of("resume_on_payment_attempt", "resume_on_payment_success"),
        },
    ),
    get("/v1/subscription_items", _list_items, {**PAGING, "subscription": need(text)}),
    post("/v1/subscription_items", _add_item, {**_ITEM, **_PRORATED, "subscription": need(text)}),
    get("/v1/subscription_items/{id}", _item),
    post("/v1/subscription_items/{id}", _change_item, {**_ITEM, **_PRORATED}),
    delete(
        "/v1/subscription_items/{id}",
        _remove_item,
        {"proration_behavior": PRORATION, "proration_date": integer},
    ),
]
