"""Is it told what Stripe does with less than its smallest charge: it moves to the customer's balance?"""

from __future__ import annotations

import pytest

from services import database
from services.desk import activity, commands, fresh
from services.desk.activity import ActivityFilter
from services.desk.subject import Subject
from tests.desk.bench import ANA, FORMS, Bench, row

CHARGE = FORMS["add_charge"]
GOES = "is less than Stripe charges: it goes to the customer's balance, and the invoice counts as paid."
WENT = "is less than Stripe charges: it went to the customer's balance."


def charges(desk: Bench, about: Subject) -> list[int]:
    """What was charged to the customer, newest first."""
    return [each.amount for each in desk.sdk.charges.list({"customer": about.customer.id}).data]


def ledgered(token: str) -> str:
    """What Activity says that an action came to."""
    with database.session() as session:
        found = activity.search(session, ANA, ActivityFilter())
    return next(entry.charged for entry in found if entry.token == token)


@pytest.mark.parametrize(("credit", "taken"), [(2450, [50]), (2451, []), (2480, []), (2500, [])])
def test_what_credit_leaves_of_a_charge_is_charged_only_where_stripe_charges_it(
    desk: Bench, credit: int, taken: list[int]
) -> None:
    about = desk.in_state("active")
    desk.sdk.customers.update(about.customer.id, {"balance": -credit})
    before = charges(desk, about)
    opened = commands.open(ANA, "add_charge", about.customer.id, about.object_id)
    told = commands.preview(opened, CHARGE)
    outcome = commands.submit(opened, ANA, CHARGE, "asked")
    rest = 2500 - credit
    carried = rest if rest and not taken else 0
    assert outcome.state == "done", outcome
    assert charges(desk, about) == [*taken, *before]
    assert desk.sdk.customers.retrieve(about.customer.id).balance == carried
    assert (f"$0.{rest:02} {GOES}" in told.happens) == bool(carried)
    assert (f"$0.{rest:02} {WENT}" in outcome.message) == bool(carried)
    assert (told.warnings == ()) == ("Nothing was charged." in outcome.message) == (not taken)
    assert f"${credit / 100:.2f} was taken from the customer's credit." in outcome.message


def test_the_ledger_tells_credit_and_what_was_moved_apart(desk: Bench) -> None:
    about = desk.in_state("active")
    desk.sdk.customers.update(about.customer.id, {"balance": -2480})
    opened = commands.open(ANA, "add_charge", about.customer.id, about.object_id)
    assert commands.submit(opened, ANA, CHARGE, "asked").state == "done"
    assert ledgered(opened.token) == "$24.80 paid from credit, $0.20 moved to the customer's balance"
    invoice = desk.sdk.invoices.retrieve(row(opened.token)["result"]["invoice"])
    assert (invoice.status, invoice.amount_due, invoice.ending_balance) == ("paid", 0, 20)


def test_a_next_invoice_of_which_credit_leaves_too_little_says_so(desk: Bench) -> None:
    about = desk.in_state("active")
    desk.sdk.customers.update(about.customer.id, {"balance": -(4900 + 2480)})
    opened = commands.open(ANA, "add_charge", about.customer.id, about.object_id)
    told = commands.preview(opened, {**CHARGE, "when": "next"}).happens[-1]
    assert told == f"That invoice then comes to $0.20, before any tax on this amount. $0.20 {GOES}"


def cheap(desk: Bench, command: str) -> Subject:
    """A customer with a plan of 30 cents, for whom the command is offered."""
    items = [{"price": desk.price(30)}]
    customer = desk.customer(None if command == "reactivate a paused one" else "ok")
    match command:
        case "end_trial":
            made = desk.trial(customer, items=items)
        case "reactivate a paused one":
            made = desk.trial(customer, without_card="pause", items=items)
            desk.sdk.subscriptions.update(made, {"trial_end": "now"})
            desk.sandbox.add_card(customer)
        case _:
            made = desk.subscribe(customer, items=items)
            desk.sdk.customers.update(customer, {"balance": 0})
    if command == "undo_cancel":
        desk.sdk.subscriptions.update(made, {"cancel_at_period_end": True})
    elif command == "reactivate":
        desk.sdk.subscriptions.cancel(made)
    return fresh.subject(customer, made)


@pytest.mark.parametrize("command", ["end_trial", "reactivate", "reactivate a paused one"])
def test_a_first_period_that_is_too_cheap_to_charge_charges_nobody(desk: Bench, command: str) -> None:
    about = cheap(desk, command)
    opened = commands.open(ANA, command.split()[0], about.customer.id, about.object_id)
    told = " ".join(commands.preview(opened, {}).happens)
    outcome = commands.submit(opened, ANA, {}, "asked")
    assert outcome.state == "done", outcome
    assert charges(desk, about) == []
    assert desk.sdk.customers.retrieve(about.customer.id).balance == 30
    assert f"now. $0.30 {GOES}" in told and "is charged now to" not in told
    assert ledgered(opened.token) == "$0.30 moved to the customer's balance"
    assert f"$0.30 {WENT}" in outcome.message


def test_a_next_invoice_that_is_too_cheap_to_charge_says_so(desk: Bench) -> None:
    about = cheap(desk, "undo_cancel")
    opened = commands.open(ANA, "undo_cancel", about.customer.id, about.object_id)
    told = commands.preview(opened, {}).happens[-1]
    assert told.startswith("Nothing has to be paid on ") and told.endswith(f"$0.30 {GOES}")


def test_a_retry_of_less_than_stripe_charges_warns_of_a_refusal(desk: Bench) -> None:
    about = desk.failed_invoice()
    warned = "$0.20 is less than Stripe charges: it may refuse this."
    opened = commands.open(ANA, "retry_payment", about.customer.id, about.object_id)
    assert warned not in commands.preview(opened, {}).warnings
    desk.sdk.credit_notes.create({"invoice": about.object_id, "amount": 4880})
    opened = commands.open(ANA, "retry_payment", about.customer.id, about.object_id)
    assert warned in commands.preview(opened, {}).warnings
