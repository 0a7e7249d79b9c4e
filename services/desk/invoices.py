"""How does an invoice end unpaid, and how does it get to the customer once more?"""

from __future__ import annotations

from collections.abc import Iterator

from typing_extensions import override

from models import Invoice
from services.customers import names
from services.desk import effects, words
from services.desk.command import Command, Form, Params, Preview, Quote, Step, Work, gone
from services.desk.subject import Subject
from services.staff.roles import Permission
from services.stripe_api import writes

NO_ADDRESS = "The customer has no email address in Stripe that an invoice could be sent to."
_CLOSED = {
    "draft": "The invoice is still a draft: delete it in Stripe if nobody should pay it.",
    "paid": "The invoice is paid. To give the money back, refund its payment.",
    "void": "The invoice was voided already.",
    "uncollectible": "The invoice was marked as uncollectible already.",
}
_GOES_ON = "The subscription goes on, and so do its next invoices. Cancel it where it should end."
_UNPAID_FOR = "Its subscription counts as active again, though nobody paid for the period."
FINAL = "It does not become open again: after this it can only be paid or voided."
_VOIDED = {
    "past_due": _UNPAID_FOR,
    "unpaid": _UNPAID_FOR,
    "incomplete": "Its subscription waited for this payment to begin: it expires now.",
    "paused": "Its subscription stays paused.",
}
_GIVEN_UP = {"past_due": _UNPAID_FOR, "unpaid": _UNPAID_FOR}


class VoidInvoice(Command):
    """Takes an invoice back: nobody has to pay it any more."""

    name = "void_invoice"
    title = names.ACTIONS["void_invoice"]
    icon = ":material/contract_delete:"
    permission = Permission.VOID_INVOICE
    about = frozenset(("invoice",))
    watched = ("status", "amount_remaining")
    reason_required = True
    grave = True

    @override
    def offered(self, subject: Subject) -> str:
        """For an open invoice, and for one that was given up."""
        return _why_not(subject, "open", "uncollectible")

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """Nothing to fill in."""
        return _asked(subject)

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What is not asked for any more, where credit goes, and what becomes of the subscription."""
        invoice = subject.invoice
        assert invoice is not None
        happens = [
            f"The invoice for {_amount(params)} is voided: nobody has to pay it any more, and its link takes "
            "no payment.",
            *_no_more_tries(invoice),
            *_back_to_balance(invoice),
            *_of_subscription(subject, _VOIDED),
        ]
        final = "Voiding cannot be undone: to ask for the amount again takes a new invoice."
        return Preview(tuple(happens), (final, *_and_the_rest(subject)))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One request; its effect is the invoice's status."""
        return (
            Step(
                "void",
                "invoice",
                lambda work: writes.void(work.object_id, work.key),
                effects.of_invoice(_invoice, lambda found: found["status"] == "void"),
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """That nobody has to pay it."""
        return "The invoice is void: nobody has to pay it any more."


class GiveUpInvoice(Command):
    """Counts an open invoice as a bad debt."""

    name = "mark_uncollectible"
    title = names.ACTIONS["mark_uncollectible"]
    icon = ":material/money_off:"
    permission = Permission.GIVE_UP_INVOICE
    about = frozenset(("invoice",))
    watched = ("status", "amount_remaining")
    reason_required = True
    grave = True

    @override
    def offered(self, subject: Subject) -> str:
        """For an open invoice."""
        return _why_not(subject, "open")

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """Nothing to fill in."""
        return _asked(subject)

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What it counts as, what the customer can still do, and what becomes of the subscription."""
        invoice = subject.invoice
        assert invoice is not None
        happens = [
            f"The invoice for {_amount(params)} counts as a bad debt: nobody expects it to be paid.",
            *_no_more_tries(invoice),
            "The customer can still pay it by its link, and then it is paid.",
            *_of_subscription(subject, _GIVEN_UP),
        ]
        return Preview(tuple(happens), (FINAL, *_and_the_rest(subject)))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One request; its effect is the invoice's status."""
        return (
            Step(
                "give_up",
                "invoice",
                lambda work: writes.mark_uncollectible(work.object_id, work.key),
                effects.of_invoice(_invoice, lambda found: found["status"] == "uncollectible"),
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """What it counts as."""
        return "The invoice is marked as uncollectible. The customer can still pay it by its link."


def unusual(subject: Subject) -> Iterator[str]:
    """What is not as with most invoices that are given up, as the tables know it."""
    assert subject.invoice is not None
    if subject.invoice.next_payment_attempt:
        yield "Stripe would have tried again by itself, and does not any more"
    yield from _of_subscription(subject, _GIVEN_UP)
    yield from _and_the_rest(subject)


class SendInvoice(Command):
    """Has Stripe mail an invoice that the customer pays by hand."""

    name = "send_invoice"
    title = names.ACTIONS["send_invoice"]
    icon = ":material/forward_to_inbox:"
    permission = Permission.SEND_INVOICE
    about = frozenset(("invoice",))
    watched = ("status", "amount_remaining")

    @override
    def offered(self, subject: Subject) -> str:
        """For what is to be paid by hand and is not closed, where there is an address."""
        if closed := _why_not(subject, "open", "draft"):
            return closed
        assert subject.invoice is not None
        if subject.invoice.collection_method != "send_invoice":
            return (
                "It is charged automatically, and Stripe mails only what the customer pays by hand: write to "
                "the customer with its link instead."
            )
        return "" if subject.customer.email else NO_ADDRESS

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """Nothing to fill in."""
        return _asked(subject)

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What is mailed; that a draft is final with it."""
        invoice = subject.invoice
        assert invoice is not None
        due = f", due on {words.day(invoice.due_date)}," if invoice.due_date else ""
        happens = [
            words.mailed(f"the invoice for {_amount(params)}{due}"),
            "Nothing is charged by itself.",
        ]
        if invoice.status == "draft":
            happens.insert(0, "The draft is finalized: it gets its number and is open.")
        warnings = ["After that its lines cannot be changed."] if invoice.status == "draft" else []
        return Preview(tuple(happens), tuple(warnings))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One request, whose mail only an event tells of."""
        return (SEND,)

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """That it is on its way."""
        return "Stripe has sent the invoice to the customer."


def _invoice(work: Work) -> str:
    """The invoice that the command made itself, or that it is about."""
    return work.made.get("draft") or work.object_id


SEND = Step(
    "send",
    "invoice",
    lambda work: writes.send_invoice(_invoice(work), work.key),
    effects.by_event("invoice.sent", _invoice),
)


def _why_not(subject: Subject, *statuses: str) -> str:
    """ "" for an invoice in one of these states, else the reason why not."""
    if deleted := gone(subject):
        return deleted
    if subject.invoice is None:
        return "There is no invoice."
    status = subject.invoice.status or ""
    return "" if status in statuses else _CLOSED.get(status, f"The invoice is {status}.")


def _asked(subject: Subject) -> Params:
    assert subject.invoice is not None
    return {"amount": subject.invoice.amount_remaining, "currency": subject.invoice.currency}


def _amount(params: Params) -> str:
    return words.money(params["amount"], params["currency"])


def _no_more_tries(invoice: Invoice) -> tuple[str, ...]:
    planned = invoice.next_payment_attempt
    return (f"Stripe does not try to charge it on {words.moment(planned)}.",) if planned else ()


def _back_to_balance(invoice: Invoice) -> tuple[str, ...]:
    """What the customer's balance gave to the invoice, or took, is undone with it."""
    moved = invoice.starting_balance - (invoice.ending_balance or 0)
    if invoice.ending_balance is None or not moved:
        return ()
    amount = words.money(abs(moved), invoice.currency)
    if moved < 0:
        return (f"{amount} that it took from the customer's credit goes back there.",)
    return (f"{amount} that it asked for from before is owed on the customer's balance again.",)


def _of_subscription(subject: Subject, told: dict[str, str]) -> tuple[str, ...]:
    """What becomes of the subscription whose latest invoice this is."""
    subscription = subject.subscription
    if subscription is None or subscription.latest_invoice != subject.object_id:
        return ()
    said = told.get(subscription.status)
    return (said,) if said else ()


def _and_the_rest(subject: Subject) -> tuple[str, ...]:
    subscription = subject.subscription
    running = subscription is not None and subscription.status in ("active", "past_due", "unpaid")
    return (_GOES_ON,) if running else ()
