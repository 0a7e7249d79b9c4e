"""All overdue invoices of a customer in one request: each has an outcome, and one refusal stops no other."""

from __future__ import annotations

import pytest

from models import Customer, Subscription
from services import database
from services.desk import activity, catalog, commands, fresh, repeats, unknown
from services.desk.activity import ActivityFilter
from services.desk.retrying import RetryAll
from services.desk.subject import Subject
from services.errors import Conflict
from tests.desk.bench import ANA, BEN, Bench, press, row
from tests.desk.bench_invoices import owing

SQLITE = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")


def numbers(desk: Bench, customer: str) -> dict[str, str | None]:
    """The customer's invoices, oldest first: how they are called, and their status."""
    found = reversed(desk.sdk.invoices.list({"customer": customer}).data)
    return {f"Invoice {each.number}": each.status for each in found}


def test_each_invoice_has_an_outcome_of_its_own(desk: Bench) -> None:
    customer = owing(desk, 3)
    good = desk.sandbox.add_card(customer)
    desk.sandbox.behave(good["id"], "insufficient_funds", times=1)
    opened, _ = press(ANA, "retry_all", fresh.subject(customer))
    outcome = commands.wait(opened.token, 60)
    first, second, third = numbers(desk, customer)
    assert outcome.state == "done"
    why = "not paid. Declined, nothing was charged. There was not enough money on the card."
    assert outcome.message.startswith(f"{first}: {why}"), outcome
    assert outcome.message.endswith(f"{second}: paid. {third}: paid."), outcome
    assert list(numbers(desk, customer).values()) == ["open", "paid", "paid"]
    with database.session() as session:
        [entry] = activity.search(session, ANA, ActivityFilter(customer=customer))
    assert (entry.state, (entry.result or {})[second]) == ("done", "paid.")
    told = row(opened.token)["preview"]["happens"]
    assert told[0] == "3 invoices are charged now, one after the other, $60.00 in all."
    assert told[1].startswith(f"{first}: $10.00, to the ")
    left = catalog.find("retry_all").offered(fresh.subject(customer, debts=True))
    assert left == "Only one overdue invoice can be tried: retry its payment."


def test_what_they_come_to_is_said_in_each_currency() -> None:
    invoices = [
        {"id": f"in_{at}", "called": f"Invoice {at}", "amount": amount, "currency": currency}
        for at, (amount, currency) in enumerate([(1000, "usd"), (500, "jpy"), (2050, "usd")])
    ]
    happens = RetryAll().preview(Subject(Customer(id="cus_jo")), {"invoices": invoices}, None, 0).happens
    assert happens == ("3 invoices are charged now, one after the other, ¥500 and $30.50 in all.",)


@SQLITE
def test_where_none_was_paid_it_failed(desk: Bench) -> None:
    customer = owing(desk, 2)
    opened, _ = press(ANA, "retry_all", fresh.subject(customer))
    outcome = commands.wait(opened.token, 60)
    assert outcome.state == "failed" and outcome.message.count("not paid.") == 2, outcome
    assert list(numbers(desk, customer).values()) == ["open", "open"]
    assert row(opened.token)["attempt"] == 1


@SQLITE
def test_what_was_paid_meanwhile_stops_it(desk: Bench) -> None:
    customer = owing(desk, 3)
    opened = commands.open(ANA, "retry_all", customer)
    desk.sandbox.add_card(customer)
    first, *_ = desk.sdk.invoices.list({"customer": customer}).data
    desk.sdk.invoices.pay(first.id)
    outcome = commands.submit(opened, ANA, {}, "asked")
    assert outcome.overtaken and "has changed since the dialog was opened" in outcome.message
    assert sorted(map(str, numbers(desk, customer).values())) == ["open", "open", "paid"]


@SQLITE
def test_what_is_unknown_is_finished_later_and_nothing_is_paid_twice(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "PAUSES", (0.01,))
    customer = owing(desk, 2)
    desk.sandbox.add_card(customer)
    opened = commands.open(ANA, "retry_all", customer)
    second = list(reversed(desk.sdk.invoices.list({"customer": customer}).data))[1]
    desk.sandbox.fault("timeout_before", method="POST", path=f"/v1/invoices/{second.id}")
    assert commands.submit(opened, ANA, {}, "asked").state == "unknown"
    desk.sandbox.heal()
    assert list(numbers(desk, customer).values()) == ["paid", "open"]
    assert unknown.try_again(BEN, opened.token).state == "done"
    charges = desk.sdk.charges.list({"customer": customer}).data
    assert sorted(each.amount for each in charges if each.paid) == [1000, 2000]


@SQLITE
def test_who_owes_nothing_or_has_no_card_is_told_so(desk: Bench) -> None:
    nobody = desk.customer()
    with pytest.raises(Conflict, match="No invoice of this customer is overdue"):
        commands.open(ANA, "retry_all", nobody)
    lost = owing(desk, 2)
    card = desk.sdk.customers.retrieve(lost).invoice_settings
    assert card is not None
    desk.sdk.payment_methods.detach(str(card.default_payment_method))
    with pytest.raises(Conflict, match="No card is on file"):
        commands.open(ANA, "retry_all", lost)


@SQLITE
def test_the_subscriptions_that_were_paid_for_are_active_at_once(desk: Bench) -> None:
    customer = desk.customer()
    plans = [desk.trial(customer) for _ in range(2)]
    desk.sandbox.add_card(customer, "insufficient_funds")
    for plan in plans:
        due = desk.sdk.subscriptions.update(plan, {"trial_end": "now"}).latest_invoice
        desk.mirror("subscription", plan)
        fresh.subject(customer, str(due))
    desk.sandbox.add_card(customer)
    _, outcome = press(ANA, "retry_all", fresh.subject(customer, debts=True))
    assert outcome.state == "done", outcome
    with database.session() as session:
        assert [session.get_one(Subscription, plan).status for plan in plans] == ["active", "active"]
