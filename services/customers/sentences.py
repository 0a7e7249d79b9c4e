"""What happened, in a sentence that a person can read? Stripe's events, told from the facts we keep.

What has no event of its own is told by a name of ours: trial.began, trial.ended, trial.converted,
invoice.not_charged (services/customers/history). An event that is not told here is shown by its own name:
Stripe adds new ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from services.stripe_api import declines

Facts = dict[str, Any]
NO_METHOD: Final = "no_payment_method"  # why a subscription ended that Stripe gives another reason for


class Words(Protocol):
    """How this workspace writes amounts and days."""

    def money(self, amount: int | None, currency: str) -> str:
        """An amount in minor units."""

    def day(self, instant: int | None) -> str:
        """The local day of an instant."""

    def moment(self, instant: int | None) -> str:
        """The local day and time of an instant."""


def sentence(type: str, facts: Facts, words: Words) -> str:
    """What the event of this type says, e.g. `Invoice A-1 of $49.00 was paid`."""
    tell = _TOLD.get(type)
    return tell(facts, words) if tell else type.replace(".", " ").replace("_", " ").capitalize()


def _sum(facts: Facts, words: Words, *names: str) -> str:
    """` of $49.00` by the first of these facts that is there, `, a credit of $49.00,` where it is below zero;
    "" where none is."""
    amount = _amount(facts, *names)
    if amount is None:
        return ""
    written = words.money(abs(amount), facts.get("currency") or "")
    return f" of {written}" if amount >= 0 else f", a credit of {written},"


def _amount(facts: Facts, *names: str) -> int | None:
    return next((facts[name] for name in names if facts.get(name) is not None), None)


def _invoice(facts: Facts, words: Words, *names: str) -> str:
    number = f" {facts['number']}" if facts.get("number") else ""
    return f"Invoice{number}{_sum(facts, words, *names, 'total', 'amount_due')}"


def _invoice_paid(facts: Facts, words: Words) -> str:
    """One that comes to a credit counts as paid at once."""
    is_credit = (_amount(facts, "total", "amount_due") or 0) < 0
    return f"{_invoice(facts, words)} {'went to the customer’s balance' if is_credit else 'was paid'}"


def _item(facts: Facts, words: Words) -> str:
    """`charge of $49.00`, `credit of $49.00`."""
    amount = facts.get("amount")
    what = "credit" if (amount or 0) < 0 else "charge"
    return (
        f"{what} of {words.money(abs(amount), facts.get('currency') or '')}" if amount is not None else what
    )


def _by(facts: Facts, words: Words, name: str, lead: str) -> str:
    """`lead` and a day, where that fact is there."""
    return f"{lead} {words.day(facts[name])}" if facts.get(name) else ""


def _state(status: object) -> str:
    return str(status).replace("_", " ")


def _card(facts: Facts) -> str:
    brand = facts.get("brand")
    name = str(brand or "").replace("_", " ").title()
    return f"{'An' if name[:1] in 'AEIOU' else 'A'} {name} card" if name else "A payment method"


def _subscription_began(facts: Facts, words: Words) -> str:
    if facts.get("status") == "trialing":
        return f"A trial began{_by(facts, words, 'trial_end', ', to end on')}"
    return f"A subscription began{', ' + _state(facts['status']) if facts.get('status') else ''}"


def _subscription_changed(facts: Facts, words: Words) -> str:
    before, changed = facts.get("was") or {}, facts.get("changed") or ()
    parts = [tell(facts, before, words) for name, tell in _CHANGES if name in before or name in changed]
    return "Subscription " + ("; ".join(dict.fromkeys(parts)) if parts else "changed")


def _status_changed(facts: Facts, before: Facts, _words: Words) -> str:
    return f"went from {_state(before.get('status'))} to {_state(facts.get('status'))}"


def _trial_moved(facts: Facts, before: Facts, words: Words) -> str:
    old, new = before.get("trial_end"), facts.get("trial_end")
    if not new:
        return "lost its trial"
    if not old:
        return f"got a trial until {words.day(new)}"
    return f"trial now ends on {words.day(new)} instead of {words.day(old)}"


def _end_scheduled(facts: Facts, _before: Facts, words: Words) -> str:
    if facts.get("cancel_at"):
        return f"set to end on {words.day(facts['cancel_at'])}"
    return "set to end with its period" if facts.get("cancel_at_period_end") else "no longer set to end"


def _collection_paused(facts: Facts, _before: Facts, _words: Words) -> str:
    return "collects no payments for now" if facts.get("pause_collection") else "collects payments again"


def _plan_changed(facts: Facts, before: Facts, _words: Words) -> str:
    had, has = len(before.get("prices") or ()), len(facts.get("prices") or ())
    if had == has:
        return "went over to another plan"
    return "consists of more than before" if has > had else "consists of less than before"


def _quantity_changed(facts: Facts, before: Facts, _words: Words) -> str:
    if before.get("quantity") is None:
        return "changed its quantity"
    return f"quantity is now {facts.get('quantity')} instead of {before['quantity']}"


_CHANGES: Final[tuple[tuple[str, Callable[[Facts, Facts, Words], str]], ...]] = (
    ("status", _status_changed),
    ("trial_end", _trial_moved),
    ("cancel_at", _end_scheduled),
    ("cancel_at_period_end", _end_scheduled),
    ("pause_collection", _collection_paused),
    ("prices", _plan_changed),
    ("quantity", _quantity_changed),
)


def _subscription_ended(facts: Facts, _words: Words) -> str:
    why = {
        NO_METHOD: " with its trial, as there was no payment method",
        "payment_failed": " because payment failed",
        "payment_disputed": " because a payment was disputed",
        "cancellation_requested": " as asked for",
    }.get(str(facts.get("cancel_reason")), "")
    return f"The subscription ended{why}"


def _payment_failed(facts: Facts, words: Words) -> str:
    code = facts.get("decline_code") or facts.get("failure_code")
    why = f": {declines.explain(code).words}" if code else ""
    return f"A payment{_sum(facts, words, 'amount')} failed{why}".rstrip(".")


def _attempt_failed(facts: Facts, words: Words) -> str:
    count = facts.get("attempt_count")
    attempt = f" at attempt {count}" if count else ""
    again = (
        _by(facts, words, "next_payment_attempt", "; Stripe tries again on") or "; no further try is planned"
    )
    return f"{_invoice(facts, words, 'amount_remaining')} was not paid{attempt}{again}"


def _refunded(facts: Facts, words: Words) -> str:
    """A payment's refunds so far, as an event of the payment tells them."""
    whole, refunded = facts.get("amount"), facts.get("amount_refunded")
    if refunded is None or refunded == whole:
        return f"A payment{_sum(facts, words, 'amount')} was refunded"
    given_back = words.money(refunded, facts.get("currency") or "")
    return f"{given_back} of a payment{_sum(facts, words, 'amount')} is refunded"


def _refund_made(facts: Facts, words: Words) -> str:
    did = {"failed": "failed", "canceled": "was canceled"}.get(str(facts.get("status")), "was made")
    return f"A refund{_sum(facts, words, 'amount')} {did}"


def _dispute_opened(facts: Facts, words: Words) -> str:
    why = f" ({_state(facts['reason'])})" if facts.get("reason") else ""
    due = _by(facts, words, "due_by", "; evidence is due by")
    return f"A payment{_sum(facts, words, 'amount')} was disputed{why}{due}"


_TOLD: Final[dict[str, Callable[[Facts, Words], str]]] = {
    "customer.created": lambda _f, _w: "The customer signed up",
    "customer.updated": lambda f, _w: (
        f"Customer details changed{': ' + ', '.join(map(_state, f['changed'])) if f.get('changed') else ''}"
    ),
    "customer.deleted": lambda _f, _w: "The customer was deleted in Stripe",
    "customer.discount.created": lambda _f, _w: "A discount was applied",
    "customer.discount.deleted": lambda _f, _w: "A discount ended",
    "customer.subscription.created": _subscription_began,
    "customer.subscription.updated": _subscription_changed,
    "customer.subscription.deleted": _subscription_ended,
    "customer.subscription.paused": lambda _f, _w: "The subscription was paused",
    "customer.subscription.resumed": lambda _f, _w: "The subscription was resumed",
    "customer.subscription.trial_will_end": lambda f, w: (
        f"The trial will end soon{_by(f, w, 'trial_end', ', on')}"
    ),
    "invoice.created": lambda f, w: f"{_invoice(f, w)} was drafted",
    "invoice.finalized": lambda f, w: f"{_invoice(f, w)} was issued",
    "invoice.sent": lambda f, w: f"{_invoice(f, w)} was sent to the customer",
    "invoice.paid": _invoice_paid,
    "invoice.payment_failed": _attempt_failed,
    "invoice.payment_action_required": lambda f, w: (
        f"{_invoice(f, w)} waits for the customer to confirm the payment with the bank"
    ),
    "invoice.upcoming": lambda f, w: f"The next invoice{_sum(f, w, 'total', 'amount_due')} is coming up",
    "invoice.overdue": lambda f, w: f"{_invoice(f, w, 'amount_remaining')} is overdue",
    "invoice.voided": lambda f, w: f"{_invoice(f, w)} was voided",
    "invoice.deleted": lambda f, w: f"{_invoice(f, w)} was deleted as a draft",
    "invoice.marked_uncollectible": lambda f, w: f"{_invoice(f, w)} was given up as uncollectible",
    "invoiceitem.created": lambda f, w: (
        f"A {_item(f, w)} was {'put on an invoice' if f.get('invoice') else 'added for the next invoice'}"
    ),
    "invoiceitem.deleted": lambda f, w: f"A pending {_item(f, w)} was removed",
    "charge.succeeded": lambda f, w: f"A payment{_sum(f, w, 'amount')} succeeded",
    "charge.failed": _payment_failed,
    "charge.refunded": _refunded,
    "refund.created": _refund_made,
    "refund.failed": lambda f, w: f"A refund{_sum(f, w, 'amount')} failed: the bank sent the money back",
    "charge.dispute.created": _dispute_opened,
    "charge.dispute.closed": lambda f, w: (
        f"The dispute{_sum(f, w, 'amount')} was closed{', ' + _state(f['status']) if f.get('status') else ''}"
    ),
    "credit_note.created": lambda f, w: f"A credit note{_sum(f, w, 'total', 'amount')} was issued",
    "payment_method.attached": lambda f, _w: f"{_card(f)} was added",
    "payment_method.detached": lambda f, _w: f"{_card(f)} was removed",
    "checkout.session.completed": lambda _f, _w: "The customer completed a Checkout page",
    "trial.began": lambda _f, _w: "A trial began",
    "trial.ended": lambda _f, _w: "The trial ended",
    "trial.converted": lambda _f, _w: "The trial converted: its first invoice is paid",
    "invoice.not_charged": lambda f, w: f"{_invoice(f, w)} could not be charged",
}
_BEHIND_THE_SCENES: Final = frozenset(
    {
        "customer.updated", "invoice.created", "invoice.finalized", "invoice.upcoming", "charge.succeeded",
        "refund.created",
    }
)  # fmt: skip
TYPES: Final = frozenset(_TOLD)
DEPENDS: Final = "customer.subscription.updated"  # whether it is news stands in its facts
NEWS: Final = TYPES - _BEHIND_THE_SCENES - {DEPENDS}
_CAUSES_FIRST: Final = (
    "customer.created", "payment_method.attached", "customer.updated", "customer.subscription.created",
    "trial.began", "invoiceitem.created", "invoice.created", "invoice.finalized", "charge.failed",
    "invoice.payment_failed", "invoice.payment_action_required", "charge.succeeded", "invoice.paid",
    "customer.subscription.updated", "trial.converted", "customer.subscription.deleted", "customer.deleted",
)  # fmt: skip
RANKS: Final = {type: rank for rank, type in enumerate(_CAUSES_FIRST, 1)}  # within one second
USUAL_RANK: Final = RANKS["invoice.paid"]


def is_news(type: str, facts: Facts) -> bool:
    """Whether people care: not for what another event of the same moment tells better, nor for a
    subscription's new period."""
    if type == DEPENDS:
        moved = {*(facts.get("was") or ()), *(facts.get("changed") or ())}
        return any(name in moved for name, _ in _CHANGES)
    return type in NEWS
