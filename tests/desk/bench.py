"""An account with customers in every state, and people who press the desk's buttons."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import stripe

from services import clock, database
from services.desk import catalog, commands, fresh, ledger
from services.desk.asking import Opened
from services.desk.command import Form, Preview
from services.desk.commands import Outcome
from services.desk.subject import Subject
from services.mirror import answers, complete
from services.staff.roles import Person, Role
from tests.desk import bench_invoices
from tests.support.sandbox import Sandbox

ANA = Person(1, "Ana", "ana@example.com", Role.SUPPORT)
BEN = Person(2, "Ben", "ben@example.com", Role.SUPPORT)
SAM = Person(3, "Sam", "sam@example.com", Role.SALES)
VIC = Person(4, "Vic", "vic@example.com", Role.VIEWER)
WEEK: Form = {"mode": "days", "days": "7"}
FORMS: dict[str, Form] = {
    "extend_trial": WEEK,
    "end_trial": {},
    "add_charge": {"amount": "25", "description": "Setup", "when": "now"},
    "cancel": {"when": "now"},
    "reactivate": {},
    "retry_payment": {},
    "account_credit": {"way": "give", "amount": "20", "description": "Sorry", "currency": "usd"},
    "change_plan": {"quantity": "3", "billing": "now"},
    "apply_coupon": {"kind": "coupon", "coupon": "FIFTH"},
    "remove_coupon": {},
    "undo_cancel": {},
    "pause_collection": {"behavior": "void"},
    "start_trial": {"quantity": "3", "days": "14", "at_end": "pause"},
    "change_contact": {"email": "augusta@byron.example", "name": "Augusta Ada"},
    **bench_invoices.FORMS,
}
BY_DELETE = ("cancel", "remove_charge")
GRAVE = {name for name, each in catalog.COMMANDS.items() if each.moves_money} | {"cancel", "end_trial"}
SUBJECTS = {
    "extend_trial": "trialing", "end_trial": "trialing", "add_charge": "active", "cancel": "active",
    "reactivate": "canceled", "account_credit": "active", "change_plan": "active",
    "apply_coupon": "active", "remove_coupon": "discounted", "undo_cancel": "set to cancel",
    "pause_collection": "active", "change_contact": "active",
}  # fmt: skip
STATES = (
    "trialing", "trialing without a card", "active", "past_due", "paused", "collection paused",
    "set to cancel", "canceled", "incomplete", "discounted",
)  # fmt: skip


@dataclass
class Bench:
    """The sandbox account through the official SDK, mirrored into the desk's tables on demand."""

    sandbox: Sandbox
    sdk: stripe.v1.StripeClient = field(init=False)
    prices: dict[str, str] = field(default_factory=dict)
    _shared: dict[str, Subject] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sdk = self.sandbox.client(max_network_retries=0).v1

    def price(self, amount: int = 4900, currency: str = "usd", interval: str = "month") -> str:
        """A recurring price, one for each kind."""
        name = f"{amount}-{currency}-{interval}"
        if name not in self.prices:
            product = self.sdk.products.create({"name": f"Team {name}"})
            recurring = {"interval": interval}
            made = self.sdk.prices.create(
                {"product": product.id, "unit_amount": amount, "currency": currency, "recurring": recurring}
            )
            self.prices[name] = made.id
            self.mirror("product", product.id)
        self.mirror("price", self.prices[name])
        return self.prices[name]

    def coupon(self, id: str, percent: int, **more: Any) -> str:
        """A coupon for ever, one for each id, mirrored."""
        if id not in [each.id for each in self.sdk.coupons.list({"limit": 100}).data]:
            self.sdk.coupons.create({"id": id, "percent_off": percent, "duration": "forever", **more})
        self.mirror("coupon", id)
        return id

    def customer(self, card: str | None = "ok", **fields: Any) -> str:
        """A customer, with a card that works, one that is declined with a code, or none."""
        made = self.sdk.customers.create({"name": "Ada Lovelace", "email": "ada@example.com", **fields})
        if card:
            self.sandbox.add_card(made.id, card)
        self.mirror("customer", made.id)
        return made.id

    def subscribe(self, customer: str, **params: Any) -> str:
        """A subscription of the customer, mirrored."""
        items = params.pop("items", None) or [{"price": self.price()}]
        made = self.sdk.subscriptions.create({"customer": customer, "items": items, **params})
        self.mirror("subscription", made.id)
        return made.id

    def trial(self, customer: str, days: int = 14, without_card: str = "cancel", **params: Any) -> str:
        """A running trial."""
        settings = {"end_behavior": {"missing_payment_method": without_card}}
        return self.subscribe(customer, trial_period_days=days, trial_settings=settings, **params)

    def in_state(self, state: str) -> Subject:
        """A customer with one subscription in the state, as the tables show it."""
        customer = self.customer(None if state in ("trialing without a card", "paused") else "ok")
        match state:
            case "trialing" | "trialing without a card":
                made = self.trial(customer)
            case "paused":
                made = self.trial(customer, without_card="pause")
                self.sdk.subscriptions.update(made, {"trial_end": "now"})
                self.sandbox.add_card(customer)
            case "past_due":
                made = self.trial(customer)
                self.sandbox.add_card(customer, "insufficient_funds")
                self.sdk.subscriptions.update(made, {"trial_end": "now"})
            case "incomplete":
                self.sandbox.add_card(customer, "insufficient_funds")
                made = self.subscribe(customer, payment_behavior="allow_incomplete")
            case _:
                made = self.subscribe(customer)
        match state:
            case "discounted":
                self.sdk.subscriptions.update(made, {"discounts": [{"coupon": self.coupon("TENTH", 10)}]})
            case "collection paused":
                self.sdk.subscriptions.update(made, {"pause_collection": {"behavior": "void"}})
            case "set to cancel":
                self.sdk.subscriptions.update(made, {"cancel_at_period_end": True})
            case "canceled":
                self.sdk.subscriptions.cancel(made)
        return fresh.subject(customer, made)

    def shared(self, state: str) -> Subject:
        """A subject in the state for whoever only looks: one for all of them."""
        if state not in self._shared:
            self._shared[state] = self.in_state(state)
        return self._shared[state]

    def failed_invoice(self, code: str = "insufficient_funds") -> Subject:
        """A customer whose first invoice is open after a decline."""
        customer = self.customer()
        made = self.trial(customer)
        self.sandbox.add_card(customer, code)
        invoice = self.sdk.subscriptions.update(made, {"trial_end": "now"}).latest_invoice
        self.mirror("subscription", made)
        return fresh.subject(customer, str(invoice))

    def mirror(self, kind: str, id: str) -> None:
        """Brings one object into the tables."""
        answers.apply(complete.read(kind, id))

    def writes(self, path: str, method: str = "POST") -> list[dict[str, Any]]:
        """The requests that changed something under a path."""
        return [each for each in self.sandbox.requests(method=method) if each["path"].startswith(path)]


def press(
    person: Person, command: str, about: Subject, reason: str = "asked for it", **form: str
) -> tuple[Opened, Outcome]:
    """Opens a command's dialog and confirms it."""
    opened = commands.open(person, command, about.customer.id, about.object_id)
    return opened, commands.submit(opened, person, form, reason)


def asked(opened: Opened, form: Form) -> Preview:
    """What the dialog says once Stripe was asked."""
    opened.ask(form)
    return commands.preview(opened, form)


def happened(desk: Bench, command: str, about: Subject) -> list[object]:
    """The effects of a command in the account, one for each time that it was done."""
    if command in bench_invoices.FORMS:
        return bench_invoices.happened(desk, command, about)
    customer = about.customer.id
    match command:
        case "extend_trial":
            assert about.subscription and about.subscription.trial_end
            moved = desk.sdk.subscriptions.retrieve(about.object_id).trial_end or 0
            return [moved] * ((moved - about.subscription.trial_end) // (7 * clock.DAY))
        case "add_charge":
            charges = desk.sdk.charges.list({"customer": customer, "limit": 100}).data
            return [charge.id for charge in charges if charge.amount == 2500 and charge.paid]
        case "account_credit":
            moves = desk.sdk.customers.balance_transactions.list(customer).data
            return [move.id for move in moves if move.amount == -2000]
        case "change_plan":
            invoices = desk.sdk.invoices.list({"subscription": about.object_id}).data
            return [each.id for each in invoices if each.billing_reason == "subscription_update"]
        case "apply_coupon":
            return list(desk.sdk.subscriptions.retrieve(about.object_id).discounts)
        case "remove_coupon":
            return [1] * (not desk.sdk.subscriptions.retrieve(about.object_id).discounts)
        case "undo_cancel":
            return [1] * (not desk.sdk.subscriptions.retrieve(about.object_id).cancel_at_period_end)
        case "pause_collection":
            return [1] * bool(desk.sdk.subscriptions.retrieve(about.object_id).pause_collection)
        case "start_trial":
            return list(desk.sdk.subscriptions.list({"customer": customer, "status": "all"}).data)
        case "change_contact":
            return [1] * (desk.sdk.customers.retrieve(customer).name == "Augusta Ada")
        case "cancel":
            return [1] * (desk.sdk.subscriptions.retrieve(about.object_id).status == "canceled")
        case "reactivate":
            found = desk.sdk.subscriptions.list({"customer": customer, "status": "all"}).data
            return [each.id for each in found if each.id != about.object_id]
    paid = desk.sdk.charges.list({"customer": customer, "limit": 100}).data
    return [charge.id for charge in paid if charge.paid and charge.amount == 4900]


def prepare(desk: Bench, command: str) -> Subject:
    """Somebody for whom the command is offered."""
    if command in bench_invoices.FORMS:
        return bench_invoices.prepare(desk, command)
    if command == "apply_coupon":
        desk.coupon("FIFTH", 20)
    if command == "start_trial":
        return fresh.subject(desk.customer())
    if command != "retry_payment":
        found = desk.in_state(SUBJECTS[command])
        of_customer = catalog.find(command).about == {"customer"}
        return fresh.subject(found.customer.id) if of_customer else found
    about = desk.failed_invoice()
    desk.sandbox.add_card(about.customer.id)
    return about


def form_of(desk: Bench, command: str) -> Form:
    """What somebody fills in for the command."""
    return FORMS[command] | ({"price": desk.price()} if command == "start_trial" else {})


def row(token: str) -> dict[str, Any]:
    """The ledger's row of a token."""
    with database.session() as session:
        return ledger.get(session, token).model_dump()


def in_days(days: int) -> int:
    """The instant that many days ahead."""
    return clock.now() + days * clock.DAY


def within(seconds: float, what: Any) -> Any:
    """What a function returns as soon as it is true; fails after `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not true within {seconds} s")
