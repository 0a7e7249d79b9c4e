"""How is a one-off amount asked for, on the next invoice or now?"""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import override

from services import config, money
from services.customers import names
from services.desk import effects, words
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
    gone,
    required,
)
from services.desk.payments import RetryPayment, charged, charged_to
from services.desk.quotes import next_invoice
from services.desk.subject import Subject
from services.errors import InvalidInput
from services.staff.roles import Permission
from services.stripe_api import writes
from services.stripe_api.client import Answer

_BILLED = frozenset(("trialing", "active", "past_due"))
_EARLIER = {
    "open": "An invoice for {} of an earlier charge is still open: for that amount retry its payment; "
    "this is charged on top.",
    "draft": "A draft invoice for {} of an earlier charge was left in Stripe: finish or delete it there; "
    "this is charged on top.",
}
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
        """Where there is a next invoice to put it on, or a card to charge."""
        if deleted := gone(subject):
            return deleted
        if subject.kind == "customer" and subject.others:
            return "Add it to one of the subscriptions, so that it is billed with it."
        if not _has_next_invoice(subject) and subject.payment_method is None:
            return "There is neither a next invoice nor a card on file. Send a card link first."
        return ""

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`amount` as typed, `currency` where the customer has none, `description`, `when`: next or now."""
        currency = _currency(subject, form)
        typed = required(form, "amount", "Type the amount that the customer should pay.")
        amount = money.parse(typed, currency, locale=config.settings().workspace_locale)
        description = required(form, "description", "Say what the customer pays for; it is on the invoice.")
        when = choice(form, "when", ("next", "now"), "Choose when it should be charged.")
        if when == "next" and not _has_next_invoice(subject):
            raise InvalidInput("There is no next invoice.", field="when", remedy="Charge it now.")
        if when == "now" and subject.payment_method is None:
            raise InvalidInput(
                "No card is on file.", field="when", remedy="Put it on the next invoice, or send a card link."
            )
        return {
            "amount": amount,
            "currency": currency,
            "description": description,
            "when": when,
            "customer": subject.customer.id,
            "subscription": subject.subscription.id if subject.subscription and when == "next" else None,
            "payment_method": _own_card(subject) if when == "now" else None,
            "charged_to": subject.charged_to if when == "now" else {},
        }

    @override
    def quote(self, subject: Subject) -> Quote | None:
        """The next invoice as it would be without this."""
        return next_invoice(subject) if _has_next_invoice(subject) else None

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """Which invoice the amount goes on, and what that comes to."""
        amount = words.money(params["amount"], params["currency"])
        if params["when"] == "now":
            return Preview(
                (f"An invoice for {amount} is made, and {words.card(subject.card)} is charged now.",),
                (
                    *_earlier(subject),
                    "A charge can only be given back as a refund.",
                    "If the card is declined, the invoice stays open.",
                ),
            )
        assert subject.subscription is not None
        day, lost = subject.subscription.current_period_end, _may_never_come(subject)
        which = f"invoice of {words.moment(day)}" if day and not lost else "next invoice"
        happens = [f"{amount} for “{params['description']}” is added to the {which}. Nothing is charged now."]
        if quote and quote.currency == params["currency"]:
            total = words.money(quote.amount_due + params["amount"], quote.currency)
            happens.append(f"That invoice then comes to {total}, before any tax on this amount.")
        return Preview(tuple(happens), (*lost, *_earlier(subject)))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One item for later; for now an invoice of its own: draft, item, finalize, pay."""
        item = Step("item", "invoice_item", _add_item, effects.in_list("/v1/invoiceitems"))
        if params["when"] == "next":
            return (item,)
        return (
            Step("draft", "invoice", _draft, effects.in_list("/v1/invoices")),
            item,
            Step(
                "finalize",
                "invoice",
                lambda work: writes.finalize(work.made["draft"], work.key),
                effects.of_invoice(_drafted, lambda found: found["status"] != "draft"),
            ),
            Step(
                "pay",
                "invoice",
                lambda work: writes.pay(work.made["draft"], charged_to(work), work.key),
                effects.of_invoice(_drafted, lambda found: found["status"] == "paid"),
                may_be_done=True,  # the customer's credit settles an invoice as it is finalized
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """Where the amount is now; what the customer's credit paid of it was not charged."""
        amount = words.money(params["amount"], params["currency"])
        if params["when"] == "next":
            return f"{amount} waits for the next invoice."
        return charged(subject.invoice) if subject.invoice else f"{amount} was charged."

    @override
    def left_behind(self, made: Mapping[str, str]) -> Leftover | None:
        """What stands in the account when a later step is refused: an open invoice, or a draft."""
        if "finalize" in made:
            how = "retry its payment, or send the customer its link"
            said = f"The invoice {made['draft']} stays open: {how}. {_A_SECOND}"
            return Leftover(said, RetryPayment.name, made["draft"])
        if "draft" in made:
            how = "finish or delete it there first"
            return Leftover(f"The draft invoice {made['draft']} was left in Stripe: {how}. {_A_SECOND}")
        return None


def _has_next_invoice(subject: Subject) -> bool:
    return subject.subscription is not None and subject.subscription.status in _BILLED


def _may_never_come(subject: Subject) -> tuple[str, ...]:
    """That the invoice which an amount waits for is not collected, or that the subscription ends before."""
    subscription = subject.subscription
    assert subscription is not None
    ends, period = subscription.cancel_at, subscription.current_period_end
    if fate := words.uncollected(subscription, period or 0):
        return (f"Collection is paused: the invoice that this waits for is {fate}, and nobody is charged.",)
    by_hand = subscription.collection_method == "send_invoice"
    stops = {"cancel": "is canceled", "pause": "pauses"}.get(subscription.trial_end_behavior or "")
    if subscription.cancel_at_period_end or (ends and (not period or ends <= period)):
        when = f" on {words.moment(ends)}" if ends else ""
        why = f"The subscription is set to end{when}"
    elif subscription.status == "trialing" and stops and not by_hand and subject.payment_method is None:
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
    default = subject.customer.default_payment_method or subject.customer.default_source
    return None if default else subject.payment_method


def _currency(subject: Subject, form: Form) -> str:
    if subject.currency:
        return subject.currency
    currency = form.get("currency", "").strip().lower()
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise InvalidInput("Say the currency with its three letters, e.g. USD.", field="currency")
    return currency


def _draft(work: Work) -> Answer:
    params = {name: work.params[name] for name in ("customer", "currency", "description")}
    if work.params["payment_method"]:
        params["default_payment_method"] = work.params["payment_method"]
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
