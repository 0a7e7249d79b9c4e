"""How does a paused subscription come back? What its invoice's payment does to it is `standing`."""

from __future__ import annotations

from typing import Any

from services.sandbox.billing import cycles, lines, proration
from services.sandbox.billing.account import Account
from services.sandbox.errors import InvalidRequest
from services.sandbox.store import Body


def resume(
    account: Account,
    subscription_id: str,
    *,
    billing_cycle_anchor: dict[str, Any] | None = None,
    proration_behavior: str = "create_prorations",
    payment_behavior: str = "resume_on_payment_attempt",
    **_ignored: Any,
) -> Body:
    """Bring back a paused subscription: the invoice of its new period is finalized and waits 23 hours for
    somebody to pay it. The subscription is active once it is settled, past due when that payment fails.
    Raises InvalidRequest for one that is not paused or is paid by invoice, and for
    payment_behavior=resume_on_payment_success, which wants Stripe's flexible billing mode.
    """
    subscription = account.get("subscription", subscription_id)
    _check_resumable(subscription, payment_behavior)
    kind = (billing_cycle_anchor or {}).get("type", "now")
    anchor = account.now if kind == "now" else subscription["billing_cycle_anchor"]
    span = cycles.span_from(subscription, account.now, anchor)
    share = lines.WHOLE if kind == "now" else proration.share_of(subscription, span, anchor)
    if kind != "now" and proration_behavior == "none":
        share = lines.NOTHING
    account.note(subscription, resuming=True)
    invoice = cycles.bill(
        account,
        subscription,
        "subscription_update",
        span,
        share=share,
        at_once=True,
        billing_cycle_anchor=anchor,
    )
    cycles.offer(account, invoice)
    return account.get("subscription", subscription_id)


def _check_resumable(subscription: Body, payment_behavior: str) -> None:
    if subscription["status"] != "paused":
        raise InvalidRequest(
            f"Subscription {subscription['id']} cannot be resumed because its status is "
            f"{subscription['status']}; only paused subscriptions can be resumed."
        )
    if subscription["collection_method"] != "charge_automatically":
        raise InvalidRequest("Only subscriptions that are charged automatically can be resumed.")
    if payment_behavior == "resume_on_payment_success":
        raise InvalidRequest(
            "`resume_on_payment_success` is only available in the flexible billing mode.", "payment_behavior"
        )
