"""Which requests of ours change an account? All of them are here, one named function each.

`key` is the idempotency key, stored by the caller before the call. `mark` is metadata by which the effect
is found again. Each returns what `StripeAccount.write` returns, opened as far as our tables keep it, and
raises what it raises. Amounts are minor units, instants UTC seconds.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import stripe

from services.stripe_api.client import Answer, WriteCall, account
from services.stripe_api.failures import OutcomeUnknown, StripeUnavailable

Mark = dict[str, str]
_NOBODY = "trialdesk_asks_for_a_right"
# The rights that these requests need, as Stripe's dashboard calls them, each with a change of what is in no
# account. Others have seen that Stripe looks at the rights before the object; it does not document it.
RIGHTS: MappingProxyType[str, WriteCall] = MappingProxyType(
    {
        "Subscriptions": lambda v1, o: v1.subscriptions.update(_NOBODY, {}, o),
        "Customers": lambda v1, o: v1.customers.update(_NOBODY, {}, o),
        "Invoices": lambda v1, o: v1.invoices.update(_NOBODY, {}, o),
        "Invoice items": lambda v1, o: v1.invoice_items.update(_NOBODY, {}, o),
        "Charges": lambda v1, o: v1.refunds.update(_NOBODY, {}, o),
        "Customer portal": lambda v1, o: v1.billing_portal.sessions.create({"customer": _NOBODY}, o),
        "Webhook endpoints": lambda v1, o: v1.webhook_endpoints.update(_NOBODY, {}, o),
    }
)
_SUBSCRIPTION = {
    "expand": ["default_payment_method", "discounts", "items.data.discounts", "latest_invoice.payments"]
}
_INVOICE = {"expand": ["payments"]}


def move_trial_end(subscription: str, trial_end: int, mark: Mark, key: str) -> Answer:
    """Lets a trial end at another instant; nothing is billed for the difference."""
    return _update(
        subscription, {"trial_end": trial_end, "proration_behavior": "none", "metadata": mark}, key
    )


def end_trial(subscription: str, mark: Mark, key: str) -> Answer:
    """Ends a trial now: the first period begins and is billed."""
    return _update(subscription, {"trial_end": "now", "metadata": mark}, key)


def cancel_at_period_end(subscription: str, details: Mapping[str, str], mark: Mark, key: str) -> Answer:
    """Lets a subscription end with its paid period (or its trial)."""
    return _update(
        subscription,
        {"cancel_at_period_end": True, "cancellation_details": _told(details), "metadata": mark},
        key,
    )


def cancel_on(
    subscription: str, at: int, prorate: bool, details: Mapping[str, str], mark: Mark, key: str
) -> Answer:
    """Lets a subscription end at an instant; `prorate`: what is left of the running period is credited."""
    planned = {"cancel_at": at, "proration_behavior": "create_prorations" if prorate else "none"}
    return _update(subscription, {**planned, "cancellation_details": _told(details), "metadata": mark}, key)


def cancel_now(subscription: str, details: Mapping[str, str], chosen: Mapping[str, bool], key: str) -> Answer:
    """Ends a subscription at once; `chosen`: whether to `prorate`, and to make a final invoice
    (`invoice_now`). A DELETE: Stripe ignores the key."""
    params: Any = {"cancellation_details": _told(details), **chosen, **_SUBSCRIPTION}
    return account().write(lambda v1, o: v1.subscriptions.cancel(subscription, params, o), key)


def keep(subscription: str, at_period_end: bool, prorate: bool, mark: Mark, key: str) -> Answer:
    """Takes back a scheduled cancellation, of the kind that was set; `prorate`: with the credit that it
    brought."""
    undo: dict[str, Any] = {"cancel_at_period_end": False}
    if not at_period_end:
        undo = {"cancel_at": "", "proration_behavior": "create_prorations" if prorate else "none"}
    return _update(subscription, {**undo, "metadata": mark}, key)


def resume(subscription: str, key: str) -> Answer:
    """Resumes a paused subscription: a new period begins now and is billed."""
    return account().write(lambda v1, o: v1.subscriptions.resume(subscription, dict(_SUBSCRIPTION), o), key)


def pause_collection(
    subscription: str, behavior: str, resumes_at: int | None, mark: Mark, key: str
) -> Answer:
    """Lets the invoices of a subscription not be collected, until an instant or until that is taken back."""
    pause = {"behavior": behavior, **({"resumes_at": resumes_at} if resumes_at else {})}
    return _update(subscription, {"pause_collection": pause, "metadata": mark}, key)


def collect_again(subscription: str, mark: Mark, key: str) -> Answer:
    """Ends a pause of collection: invoices are asked for again."""
    return _update(subscription, {"pause_collection": "", "metadata": mark}, key)


def change_items(
    subscription: str, items: list[dict[str, Any]], terms: Mapping[str, Any], mark: Mark, key: str
) -> Answer:
    """Puts items on other prices or quantities; `terms` say how the difference is billed and paid.

    Raises CardDeclined where they want it paid at once and the card is declined: nothing is changed then.
    """
    return _update(subscription, {"items": items, **terms, "metadata": mark}, key)


def set_discounts(subscription: str, discounts: list[dict[str, str]], mark: Mark, key: str) -> Answer:
    """What is taken off a subscription's invoices: these discounts and no others."""
    return _update(subscription, {"discounts": discounts or "", "metadata": mark}, key)


def subscribe(params: Mapping[str, Any], mark: Mark, key: str) -> Answer:
    """A new subscription, billed at once; where the first payment fails there is none."""
    whole = {
        **params,
        "payment_behavior": "error_if_incomplete",
        "off_session": True,
        "metadata": {**params.get("metadata", {}), **mark},
        **_SUBSCRIPTION,
    }
    return account().write(lambda v1, o: v1.subscriptions.create(whole, o), key)


def add_invoice_item(params: Mapping[str, Any], mark: Mark, key: str) -> Answer:
    """A one-off amount: on the draft that `params` name, else on the next invoice."""
    whole = {**params, "metadata": mark}
    return account().write(lambda v1, o: v1.invoice_items.create(whole, o), key)


def draft_invoice(params: Mapping[str, Any], mark: Mark, key: str) -> Answer:
    """An empty draft that waits for us: it takes no pending items along and does not advance by itself."""
    whole = {
        "collection_method": "charge_automatically",
        **params,
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "metadata": mark,
    }
    return account().write(lambda v1, o: v1.invoices.create(whole, o), key)


def finalize(invoice: str, key: str) -> Answer:
    """Makes a draft an open invoice; nothing is charged yet."""
    return account().write(
        lambda v1, o: v1.invoices.finalize_invoice(invoice, {"auto_advance": False, **_INVOICE}, o), key
    )


def send_invoice(invoice: str, key: str) -> Answer:
    """Has Stripe mail an invoice that the customer pays by hand; a draft is finalized first."""
    return account().write(lambda v1, o: v1.invoices.send_invoice(invoice, dict(_INVOICE), o), key)


def void(invoice: str, key: str) -> Answer:
    """Takes an open or uncollectible invoice back for good."""
    return account().write(lambda v1, o: v1.invoices.void_invoice(invoice, dict(_INVOICE), o), key)


def mark_uncollectible(invoice: str, key: str) -> Answer:
    """Counts an open invoice as a bad debt; it can still be paid."""
    return account().write(lambda v1, o: v1.invoices.mark_uncollectible(invoice, dict(_INVOICE), o), key)


def remove_invoice_item(item: str, key: str) -> Answer:
    """Removes a one-off amount that is on no invoice. A DELETE: Stripe ignores the key."""
    return account().write(lambda v1, o: v1.invoice_items.delete(item, None, o), key)


def pay(invoice: str, charged_to: Mapping[str, str], key: str) -> Answer:
    """Charges an open invoice now, to this `payment_method` or `source`; without one Stripe chooses.

    Raises CardDeclined where the card is declined.
    """
    params: Any = {**charged_to, "off_session": True, **_INVOICE}
    return account().write(lambda v1, o: v1.invoices.pay(invoice, params, o), key)


def adjust_balance(customer: str, params: Mapping[str, Any], mark: Mark, key: str) -> Answer:
    """Moves a customer's balance by an amount: below 0 it is credit. Answers the movement."""
    whole: Any = {**params, "metadata": mark}
    return account().write(lambda v1, o: v1.customers.balance_transactions.create(customer, whole, o), key)


def change_contact(customer: str, fields: Mapping[str, str], mark: Mark, key: str) -> Answer:
    """Gives a customer another `email` or `name`."""
    opened = ["invoice_settings.default_payment_method"]
    whole: Any = {**fields, "metadata": mark, "expand": opened}
    return account().write(lambda v1, o: v1.customers.update(customer, whole, o), key)


def refund(payment: str, amount: int, code: str, mark: Mark, key: str) -> Answer:
    """Gives back an amount of a payment; `code` is Stripe's reason, "" for none of them."""
    params: Any = {"charge": payment, "amount": amount, "metadata": mark, "expand": ["charge"]}
    return account().write(lambda v1, o: v1.refunds.create({**params, **_told({"reason": code})}, o), key)


def open_card_portal(customer: str, key: str) -> Answer:
    """A short-lived link to a page of Stripe's where the customer enters another card."""
    params = {"customer": customer, "flow_data": {"type": "payment_method_update"}}
    return account().write(lambda v1, o: v1.billing_portal.sessions.create(params, o), key)


def make_endpoint(url: str, key: str) -> Answer:
    """An endpoint at which Stripe delivers all events, in the shape that we read; only this answer holds its
    signing secret."""
    params: Any = {
        "url": url,
        "enabled_events": ["*"],
        "api_version": stripe.api_version,
        "description": "Trialdesk",
    }
    return account().write(lambda v1, o: v1.webhook_endpoints.create(params, o), key)


def ask_for(right: str) -> None:
    """Asks for one of `RIGHTS` with a change that no account can carry out. Raises ObjectMissing where the
    key has it, RightMissing where it lacks it, and another of our errors where Stripe does not tell.
    """
    try:
        account().write(RIGHTS[right], f"right-{uuid.uuid4()}")
    except OutcomeUnknown as error:  # there is nothing whose state could be looked at
        raise StripeUnavailable(error.status, request_id=error.request_id) from None


def preview_invoice(params: Mapping[str, Any]) -> Answer:
    """What an invoice would come to. Changes nothing: key and id are thrown away."""
    return account().write(
        lambda v1, o: v1.invoices.create_preview(dict(params), o), f"preview-{uuid.uuid4()}"
    )


def _update(subscription: str, params: dict[str, Any], key: str) -> Answer:
    whole = {**params, **_SUBSCRIPTION}
    return account().write(lambda v1, o: v1.subscriptions.update(subscription, whole, o), key)


def _told(details: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in details.items() if text}
