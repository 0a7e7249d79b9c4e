"""How is a one-off amount asked for: on the next invoice, now by card, or on an invoice that is sent?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from typing_extensions import override

from models.subscriptions import ENDED
from services import charging, clock, config, money
from services.customers import names
from services.desk import effects, words
from services.desk.charge_words import charged_now, comes_to, to_be_paid
from services.desk.command import (
    Command,
    Form,
    Leftover,
    Params,
    Preview,
    Quote,
    Step,
    Work,
    choice,
    currency_of,
    gone,
    required,
)
from services.desk.invoices import NO_ADDRESS, SEND, SendInvoice
from services.desk.limits import Amount
from services.desk.payments import RetryPayment, charged, charged_to
from services.desk.quotes import next_invoice
from services.desk.subject import BILLED, Subject
from services.desk.upcoming import ends_unbilled
from services.errors import InvalidInput
from services.staff.roles import Measure, Permission
from services.stripe_api import writes
from services.stripe_api.client import Answer

_EARLIER = {
    "open": "An invoice for {} of an earlier charge is still open: for that amount retry its payment; "
    "this is charged on top.",
    "draft": "A draft invoice for {} of an earlier charge was left in Stripe: finish or delete it there; "
    "this is charged on top.",
}
_OF_CARDS = (
    "A charge can only be given back as a refund.",
    "If the card is declined, the invoice stays open.",
)
_OF_SENT = (
    "Once it is sent it can only be taken back by voiding the invoice.",
    "If the customer does not pay in time, nothing is charged: the invoice is overdue.",
)
_DAYS = 365  # at most, to pay a sent invoice
_A_SECOND = "Adding the charge again would make a second invoice."


class AddCharge(Command):
    """Adds an amount to the next invoice, or bills it at once on an invoice of its own."""

    name = "add_charge"
    title = names.ACTIONS["add_charge"]
    icon = ":material/add_card:"
    permission = Permission.ADD_CHARGE
    about = frozenset(("subscription", "customer"))
    moves_money = True
    reason_required = True
    once_at_a_time = True

    @override
    def offered(self, subject: Subject) -> str:
        """Where there is a next invoice to put it on, a card to charge, or else an address for an invoice; in
        one place for each customer's card: an ended subscription offers its own only where neither the
        customer nor another one can pay."""
        if deleted := gone(subject):
            return deleted
        if subject.kind == "customer" and subject.others:
            return "Add it to one of the subscriptions, so that it is billed with it."
        if elsewhere := _rather(subject):
            return f"This subscription is over. Add the charge to {elsewhere}."
        if not (has_next_invoice(subject) or subject.payment_method or _is_mailed(subject)):
            return (
                "There is neither a next invoice nor a card on file, nor an email address. Send a card link."
            )
        return ""

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`amount` as typed, `currency` where the customer has none, `description`; `when`: next, now, or
        sent and then `days`: in how many it is due."""
        currency = currency_of(subject, form)
        typed = required(form, "amount", "Type the amount that the customer should pay.")
        amount = money.parse(typed, currency, locale=config.settings().workspace_locale)
        description = required(form, "description", "Say what the customer pays for; it is on the invoice.")
        when = _when(subject, form)
        return {
            "amount": amount,
            "currency": currency,
            "description": description,
            "when": when,
            "customer": subject.customer.id,
            "subscription": subject.subscription.id if subject.subscription and when == "next" else None,
            "payment_method": _own_card(subject) if when == "now" else None,
            "charged_to": subject.charged_to if when == "now" else {},
            "balance": subject.balance(currency) if when != "next" else None,
            "days_until_due": _days(form) if when == "sent" else None,
        }

    @override
    def amounts(self, subject: Subject, params: Params) -> tuple[Amount, ...]:
        """What the customer is asked for."""
        return (Amount(Measure.CHARGE, params["amount"], params["currency"]),)

    @override
    def quote(self, subject: Subject) -> Quote | None:
        """The next invoice as it would be without this."""
        return next_invoice(subject) if has_next_invoice(subject) else None

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """Which invoice the amount goes on, and what that comes to."""
        amount = words.money(params["amount"], params["currency"])
        if params["when"] != "next":
            return _on_its_own(subject, params, now)
        assert subject.subscription is not None
        day, lost = subject.subscription.current_period_end, _may_never_come(subject)
        which = f"invoice of {words.moment(day)}" if day and not lost else "next invoice"
        told = [f"{amount} for “{params['description']}” is added to the {which}. Nothing is charged now."]
        if quote and quote.currency == params["currency"]:
            told.append(comes_to(subject, quote, params["amount"]))
        return Preview(tuple(told), (*lost, *_earlier(subject)))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One item for later; for now an invoice of its own: draft, item, finalize, and pay or send."""
        item = Step("item", "invoice_item", _add_item, effects.in_list("/v1/invoiceitems"))
        if params["when"] == "next":
            return (item,)
        asked = replace(SEND, effect=_sent_or_paid, may_be_done=True) if params["when"] == "sent" else _PAY
        return (
            Step("draft", "invoice", _draft, effects.in_list("/v1/invoices")),
            item,
            Step(
                "issue" if params["when"] == "sent" else "finalize",
                "invoice",
                lambda work: writes.finalize(work.made["draft"], work.key),
                effects.of_invoice(_drafted, lambda found: found["status"] != "draft"),
            ),
            asked,
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """Where the amount is now; what the customer's credit paid of it was not charged."""
        amount = words.money(params["amount"], params["currency"])
        if params["when"] == "next":
            return f"{amount} waits for the next invoice."
        invoice = subject.invoice
        if params["when"] == "sent" and invoice and invoice.status == "open":
            due = f"; it is due on {words.day(invoice.due_date)}" if invoice.due_date else ""
            asked = words.money(invoice.amount_due, invoice.currency)
            return f"An invoice for {asked} was sent to the customer{due}."
        return charged(invoice) if invoice else f"{amount} was charged."

    @override
    def left_behind(self, made: Mapping[str, str]) -> Leftover | None:
        """What stands in the account when a later step is refused: an open invoice, or a draft."""
        if "issue" in made:
            how = "and the customer has not got it: send it"
            said = f"The invoice {made['draft']} stays open, {how}. {_A_SECOND}"
            return Leftover(said, SendInvoice.name, made["draft"])
        if "finalize" in made:
            how = "retry its payment, or send the customer its link"
            said = f"The invoice {made['draft']} stays open: {how}. {_A_SECOND}"
            return Leftover(said, RetryPayment.name, made["draft"])
        if "draft" in made:
            how = "finish or delete it there first"
            return Leftover(f"The draft invoice {made['draft']} was left in Stripe: {how}. {_A_SECOND}")
        return None


_PAY = Step(
    "pay",
    "invoice",
    lambda work: writes.pay(work.made["draft"], charged_to(work), work.key),
    effects.of_invoice(lambda work: work.made["draft"], lambda found: found["status"] == "paid"),
    may_be_done=True,  # the customer's credit settles an invoice as it is finalized
)


def _sent_or_paid(work: Work) -> Answer | None:
    """The invoice that was sent, or that the customer's credit settled, so that there is nothing to send."""
    paid = effects.of_invoice(_drafted, lambda found: found["status"] == "paid")
    return paid(work) or SEND.effect(work)


def has_next_invoice(subject: Subject) -> bool:
    """Whether the subscription is billed again by itself, so that an amount can wait for that."""
    return subject.subscription is not None and subject.subscription.status in BILLED


def _when(subject: Subject, form: Form) -> str:
    """How it should be asked for. Raises InvalidInput where that is not possible."""
    when = choice(form, "when", ("next", "now", "sent"), "Choose when it should be charged.")
    if when == "next" and not has_next_invoice(subject):
        raise InvalidInput("There is no next invoice.", field="when", remedy="Charge it now.")
    if when == "now" and subject.payment_method is None:
        remedy = "Put it on the next invoice, send an invoice, or send a card link."
        raise InvalidInput("No card is on file.", field="when", remedy=remedy)
    if when == "sent" and not subject.customer.email:
        raise InvalidInput(
            NO_ADDRESS, field="when", remedy="Give one with “Change email or name”, or charge it otherwise."
        )
    return when


def _on_its_own(subject: Subject, params: Params, now: int) -> Preview:
    """What an invoice of its own comes to, and what follows where anything is due."""
    amount, currency, earlier = params["amount"], params["currency"], _earlier(subject)
    due = money.chargeable(amount + subject.balance(currency), currency)
    if params["when"] == "now":
        return Preview(charged_now(subject, amount, currency), (*earlier, *(_OF_CARDS if due else ())))
    due_on = now + params["days_until_due"] * clock.DAY
    follows = _OF_SENT if due else ()
    return Preview(to_be_paid(subject, amount, currency, due_on), (*earlier, *follows))


def _is_mailed(subject: Subject) -> bool:
    """Whether an invoice can be sent here: the ended one with a card of its own takes both ways."""
    return bool(subject.customer.email) and not subject.ended_with_card


def _rather(subject: Subject) -> str:
    """Where a charge goes instead of on a subscription that is over; "" where no other place takes it."""
    if subject.subscription is None or subject.subscription.status not in ENDED:
        return ""
    mailed = _is_mailed(subject)
    holders = ((other, subject.customer) for other in subject.others)
    if any(each[0].status in BILLED or charging.first(*each) or mailed for each in holders):
        return "one that runs"
    return "the customer, at the top of the page" if charging.first(subject.customer) or mailed else ""


def _may_never_come(subject: Subject) -> tuple[str, ...]:
    """That the invoice which an amount waits for is not collected, or that the subscription ends before."""
    subscription = subject.subscription
    assert subscription is not None
    ends, period = subscription.cancel_at, subscription.current_period_end
    if fate := words.uncollected(subscription, period or 0):
        return (f"Collection is paused: the invoice that this waits for is {fate}, and nobody is charged.",)
    if subscription.cancel_at_period_end or (ends and (not period or ends <= period)):
        when = f" on {words.moment(ends)}" if ends else ""
        why = f"The subscription is set to end{when}"
    elif subscription.status == "trialing" and (stops := ends_unbilled(subject)):
        why = f"Without a card the subscription {stops} when its trial ends"
    else:
        return ()
    return (f"{why}: the invoice that this waits for may never come, and then nobody is charged.",)


def _earlier(subject: Subject) -> tuple[str, ...]:
    """What earlier charges left unpaid: the same amount once more is another invoice."""
    amounts = ((left.status or "", words.money(left.total, left.currency)) for left in subject.unsettled)
    return tuple(_EARLIER[status].format(amount) for status, amount in amounts)


def _own_card(subject: Subject) -> str | None:
    """The subscription's card where the customer has no default: it becomes the invoice's, for a retry.

    Else the invoice has none of its own, so that a retry takes the card that the customer enters next.
    """
    return None if charging.first(subject.customer) else subject.payment_method


def _days(form: Form) -> int:
    """In how many days a sent invoice is due."""
    typed = required(form, "days", "Say in how many days the customer should pay.")
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 3 and 1 <= int(typed) <= _DAYS):
        raise InvalidInput(f"Type a whole number of days between 1 and {_DAYS}.", field="days")
    return int(typed)


def _draft(work: Work) -> Answer:
    params = {name: work.params[name] for name in ("customer", "currency", "description")}
    if own := work.params["payment_method"]:
        [kind] = charged_to(work) or ["payment_method"]
        params[f"default_{kind}"] = own
    if days := work.params.get("days_until_due"):
        params |= {"collection_method": "send_invoice", "days_until_due": days}
    return writes.draft_invoice(params, work.mark, work.key)


def _add_item(work: Work) -> Answer:
    params = {name: work.params[name] for name in ("customer", "amount", "currency", "description")}
    params["discountable"] = False  # the customer pays what was typed, whatever discounts there are
    if work.params["subscription"]:
        params["subscription"] = work.params["subscription"]
    if "draft" in work.made:
        params["invoice"] = work.made["draft"]
    return writes.add_invoice_item(params, work.mark, work.key)


def _drafted(work: Work) -> str:
    return work.made["draft"]
