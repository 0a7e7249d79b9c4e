"""What do subscriptions and their items say, as rows?"""

from __future__ import annotations

from typing import Any

from services.mirror.shapes.reading import (
    Object,
    Row,
    dig,
    discount_ids,
    either,
    ident,
    listed,
    metadata,
)


def subscription(source: Object) -> Row:
    """A row of `subscriptions`. `mrr_micros` and `plan_micros` are derived after it is stored."""
    items = listed(source["items"])
    return {
        "id": source["id"],
        "created": source["created"],
        "customer": ident(source["customer"]) or "",
        "status": source["status"],
        "currency": source.get("currency") or "",
        "collection_method": source.get("collection_method") or "",
        "days_until_due": source.get("days_until_due"),
        "start_date": source["start_date"],
        "billing_cycle_anchor": source.get("billing_cycle_anchor"),
        "current_period_start": _earliest(source, items, "current_period_start"),
        "current_period_end": _earliest(source, items, "current_period_end"),
        "default_payment_method": ident(source.get("default_payment_method")),
        "default_source": ident(source.get("default_source")),
        "latest_invoice": ident(source.get("latest_invoice")),
        "schedule": ident(source.get("schedule")),
        "discounts": discount_ids(source),
        "metadata": metadata(source),
        **_trial(source, items),
        **_ending(source),
        **_pause(source),
    }


def item(source: Object, parent: Row) -> Row:
    """A row of `subscription_items`; older versions keep the period on the subscription."""
    price = either(source.get("price"), source.get("plan"))
    quantity = source.get("quantity")
    return {
        "id": source["id"],
        "created": source.get("created") or parent["created"],
        "subscription": parent["id"],
        "price": ident(price) or "",
        "product": ident(dig(price, "product")) or "",
        "quantity": 1 if quantity is None else quantity,
        "current_period_start": either(source.get("current_period_start"), parent["current_period_start"]),
        "current_period_end": either(source.get("current_period_end"), parent["current_period_end"]),
        "discounts": discount_ids(source),
        "metadata": metadata(source),
    }


def _earliest(source: Object, items: list[Any], name: str) -> int | None:
    starts = [member[name] for member in items if member.get(name) is not None]
    return min(starts) if starts else source.get(name)


def _trial(source: Object, items: list[Any]) -> Row:
    return {
        "trial_start": source.get("trial_start"),
        "trial_end": source.get("trial_end"),
        "first_trial_end": source.get("trial_end"),
        "trial_end_behavior": dig(source, "trial_settings", "end_behavior", "missing_payment_method"),
        "trial_offer": any(dig(member, "current_trial", "trial_offer") for member in items),
    }


def _ending(source: Object) -> Row:
    details = source.get("cancellation_details") or {}
    return {
        "cancel_at": source.get("cancel_at"),
        "cancel_at_period_end": bool(source.get("cancel_at_period_end")),
        "canceled_at": source.get("canceled_at"),
        "ended_at": source.get("ended_at"),
        "cancellation_reason": details.get("reason"),
        "cancellation_feedback": details.get("feedback"),
        "cancellation_comment": details.get("comment"),
    }


def _pause(source: Object) -> Row:
    collection = source.get("pause_collection") or {}
    return {
        "paused_by": dig(source, "status_details", "paused", "subscription", "type"),
        "paused_at": dig(source, "status_details", "paused", "transitioned_at"),
        "pause_collection": collection.get("behavior"),
        "pause_resumes_at": collection.get("resumes_at"),
    }
