"""Is what a dialog says what the account does then?"""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
import sqlalchemy as sa
from sqlmodel import col

from models import Subscription
from services import clock, database
from services.customers import record, timeline
from services.desk import bulk_preview, catalog, commands, fresh, repeats, unknown, words
from services.metrics.trials import trials as metrics
from services.mirror import inbox
from services.stripe_api import writes
from services.stripe_api.client import Answer
from tests.desk.bench import ANA, Bench, press, row

pytestmark = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
CHARGE = {"amount": "25", "description": "Setup", "when": "now"}


@pytest.mark.parametrize("behaviour", ["cancel", "pause", "create_invoice"])
def test_what_happens_without_a_card_is_what_stripe_does(desk: Bench, behaviour: str) -> None:
    customer = desk.customer(None)
    subject = fresh.subject(customer, desk.trial(customer, without_card=behaviour))
    opened = commands.open(ANA, "end_trial", customer, subject.object_id)
    told = commands.preview(opened, {}).happens[1]
    assert commands.submit(opened, ANA, {}, "asked").state == "done"
    found = desk.sdk.subscriptions.retrieve(subject.object_id, {"expand": ["latest_invoice"]})
    promised = {"is canceled": "canceled", "pauses": "paused", "nobody can pay": "past_due"}
    assert [status for part, status in promised.items() if part in told] == [found.status]


@pytest.mark.parametrize("behaviour", ["cancel", "pause"])
def test_a_trial_that_is_ended_without_a_card_has_expired_at_once(desk: Bench, behaviour: str) -> None:
    customer = desk.customer(None)
    subject = fresh.subject(customer, desk.trial(customer, without_card=behaviour))
    assert press(ANA, "end_trial", subject)[1].state == "done"
    now = clock.now()
    trial = metrics.trials(now, whose=col(Subscription.customer) == customer).c
    with database.session() as session:
        (found,) = session.execute(sa.select(trial.state, trial.in_trial, trial.over_at))
    assert (found.state, found.in_trial) == ("expired", 0)
    assert now - 60 < found.over_at <= now


def test_what_ended_with_its_trial_was_not_asked_for(desk: Bench) -> None:
    bare, asked = desk.in_state("trialing without a card"), desk.in_state("trialing without a card")
    charged = desk.in_state("trialing")
    assert press(ANA, "end_trial", bare)[1].state == "done"
    assert press(ANA, "cancel", asked, when="now")[1].state == "done"
    assert press(ANA, "end_trial", charged)[1].state == "done"
    again = fresh.subject(charged.customer.id, charged.object_id)
    assert press(ANA, "cancel", again, when="now")[1].state == "done"
    happened = desk.sdk.events.list({"type": "customer.subscription.deleted", "limit": 3}).data
    with database.transaction() as session:
        inbox.put(session, [one.to_dict(for_json=True) for one in happened], "poll")
    inbox.drain()
    told, without_method = [], []
    for subject in (bare, asked, charged):
        with database.session() as session:
            page = timeline.latest(session, ANA, subject.customer.id, ["Billing"], words, limit=20)
            (plan,) = record.read(session, subject.customer.id, now=clock.now()).plans
        without_method.append(plan.without_method)
        told += [entry.title for entry in page.entries if "subscription ended" in entry.title]
    assert told == [
        "The subscription ended with its trial, as there was no payment method",
        "The subscription ended as asked for",
        "The subscription ended as asked for",
    ]
    assert without_method == [True, False, False]


def test_what_is_special_with_some_of_several_trials_is_told(desk: Bench) -> None:
    plain, leaving, dated, bare, billed = (
        desk.in_state("trialing"), desk.in_state("trialing"), desk.in_state("trialing"),
        desk.in_state("trialing without a card"), desk.in_state("trialing without a card"),
    )  # fmt: skip
    update = desk.sdk.subscriptions.update
    update(leaving.object_id, {"cancel_at_period_end": True})
    update(dated.object_id, {"cancel_at": clock.now() + 20 * clock.DAY})
    update(billed.object_id, {"collection_method": "send_invoice", "days_until_due": 9})
    ids = [each.object_id for each in (plain, leaving, dated, bare, billed)]
    for id in ids:
        desk.mirror("subscription", id)
    with database.session() as session:
        assert bulk_preview.look(session, "extend_trial", ids).unusual == {
            "Set to cancel, and that moves along with the end of the trial, so that nothing is charged": [
                leaving.object_id
            ],
            "Set to cancel on a day that stays as it is": [dated.object_id],
            "Without a card, so that it is canceled at the new end": [bare.object_id],
        }


def test_canceling_now_warns_of_use_that_is_not_billed(desk: Bench) -> None:
    calls = desk.sdk.products.create({"name": "API calls"}).id
    by_use: Any = {"interval": "month", "usage_type": "metered"}
    price = desk.sdk.prices.create(
        {"product": calls, "unit_amount": 10, "currency": "usd", "recurring": by_use}
    )
    desk.mirror("product", calls)
    desk.mirror("price", price.id)
    made = desk.subscribe(customer := desk.customer(), items=[{"price": desk.price()}, {"price": price.id}])
    opened = commands.open(ANA, "cancel", customer, made)
    warned = "What was used of API calls since the last invoice is not billed."
    assert warned in commands.preview(opened, {"when": "now"}).warnings
    assert warned not in commands.preview(opened, {"when": "period_end"}).warnings
    invoices = len(desk.sdk.invoices.list({"customer": customer}).data)
    assert commands.submit(opened, ANA, {"when": "now"}, "asked").state == "done"
    assert len(desk.sdk.invoices.list({"customer": customer}).data) == invoices
    plain = desk.shared("active")
    opened = commands.open(ANA, "cancel", plain.customer.id, plain.object_id)
    assert "What was used" not in " ".join(commands.preview(opened, {"when": "now"}).warnings)


def test_canceling_now_leaves_of_what_waits_what_was_said(desk: Bench) -> None:
    subject = desk.in_state("active")
    other = desk.subscribe(subject.customer.id, items=[{"price": desk.price(9900)}])
    desk.sandbox.add_card(subject.customer.id, "insufficient_funds")
    extra = {"customer": subject.customer.id, "currency": "usd"}
    desk.sdk.invoice_items.create({**extra, "amount": 2500, "subscription": subject.object_id})
    [item] = desk.sdk.subscriptions.retrieve(subject.object_id)["items"].data
    desk.sdk.subscriptions.update(subject.object_id, {"items": [{"id": item.id, "quantity": 2}]})
    for waits in desk.sdk.invoice_items.list({"customer": subject.customer.id, "pending": True}).data:
        desk.mirror("invoiceitem", waits.id)
    anew: Any = {"billing_cycle_anchor": {"type": "now"}, "proration_behavior": "none"}
    owed = desk.sdk.subscriptions.update(other, anew).latest_invoice
    assert desk.sdk.invoices.retrieve(str(owed)).next_payment_attempt
    opened = commands.open(ANA, "cancel", subject.customer.id, subject.object_id)
    told = " ".join([*(shown := commands.preview(opened, {"when": "now"})).happens, *shown.warnings])
    assert commands.submit(opened, ANA, {"when": "now"}, "asked").state == "done"
    left = desk.sdk.invoice_items.list({"customer": subject.customer.id, "pending": True}).data
    assert [waits.amount for waits in left] == [2500]
    assert "$25.00 waits" in told and "is dropped" in told
    assert "If invoices of the customer are open, Stripe stops collecting them" in told
    assert desk.sdk.invoices.retrieve(str(owed)).next_payment_attempt is None


@pytest.mark.parametrize("fails", [True, False])
def test_ending_a_trial_leaves_what_was_said_where_the_card_is_declined(desk: Bench, fails: bool) -> None:
    subject = desk.in_state("trialing")
    if fails:
        desk.sandbox.add_card(subject.customer.id, "insufficient_funds")
    opened = commands.open(ANA, "end_trial", subject.customer.id, subject.object_id)
    told = " ".join(commands.preview(opened, {}).warnings)
    assert "If the payment fails, the subscription is past due and its invoice stays open" in told
    assert "Stripe tries it again by the account's retry settings." in told
    assert commands.submit(opened, ANA, {}, "asked").state == "done"
    found = desk.sdk.subscriptions.retrieve(subject.object_id)
    invoice = desk.sdk.invoices.retrieve(str(found.latest_invoice))
    assert (found.status, invoice.status) == (("past_due", "open") if fails else ("active", "paid"))
    assert bool(invoice.next_payment_attempt) == fails


@pytest.mark.parametrize("how", ["free", "by hand", "without a card", "collection paused"])
def test_ending_a_trial_warns_of_no_decline_where_no_card_is_charged(desk: Bench, how: str) -> None:
    customer = desk.customer(None if how == "without a card" else "ok", balance=-9000 * (how == "free"))
    made = desk.trial(customer)
    if how == "by hand":
        desk.sdk.subscriptions.update(made, {"collection_method": "send_invoice", "days_until_due": 9})
    elif how == "collection paused":
        desk.sdk.subscriptions.update(made, {"pause_collection": {"behavior": "void"}})
    opened = commands.open(ANA, "end_trial", customer, made)
    assert "If the payment fails" not in " ".join(commands.preview(opened, {}).warnings)


def test_a_subscription_starts_again_in_its_own_currency(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = desk.sdk.products.create({"name": "Everywhere"}).id
    many: Any = {"unit_amount": 4900, "currency": "usd", "currency_options": {"eur": {"unit_amount": 4500}}}
    price = desk.sdk.prices.create({"product": product, "recurring": {"interval": "month"}, **many})
    desk.mirror("product", product)
    desk.mirror("price", price.id)
    old = desk.subscribe(customer := desk.customer(), items=[{"price": price.id}], currency="eur")
    desk.sdk.subscriptions.cancel(old)
    asked = [Mock(wraps=writes.preview_invoice), Mock(wraps=writes.subscribe)]
    for name, spy in zip(("preview_invoice", "subscribe"), asked, strict=True):
        monkeypatch.setattr(writes, name, spy)
    opened = commands.open(ANA, "reactivate", customer, old)
    told = commands.preview(opened, {}).happens
    assert "€45.00 a month" in told[0] and "€45.00 is charged now" in told[-1]
    outcome = commands.submit(opened, ANA, {}, "came back")
    assert outcome.state == "done", outcome
    assert [{call.args[0].get("currency") for call in spy.call_args_list} for spy in asked] == [{"eur"}] * 2
    new = desk.sdk.subscriptions.retrieve(row(opened.token)["result"]["new_subscription"])
    assert new.currency == "eur"


def test_a_new_subscription_that_is_paid_by_invoice_charges_nobody(desk: Bench) -> None:
    customer = desk.customer(None)
    old = desk.subscribe(customer, collection_method="send_invoice", days_until_due=14)
    desk.sdk.subscriptions.cancel(old)
    opened = commands.open(ANA, "reactivate", customer, old)
    told = commands.preview(opened, {})
    assert "An invoice for $49.00 is sent to the customer, within about an hour." in told.happens
    assert told.warnings == ()


@pytest.mark.parametrize("balance", [0, -1000, -9000, 500])
def test_what_is_charged_now_is_what_was_said(desk: Bench, balance: int) -> None:
    customer = desk.customer()
    made = desk.subscribe(customer)
    desk.sdk.customers.update(customer, {"balance": balance})
    before = len(desk.sdk.charges.list({"customer": customer}).data)
    opened = commands.open(ANA, "add_charge", customer, made)
    told = " ".join(commands.preview(opened, CHARGE).happens)
    assert commands.submit(opened, ANA, CHARGE, "asked").state == "done"
    charges = desk.sdk.charges.list({"customer": customer}).data
    taken = [charge.amount for charge in charges[: len(charges) - before]]
    assert taken == [due for due in (max(0, 2500 + balance),) if due]
    assert ("nothing is charged" in told) == (not taken)
    assert all(words.money(each, "usd") in told for each in taken)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (-9000, 5000, "reckoned with $90.00 of credit; by now the customer has $50.00 owed from before."),
        (0, -1000, "reckoned with no balance; by now the customer has $10.00 of credit."),
    ],
)
def test_a_balance_that_changed_while_the_dialog_was_open_charges_nothing(
    desk: Bench, before: int, after: int, told: str
) -> None:
    customer = desk.customer()
    made = desk.subscribe(customer)
    desk.sdk.customers.update(customer, {"balance": before})
    charged = len(desk.sdk.charges.list({"customer": customer}).data)
    opened = commands.open(ANA, "add_charge", customer, made)
    desk.sdk.customers.update(customer, {"balance": after})
    outcome = commands.submit(opened, ANA, CHARGE, "asked")
    assert outcome.state == "failed" and told in outcome.message
    assert len(desk.sdk.charges.list({"customer": customer}).data) == charged
    assert desk.sdk.customers.retrieve(customer).balance == after
    assert not row(opened.token)["result"], "not even a draft was made"


def test_credit_that_the_charge_used_itself_does_not_stop_its_payment(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "PAUSES", (0.0,))
    customer = desk.customer()
    made = desk.subscribe(customer)
    desk.sdk.customers.update(customer, {"balance": -1000})
    opened = commands.open(ANA, "add_charge", customer, made)
    finalize = writes.finalize

    def finalized(invoice: str, key: str) -> Answer:
        answer = finalize(invoice, key)
        desk.sandbox.fault("timeout_before", method="POST", path=f"/v1/invoices/{invoice}/pay")
        return answer

    monkeypatch.setattr(writes, "finalize", finalized)
    assert commands.submit(opened, ANA, CHARGE, "asked").state == "unknown"
    desk.sandbox.heal()
    assert desk.sdk.customers.retrieve(customer).balance == 0
    assert unknown.try_again(ANA, opened.token).state == "done"


def test_an_uncollectible_invoice_is_not_said_to_be_open_again_some_day(desk: Bench) -> None:
    subject = desk.failed_invoice()
    desk.sdk.invoices.mark_uncollectible(subject.object_id)
    reason = catalog.find("retry_payment").offered(fresh.subject(subject.customer.id, subject.object_id))
    assert reason == "The invoice was marked as uncollectible. The customer can still pay it by its link."


def test_undoing_on_a_trial_without_a_card_is_done_as_said(desk: Bench) -> None:
    subject = desk.in_state("trialing without a card")
    desk.sdk.subscriptions.update(subject.object_id, {"cancel_at_period_end": True})
    opened, outcome = press(ANA, "undo_cancel", subject)
    told = " ".join(commands.preview(opened, {}).happens)
    assert "No card is on file: unless the customer adds one, the subscription is canceled on" in told
    assert outcome.state == "done" and "payment" not in told
