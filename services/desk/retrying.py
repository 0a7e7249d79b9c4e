"""How are all overdue invoices of a customer tried at once? Each has a payment and an outcome of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from typing_extensions import override

from services.customers import names
from services.desk import effects, words
from services.desk.command import Command, Form, Params, Preview, Quote, Step, Work, gone
from services.desk.payments import RetryPayment
from services.desk.subject import Subject
from services.staff.roles import Permission
from services.stripe_api import writes
from services.stripe_api.client import Answer

_ONE = RetryPayment()


class RetryAll(Command):
    """Charges every overdue invoice of a customer again now."""

    name = "retry_all"
    title = names.ACTIONS["retry_all"]
    icon = ":material/replay:"
    permission = Permission.RETRY_PAYMENT
    about = frozenset(("customer",))
    moves_money = True
    reason_required = True
    once_at_a_time = True
    of_debts = True

    @override
    def offered(self, subject: Subject) -> str:
        """Where two invoices or more can be tried; one alone has a button of its own."""
        if deleted := gone(subject):
            return deleted
        if not subject.debts:
            return "No invoice of this customer is overdue."
        fit = _fit(subject)
        if len(fit) > 1:
            return ""
        return (
            "Only one overdue invoice can be tried: retry its payment."
            if fit
            else _ONE.offered(subject.debts[0])
        )

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """Nothing to fill in; which invoices and cards the dialog names is fixed here."""
        asked = [
            {
                "id": debt.object_id,
                "called": _called(debt),
                "amount": debt.invoice.amount_remaining,
                "currency": debt.invoice.currency,
                "charged_to": debt.charged_to,
            }
            for debt in _fit(subject)
            if debt.invoice
        ]
        return {"invoices": asked}

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What it comes to, each amount with its card, and which invoices are left out for what reason."""
        invoices = params["invoices"]
        happens = [
            f"{len(invoices)} invoices are charged now, one after the other, {_sums(invoices)} in all."
        ]
        for debt in _fit(subject):
            assert debt.invoice is not None
            amount = words.money(debt.invoice.amount_remaining, debt.invoice.currency)
            happens.append(f"{_called(debt)}: {amount}, to {words.card(debt.card)}.")
        refused = ((debt, _ONE.offered(debt)) for debt in subject.debts)
        left_out = [f"{_called(debt)} is left out: {why}" for debt, why in refused if why]
        warnings = (
            "Where one is declined, the others are tried all the same.",
            "A payment can only be given back as a refund.",
        )
        return Preview(tuple(happens), (*warnings, *left_out))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One payment for each invoice."""
        return tuple(
            Step(
                f"pay {asked['id']}",
                asked["called"],
                _pay(asked["id"], asked["charged_to"]),
                effects.of_invoice(_named(asked["id"]), lambda found: found["status"] == "paid"),
                alone=_came_to,
                object_id=asked["id"],
                read_after=True,  # what is paid shows in the subscriptions, too
            )
            for asked in params["invoices"]
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """How each invoice stands."""
        return " ".join(f"{called}: {said}" for called, said in params["result"].items())


def _fit(subject: Subject) -> list[Subject]:
    """The overdue invoices that can be tried."""
    return [debt for debt in subject.debts if not _ONE.offered(debt)]


def _sums(invoices: Iterable[Mapping[str, Any]]) -> str:
    """What they come to, in each currency."""
    found: Counter[str] = Counter()
    for asked in invoices:
        found[asked["currency"]] += asked["amount"]
    return words.listing([words.money(amount, currency) for currency, amount in sorted(found.items())])


def _called(debt: Subject) -> str:
    assert debt.invoice is not None
    return f"Invoice {debt.invoice.number or debt.invoice.id}"


def _pay(invoice: str, charged_to: dict[str, str]) -> Callable[[Work], Answer]:
    return lambda work: writes.pay(invoice, charged_to, work.key)


def _named(invoice: str) -> Callable[[Work], str]:
    return lambda _: invoice


def _came_to(answer: Answer) -> str:
    return "paid." if answer.object["status"] == "paid" else "is being processed by the bank."
