"""How is a period of a subscription billed?"""

from __future__ import annotations

from typing import Any

from services.sandbox import objects
from services.sandbox.billing import cards, discounts, invoices, lines, payments, standing
from services.sandbox.billing.account import Account
from services.sandbox.billing.agenda import INCOMPLETE_FOR
from services.sandbox.billing.ending import end
from services.sandbox.billing.periods import HOUR, next_boundary
from services.sandbox.errors import CardDeclined
from services.sandbox.store import Body

DRAFT_FOR = HOUR


def span_from(subscription: Body, start: int, anchor: int | None = None) -> lines.Span:
    """The period that starts at a time."""
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    return start, next_boundary(
        subscription["billing_cycle_anchor"] if anchor is None else anchor, recurring, start
    )


def moved(items: dict[str, Any], span: lines.Span) -> dict[str, Any]:
    """The items with another period."""
    start, stop = span
    data = [{**item, "current_period_start": start, "current_period_end": stop} for item in items["data"]]
    return {**items, "data": data}


def bill(
    account: Account,
    subscription: Body,
    reason: str,
    span: lines.Span,
    *,
    share: lines.Share = lines.WHOLE,
    at_once: bool = False,
    event: str | None = "customer.subscription.updated",
    **fields: Any,
) -> Body:
    """Begin a period and draft its invoice, with what is pending. `at_once` leaves the draft to the caller;
    else it is finalized an hour later, unless the subscription's state or its pause keeps it a draft.
    `fields` are changed on the subscription in the same stroke.
    """
    customer = account.get("customer", subscription["customer"])
    before = subscription["items"]["data"][0]["current_period_start"]
    items = moved(fields.pop("items", subscription["items"]), span)
    waits = not at_once and not _kept_as_draft(subscription)
    ids: list[str] = fields["discounts"] if "discounts" in fields else subscription["discounts"]
    served, share = _served({**subscription, **fields}, span, share)
    used = [] if share == lines.NOTHING else discounts.running(account, ids, account.now)
    pending = (
        [] if share == lines.NOTHING else invoices.pending_items(account, customer["id"], subscription["id"])
    )
    invoice = invoices.draft(
        account,
        customer,
        reason,
        subscription=subscription,
        billed=[(item, served) for item in items["data"]],
        pending=pending,
        share=share,
        discounts=ids,
        auto_advance=at_once or waits,
        automatically_finalizes_at=account.now + DRAFT_FOR if waits else None,
        period_start=span[0] if at_once else before,
        period_end=span[1] if at_once else span[0],
    )
    _terms(account, invoice, subscription)
    if ids:
        fields["discounts"] = discounts.use_up(account, {**subscription, "discounts": ids}, used, account.now)
    if share != lines.NOTHING:
        items = {**items, "data": [_used_up(account, item) for item in items["data"]]}
    account.change(subscription, event, items=items, latest_invoice=invoice["id"], **fields)
    return invoice


def _served(subscription: Body, span: lines.Span, share: lines.Share) -> tuple[lines.Span, lines.Share]:
    """What of a period is billed: up to the day on which the subscription is set to end in it."""
    (start, stop), ends = span, subscription["cancel_at"]
    if share != lines.WHOLE or subscription["cancel_at_period_end"] or not ends or not start < ends < stop:
        return span, share
    return (start, ends), (ends - start, stop - start)


def _used_up(account: Account, item: dict[str, Any]) -> dict[str, Any]:
    """The item after an invoice, with those of its own discounts that go on."""
    used = discounts.running(account, item["discounts"], account.now)
    return {**item, "discounts": discounts.use_up(account, item, used, account.now)}


def complete(account: Account, invoice: Body, *, again: bool = True) -> CardDeclined | None:
    """Finalize a draft and collect it: charge it, or send it. Answers the error of a failed charge.
    In a preview the draft stays as it is, and nothing is collected while the subscription's collection is
    paused.
    """
    if not _opened(account, invoice):
        return None
    if invoice["collection_method"] == "send_invoice":
        account.emit("invoice.sent", invoice)
        return None
    return payments.collect(account, invoice, again=again)


def offer(account: Account, invoice: Body) -> None:
    """Finalize the draft of a subscription that resumes, for somebody to pay it within 23 hours."""
    if _opened(account, invoice):
        invoices.stop_collecting(account, invoice)
        account.note(invoice, expires=account.now + INCOMPLETE_FOR)


def _opened(account: Account, invoice: Body) -> bool:
    """Finalize a draft that is to be collected; whether there is something to pay then."""
    if account.previewing:
        return False
    subscription = standing.subscription_for(account, invoice)
    if subscription and subscription["pause_collection"]:
        _set_aside(account, invoice, subscription)
        return False
    invoices.finalize(account, invoice)
    if invoice["status"] == "paid":
        standing.settled(account, invoice)
        return False
    return True


def _set_aside(account: Account, invoice: Body, subscription: Body) -> None:
    """What becomes of an invoice while collection is paused; one that is given up ends a standstill."""
    behavior = subscription["pause_collection"]["behavior"]
    if behavior == "keep_as_draft":
        account.change(invoice, "invoice.updated", auto_advance=False, automatically_finalizes_at=None)
        return
    invoices.finalize(account, invoice)
    if invoice["status"] == "open":
        (invoices.void if behavior == "void" else invoices.give_up)(account, invoice)
    if subscription["status"] == "paused":
        standing.settled(account, invoice)


def end_trial(account: Account, subscription: Body, *, at_once: bool = False) -> CardDeclined | None:
    """The trial is over: bill the first period, or cancel or pause where there is nothing to charge.
    `at_once` is staff's "now"; else the invoice is a draft for an hour. Answers a failed charge's error.
    """
    customer = account.get("customer", subscription["customer"])
    start = account.now if at_once else subscription["trial_end"]
    automatic = subscription["collection_method"] == "charge_automatically"
    if automatic and cards.default_for(account, customer, subscription) is None:
        missing = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
        if missing == "cancel":
            account.change(subscription, None, trial_end=start)
            end(account, subscription, reason="cancellation_requested")
            return None
        if missing == "pause":
            pause(account, subscription, start)
            return None
    anchored: dict[str, Any] = {"billing_cycle_anchor": start, "trial_end": start, "status": "active"}
    reason = "subscription_update" if at_once else "subscription_cycle"
    span = span_from(subscription, start, start)
    if at_once and subscription["cancel_at_period_end"]:
        anchored["cancel_at"] = span[1]
    invoice = bill(account, subscription, reason, span, at_once=at_once, **anchored)
    return complete(account, invoice) if at_once else None


def pause(account: Account, subscription: Body, trial_end: int) -> None:
    """The trial is over and nothing can be charged: the service stops until it is resumed."""
    why = {"type": "trial_end_without_payment_method"}
    details = {"paused": {"subscription": why, "transitioned_at": account.now, "type": "subscription"}}
    moved = {"trial_end": subscription["trial_end"]} if subscription["trial_end"] != trial_end else {}
    account.change(subscription, None, status="paused", status_details=details, trial_end=trial_end)
    account.emit("customer.subscription.paused", subscription)
    account.emit("customer.subscription.updated", subscription, {"status": "trialing", **moved})


def _kept_as_draft(subscription: Body) -> bool:
    behaviour = (subscription["pause_collection"] or {}).get("behavior")
    return behaviour == "keep_as_draft" or subscription["status"] == "unpaid"


def _terms(account: Account, invoice: Body, subscription: Body) -> None:
    if subscription["days_until_due"] is not None:
        account.note(invoice, days_until_due=subscription["days_until_due"])


def empty_items(subscription_id: str) -> dict[str, Any]:
    """A subscription's list of items before it has any."""
    return objects.listing(f"/v1/subscription_items?subscription={subscription_id}", [])
