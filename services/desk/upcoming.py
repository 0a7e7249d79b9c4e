"""What does a subscription's next invoice bring: a payment, an invoice to the customer, or neither?"""

from __future__ import annotations

from typing import Literal

from models import Subscription
from services.desk import words
from services.desk.command import Quote
from services.desk.subject import Subject

Lifted = Literal["pause", "end"]
_NOTHING_NOW = "Nothing is charged now."
_NOBODY_CAN_PAY = "that nobody can pay yet"
_WITHOUT_CARD = {"cancel": "is canceled", "pause": "pauses"}


def ends_unbilled(subject: Subject) -> str:
    """What a trial does at its end for want of a card, with no invoice made: `is canceled` or `pauses`; ""
    where one is made."""
    subscription = subject.subscription
    assert subscription is not None
    if subscription.collection_method == "send_invoice" or subject.payment_method:
        return ""
    return _WITHOUT_CARD.get(subscription.trial_end_behavior or "", "")


def after_trial(subject: Subject, quote: Quote | None, when: str, fate: str) -> str:
    """What the end of the trial brings. `when`: in words, `now` for at once; `fate`: what becomes of the
    invoice instead, as collection is paused (`words.uncollected`)."""
    assert subject.subscription is not None
    amount = words.money(quote.amount_due, quote.currency) if quote else "the plan's price"
    if stops := ends_unbilled(subject):
        if when == "now":
            return f"No card is on file: the subscription {stops} now, and nothing is charged."
        return f"No card is on file: unless the customer adds one, the subscription {stops} {when}."
    if fate:
        return f"Collection is paused: the first invoice, for {amount}, is {fate} {when}; nothing is taken."
    if quote and quote.amount_due == 0:
        return uncharged(f"Nothing has to be paid {when}.", quote)
    if subject.subscription.collection_method == "send_invoice":
        return _sent(amount, when)
    if subject.payment_method is None:
        unless = "" if when == "now" else "unless the customer adds one, "
        return f"No card is on file: {unless}an invoice for {amount} is made {when} {_NOBODY_CAN_PAY}."
    return f"The first payment, {amount}, is taken {when}."


def if_declined(subject: Subject, quote: Quote | None, now: int) -> tuple[str, ...]:
    """What a first payment at the instant `now` (UTC seconds) leaves where it fails; () where no card is
    charged."""
    subscription = subject.subscription
    assert subscription is not None
    by_hand, free = subscription.collection_method == "send_invoice", quote and not quote.amount_due
    if by_hand or free or subject.payment_method is None or words.uncollected(subscription, now):
        return ()
    return (
        "If the payment fails, the subscription is past due and its invoice stays open; Stripe tries it "
        "again by the account's retry settings.",
    )


def next_charge(subject: Subject, quote: Quote | None, *, lifted: Lifted | None) -> tuple[str, ...]:
    """That nothing is charged now, and what the next invoice brings where one is ahead. `lifted`: what is
    over with this, a pause of collection or the subscription's scheduled end; None where all goes on."""
    subscription = subject.subscription
    assert subscription is not None
    day = subscription.current_period_end
    if day is None:
        return (_NOTHING_NOW,)
    when, fate = f"on {words.moment(day)}", "" if lifted == "pause" else words.uncollected(subscription, day)
    if subscription.status != "trialing":
        return (_NOTHING_NOW, _renewal(subject, quote, when, fate)) if quote else (_NOTHING_NOW,)
    ends = None if lifted == "end" else _ends(subscription, day)
    if ends:
        leaves = f"It is set to cancel on {words.moment(ends)}: it ends then, and its plan is never charged."
        return (_NOTHING_NOW, leaves)
    foreseen = quote is not None or bool(ends_unbilled(subject))
    return (_NOTHING_NOW, after_trial(subject, quote, when, fate)) if foreseen else (_NOTHING_NOW,)


def _ends(subscription: Subscription, trial_end: int) -> int | None:
    """When the subscription is set to end, with its trial or before; None where it goes on."""
    if subscription.cancel_at_period_end:
        return subscription.cancel_at or trial_end
    ends = subscription.cancel_at
    return ends if ends and ends <= trial_end else None


def _renewal(subject: Subject, quote: Quote, when: str, fate: str) -> str:
    assert subject.subscription is not None
    amount = words.money(quote.amount_due, quote.currency)
    if fate:
        return f"Collection is paused: the invoice for {amount}, due {when}, is {fate}; nothing is taken."
    if subject.subscription.status == "unpaid":
        return f"It is unpaid: the invoice for {amount}, due {when}, stays a draft; nothing is taken."
    if quote.amount_due == 0:
        return uncharged(f"Nothing has to be paid {when}.", quote)
    if subject.subscription.collection_method == "send_invoice":
        return _sent(amount, when)
    if subject.payment_method is None:
        return (
            f"No card is on file: unless the customer adds one, the payment of {amount}, due {when}, fails."
        )
    return f"The next payment, {amount}, is due {when}."


def uncharged(said: str, quote: Quote) -> str:
    """What is said of an invoice that charges nothing, and what becomes of an amount too small for that."""
    return f"{said} {words.too_small(quote.carried, quote.currency)}" if quote.carried else said


def sent_now(amount: str) -> str:
    """An invoice that goes to the customer by itself: Stripe may keep it as a draft for about an hour."""
    return f"An invoice for {amount} is sent to the customer, within about an hour."


def _sent(amount: str, when: str) -> str:
    return sent_now(amount) if when == "now" else f"An invoice for {amount} is sent to the customer {when}."
