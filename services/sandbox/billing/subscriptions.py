"""How does a subscription start and stop? Changing one is `changes`, bringing one back `resuming`."""

from __future__ import annotations

from typing import Any

from services.sandbox.billing import (
    balance,
    cards,
    catalog,
    cycles,
    discounts,
    invoiceitems,
    invoices,
    items,
    lines,
    metadata,
    proration,
)
from services.sandbox.billing import prices as pricing
from services.sandbox.billing.account import Account
from services.sandbox.billing.agenda import ENDED, period_end, served_until
from services.sandbox.billing.ending import end
from services.sandbox.billing.periods import DAY
from services.sandbox.errors import InvalidRequest, MissingParameter
from services.sandbox.store import Body

MOST_SUBSCRIPTIONS = 500
TRIAL_DAYS = 730


def create(account: Account, **params: Any) -> Body:
    """A new subscription. Stripe's parameters: customer, items [{price | price_data, quantity, metadata,
    discounts, tax_rates}], automatic_tax, default_tax_rates (kept and shown; no invoice carries tax),
    trial_period_days or trial_end (seconds UTC or "now"), trial_from_plan, trial_settings, discounts,
    collection_method, days_until_due, default_payment_method, default_source, billing_cycle_anchor,
    proration_behavior, cancel_at, cancel_at_period_end, payment_behavior, add_invoice_items, description,
    metadata, payment_settings, currency. Raises CardDeclined with payment_behavior=error_if_incomplete.
    """
    customer = account.customer(params["customer"])
    prices = [
        items.price_of(account, entry, f"items[{n}]") for n, entry in enumerate(params.get("items") or [])
    ]
    if not prices:
        raise MissingParameter("items")
    currency = _currency(account, customer, params, prices)
    items.check(account, prices, currency)
    _check_room(account, customer)
    trial_end = _trial_end(account, params, prices)
    _check_payment(account, customer, params, trial_end)
    balance.use_currency(account, customer, currency)
    subscription = _begin(account, customer, {**params, "currency": currency}, prices, trial_end)
    _first_invoice(account, subscription, params, trial_end)
    return subscription


def cancel(
    account: Account,
    subscription_id: str,
    *,
    invoice_now: bool = False,
    prorate: bool = False,
    cancellation_details: dict[str, Any] | None = None,
) -> Body:
    """End a subscription now. Raises InvalidRequest (404 in Stripe's words) for one that has ended."""
    subscription = account.get("subscription", subscription_id)
    if subscription["status"] in ENDED:
        raise InvalidRequest(f"No such subscription: '{subscription_id}'", "id", "resource_missing")
    if prorate and subscription["status"] != "trialing":
        proration.move_end(account, subscription, served_until(subscription), account.now)
    if not (prorate or invoice_now):
        _drop_prorations(account, subscription)
    end(account, subscription, details=cancellation_details)
    if invoice_now:
        _bill_pending(account, subscription)
    return subscription


def run_out(account: Account, subscription: Body) -> None:
    """The planned end has come: what changes in mid-period had still to bill or to credit comes on a last
    invoice; other pending items stay."""
    end(account, subscription)
    _bill_pending(account, subscription, prorations_only=True)


def check_trial_end(account: Account, trial_end: int) -> None:
    """Raises InvalidRequest for a trial end in the past or more than two years ahead."""
    if trial_end <= account.now:
        raise InvalidRequest(
            "Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end"
        )
    if trial_end > account.now + TRIAL_DAYS * DAY + DAY:
        raise InvalidRequest("Invalid timestamp: can be no more than two years in the future.", "trial_end")


def _currency(account: Account, customer: Body, params: dict[str, Any], prices: list[Body]) -> str:
    """What is asked for, else the customer's own where all prices have it, else the first price's own."""
    if params.get("currency"):
        return str(params["currency"]).lower()
    own = customer["currency"]
    if own and all(pricing.sold_in(account, price, own) for price in prices):
        return str(own)
    return str(prices[0]["currency"])


def _begin(
    account: Account, customer: Body, params: dict[str, Any], prices: list[Body], trial_end: int | None
) -> Body:
    now = account.now
    sub_id = account.ids.new("sub")
    anchor = trial_end or params.get("billing_cycle_anchor") or now
    by_hand = params.get("collection_method") == "send_invoice"
    listing = cycles.empty_items(sub_id)
    given = zip(prices, params["items"], strict=True)
    listing["data"] = [items.build(account, sub_id, price, entry, (now, anchor)) for price, entry in given]
    optional = {
        name: params[name]
        for name in (
            "collection_method",
            "days_until_due",
            "description",
            "trial_settings",
        )
        if params.get(name) not in (None, "")
    } | cards.defaults(account, params, customer["id"])
    subscription = account.new(
        "subscription",
        "sub",
        id=sub_id,
        customer=customer["id"],
        currency=params["currency"],
        items=listing,
        start_date=now,
        billing_cycle_anchor=anchor,
        status="trialing" if trial_end else "active" if by_hand else "incomplete",
        trial_start=now if trial_end else None,
        trial_end=trial_end,
        metadata=metadata.merge({}, params.get("metadata")),
        **optional,
    )
    owner = {"customer": customer["id"], "subscription": sub_id, "currency": subscription["currency"]}
    ids = discounts.open_for(account, params.get("discounts"), **owner)
    for item, entry in zip(listing["data"], params["items"], strict=True):
        its = {**owner, "subscription_item": item["id"]}
        item["discounts"] = discounts.open_for(account, entry.get("discounts"), **its)
    settings = {**subscription["payment_settings"], **(params.get("payment_settings") or {})}
    tax = _tax(account, subscription, params)
    account.change(subscription, discounts=ids, payment_settings=settings, **tax)
    return subscription


def _tax(account: Account, subscription: Body, params: dict[str, Any]) -> dict[str, Any]:
    enabled = bool((params.get("automatic_tax") or {}).get("enabled"))
    rates = catalog.tax_rates(account, params.get("default_tax_rates"), "default_tax_rates")
    if enabled and (rates or any(item["tax_rates"] for item in subscription["items"]["data"])):
        raise InvalidRequest(
            "You cannot use tax rates together with automatic tax.", "automatic_tax[enabled]"
        )
    liability = {"type": "self"} if enabled else None
    automatic = {**subscription["automatic_tax"], "enabled": enabled, "liability": liability}
    return {"automatic_tax": automatic, "default_tax_rates": rates}


def _first_invoice(
    account: Account, subscription: Body, params: dict[str, Any], trial_end: int | None
) -> None:
    now, anchor = account.now, subscription["billing_cycle_anchor"]
    span, share = _first_span(subscription, params, trial_end, now, anchor)
    _extra_items(account, subscription, params.get("add_invoice_items") or [])
    by_hand = subscription["collection_method"] == "send_invoice" and not trial_end
    invoice = cycles.bill(
        account, subscription, "subscription_create", span, share=share, at_once=not by_hand, event=None
    )
    account.change(subscription, **_planned_end(account, subscription, params))
    account.emit("customer.subscription.created", subscription)
    if by_hand:
        return
    if params.get("payment_behavior") == "default_incomplete":
        invoices.finalize(account, invoice)
        if invoice["status"] == "paid" and subscription["status"] == "incomplete":
            account.change(subscription, "customer.subscription.updated", status="active")
        return
    error = cycles.complete(account, invoice, again=False)
    if error is not None and params.get("payment_behavior") == "error_if_incomplete":
        raise error


def _first_span(
    subscription: Body, params: dict[str, Any], trial_end: int | None, now: int, anchor: int
) -> tuple[lines.Span, lines.Share]:
    if trial_end:
        return (now, trial_end), lines.NOTHING
    if anchor == now:
        return cycles.span_from(subscription, now), lines.WHOLE
    span = cycles.span_from(subscription, now)
    none = params.get("proration_behavior") == "none"
    return span, lines.NOTHING if none else proration.share_of(subscription, span, anchor)


def _planned_end(account: Account, subscription: Body, params: dict[str, Any]) -> dict[str, Any]:
    if params.get("cancel_at_period_end"):
        return {
            "cancel_at_period_end": True,
            "cancel_at": period_end(subscription),
            "canceled_at": account.now,
        }
    if params.get("cancel_at"):
        return {"cancel_at": params["cancel_at"], "canceled_at": account.now}
    return {}


def _extra_items(account: Account, subscription: Body, extra: list[dict[str, Any]]) -> None:
    for entry in extra:
        invoiceitems.create(
            account,
            customer=subscription["customer"],
            subscription=subscription["id"],
            pricing={"price": entry["price"]},
            quantity=entry.get("quantity", 1),
        )


def _drop_prorations(account: Account, subscription: Body) -> None:
    """Stripe removes what changes in mid-period had still to bill when a subscription ends unbilled."""
    for item in invoices.pending_items(account, subscription["customer"], subscription["id"]):
        if item["proration"]:
            invoiceitems.delete(account, item["id"])


def _bill_pending(account: Account, subscription: Body, *, prorations_only: bool = False) -> None:
    waiting = invoices.pending_items(account, subscription["customer"], subscription["id"])
    pending = [item for item in waiting if item["proration"] or not prorations_only]
    if not pending:
        return
    customer = account.get("customer", subscription["customer"])
    invoice = invoices.draft(
        account, customer, "subscription_update", subscription=subscription, pending=pending
    )
    account.change(subscription, latest_invoice=invoice["id"])
    cycles.complete(account, invoice, again=False)


def _trial_end(account: Account, params: dict[str, Any], prices: list[Body]) -> int | None:
    days, end_at = params.get("trial_period_days"), params.get("trial_end")
    if days is not None and end_at is not None:
        raise InvalidRequest("You may only specify one of these parameters: trial_end, trial_period_days.")
    if days is None and end_at is None and params.get("trial_from_plan"):
        days = prices[0]["recurring"].get("trial_period_days")
    if days:
        if days > TRIAL_DAYS:
            raise InvalidRequest(
                "The maximum number of trial period days is 730 (2 years).", "trial_period_days"
            )
        return account.now + int(days) * DAY
    if end_at in (None, "now"):
        return None
    check_trial_end(account, int(end_at))
    return int(end_at)


def _check_room(account: Account, customer: Body) -> None:
    count = "SELECT count(*) FROM objects WHERE customer = ? AND kind = ? AND label NOT IN (?, ?)"
    args = (customer["id"], "subscription", *sorted(ENDED))
    if account.store.query("subscription", count, args)[0][0] >= MOST_SUBSCRIPTIONS:
        raise InvalidRequest(
            f"Customer {customer['id']} already has the maximum {MOST_SUBSCRIPTIONS} current subscriptions."
        )


def _check_payment(account: Account, customer: Body, params: dict[str, Any], trial_end: int | None) -> None:
    if params.get("collection_method") == "send_invoice":
        if params.get("days_until_due") is None:
            raise MissingParameter("days_until_due")
        return
    if params.get("days_until_due") is not None:
        raise InvalidRequest(
            "You can only use `days_until_due` when `collection_method` is `send_invoice`.", "days_until_due"
        )
    named = params.get("default_payment_method") or params.get("default_source")
    if named or trial_end or params.get("payment_behavior") == "default_incomplete":
        return
    if cards.default_for(account, customer) is None:
        raise InvalidRequest(cards.NO_CARD, code="resource_missing")
