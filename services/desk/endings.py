"""What does a subscription's end bring and leave, in money? Stripe's own sums, in sentences."""

from __future__ import annotations

from services.desk import quotes, words
from services.desk.command import Params, Quote
from services.desk.payments import first_payment
from services.desk.subject import Subject
from services.desk.upcoming import next_charge, sent_now, uncharged

PRORATED = frozenset(("active", "past_due", "unpaid"))  # in these a period is under way that was asked for


def foreseen(subject: Subject, params: Params) -> Quote | None:
    """What the end brings by Stripe's preview: the last invoice, or the next one where it ends later. Where
    time is credited and no invoice made, that credit, as a quote of an invoice that held nothing else."""
    if params["when"] == "date":
        ends = params["cancel_at"]
        return quotes.next_invoice(subject, cancel_at=ends, proration_behavior="create_prorations")
    last = _last(subject, prorate=params["prorate"])
    if params["invoice_now"] or last is None:
        return last
    without = _last(subject, prorate=False)
    return Quote(0, last.currency, last.total - (without.total if without else 0))


def _last(subject: Subject, *, prorate: bool) -> Quote | None:
    behavior = "create_prorations" if prorate else "none"
    return quotes.next_invoice(subject, cancel_now=True, proration_behavior=behavior)


def now_happens(subject: Subject, params: Params, quote: Quote | None, now: int) -> tuple[str, ...]:
    """What becomes of money where it ends now."""
    stopped = "If invoices of the customer are open, Stripe stops collecting them; they stay open."
    if params["invoice_now"]:
        return (_invoiced(subject, params, quote, now), "No payment is refunded.", stopped)
    if not params["prorate"]:
        return ("Nothing is refunded and no final invoice is made.", stopped)
    if quote and quote.total < 0:
        amount = words.money(-quote.total, quote.currency)
        credit = f"About {amount} for the time not used is credited on the customer's next invoice."
    else:
        credit = "There is no unused time to credit." if quote else "The time not used is credited."
    return (credit, "No payment is refunded and no final invoice is made.", stopped)


def _invoiced(subject: Subject, params: Params, quote: Quote | None, now: int) -> str:
    """What the final invoice comes to, and who pays it."""
    assert subject.subscription is not None
    with_time = ", with the time not used credited" if params["prorate"] else ""
    if quote is None or quote.total == 0:
        return f"A final invoice is made{with_time} if there is anything to bill; Stripe foresees nothing."
    if quote.total < 0:
        amount = words.money(-quote.total, quote.currency)
        return f"The final invoice{with_time} is a credit of {_about(params, amount)}: {_TO_BALANCE}"
    if not quote.amount_due:
        return uncharged(f"A final invoice is made{with_time}; nothing has to be paid.", quote)
    amount = _about(params, words.money(quote.amount_due, quote.currency))
    if fate := words.uncollected(subject.subscription, now):
        return f"Collection is paused: the final invoice for {amount}{with_time} is {fate}; nothing is taken."
    if subject.subscription.collection_method == "send_invoice":
        return sent_now(amount)
    if subject.payment_method is None:
        return f"A final invoice for {amount}{with_time} is made that nobody can pay yet: no card is on file."
    return f"A final invoice for {amount}{with_time} is made and charged to {words.card(subject.card)}."


_TO_BALANCE = "it goes to the customer's balance and counts on later invoices."


def _about(params: Params, amount: str) -> str:
    """Unused time is counted by the second."""
    return f"about {amount}" if params["prorate"] else amount


def now_warnings(subject: Subject, params: Params) -> tuple[str, ...]:
    """What cannot be undone or is lost where it ends now."""
    left: tuple[str, ...] = ()
    if not params["invoice_now"]:
        left = (*_still_pending(subject), *_unbilled(subject))
        left += _credit_waits(subject) if params["prorate"] else _dropped(subject)
    return (*left, "A canceled subscription cannot be revived, only started anew.")


def _credit_waits(subject: Subject) -> tuple[str, ...]:
    elsewhere = "comes on an invoice that is made in Stripe"
    return (
        f"Without a final invoice the credit only {elsewhere}: to have it in the customer's balance now, "
        "choose one.",
        *_worded(subject, f"{elsewhere}.", f"{elsewhere}.", proration=True),
    )


def on_date(subject: Subject, params: Params, quote: Quote | None) -> tuple[str, ...]:
    """What is billed until a day on which it ends, and what of a period that was billed whole is credited."""
    assert subject.subscription is not None
    period_end = subject.subscription.current_period_end or 0
    if params["cancel_at"] > period_end:
        last = "Each period until then is billed as usual, and the last one only up to the end."
        return (*next_charge(subject, quote, lifted="end"), last)
    if subject.subscription.status == "trialing":
        return ("It ends in its trial: nothing is charged.",)
    if params["cancel_at"] == period_end:
        return ("Its plan is not charged after that.",)
    if not params["prorate"]:
        return ("Nothing is charged after that, and nothing is credited for the rest of the period.",)
    return (_last_invoice(quote),)


def _last_invoice(quote: Quote | None) -> str:
    if quote is None:
        return "The rest of the period is credited on a last invoice that is made then."
    if quote.total < 0:
        amount = words.money(-quote.total, quote.currency)
        return f"A last invoice then credits the rest of the period, {amount}: {_TO_BALANCE}"
    amount = words.money(quote.amount_due, quote.currency)
    return f"A last invoice then comes to {amount}, with the rest of the period credited."


def outcome(subject: Subject) -> str:
    """What became of the final invoice; "" without one."""
    invoice = subject.invoice
    if invoice is None:
        return ""
    if invoice.total < 0:
        return f"Its final invoice credits {words.money(-invoice.total, invoice.currency)}: {_TO_BALANCE}"
    return f"Its final invoice: {first_payment(subject, invoice)}"


def _still_pending(subject: Subject) -> tuple[str, ...]:
    """What waited for the subscription's next invoice, which does not come any more."""
    return _worded(
        subject,
        "waits for its next invoice and stays billable: bill it in Stripe, or delete it there.",
        "waits for its next invoice and stays: it counts on another invoice that is made in Stripe.",
    )


def _dropped(subject: Subject) -> tuple[str, ...]:
    """What changes in mid-period had still to be billed or credited: Stripe removes it with the end."""
    was = "was to come with its next invoice and is"
    return _worded(subject, f"{was} dropped.", f"{was} lost.", proration=True)


def _unbilled(subject: Subject) -> tuple[str, ...]:
    """What is billed by use, for which no final invoice is made."""
    used = [item.name for item in subject.items if item.price and item.price.usage_type == "metered"]
    return (f"What was used of {words.listing(used)} since the last invoice is not billed.",) if used else ()


def at_the_end(subject: Subject) -> tuple[str, ...]:
    """What still waits as the subscription runs out: changes in mid-period are billed with its end."""
    last = "comes on an invoice at the end of the period."
    never = "waits for its next invoice, which may never come."
    return (*_worded(subject, never, never), *_worded(subject, last, last, proration=True))


def _worded(subject: Subject, owed: str, credit: str, *, proration: bool = False) -> tuple[str, ...]:
    """Of what waits, the amounts by currency: what becomes of those owed, and of those in the customer's
    favour."""
    sums: dict[str, int] = {}
    for item in subject.pending:
        if item.proration is proration:
            sums[item.currency] = sums.get(item.currency, 0) + item.amount
    why = " for changes in mid-period" if proration else ""
    asked = words.listing([words.money(amount, currency) for currency, amount in sums.items() if amount > 0])
    given = words.listing([words.money(-amount, currency) for currency, amount in sums.items() if amount < 0])
    told = (f"{asked}{why} {owed}" if asked else "", f"A credit of {given}{why} {credit}" if given else "")
    return tuple(filter(None, told))
