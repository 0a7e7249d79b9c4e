"""What happens when a customer's bank takes a charge back?"""

from __future__ import annotations

from typing import Any

from services.sandbox import objects
from services.sandbox.billing.account import Account
from services.sandbox.billing.periods import DAY
from services.sandbox.errors import InvalidRequest
from services.sandbox.store import Body

ANSWER_WITHIN = 14 * DAY
_OPEN = ("needs_response", "warning_needs_response")


def create(
    account: Account,
    charge_id: str,
    *,
    reason: str = "fraudulent",
    amount: int | None = None,
    due_by: int | None = None,
    inquiry: bool = False,
) -> Body:
    """The bank disputes a charge (amount in minor units, the whole charge by default). Evidence is due by
    `due_by` (seconds UTC, 14 days by default). An `inquiry` takes no money yet.
    """
    charge = account.get("charge", charge_id, "charge")
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise InvalidRequest(
            "Only a charge that succeeded and is not disputed yet can be disputed.", "charge"
        )
    brand = charge["payment_method_details"]["card"]["brand"]
    kind = "inquiry" if inquiry else "chargeback"
    card = objects.part(
        "dispute.card", brand=brand, network=brand, case_type=kind, network_reason_code="10.4"
    )
    dispute = account.new(
        "dispute",
        "du",
        amount=charge["amount"] if amount is None else amount,
        charge=charge_id,
        payment_intent=charge["payment_intent"],
        currency=charge["currency"],
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
        is_charge_refundable=inquiry,
        payment_method_details={"type": "card", "card": card},
        evidence_details=objects.part(
            "dispute.evidence_details", due_by=due_by or account.now + ANSWER_WITHIN
        ),
    )
    account.change(charge, "charge.updated", disputed=True)
    account.emit("charge.dispute.created", dispute)
    if not inquiry:
        account.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def submit(account: Account, dispute_id: str) -> Body:
    """Evidence was submitted: the bank is looking at it."""
    dispute = account.get("dispute", dispute_id, "dispute")
    _require_open(dispute)
    details = {**dispute["evidence_details"], "has_evidence": True, "submission_count": 1}
    status = "warning_under_review" if dispute["status"].startswith("warning") else "under_review"
    account.change(dispute, "charge.dispute.updated", status=status, evidence_details=details)
    return dispute


def close(account: Account, dispute_id: str, outcome: str) -> Body:
    """The bank has decided: won, lost, or warning_closed for an inquiry."""
    dispute = account.get("dispute", dispute_id, "dispute")
    if dispute["status"] in ("won", "lost", "warning_closed"):
        raise InvalidRequest("This dispute is closed already.", "dispute")
    account.change(dispute, None, status=outcome)
    if outcome == "won":
        account.emit("charge.dispute.funds_reinstated", dispute)
    account.emit("charge.dispute.closed", dispute)
    return dispute


def overdue(account: Account, dispute: Body) -> None:
    """Nobody answered in time: a dispute is lost, an inquiry is closed."""
    details: dict[str, Any] = {**dispute["evidence_details"], "past_due": True}
    account.change(dispute, None, evidence_details=details)
    close(account, dispute["id"], "warning_closed" if dispute["status"].startswith("warning") else "lost")


def _require_open(dispute: Body) -> None:
    if dispute["status"] not in _OPEN:
        raise InvalidRequest(
            f"This dispute's status is {dispute['status']}; it takes no evidence.", "dispute"
        )
