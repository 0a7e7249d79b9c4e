"""Is the card that a dialog names the card that is charged?"""

from __future__ import annotations

import pytest

from models import Action, Customer
from services import clock, database
from services.desk import catalog, commands, fresh, ledger, loading, runner, words
from services.desk.commands import Opened, Outcome
from services.desk.subject import Subject
from services.mirror import answers
from services.stripe_api.client import Answer
from tests.desk.bench import ANA, FORMS, Bench, press, row

pytestmark = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
COMMANDS = ("add_charge", "retry_payment")


def card(desk: Bench, customer: str, test_card: str = "pm_card_amex") -> str:
    """Another card of the customer, which is not the default."""
    return desk.sdk.payment_methods.attach(test_card, {"customer": customer}).id


def prepared(desk: Bench, command: str) -> Subject:
    """Somebody whose default card works; the invoice that is retried failed on another."""
    if command == "reactivate":
        return desk.in_state("canceled")
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


@pytest.mark.parametrize("has_default", [True, False])
def test_what_follows_an_ended_subscription_goes_by_the_customers_card_first(
    desk: Bench, has_default: bool
) -> None:
    about = desk.in_state("active")
    customer, visa = about.customer.id, str(about.payment_method)
    amex = card(desk, customer)
    desk.sdk.subscriptions.update(about.object_id, {"default_payment_method": amex})
    desk.sdk.subscriptions.cancel(about.object_id)
    if not has_default:
        desk.sdk.customers.update(customer, {"invoice_settings": {"default_payment_method": ""}})
    opened = opened_for("reactivate", fresh.subject(customer, about.object_id))
    which = "the Visa card ending in 4242" if has_default else "the Amex card ending in 8431"
    assert f"is charged now to {which}." in named(opened)
    assert submit(opened).state == "done"
    assert charged(desk, about)[-1] == (visa if has_default else amex)


@pytest.mark.parametrize("command", [*COMMANDS, "reactivate"])
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


def on_a_source(desk: Bench, command: str, *, has_default: bool) -> tuple[Subject, str]:
    """Somebody whose subscription is charged to a source of its own, and the source."""
    customer = desk.customer("ok" if has_default else None)
    source = card(desk, customer)
    if command == "retry_payment":
        desk.sandbox.behave(source, "insufficient_funds")
    trial = {"trial_period_days": 7} if command in ("end_trial", "retry_payment") else {}
    made = desk.subscribe(customer, default_source=source, **trial)
    if command == "retry_payment":
        invoice = desk.sdk.subscriptions.update(made, {"trial_end": "now"}).latest_invoice
        desk.sandbox.behave(source, "ok")
        return fresh.subject(customer, str(invoice)), source
    if command == "reactivate":
        desk.sdk.subscriptions.cancel(made)
    return fresh.subject(customer, made), source


@pytest.mark.parametrize("has_default", [True, False])
@pytest.mark.parametrize("command", [*COMMANDS, "end_trial"])
def test_a_subscriptions_own_source_comes_before_the_customers_card(
    desk: Bench, command: str, has_default: bool
) -> None:
    about, source = on_a_source(desk, command, has_default=has_default)
    opened = opened_for(command, about)
    assert opened.subject.charged_to == {"source": source}
    assert "No card" not in named(opened)
    assert command == "end_trial" or words.card(opened.subject.card) in named(opened)
    assert submit(opened).state == "done"
    assert charged(desk, about)[-1] == source


@pytest.mark.parametrize("has_default", [True, False])
def test_a_new_subscription_gets_the_old_ones_source_where_the_customer_has_no_card(
    desk: Bench, has_default: bool
) -> None:
    about, source = on_a_source(desk, "reactivate", has_default=has_default)
    opened = opened_for("reactivate", about)
    outcome = submit(opened)
    assert outcome.state == "done", outcome
    made = desk.sdk.subscriptions.retrieve(row(opened.token)["result"]["new_subscription"])
    assert made.default_source == (None if has_default else source)
    assert charged(desk, about)[-1] == opened.subject.payment_method
    assert (opened.subject.payment_method == source) == (not has_default)


def test_a_source_is_named_once_it_was_charged(desk: Bench) -> None:
    about = desk.in_state("active")
    [paid] = desk.sdk.charges.list({"customer": about.customer.id}).data
    charge = {**paid.to_dict(for_json=True), "id": f"{paid.id}s", "payment_method": f"card_{paid.id}"}
    with database.transaction() as session:
        owner = session.get(Customer, about.customer.id)
        assert owner
        owner.default_payment_method, owner.default_source = None, charge["payment_method"]
        session.add(owner)
    for named in ("the card on file", "the Visa card ending in 4242"):
        with database.session() as session:
            now = loading.load(session, about.customer.id, about.object_id)
        assert now.charged_to == {"source": charge["payment_method"]}
        assert words.card(now.card) == named
        answers.apply(Answer(charge, clock.now(), ""))


@pytest.mark.parametrize("has_default", [True, False])
def test_who_has_canceled_is_charged_in_one_place(desk: Bench, has_default: bool) -> None:
    ended, _ = on_a_source(desk, "reactivate", has_default=has_default)
    command, whole = catalog.find("add_charge"), fresh.subject(ended.customer.id)
    assert [command.offered(whole) == "", command.offered(ended) == ""] == [has_default, not has_default]
    chosen = commands.open(ANA, "add_charge", ended.customer.id)
    assert chosen.subject.kind == ("customer" if has_default else "subscription")
    outcome = commands.submit(chosen, ANA, FORMS["add_charge"], "asked for it")
    assert outcome.state == "done", outcome
    assert charged(desk, ended)[-1] == chosen.subject.payment_method


def test_beside_a_subscription_that_runs_an_ended_one_takes_no_charge(desk: Bench) -> None:
    ended = desk.in_state("canceled")
    running = desk.subscribe(ended.customer.id)
    both = [fresh.subject(ended.customer.id, id) for id in (running, ended.object_id)]
    assert [catalog.find("add_charge").offered(one) for one in both] == [
        "", "This subscription is over. Add the charge to one that runs."
    ]  # fmt: skip


def stuck(desk: Bench, customer: str, status: str) -> str:
    """A subscription in the status, of a customer who has no default card and gets none."""
    if status == "incomplete":
        return desk.subscribe(customer, payment_behavior="default_incomplete")
    if status == "unpaid":
        desk.sandbox.add_card(customer, "insufficient_funds")
    made = desk.trial(customer, without_card="pause")
    desk.sandbox.control("POST", "settings", retry_after_days=[0], when_retries_end="unpaid")
    desk.sdk.subscriptions.update(made, {"trial_end": "now"})
    desk.sandbox.advance(seconds=1)
    desk.sandbox.control("POST", "settings", retry_after_days=[3, 5, 7], when_retries_end="cancel")
    desk.sdk.customers.update(customer, {"invoice_settings": {"default_payment_method": ""}})
    return made


@pytest.mark.parametrize("status", ["paused", "unpaid", "incomplete"])
def test_beside_one_that_can_take_no_charge_the_ended_ones_card_pays(desk: Bench, status: str) -> None:
    ended, source = on_a_source(desk, "reactivate", has_default=False)
    customer, offered = ended.customer.id, catalog.find("add_charge").offered
    beside = fresh.subject(customer, stuck(desk, customer, status))
    assert beside.subscription and beside.subscription.status == status
    assert "neither a next invoice nor a card" in offered(beside)
    assert "one of the subscriptions" in offered(fresh.subject(customer))
    chosen = commands.open(ANA, "add_charge", customer)
    assert chosen.subject.object_id == ended.object_id
    assert submit(chosen).state == "done"
    assert charged(desk, ended)[-1] == source
    desk.sandbox.add_card(customer)
    both = [fresh.subject(customer, one.object_id) for one in (beside, ended)]
    assert [offered(one) == "" for one in both] == [True, False], "the customer's card comes first"


def test_a_charge_to_a_source_leaves_an_invoice_that_is_retried_with_it(desk: Bench) -> None:
    about, source = on_a_source(desk, "add_charge", has_default=False)
    desk.sandbox.behave(source, "insufficient_funds")
    _, outcome = press(ANA, "add_charge", about, **FORMS["add_charge"])
    assert outcome.state == "failed" and outcome.next_step, outcome
    desk.sandbox.behave(source, "ok")
    invoice = fresh.subject(about.customer.id, outcome.next_step.object_id)
    assert invoice.invoice and invoice.invoice.default_source == source
    _, again = press(ANA, "retry_payment", invoice)
    assert again.state == "done", again
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
