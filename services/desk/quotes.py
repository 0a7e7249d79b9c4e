"""What would Stripe charge? Its own preview of an invoice, reduced to what a sentence needs."""

from __future__ import annotations

from typing import Any

from services import money
from services.desk.command import Quote
from services.desk.subject import Subject
from services.errors import Refused
from services.mirror.shapes.reading import Object, cut, dig, listed
from services.stripe_api import writes
from services.stripe_api.failures import OutcomeUnknown, StripeUnavailable


def next_invoice(subject: Subject, **changes: Any) -> Quote | None:
    """The subscription's next invoice, with `changes` made to it first; None where Stripe foresees none."""
    assert subject.subscription is not None
    params: dict[str, Any] = {"subscription": subject.subscription.id}
    return of({**params, "subscription_details": changes} if changes else params)


def of(params: dict[str, Any]) -> Quote | None:
    """The invoice for these parameters; None where Stripe says that there would be none.

    Raises StripeUnavailable where no answer came: a preview changes nothing, so nothing is in doubt.
    """
    try:
        invoice = writes.preview_invoice(params).object
    except OutcomeUnknown as silence:
        raise StripeUnavailable(silence.status, request_id=silence.request_id) from None
    except Refused as refusal:
        if refusal.code == "invoice_upcoming_none":
            return None
        raise
    return _quote(invoice, dig(params, "subscription_details", "proration_date"))


def _quote(invoice: Object, prorated_at: int | None) -> Quote:
    currency, total = invoice["currency"], invoice["total"]
    due = money.chargeable(invoice["amount_due"], currency)
    owed = total + (invoice.get("starting_balance") or 0)
    carried = max(0, owed) if total and not due else 0
    if cut(invoice["lines"]):
        return Quote(due, currency, total, carried)
    prorated = _prorated(invoice, prorated_at) if prorated_at else None
    return Quote(due, currency, total, carried, prorated, _until(invoice))


def _prorated(invoice: Object, at: int) -> tuple[int, int]:
    """What its lines give back and ask for, of those that the change at this instant makes."""
    made = [
        one["amount"] for one in listed(invoice["lines"]) if _is_part(one) and one["period"]["start"] == at
    ]
    return sum(amount for amount in made if amount < 0), sum(amount for amount in made if amount > 0)


def _until(invoice: Object) -> int | None:
    return max((one["period"]["end"] for one in listed(invoice["lines"]) if not _is_part(one)), default=None)


def _is_part(line: Object) -> bool:
    """Whether the line is for a change in mid-period."""
    kinds = ("invoice_item_details", "subscription_item_details")
    return any(dig(line, "parent", kind, "proration") for kind in kinds)
