"""How is money given back?"""

from __future__ import annotations

from typing import Any

from services.sandbox.billing import metadata as meta
from services.sandbox.billing.account import Account
from services.sandbox.errors import InvalidRequest, MissingParameter
from services.sandbox.store import Body


def create(
    account: Account,
    *,
    charge: str | None = None,
    payment_intent: str | None = None,
    amount: int | None = None,
    reason: str | None = None,
    metadata: Any = None,
) -> Body:
    """Give back a charge, wholly or in part (minor units), named by itself or by its payment intent. Raises
    InvalidRequest when there is nothing (or not so much) left to give back.
    """
    body = _charge(account, charge, payment_intent)
    left = body["amount_captured"] - body["amount_refunded"]
    if body["status"] != "succeeded":
        raise InvalidRequest(f"Charge {body['id']} has not been paid and cannot be refunded.", "charge")
    if left == 0:
        raise InvalidRequest(
            f"Charge {body['id']} has already been refunded.", code="charge_already_refunded"
        )
    if body["disputed"] and not _only_asked_about(account, body):
        raise InvalidRequest(
            f"Charge {body['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    given = left if amount is None else amount
    if given < 1 or given > left:
        raise InvalidRequest(
            f"Refund amount ({given}) is greater than unrefunded amount on charge ({left})"
            if given > left
            else "Invalid positive integer",
            "amount",
        )
    refund = account.new(
        "refund",
        "re",
        amount=given,
        charge=body["id"],
        currency=body["currency"],
        payment_intent=body["payment_intent"],
        reason=reason,
        status="succeeded",
        metadata=meta.merge({}, metadata),
    )
    refunded = body["amount_refunded"] + given
    whole = refunded == body["amount_captured"]
    account.emit("refund.created", refund)
    account.change(body, "charge.refunded", amount_refunded=refunded, refunded=whole)
    return refund


def update(account: Account, refund_id: str, **params: Any) -> Body:
    """Change a refund's metadata."""
    refund = account.get("refund", refund_id)
    account.change(refund, "refund.updated", metadata=meta.merge(refund["metadata"], params.get("metadata")))
    return refund


def _only_asked_about(account: Account, charge: Body) -> bool:
    """Whether the bank has taken no money yet: then a refund settles its inquiry."""
    disputes = account.store.all("dispute", "parent = ?", (charge["id"],))
    return all(dispute["is_charge_refundable"] for dispute in disputes)


def _charge(account: Account, charge: str | None, payment_intent: str | None) -> Body:
    if charge is None and payment_intent is None:
        raise MissingParameter("charge")
    if charge is None:
        intent = account.get("payment_intent", payment_intent or "", "payment_intent")
        charge = intent["latest_charge"]
        if charge is None:
            raise InvalidRequest(
                "This PaymentIntent does not have a successful charge to refund.", "payment_intent"
            )
    return account.get("charge", charge, "charge")
