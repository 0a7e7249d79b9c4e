"""What would Stripe charge? Its own preview of an invoice, reduced to what a sentence needs."""

from __future__ import annotations

from typing import Any

from services import money
from services.desk.command import Quote
from services.desk.subject import Subject
from services.errors import Refused
from services.mirror.shapes.reading import Object
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
    return _quote(invoice)


def _quote(invoice: Object) -> Quote:
    currency, total = invoice["currency"], invoice["total"]
    due = money.chargeable(invoice["amount_due"], currency)
    owed = total + (invoice.get("starting_balance") or 0)
    return Quote(due, currency, total, carried=max(0, owed) if total and not due else 0)
