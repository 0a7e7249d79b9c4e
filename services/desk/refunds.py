"""How is a payment given back, wholly or in part?"""

from __future__ import annotations

from typing_extensions import override

from services import config, money
from services.customers import names
from services.desk import effects, words
from services.desk.command import Command, Form, Params, Preview, Quote, Step, Work, choice, gone, required
from services.desk.limits import Amount
from services.desk.subject import Subject
from services.errors import InvalidInput
from services.staff.roles import Measure, Permission
from services.stripe_api import writes
from services.stripe_api.client import Answer

CODES = {
    "requested_by_customer": "The customer asked for it",
    "duplicate": "It was charged twice",
    "fraudulent": "Fraud",
    "": "Another reason",
}


class Refund(Command):
    """Gives back what a payment took, to what it was paid with."""

    name = "refund"
    title = names.ACTIONS["refund"]
    icon = ":material/undo:"
    permission = Permission.REFUND
    about = frozenset(("payment",))
    watched = ("status", "amount_refunded")
    grave = True
    moves_money = True
    reason_required = True
    once_at_a_time = True

    @override
    def offered(self, subject: Subject) -> str:
        """For a payment that succeeded, was not given back whole, and was not charged back by the bank."""
        if deleted := gone(subject):
            return deleted
        payment = subject.payment
        if payment is None:
            return "Choose the payment that should be given back."
        if payment.status != "succeeded":
            return f"The payment {_NOT_TAKEN.get(payment.status, f'is {payment.status}')}: nothing was taken."
        if not payment.amount_captured:
            return "The amount was only reserved, not taken: release it in Stripe."
        if refundable(subject) <= 0:
            return (
                f"All of it, {words.money(payment.amount_captured, payment.currency)}, is refunded already."
            )
        if payment.disputed and not (subject.dispute and subject.dispute.is_charge_refundable):
            return "The customer's bank disputes this payment: who gets the money is decided there."
        return ""

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`part`: all or part, then with its `amount` as typed; `code`: one of CODES."""
        assert subject.payment is not None
        currency, most = subject.payment.currency, refundable(subject)
        part = choice(form, "part", ("all", "part"), "Choose how much should be refunded.")
        amount = most if part == "all" else _typed(form, currency)
        if amount > most:
            raise InvalidInput(
                f"Only {words.money(most, currency)} of this payment can still be refunded.", field="amount"
            )
        code = choice(form, "code", tuple(CODES), "Choose one of the reasons in the list.")
        return {"amount": amount, "currency": currency, "code": code, "left": most - amount}

    @override
    def amounts(self, subject: Subject, params: Params) -> tuple[Amount, ...]:
        """What goes back."""
        return (Amount(Measure.REFUND, params["amount"], params["currency"]),)

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """How much goes back where, what was given back before, and what can be after this."""
        payment = subject.payment
        assert payment is not None
        amount, taken, before = (
            words.money(each, payment.currency)
            for each in (params["amount"], payment.amount_captured, payment.amount_refunded)
        )
        earlier = f"{before} of it was refunded before." if payment.amount_refunded else ""
        happens = (
            f"{amount} of the payment of {taken} goes back to {words.paid_with(payment)}; it cannot go "
            "anywhere else.",
            " ".join(filter(None, (earlier, f"{_left(params)} after this."))),
            "It mostly takes the bank 5 to 10 business days to show it.",
        )
        warnings = (
            "A refund cannot be taken back, and Stripe does not return its fee for the payment.",
            "What was paid for goes on: its invoice stays paid, and a subscription ends only when it is "
            "canceled.",
        )
        return Preview(happens, (*warnings, *_CONSEQUENCES.get(params["code"], ())))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One refund, found again by its mark among those of the payment."""
        return (Step("refund", "refund", _refund, effects.in_list("/v1/refunds")),)

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """What went back where, and what is left."""
        where = words.paid_with(subject.payment) if subject.payment else "what it was paid with"
        return (
            f"{words.money(params['amount'], params['currency'])} was refunded to {where}. {_left(params)}."
        )


_NOT_TAKEN = {"failed": "failed", "pending": "is not confirmed yet"}
_CONSEQUENCES = {
    "fraudulent": (
        "As it is called fraud, Stripe puts the card and the email address on the account's block lists: "
        "the customer can pay with neither any more.",
    )
}


def refundable(subject: Subject) -> int:
    """What of the payment can still be given back (minor units)."""
    assert subject.payment is not None
    return subject.payment.amount_captured - subject.payment.amount_refunded


def _typed(form: Form, currency: str) -> int:
    typed = required(form, "amount", "Type the amount that should go back to the customer.")
    return money.parse(typed, currency, locale=config.settings().workspace_locale, least=1)


def _left(params: Params) -> str:
    """What can still be given back once this is done, as the beginning of a sentence."""
    if not params["left"]:
        return "Nothing more of it can be refunded"
    return f"{words.money(params['left'], params['currency'])} of it can still be refunded"


def _refund(work: Work) -> Answer:
    params = work.params
    return writes.refund(work.object_id, params["amount"], params["code"], work.mark, work.key)
