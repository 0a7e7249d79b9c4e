"""Is credit given and taken as the dialog said, and used as it said?"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from models import Customer
from services import database
from services.desk import commands, fresh, subject, words
from services.desk.command import Quote
from services.desk.entries import told
from services.errors import InvalidInput, NotAllowed
from tests.desk.bench import ANA, BEN, SAM, Bench, press, row
from tests.desk.test_inputs import NOW, TRIAL_END, about, parse
from tests.desk.test_promises import DUE, said

SQLITE = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
GIVE = {"way": "give", "amount": "20", "description": "Sorry for the outage"}


def payer(desk: Bench) -> subject.Subject:
    """A customer with a running subscription."""
    return fresh.subject(desk.in_state("active").customer.id)


@SQLITE
def test_credit_pays_for_the_next_invoice_as_announced(desk: Bench) -> None:
    who = payer(desk)
    opened = commands.open(ANA, "account_credit", who.customer.id)
    announced = " ".join(commands.preview(opened, GIVE).happens)
    outcome = commands.submit(opened, ANA, GIVE, "outage")
    assert outcome.message == "$20.00 of credit was given; the customer had $20.00 of credit then."
    [move] = desk.sdk.customers.balance_transactions.list(who.customer.id).data
    assert (move.amount, move.currency, move.description) == (-2000, "usd", GIVE["description"])
    due = desk.sdk.invoices.create_preview({"subscription": who.others[0].id}).amount_due
    assert f"then asks for {words.money(due, 'usd')} instead of $49.00." in announced
    kept = row(opened.token)
    assert (kept["before"]["balance"], kept["after"]["balance"]) == (0, -2000)
    with database.session() as session:
        [entry] = told(session, [("actions", opened.token)])
        known = session.get(Customer, who.customer.id)
    assert [each.line for each in entry.differences] == ["balance no balance → $20.00 of credit"]
    assert known and known.balance == -2000, "the tables have it at once"


@SQLITE
def test_credit_is_taken_back_and_more_than_there_is_becomes_a_debt(desk: Bench) -> None:
    who = payer(desk)
    press(ANA, "account_credit", who, **GIVE)
    time.sleep(1.1)  # what was done in the second of its opening may be newer than what a dialog shows
    opened = commands.open(ANA, "account_credit", who.customer.id)
    form = {**GIVE, "way": "take", "amount": "25"}
    heard = commands.preview(opened, form)
    assert heard.warnings == (
        "That is more credit than there is: $5.00 is owed then, and added to the next invoice.",
    )
    assert "$5.00 owed from before instead of $20.00 of credit" in heard.happens[0]
    assert commands.submit(opened, ANA, form, "a mistake").state == "done"
    assert desk.sdk.customers.retrieve(who.customer.id).balance == 500


@SQLITE
def test_two_people_who_give_at_once_give_once(desk: Bench) -> None:
    who = payer(desk)
    opened = [(one, commands.open(one, "account_credit", who.customer.id)) for one in (ANA, BEN)]
    outcomes = [commands.submit(each, one, GIVE, "outage") for one, each in opened]
    assert [each.state for each in outcomes] == ["done", "failed"]
    assert "Ana did “Account credit”" in outcomes[1].message
    assert desk.sdk.customers.retrieve(who.customer.id).balance == -2000


@SQLITE
def test_a_balance_that_moved_since_is_shown_first(desk: Bench) -> None:
    who = payer(desk)
    opened = commands.open(ANA, "account_credit", who.customer.id)
    desk.sdk.customers.update(who.customer.id, {"balance": -300})
    outcome = commands.submit(opened, ANA, GIVE, "outage")
    assert "by now the customer has $3.00 of credit" in outcome.message and outcome.overtaken


@SQLITE
def test_the_currency_is_the_customers_and_the_first_credit_sets_it(desk: Bench) -> None:
    customer = desk.customer(None)
    opened = commands.open(ANA, "account_credit", customer)
    with pytest.raises(InvalidInput, match="three letters"):
        commands.preview(opened, GIVE)
    heard = commands.preview(opened, {**GIVE, "currency": "EUR"})
    assert heard.warnings[0] == "From then on this customer pays in EUR."
    assert heard.happens[-1] == "No invoice is foreseen: it waits in the balance until one is made."
    assert commands.submit(opened, ANA, {**GIVE, "currency": "EUR"}, "welcome").state == "done"
    assert desk.sdk.customers.retrieve(customer).currency == "eur"
    time.sleep(1.1)
    _, again = press(ANA, "account_credit", fresh.subject(customer), **GIVE, currency="usd")
    assert again.state == "done", again.message
    assert desk.sdk.customers.retrieve(customer).balance == -4000, "in the customer's currency"


@SQLITE
def test_who_only_sells_may_not(desk: Bench) -> None:
    with pytest.raises(NotAllowed, match="account credit"):
        commands.open(SAM, "account_credit", desk.customer())


@pytest.mark.parametrize(
    ("form", "remark"),
    [
        ({"way": ""}, "give credit or to take it back"),
        ({"amount": "0"}, "above zero"),
        ({"amount": "1.234"}, "at most 2 decimals"),
        ({"amount": "9999999999"}, "largest amount"),
        ({"description": " "}, "what it is for"),
        ({"description": "x" * 351}, "350 fit"),
    ],
)
def test_a_credit_that_cannot_be(form: dict[str, str], remark: str) -> None:
    with pytest.raises(InvalidInput, match=remark) as error:
        parse("account_credit", owner(), **{**GIVE, **form})
    assert error.value.field in form


def owner(balance: int = 0, **fields: Any) -> subject.Subject:
    """A customer with a subscription, in memory only."""
    plan = about("active", **fields)
    assert plan.subscription
    known = Customer(id="cus_1", created=NOW, currency="usd", balance=balance)
    return subject.Subject(known, others=(plan.subscription,))


@pytest.mark.parametrize(
    ("balance", "quote", "amount", "says"),
    [
        (0, DUE, "0.10", "then asks for $48.90 instead of $49.00."),
        (0, DUE, "100", f"The next invoice, on {words.moment(TRIAL_END)}, then asks for $0.00"),
        (-4890, Quote(10, "usd", 4900), "0.05", "then asks for $0.00"),
        (0, None, "20", "No invoice is foreseen"),
    ],
)
def test_which_invoice_it_pays_is_said(balance: int, quote: Quote | None, amount: str, says: str) -> None:
    assert says in said("account_credit", owner(balance), quote, **{**GIVE, "amount": amount})


def test_a_subscription_that_is_not_billed_or_in_another_currency_uses_no_credit() -> None:
    for fields in ({"status": "unpaid"}, {"currency": "eur"}):
        plan = about(**{"status": "active", **fields}).subscription
        assert plan
        waiting = replace(owner(), others=(plan,))
        assert "No invoice is foreseen" in said("account_credit", waiting, DUE, **GIVE)
