"""How is an open invoice tried again, and how does a customer get to enter another card?"""

from __future__ import annotations

from typing_extensions import override

from models import Invoice
from services import money
from services.customers import names
from services.desk import effects, words
from services.desk.command import Command, Form, Params, Preview, Quote, Step, Work, gone
from services.desk.subject import Subject
from services.staff.roles import Permission
from services.stripe_api import declines, writes

_CLOSED = {
    "paid": "The invoice is paid.",
    "void": "The invoice was voided.",
    "uncollectible": "The invoice was marked as uncollectible. The customer can still pay it by its link.",
    "draft": "The invoice is still a draft; Stripe charges it when it is finalized.",
}


class RetryPayment(Command):
    """Charges an open invoice again now."""

    name = "retry_payment"
    title = names.ACTIONS["retry_payment"]
    icon = ":material/replay:"
    permission = Permission.RETRY_PAYMENT
    about = frozenset(("invoice",))
    watched = ("status", "amount_remaining")
    moves_money = True
    reason_required = True

    @override
    def offered(self, subject: Subject) -> str:
        """For an open invoice with a card that the bank has not closed for good."""
        invoice = subject.invoice
        if invoice is None:
            return "There is no open invoice."
        if deleted := gone(subject):
            return deleted
        if invoice.status != "open":
            return _CLOSED.get(invoice.status or "", f"The invoice is {invoice.status}.")
        if subject.payment_method is None:
            return "No card is on file. Send a card link, or the invoice's link."
        failure = subject.last_failure
        if failure and failure.advice == "do_not_try_again" and _same_card(subject):
            return "The bank asked not to try this card again. Send a card link for another one."
        return ""

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """Nothing to fill in; the card that the dialog names is fixed here."""
        invoice = subject.invoice
        assert invoice is not None
        about = {"amount": invoice.amount_remaining, "currency": invoice.currency}
        return {**about, "charged_to": subject.charged_to}

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """The amount, Stripe's own next attempt, and why the last one failed."""
        assert subject.invoice is not None
        amount = words.money(params["amount"], params["currency"])
        happens = [f"{amount} is charged now to {words.card(subject.card)}."]
        planned = subject.invoice.next_payment_attempt
        happens.append(
            f"If it fails, Stripe tries again by itself on {words.moment(planned)}."
            if planned
            else "If it fails, Stripe does not try again by itself."
        )
        warnings = ["A payment can only be given back as a refund."]
        if not money.chargeable(params["amount"], params["currency"]):
            warnings.append(f"{amount} is less than Stripe charges: it may refuse this.")
        if subject.invoice.collection_method == "send_invoice":
            warnings.append("This invoice was sent for the customer to pay; the card is charged instead.")
        if subject.last_failure and _same_card(subject):
            why = declines.explain(subject.last_failure.code)
            warnings.append(f"The last try failed. {why.words} {why.advice}")
        return Preview(tuple(happens), tuple(warnings))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One payment; its effect is the invoice's status."""
        return (
            Step(
                "pay",
                "invoice",
                lambda work: writes.pay(work.object_id, charged_to(work), work.key),
                effects.of_invoice(lambda work: work.object_id, lambda found: found["status"] == "paid"),
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """What became of it, by the invoice's status."""
        return settled(subject.invoice, words.money(params["amount"], params["currency"]), "paid")


class CardLink(Command):
    """Makes a short-lived link to Stripe's page where the customer enters another card.

    The link is shown once and kept nowhere, so this runs in the process that asks and is not resumed.
    """

    name = "card_link"
    title = names.ACTIONS["card_link"]
    icon = ":material/link:"
    permission = Permission.CARD_LINK
    about = frozenset(("customer",))
    durable = False

    @override
    def offered(self, subject: Subject) -> str:
        """For every customer that exists."""
        return gone(subject)

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """Nothing to fill in."""
        return {"customer": subject.customer.id}

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What the link does."""
        which = "another card" if subject.payment_method else "a card"
        return Preview(
            (
                f"Stripe makes a link to a page where the customer enters {which}.",
                "Nothing is sent and nothing is charged.",
                "If an invoice is open, a new card does not pay it: retry the payment afterwards.",
            ),
            (
                "The link works for a few minutes only.",
                "Whoever has it can change the card: give it to nobody else.",
            ),
        )

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One portal session, which leaves nothing in the account."""
        return (
            Step(
                "portal",
                "portal_session",
                lambda work: writes.open_card_portal(params["customer"], work.key),
                effects.nothing_to_find,
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """That it is there."""
        return "The link is ready. Copy it now: it is not kept."


def charged_to(work: Work) -> dict[str, str]:
    """The card that the dialog named. What began before the desk fixed it sends none: its key has no such
    request."""
    return dict(work.params.get("charged_to", {}))


def settled(invoice: Invoice | None, amount: str, done: str) -> str:
    """Whether the amount has arrived: an open invoice without a refusal waits for a bank debit."""
    if invoice is None or invoice.status == "paid":
        return f"{amount} was {done}."
    if invoice.status == "open":
        return f"{amount} is being processed by the bank; the invoice is paid once the bank confirms it."
    return f"{amount} was asked for; the invoice is {invoice.status}."


def charged(invoice: Invoice) -> str:
    """What was charged for an invoice, what of it the customer's credit paid, and what was too small."""
    due, used, carried = (
        words.money(amount, invoice.currency)
        for amount in (invoice.amount_due, invoice.from_credit, invoice.carried)
    )
    told = [settled(invoice, due, "charged") if invoice.amount_due else "Nothing was charged."]
    if invoice.from_credit:
        told.append(f"{used} was taken from the customer's credit.")
    if invoice.carried:
        told.append(f"{carried} is less than Stripe charges: it went to the customer's balance.")
    return " ".join(told)


def first_payment(subject: Subject, invoice: Invoice) -> str:
    """What became of the first payment."""
    amount = words.money(invoice.amount_due, invoice.currency)
    if invoice.total <= 0:
        return "Nothing had to be paid."
    if invoice.status == "draft":
        return f"The invoice for {amount} is still a draft; Stripe finalizes it within about an hour."
    if invoice.status != "open":
        return charged(invoice)
    if subject.last_failure:
        return f"The payment of {amount} failed: {declines.explain(subject.last_failure.code).words}"
    if invoice.collection_method == "send_invoice":
        return f"An invoice for {amount} goes to the customer and is not paid yet."
    if subject.payment_method is None:
        return f"Nothing was charged: no card is on file, and the invoice for {amount} stays open."
    return charged(invoice)


def _same_card(subject: Subject) -> bool:
    failure = subject.last_failure
    return failure is not None and failure.payment_method in (None, subject.payment_method)
