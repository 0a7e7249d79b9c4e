"""How is credit given to a customer, or taken back? It lies in their balance with Stripe.

The balance pays for invoices as they are finalized, before any card is charged; what a customer owes in it is
added to the next one. It has one currency, the customer's.
"""

from __future__ import annotations

from dataclasses import replace

from typing_extensions import override

from models import Subscription
from services import config, money
from services.customers import names
from services.desk import effects, quotes, words
from services.desk.command import (
    Command,
    Form,
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
from services.desk.limits import Amount
from services.desk.subject import BILLED, Subject
from services.errors import InvalidInput
from services.staff.roles import Measure, Permission
from services.stripe_api import writes
from services.stripe_api.client import Answer

WAYS = {"give": "Give credit", "take": "Take credit back"}


class AccountCredit(Command):
    """Gives credit to a customer, or takes it back."""

    name = "account_credit"
    title = names.ACTIONS["account_credit"]
    icon = ":material/savings:"
    permission = Permission.ACCOUNT_CREDIT
    about = frozenset(("customer",))
    moves_money = True
    reason_required = True
    once_at_a_time = True

    @override
    def offered(self, subject: Subject) -> str:
        """For every customer that exists."""
        return gone(subject)

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`way`: give or take, `amount` as typed, `currency` where the customer has none, `description`."""
        way = choice(form, "way", tuple(WAYS), "Choose whether to give credit or to take it back.")
        currency = currency_of(subject, form)
        typed = required(form, "amount", "Type the amount of the credit.")
        amount = money.read(typed, currency, locale=config.settings().workspace_locale)
        if amount > (most := money.maximum_charge(currency)):
            raise InvalidInput(f"The largest amount is {words.money(most, currency)}.", field="amount")
        asked = "Say what it is for: Stripe keeps it with the credit."
        return {
            "way": way,
            "amount": amount,
            "currency": currency,
            "description": required(form, "description", asked, longest=350),
            "balance": subject.balance(currency),
        }

    @override
    def amounts(self, subject: Subject, params: Params) -> tuple[Amount, ...]:
        """What is given, or what the customer is asked for by taking it back."""
        measure = Measure.CREDIT if params["way"] == "give" else Measure.CHARGE
        return (Amount(measure, params["amount"], params["currency"]),)

    @override
    def quote(self, subject: Subject) -> Quote | None:
        """The next invoice of the subscription that is billed first, as it would be without this."""
        billed = next_billed(subject)
        return quotes.next_invoice(replace(subject, subscription=billed)) if billed else None

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """The balance afterwards, and the invoice that it pays for or is added to."""
        amount, currency = words.money(params["amount"], params["currency"]), params["currency"]
        before, after = params["balance"], _after(params)
        given = "of credit is given" if params["way"] == "give" else "of credit is taken back"
        has, had = words.balance(after, currency), words.balance(before, currency)
        happens = (
            f"{amount} {given}: the customer then has {has} instead of {had}.",
            "Nothing is charged or paid out now.",
            *_next(subject, quote, currency, after),
        )
        return Preview(happens, _warnings(subject, params, after))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One change of the balance, found again by our mark."""
        found = effects.of_customer_list("balance_transactions")
        return (Step("adjust", "balance_transaction", _adjust, found, read_after=True),)

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """What was given or taken, and what the customer has then."""
        amount = words.money(params["amount"], params["currency"])
        did = "given" if params["way"] == "give" else "taken back"
        has = words.balance(_after(params), params["currency"])
        return f"{amount} of credit was {did}; the customer had {has} then."


def next_billed(subject: Subject) -> Subscription | None:
    """Which of the customer's subscriptions is billed first, in the customer's currency."""
    currency = subject.customer.currency
    billed = [
        row
        for row in subject.others
        if row.status in BILLED and row.current_period_end and row.currency == currency
    ]
    return min(billed, key=lambda row: row.current_period_end or 0, default=None)


def _after(params: Params) -> int:
    """The balance afterwards: credit is below 0."""
    moved: int = -params["amount"] if params["way"] == "give" else params["amount"]
    return int(params["balance"]) + moved


def _next(subject: Subject, quote: Quote | None, currency: str, after: int) -> tuple[str, ...]:
    """What the next invoice comes to then."""
    billed = next_billed(subject)
    if billed is None or billed.current_period_end is None or quote is None or quote.currency != currency:
        return ("No invoice is foreseen: it waits in the balance until one is made.",)
    due = max(0, quote.total + after)
    then = words.money(money.chargeable(due, currency), currency)
    before = words.money(quote.amount_due, currency)
    when = words.moment(billed.current_period_end)
    said = f"The next invoice, on {when}, then asks for {then} instead of {before}."
    return (said, "Credit pays before a card is charged.") if after < 0 else (said,)


def _warnings(subject: Subject, params: Params, after: int) -> tuple[str, ...]:
    told = []
    if not subject.currency:
        told.append(f"From then on this customer pays in {params['currency'].upper()}.")
    if params["way"] == "give":
        told.append("Invoices that are open already are not paid by it.")
        told.append("Credit is not paid out: to give money back, refund a payment.")
    elif after > 0:
        owed = words.money(after, params["currency"])
        told.append(f"That is more credit than there is: {owed} is owed then, and added to the next invoice.")
    return tuple(told)


def _adjust(work: Work) -> Answer:
    amount = work.params["amount"] * (-1 if work.params["way"] == "give" else 1)
    params = {
        "amount": amount,
        "currency": work.params["currency"],
        "description": work.params["description"],
    }
    return writes.adjust_balance(work.customer, params, work.mark, work.key)
