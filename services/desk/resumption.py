"""How does a paused subscription go on? Stripe finalizes the invoice of a new period and charges nothing.

By its default (`resume_on_payment_attempt`) the subscription is active once that invoice is paid, and past
due when a payment of it fails; Stripe tries nothing by itself. So the payment is a request of ours. To charge
it with the resumption (`resume_on_payment_success`) takes Stripe's flexible billing mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models import Invoice
from services.desk import effects, words
from services.desk.command import Leftover, Params, Preview, Quote, Step, Work
from services.desk.ledger import BILLED
from services.desk.payments import RetryPayment, charged_to, first_payment
from services.desk.subject import Subject
from services.desk.upcoming import uncharged
from services.errors import Refused
from services.mirror.shapes.reading import ident
from services.stripe_api import writes
from services.stripe_api.client import Answer

_FIRST = "end the pause of collection in Stripe first."
_MAY_STAY = f"As nobody pays that invoice, it may stay paused: {_FIRST}"
_UNPAID = {
    "void": f"Once its invoice is voided it stays paused: {_FIRST}",
    "keep_as_draft": f"Nobody can pay a draft, so it stays paused: {_FIRST}",
    "mark_uncollectible": "It is active at once, though nobody pays for the new period.",
}
NO_CARD = "No card is on file. Send a card link first."


def why_not(subject: Subject) -> str:
    """ "" where Stripe lets the paused subscription resume, else the reason why not."""
    assert subject.subscription is not None
    if subject.subscription.collection_method == "send_invoice":
        return (
            "It is paid by invoice, and Stripe resumes only what is charged automatically: change how it is "
            "collected in Stripe first."
        )
    if subject.latest and _waits(subject.latest):
        amount = words.money(subject.latest.amount_remaining, subject.latest.currency)
        return (
            f"It was resumed already, and its invoice for {amount} is open: retry that payment. Once it is "
            "paid the subscription is active."
        )
    return "" if subject.payment_method else NO_CARD


def _waits(invoice: Invoice) -> bool:
    """Whether it is the open invoice of a resumption: with the first try of a payment the pause ends."""
    return invoice.status == "open" and not invoice.attempt_count


def card(subject: Subject, now: int) -> Params:
    """The card that the dialog names; none where collection is paused, so that nothing is taken."""
    assert subject.subscription is not None
    collected = not words.uncollected(subject.subscription, now)
    return {"charged_to": subject.charged_to if collected else {}}


def preview(subject: Subject, quote: Quote | None, now: int) -> Preview:
    """What begins, what is charged, and what becomes of it where that fails."""
    assert subject.subscription is not None
    if fate := words.uncollected(subject.subscription, now):
        return _not_collected(subject, quote, fate)
    amount = words.money(quote.amount_due, quote.currency) if quote else ""
    begins = "The subscription resumes: a new period begins now."
    if quote and not quote.amount_due:
        return Preview((begins, uncharged("Nothing is charged now.", quote)), _owed(subject))
    return Preview(
        (begins, f"{amount or 'Its price'} is charged now to {words.card(subject.card)}."),
        (
            *_owed(subject),
            "If the payment fails, the subscription is past due and its invoice stays open; Stripe does not "
            "try it again by itself.",
        ),
    )


def _not_collected(subject: Subject, quote: Quote | None, fate: str) -> Preview:
    """What becomes of the invoice, and by that of the subscription, while collection is paused."""
    assert subject.subscription is not None
    which = f"the invoice for {words.money(quote.amount_due, quote.currency)}" if quote else "its invoice"
    happens = (
        "Stripe is asked to resume it.",
        f"Collection is paused: {which} is {fate} now; nothing is taken.",
    )
    so = _UNPAID.get(subject.subscription.pause_collection or "", _MAY_STAY)
    return Preview(happens, (*_owed(subject), so))


def outcome(subject: Subject) -> str:
    """What became of it, by the subscription's status and its invoice's."""
    if subject.subscription is None or subject.subscription.status != "paused":
        resumed = "Reactivated: the subscription has resumed."
        return f"{resumed} {first_payment(subject, subject.invoice)}" if subject.invoice else resumed
    match subject.invoice.status if subject.invoice else None:
        case "void":
            return "Stripe made the invoice and voided it; the subscription stays paused."
        case "draft":
            return (
                "Stripe made the invoice as a draft; the subscription stays paused until that is finalized "
                "in Stripe and paid."
            )
    return "Stripe made the invoice; the subscription resumes once it is paid."


def _owed(subject: Subject) -> tuple[str, ...]:
    """That an older invoice stays to be paid: the new period is billed beside it."""
    debt = subject.latest
    if debt is None or debt.status != "open":
        return ()
    amount = words.money(debt.amount_remaining, debt.currency)
    return (f"Its invoice for {amount} from before the pause is still open: that stays owed on top.",)


def steps(params: Params) -> tuple[Step, ...]:
    """The resumption, and the payment of its invoice where there is a card to charge."""
    before = params.get("latest_invoice")
    resume = Step(
        "resume",
        "subscription",
        lambda work: writes.resume(work.object_id, work.key),
        effects.of_subscription(lambda found: _goes_on(found, params)),
        billed=effects.new_invoice(before),
    )
    return (resume, _PAY) if params.get("charged_to") else (resume,)


def left_behind(made: Mapping[str, str]) -> Leftover | None:
    """The invoice that stays open where its payment was refused."""
    if "resume" not in made or BILLED not in made:
        return None
    said = (
        f"The invoice {made[BILLED]} stays open, and Stripe does not try it again by itself: retry its "
        "payment, or send the customer its link. Once it is paid the subscription is active. If no payment "
        "of it is tried within 23 hours, Stripe voids it and the subscription stays paused."
    )
    return Leftover(said, RetryPayment.name, made[BILLED])


def _goes_on(found: Mapping[str, Any], params: Params) -> bool:
    """Whether Stripe was asked to resume it: it runs, or waits for an invoice made for that to be paid."""
    waits = "charged_to" in params and ident(found.get("latest_invoice")) != params["latest_invoice"]
    return found["status"] != "paused" or waits


def _settled(work: Work) -> Answer | None:
    """The paid invoice; where the resumption made none, the subscription that runs without."""
    if BILLED not in work.made:
        return effects.of_subscription(lambda found: found["status"] != "paused")(work)
    return effects.of_invoice(lambda work: work.made[BILLED], lambda found: found["status"] == "paid")(work)


def _invoice(answer: Answer) -> str | None:
    return ident(answer.object) if answer.object["object"] == "invoice" else None


def _pay(work: Work) -> Answer:
    if BILLED not in work.made:
        raise Refused(
            "Stripe was asked to resume it, but made no invoice, and the subscription is still paused.",
            remedy="Look at it in Stripe before you try again.",
        )
    return writes.pay(work.made[BILLED], charged_to(work), work.key)


_PAY = Step(
    "pay",
    "payment",
    _pay,
    _settled,
    may_be_done=True,  # credit settles an invoice as it is finalized
    billed=_invoice,
)
