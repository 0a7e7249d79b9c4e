"""How is a one-off amount asked for, on the next invoice or now?"""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import override

from models.subscriptions import ENDED
from services import charging, config, money
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
from services.desk.limits import Amount
from services.desk.payments import RetryPayment, charged, charged_to
from services.desk.quotes import next_invoice
from services.desk.subject import Subject
from services.desk.upcoming import ends_unbilled
from services.errors import InvalidInput
from services.staff.roles import Measure, Permission
from services.stripe_api import writes
from services.stripe_api.client import Answer

_BILLED = frozenset(("trialing", "active", "past_due"))
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
        """Where there is a next invoice to put it on, or a card to charge; in one place for each customer's
        card: an ended subscription offers its own only where neither the customer nor another one can pay."""
        if deleted := gone(subject):
            return deleted
        if subject.kind == "customer" and subject.others:
            return "Add it to one of the subscriptions, so that it is billed with it."
        if elsewhere := _rather(subject):
            return f"This subscription is over. Add the charge to {elsewhere}."
        if not has_next_invoice(subject) and subject.payment_method is None:
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
        if when == "next" and not has_next_invoice(subject):
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
            "balance": subject.balance(currency) if when == "now" else None,
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
        if params["when"] == "now":
            happens = _invoiced(subject, params["amount"], params["currency"])
            due = params["amount"] + subject.balance(params["currency"])
            taken = _OF_CARDS if money.chargeable(due, params["currency"]) else ()
            return Preview(happens, (*_earlier(subject), *taken))
        assert subject.subscription is not None
        day, lost = subject.subscription.current_period_end, _may_never_come(subject)
        which = f"invoice of {words.moment(day)}" if day and not lost else "next invoice"
        told = [f"{amount} for “{params['description']}” is added to the {which}. Nothing is charged now."]
        if quote and quote.currency == params["currency"]:
            told.append(_comes_to(subject, quote, params["amount"]))
        return Preview(tuple(told), (*lost, *_earlier(subject)))

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


def has_next_invoice(subject: Subject) -> bool:
    """Whether the subscription is billed again by itself, so that an amount can wait for that."""
    return subject.subscription is not None and subject.subscription.status in _BILLED


def _rather(subject: Subject) -> str:
    """Where a charge goes instead of on a subscription that is over; "" where no other place takes it."""
    if subject.subscription is None or subject.subscription.status not in ENDED:
        return ""
    if any(other.status in _BILLED or charging.first(other, subject.customer) for other in subject.others):
        return "one that runs"
    return "the customer, at the top of the page" if charging.first(subject.customer) else ""


def _invoiced(subject: Subject, amount: int, currency: str) -> tuple[str, ...]:
    """What the invoice comes to with the customer's balance: credit pays first, what is owed is added."""
    balance, method = subject.balance(currency), words.card(subject.card)
    asked = words.money(amount, currency)
    due = max(0, amount + balance)
    if not balance:
        return (f"An invoice for {asked} is made, and {method} is charged now.",)
    made, moved = f"An invoice for {asked} is made.", words.money(abs(due - amount), currency)
    if balance > 0:
        owed = f"The customer's balance owes {moved} from before, which is added:"
        return (made, f"{owed} {words.money(due, currency)} is charged now to {method}.")
    used = f"{moved} of it is taken from the customer's credit"
    if not money.chargeable(due, currency):
        rest = (words.too_small(due, currency),) if due else ()
        return (made, f"{used}; nothing is charged.", *rest)
    return (made, f"{used}, and {words.money(due, currency)} is charged now to {method}.")


def _comes_to(subject: Subject, quote: Quote, amount: int) -> str:
    """What the next invoice asks for with the amount, once credit has paid what it can."""
    due = quote.total + amount + subject.balance(quote.currency)
    if due <= 0:
        return "Credit pays all of that invoice, also this amount."
    said = f"That invoice then comes to {words.money(due, quote.currency)}, before any tax on this amount."
    small = not money.chargeable(due, quote.currency)
    return f"{said} {words.too_small(due, quote.currency)}" if small else said


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


def _currency(subject: Subject, form: Form) -> str:
    if subject.currency:
        return subject.currency
    currency = form.get("currency", "").strip().lower()
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise InvalidInput("Say the currency with its three letters, e.g. USD.", field="currency")
    return currency


def _draft(work: Work) -> Answer:
    params = {name: work.params[name] for name in ("customer", "currency", "description")}
    if own := work.params["payment_method"]:
        [kind] = charged_to(work) or ["payment_method"]
        params[f"default_{kind}"] = own
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
