"""How is an invoice charged?

An attempt ends in a charge that succeeded or failed, on the payment intent that the invoice asked for when it
was finalized. What a card does is `cards.charge`; what follows for the subscription is `standing`.
"""

from __future__ import annotations

from typing import Any

from services.sandbox import objects
from services.sandbox.billing import cards, invoices, standing
from services.sandbox.billing.account import Account
from services.sandbox.billing.declines import DECLINES, Decline
from services.sandbox.errors import CardDeclined, InvalidRequest
from services.sandbox.store import Body

_AUTHENTICATE = DECLINES["authentication_required"]


def pay(
    account: Account,
    invoice_id: str,
    *,
    payment_method: str | None = None,
    source: str | None = None,
    paid_out_of_band: bool = False,
    **_ignored: Any,
) -> Body:
    """Pay an invoice now, as staff or the customer asks for it. A draft is finalized first. Raises
    CardDeclined after the failed attempt has been written down, InvalidRequest when nothing can be paid.
    """
    invoice = account.get("invoice", invoice_id, "invoice")
    if invoice["status"] == "draft":
        invoices.finalize(account, invoice)
        if invoice["status"] == "paid":
            standing.settled(account, invoice)
            return invoice
    if invoice["status"] == "paid":
        raise InvalidRequest("Invoice is already paid", code="invoice_already_paid")
    invoices.require(invoice, "open", "uncollectible")
    if paid_out_of_band:
        invoices.withdraw_payment(account, invoice, "void_invoice")
        invoices.settle(account, invoice, amount_paid=0)
        standing.settled(account, invoice)
        return invoice
    method = _source(account, invoice, source) if source else _chosen(account, invoice, payment_method)
    error = collect(account, invoice, method, again=_unplanned(invoice), by_hand=True)
    if error is not None:
        error.happened = True
        raise error
    return invoice


def collect(
    account: Account, invoice: Body, method: Body | None = None, *, again: bool = True, by_hand: bool = False
) -> CardDeclined | None:
    """Try to charge an open invoice to this payment method, or to the default one. With `again` a
    failure is followed by the retry schedule. Answers the error of a failed attempt.

    `attempt_count` is the schedule's: a try `by_hand` counts only where it is the first.
    """
    method = method or _default(account, invoice)
    outcome = cards.charge(account, method) if method else None
    counts = not (by_hand and invoice["attempt_count"])
    tries = invoice["attempt_count"] + int(counts)
    account.change(invoice, "invoice.updated", attempted=True, attempt_count=tries)
    if method is not None and outcome is None:
        _succeed(account, invoice, method)
        return None
    error = _fail(account, invoice, method, outcome)
    standing.failed(account, invoice, again=again)
    return error


def intent_of(account: Account, invoice: Body) -> Body:
    """The payment intent through which an open invoice is paid."""
    payment = invoices.payment_of(account, invoice)
    if payment is None:
        raise InvalidRequest(f"Invoice {invoice['id']} has nothing to be paid.")
    return account.get("payment_intent", payment["payment"]["payment_intent"])


def _unplanned(invoice: Body) -> bool:
    """Whether a failure now would be the first attempt of an invoice that is collected automatically."""
    return bool(invoice["auto_advance"]) and not invoice["attempted"]


def _chosen(account: Account, invoice: Body, method_id: str | None) -> Body:
    """What staff named, or the default; raises when there is none."""
    if method_id is not None and method_id not in cards.TEST_CARDS:
        return cards.owned(account, method_id, invoice["customer"], "payment_method")
    if method_id is not None:
        return cards.create(account, method_id)
    method = _default(account, invoice)
    if method is None:
        raise InvalidRequest(
            cards.NO_CARD,
            code="resource_missing",
        )
    return method


def _source(account: Account, invoice: Body, source: str) -> Body:
    """A card of the older kind that staff named."""
    return cards.owned(account, source, invoice["customer"], "source")


def _default(account: Account, invoice: Body) -> Body | None:
    subscription = standing.subscription_for(account, invoice)
    return cards.default_for(account, account.get("customer", invoice["customer"]), invoice, subscription)


def _succeed(account: Account, invoice: Body, method: Body) -> None:
    intent = intent_of(account, invoice)
    charge = _charge(account, invoice, intent, method, None)
    account.change(
        intent,
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        payment_method=method["id"],
        last_payment_error=None,
        next_action=None,
    )
    account.emit("charge.succeeded", charge)
    account.emit("payment_intent.succeeded", intent)
    payment = invoices.payment_of(account, invoice)
    if payment is not None:
        transitions = {**payment["status_transitions"], "paid_at": account.now}
        amount = payment["amount_requested"]
        account.change(payment, status="paid", amount_paid=amount, status_transitions=transitions)
        account.emit("invoice_payment.paid", payment)
    _remember(account, invoice, method)
    invoices.settle(account, invoice)
    standing.settled(account, invoice)


def _remember(account: Account, invoice: Body, method: Body) -> None:
    """Keep the card as the subscription's own where it asks for that."""
    subscription = standing.subscription_for(account, invoice)
    if subscription is None or method["customer"] is None:
        return
    if subscription["payment_settings"]["save_default_payment_method"] == "on_subscription":
        account.change(subscription, "customer.subscription.updated", default_payment_method=method["id"])


def _fail(
    account: Account, invoice: Body, method: Body | None, outcome: Decline | str | None
) -> CardDeclined:
    intent = intent_of(account, invoice)
    if method is None:
        # Stripe counts the attempt, but there is no card that could have been charged.
        return CardDeclined(
            "This customer has no payment method.", code="payment_intent_authentication_failure"
        )
    if isinstance(outcome, str):
        _ask_for_authentication(account, invoice, intent, method)
        return cards.declined(_AUTHENTICATE, payment_intent=dict(intent))
    why = outcome or DECLINES["generic_decline"]
    charge = _charge(account, invoice, intent, method, why)
    error = {
        "type": "card_error",
        **_error_fields(why),
        "charge": charge["id"],
        "payment_method": dict(method),
    }
    account.change(
        intent,
        status="requires_payment_method",
        next_action=None,
        latest_charge=charge["id"],
        last_payment_error=objects.part("payment_error", **error),
    )
    account.emit("charge.failed", charge)
    account.emit("payment_intent.payment_failed", intent)
    return cards.declined(why, charge=charge["id"], payment_intent=dict(intent))


def _ask_for_authentication(account: Account, invoice: Body, intent: Body, method: Body) -> None:
    url = invoice["hosted_invoice_url"]
    action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": url}}
    account.change(intent, status="requires_action", payment_method=method["id"], next_action=action)
    account.emit("payment_intent.requires_action", intent)
    account.emit("invoice.payment_action_required", invoice)


def _error_fields(why: Decline) -> dict[str, Any]:
    fields = {"code": why.code, "decline_code": why.decline_code, "message": why.message}
    return {**fields, "advice_code": why.advice} if why.advice else fields


def _charge(account: Account, invoice: Body, intent: Body, method: Body, why: Decline | None) -> Body:
    ok, amount = why is None, intent["amount"]
    return account.new(
        "charge",
        "ch",
        amount=amount,
        amount_captured=amount if ok else 0,
        captured=ok,
        paid=ok,
        status="succeeded" if ok else "failed",
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={"type": "card", "card": _card(method["card"])},
        billing_details=method["billing_details"],
        failure_code=why.code if why else None,
        failure_message=why.message if why else None,
        outcome=_outcome(why),
        receipt_url=f"{invoice['hosted_invoice_url']}/receipt" if ok else None,
    )


def _card(card: dict[str, Any]) -> dict[str, Any]:
    names = ("brand", "exp_month", "exp_year", "last4", "country", "fingerprint", "funding")
    copied = {name: card[name] for name in names}
    return objects.part("charge.card", **copied, network=card["brand"])


def _outcome(why: Decline | None) -> dict[str, Any]:
    if why is None:
        return objects.part("charge.outcome", type="authorized", seller_message="Payment complete.")
    return objects.part(
        "charge.outcome",
        type="issuer_declined",
        network_status="declined_by_network",
        reason=why.decline_code,
        seller_message="The bank did not return any further details with this decline.",
        advice_code=why.advice,
    )
