"""What does an update do to a subscription?"""

from __future__ import annotations

from typing import Any

from services.sandbox.billing import cards, cycles, discounts, invoices, items, lines, metadata, proration
from services.sandbox.billing.account import Account
from services.sandbox.billing.agenda import ENDED, period_end
from services.sandbox.billing.subscriptions import check_trial_end
from services.sandbox.errors import CardDeclined, InvalidRequest
from services.sandbox.store import Body

_UPDATED = "customer.subscription.updated"
_STILL_OPEN = frozenset({"metadata", "cancellation_details"})


def update(account: Account, subscription_id: str, **params: Any) -> Body:
    """Change a subscription. Parameters as in Stripe: items, proration_behavior (create_prorations, none,
    always_invoice), proration_date, trial_end (seconds UTC or "now"), billing_cycle_anchor {type},
    cancel_at_period_end, cancel_at, cancellation_details, pause_collection, discounts, trial_settings,
    default_payment_method, default_source, collection_method, days_until_due, description, metadata,
    payment_behavior.
    Raises InvalidRequest; CardDeclined with payment_behavior=error_if_incomplete.
    """
    subscription = account.get("subscription", subscription_id)
    if subscription["status"] in ENDED and not params.keys() <= _STILL_OPEN:
        raise InvalidRequest(
            "A canceled subscription can only update its cancellation_details and metadata.",
        )
    fields = _plain(account, subscription, params)
    error = _move(account, subscription, params, fields)
    if error is not None and params.get("payment_behavior") == "error_if_incomplete":
        raise error
    return subscription


def _plain(account: Account, subscription: Body, params: dict[str, Any]) -> dict[str, Any]:
    """The fields that change without any billing."""
    fields: dict[str, Any] = {}
    for name in ("description", "collection_method", "days_until_due", "trial_settings"):
        if name in params:
            fields[name] = params[name] if params[name] != "" else None
    if "metadata" in params:
        fields["metadata"] = metadata.merge(subscription["metadata"], params["metadata"])
    fields |= cards.defaults(account, params, subscription["customer"])
    if "cancellation_details" in params:
        given = {name: value or None for name, value in params["cancellation_details"].items()}
        fields["cancellation_details"] = {**subscription["cancellation_details"], **given}
    if "payment_settings" in params:
        fields["payment_settings"] = {**subscription["payment_settings"], **params["payment_settings"]}
    if "pause_collection" in params:
        fields["pause_collection"] = _pause(params["pause_collection"])
    if "discounts" in params:
        owner = {"customer": subscription["customer"], "subscription": subscription["id"]}
        owner["currency"] = subscription["currency"]
        fields["discounts"] = discounts.open_for(account, params["discounts"], **owner)
        discounts.take_away(account, {*subscription["discounts"]} - {*fields["discounts"]})
    if fields.get("collection_method") == "send_invoice" and not fields.get("days_until_due"):
        raise InvalidRequest("You must pass `days_until_due` when sending invoices.", "days_until_due")
    return fields


def _pause(given: Any) -> dict[str, Any] | None:
    if not given:
        return None
    return {"behavior": given["behavior"], "resumes_at": given.get("resumes_at")}


def _move(
    account: Account, subscription: Body, params: dict[str, Any], fields: dict[str, Any]
) -> CardDeclined | None:
    """Carry out what moves periods or money. Each branch writes `fields` in one stroke with its own."""
    after = _items(account, subscription, params)
    if after is not None:
        fields["items"] = {**subscription["items"], "data": after}
    if "trial_end" in params:
        return _trial(account, subscription, params, fields)
    fields |= _ending(account, {**subscription, **fields}, params)
    anew = (params.get("billing_cycle_anchor") or {}).get("type") == "now"
    if after is not None:
        anew = anew or _begins_anew(account, subscription["items"]["data"], after)
    if anew and subscription["status"] in ("active", "past_due"):
        return _restart(account, subscription, params, fields)
    made = _prorate(account, subscription, params, after)
    account.change(subscription, _UPDATED, **fields)
    if made and params.get("proration_behavior") == "always_invoice":
        return _bill(account, subscription)
    return None


def _items(account: Account, subscription: Body, params: dict[str, Any]) -> list[Body] | None:
    if not params.get("items"):
        return None
    return items.changed(account, subscription, params["items"])


def _begins_anew(account: Account, before: list[Body], after: list[Body]) -> bool:
    """Whether a new period begins with the change: by another interval, or from free to paid."""
    was_free = _is_free(account, before) and not _is_free(account, after)
    return was_free or _interval(after) != _interval(before)


def _is_free(account: Account, some: list[Body]) -> bool:
    by_use = any(item["price"]["recurring"]["usage_type"] == "metered" for item in some)
    return not by_use and not any(lines.item_amount(account, item) for item in some)


def _interval(some: list[Body]) -> tuple[str, int]:
    recurring = some[0]["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def _prorate(
    account: Account, subscription: Body, params: dict[str, Any], after: list[Body] | None
) -> list[Body]:
    free = subscription["status"] not in ("active", "past_due")
    if after is None or free or params.get("proration_behavior") == "none":
        return []
    return proration.change(account, subscription, after, proration.date(account, subscription, params))


def _bill(account: Account, subscription: Body) -> CardDeclined | None:
    customer = account.get("customer", subscription["customer"])
    pending = invoices.pending_items(account, customer["id"], subscription["id"])
    invoice = invoices.draft(
        account,
        customer,
        "subscription_update",
        subscription=subscription,
        pending=pending,
        auto_advance=True,
    )
    account.change(subscription, _UPDATED, latest_invoice=invoice["id"])
    return cycles.complete(account, invoice)


def _restart(
    account: Account, subscription: Body, params: dict[str, Any], fields: dict[str, Any]
) -> CardDeclined | None:
    """A new period starts now, billed at once; the rest of the old one is credited."""
    if params.get("proration_behavior") != "none":
        at = proration.date(account, subscription, params)
        proration.change(account, subscription, [], at, credit_only=True)
    kept = fields.pop("items", subscription["items"])
    changed = {**subscription, "items": kept}
    span = cycles.span_from(changed, account.now, account.now)
    if subscription["cancel_at_period_end"] and "cancel_at" not in fields:
        fields["cancel_at"] = span[1]
    invoice = cycles.bill(
        account,
        subscription,
        "subscription_update",
        span,
        at_once=True,
        items=kept,
        billing_cycle_anchor=account.now,
        **fields,
    )
    return cycles.complete(account, invoice)


def _trial(
    account: Account, subscription: Body, params: dict[str, Any], fields: dict[str, Any]
) -> CardDeclined | None:
    """Start, move or end a trial."""
    given = params["trial_end"]
    if given == "now":
        fields |= _ending(account, {**subscription, **fields}, params)
        account.change(subscription, _UPDATED, **fields)
        return (
            cycles.end_trial(account, subscription, at_once=True)
            if subscription["status"] == "trialing"
            else None
        )
    check_trial_end(account, int(given))
    if subscription["status"] not in ("trialing", "active", "past_due"):
        raise InvalidRequest(
            f"You cannot set a trial on a subscription whose status is {subscription['status']}.", "trial_end"
        )
    ends = int(given)
    moved = {"trial_end": ends, "billing_cycle_anchor": ends}
    if subscription["cancel_at_period_end"] and subscription["cancel_at"]:
        moved["cancel_at"] = ends
    if subscription["status"] == "trialing":
        listing = fields.pop("items", subscription["items"])
        begun = subscription["items"]["data"][0]["current_period_start"]
        kept = cycles.moved(listing, (begun, ends))
        fields |= {**moved, "items": kept}
        fields |= _ending(account, {**subscription, **fields}, params)
        account.change(subscription, _UPDATED, **fields)
        return None
    return _begin_trial(account, subscription, params, {**fields, **moved})


def _begin_trial(
    account: Account, subscription: Body, params: dict[str, Any], fields: dict[str, Any]
) -> CardDeclined | None:
    if params.get("proration_behavior") != "none":
        proration.change(account, subscription, [], account.now, credit_only=True)
    fields |= {"status": "trialing", "trial_start": account.now}
    span = account.now, fields["trial_end"]
    invoice = cycles.bill(
        account, subscription, "subscription_update", span, share=lines.NOTHING, at_once=True, **fields
    )
    return cycles.complete(account, invoice)


def _ending(account: Account, subscription: Body, params: dict[str, Any]) -> dict[str, Any]:
    """The fields of a planned end, set or taken back."""
    at_end, cancel_at = params.get("cancel_at_period_end"), params.get("cancel_at")
    if at_end and cancel_at:
        raise InvalidRequest("You may only specify one of these parameters: cancel_at, cancel_at_period_end.")
    if at_end is None and cancel_at is None:
        return {}
    if at_end:
        return _planned(account, subscription, period_end(subscription), at_period_end=True)
    if cancel_at:
        ends = period_end(subscription) if isinstance(cancel_at, str) else int(cancel_at)
        if ends <= account.now:
            raise InvalidRequest(
                "Invalid timestamp: must be an integer Unix timestamp in the future.", "cancel_at"
            )
        return _planned(account, subscription, ends, at_period_end=False)
    if at_end is False and subscription["cancel_at"] and not subscription["cancel_at_period_end"]:
        return {}
    gone = {**subscription["cancellation_details"], "reason": None, "feedback": None, "comment": None}
    return {
        "cancel_at_period_end": False,
        "cancel_at": None,
        "canceled_at": None,
        "cancellation_details": gone,
    }


def _planned(account: Account, subscription: Body, ends: int, *, at_period_end: bool) -> dict[str, Any]:
    given = {**subscription["cancellation_details"], "reason": "cancellation_requested"}
    return {
        "cancel_at_period_end": at_period_end,
        "cancel_at": ends,
        "canceled_at": account.now,
        "cancellation_details": given,
    }
