"""What do payment intents, charges, refunds and disputes say, as rows?"""

from __future__ import annotations

from services.mirror.shapes.reading import Object, Row, dig, ident, metadata


def payment_intent(source: Object) -> Row:
    """A row of `payment_intents` with its last error."""
    error = source.get("last_payment_error") or {}
    return {
        "id": source["id"],
        "created": source["created"],
        "customer": ident(source.get("customer")),
        "amount": source["amount"],
        "amount_received": source.get("amount_received") or 0,
        "currency": source["currency"],
        "status": source["status"],
        "latest_charge": ident(source.get("latest_charge")),
        "payment_method": ident(source.get("payment_method")),
        "error_code": error.get("code"),
        "decline_code": error.get("decline_code"),
        "advice_code": error.get("advice_code"),
        "error_message": error.get("message"),
        "canceled_at": source.get("canceled_at"),
        "metadata": metadata(source),
    }


def charge(source: Object) -> Row:
    """A row of `charges`. The issuer's reason stands in `outcome.reason` of a charge that failed."""
    outcome = source.get("outcome") or {}
    card = dig(source, "payment_method_details", "card") or {}
    failed = source["status"] == "failed"
    return {
        "id": source["id"],
        "created": source["created"],
        "customer": ident(source.get("customer")),
        "payment_intent": ident(source.get("payment_intent")),
        "payment_method": ident(source.get("payment_method")),
        "amount": source["amount"],
        "amount_captured": source.get("amount_captured") or 0,
        "amount_refunded": source.get("amount_refunded") or 0,
        "currency": source["currency"],
        "status": source["status"],
        "paid": bool(source.get("paid")),
        "refunded": bool(source.get("refunded")),
        "disputed": bool(source.get("disputed")),
        "failure_code": source.get("failure_code"),
        "failure_message": source.get("failure_message"),
        "decline_code": outcome.get("reason") if failed else None,
        "advice_code": outcome.get("advice_code"),
        "outcome_type": outcome.get("type"),
        "card_brand": card.get("brand"),
        "card_last4": card.get("last4"),
        "card_exp_month": card.get("exp_month"),
        "card_exp_year": card.get("exp_year"),
        "card_country": card.get("country"),
        "receipt_url": source.get("receipt_url"),
        "description": source.get("description"),
        "metadata": metadata(source),
    }


def refund(source: Object) -> Row:
    """A row of `refunds`."""
    return {
        "id": source["id"],
        "created": source["created"],
        "charge": ident(source.get("charge")),
        "payment_intent": ident(source.get("payment_intent")),
        "amount": source["amount"],
        "currency": source["currency"],
        "status": source.get("status"),
        "reason": source.get("reason"),
        "failure_reason": source.get("failure_reason"),
        "metadata": metadata(source),
    }


def dispute(source: Object) -> Row:
    """A row of `disputes`."""
    return {
        "id": source["id"],
        "created": source["created"],
        "charge": ident(source["charge"]) or "",
        "payment_intent": ident(source.get("payment_intent")),
        "amount": source["amount"],
        "currency": source["currency"],
        "status": source["status"],
        "reason": source.get("reason") or "",
        "evidence_due_by": dig(source, "evidence_details", "due_by"),
        "is_charge_refundable": bool(source.get("is_charge_refundable")),
        "metadata": metadata(source),
    }
