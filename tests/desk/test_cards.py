"""Is the card that a dialog names the card that is charged?"""

from __future__ import annotations

import pytest

from models import Action
from services import database
from services.desk import commands, fresh, ledger, runner, words
from services.desk.commands import Opened, Outcome
from services.desk.subject import Subject
from tests.desk.bench import ANA, FORMS, Bench, press, row

pytestmark = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
COMMANDS = ("add_charge", "retry_payment")


def card(desk: Bench, customer: str, test_card: str = "pm_card_amex") -> str:
    """Another card of the customer, which is not the default."""
    return desk.sdk.payment_methods.attach(test_card, {"customer": customer}).id


def prepared(desk: Bench, command: str) -> Subject:
    """Somebody whose default card works; the invoice that is retried failed on another."""
    about = desk.in_state("active") if command == "add_charge" else desk.failed_invoice()
    if command == "retry_payment":
        desk.sandbox.add_card(about.customer.id)
    return about


def opened_for(command: str, about: Subject) -> Opened:
    return commands.open(ANA, command, about.customer.id, about.object_id)


def submit(opened: Opened) -> Outcome:
    return commands.submit(opened, ANA, FORMS[opened.command.name], "asked for it")


def named(opened: Opened) -> str:
    return " ".join(commands.preview(opened, FORMS[opened.command.name]).happens)


def charged(desk: Bench, about: Subject) -> list[str]:
    """The cards of the customer's charges that were paid, oldest first."""
    found = desk.sdk.charges.list({"customer": about.customer.id, "limit": 100}).data
    return [str(charge.payment_method) for charge in reversed(found) if charge.paid]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_subscriptions_card_is_named_and_charged(desk: Bench, command: str) -> None:
    about = prepared(desk, command)
    assert about.subscription
    amex = card(desk, about.customer.id)
    desk.sdk.subscriptions.update(about.subscription.id, {"default_payment_method": amex})
    opened = opened_for(command, about)
    assert "the Amex card ending in 8431" in named(opened)
    outcome = submit(opened)
    assert outcome.state == "done", outcome
    assert charged(desk, about)[-1] == amex


@pytest.mark.parametrize("command", COMMANDS)
def test_a_card_that_changed_while_the_dialog_was_open_is_not_charged(desk: Bench, command: str) -> None:
    about = prepared(desk, command)
    before = charged(desk, about)
    opened = opened_for(command, about)
    assert "the Visa card ending in 4242" in named(opened)
    desk.sandbox.add_card(about.customer.id, "pm_card_amex")
    outcome = submit(opened)
    assert outcome.state == "failed", outcome
    assert "named the Visa card ending in 4242; by now Stripe would charge the Amex card ending in 8431" in (
        outcome.message
    )
    assert charged(desk, about) == before
    assert not row(opened.token)["result"], "not even a draft was made"
    again = opened_for(command, about)
    assert "Amex" in named(again) and submit(again).state == "done"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_card_that_is_default_only_after_the_check_is_not_charged(
    desk: Bench, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = prepared(desk, command)
    opened = opened_for(command, about)
    check = runner.check

    def checked(token: str, attempt: int) -> list[str]:
        names = check(token, attempt)
        desk.sandbox.add_card(about.customer.id, "pm_card_amex")
        return names

    monkeypatch.setattr(runner, "check", checked)
    assert submit(opened).state == "done"
    assert charged(desk, about)[-1] == opened.subject.payment_method


@pytest.mark.parametrize("command", COMMANDS)
def test_a_source_is_charged_as_one(desk: Bench, command: str) -> None:
    about = prepared(desk, command)
    customer = about.customer.id
    source = card(desk, customer)
    desk.sdk.payment_methods.detach(str(fresh.subject(customer).payment_method))
    desk.sdk.customers.update(customer, {"default_source": source})
    opened = opened_for(command, about)
    assert opened.subject.charged_to == {"source": source}
    assert words.card(opened.subject.card) in named(opened)
    assert submit(opened).state == "done"
    assert charged(desk, about)[-1] == source


def test_a_declined_charge_is_retried_with_the_card_that_came_after(desk: Bench) -> None:
    about = desk.in_state("active")
    assert about.subscription
    amex = card(desk, about.customer.id)
    desk.sdk.subscriptions.update(about.subscription.id, {"default_payment_method": amex})
    desk.sandbox.behave(amex, "lost_card")
    _, outcome = press(ANA, "add_charge", about, **FORMS["add_charge"])
    assert outcome.state == "failed" and outcome.next_step, outcome
    new = str(desk.sandbox.add_card(about.customer.id)["id"])
    invoice = fresh.subject(about.customer.id, outcome.next_step.object_id)
    _, again = press(ANA, "retry_payment", invoice)
    assert again.state == "done", again
    assert charged(desk, about)[-1] == new


@pytest.mark.parametrize("command", COMMANDS)
def test_what_an_earlier_desk_began_is_finished_with_its_own_request(desk: Bench, command: str) -> None:
    about = prepared(desk, command)
    opened = opened_for(command, about)
    params = opened.command.parse(opened.subject, FORMS[command], 0)
    del params["charged_to"]
    with database.transaction() as session:
        assert ledger.begin(session, opened.token, params=params, reason="", preview={})
    runner.start(Action(**row(opened.token)), 1, opened.subject.partition)
    assert commands.wait(opened.token).state == "done"
