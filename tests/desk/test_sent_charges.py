"""A charge as an invoice that is sent: without a card, once, and what is left where it fails."""

from __future__ import annotations

from typing import Any

import pytest

from models import Invoice
from services import database
from services.desk import catalog, commands, fresh, repeats
from services.errors import Conflict, InvalidInput
from tests.desk.bench import ANA, Bench, press, row
from tests.desk.test_inputs import about, parse

SQLITE = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
SENT: dict[str, str] = {
    "amount": "25",
    "description": "Setup",
    "when": "sent",
    "days": "14",
    "currency": "usd",
}


def sent(desk: Bench, customer: str) -> list[Any]:
    """The invoices that were mailed to the customer, once for each mail."""
    events = desk.sdk.events.list({"type": "invoice.sent"}).data
    return [each.data.object for each in events if each.data.object["customer"] == customer]


@SQLITE
def test_a_customer_without_a_card_gets_an_invoice(desk: Bench) -> None:
    customer = desk.customer(None)
    opened, outcome = press(ANA, "add_charge", fresh.subject(customer), **SENT)
    assert outcome.message.startswith("An invoice for $25.00 was sent to the customer; it is due on "), (
        outcome
    )
    [mailed] = sent(desk, customer)
    [made] = desk.sdk.invoices.list({"customer": customer}).data
    assert (made.id, made.status, made.collection_method, made.amount_due) == (
        mailed["id"], "open", "send_invoice", 2500,
    )  # fmt: skip
    assert made.due_date and made.status_transitions.finalized_at
    assert made.due_date - made.status_transitions.finalized_at == 14 * 86_400
    with database.session() as session:
        known = session.get(Invoice, made.id)
    assert known and known.due_date == made.due_date and row(opened.token)["result"]["invoice"] == made.id


@SQLITE
@pytest.mark.parametrize("path", ["/v1/invoices", "/v1/invoiceitems"])
def test_lost_answers_make_one_invoice_and_one_mail(
    desk: Bench, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "PAUSES", (0.01,))
    customer = desk.customer(None)
    opened = commands.open(ANA, "add_charge", customer)
    desk.sandbox.fault("timeout_after", method="POST", path=path)
    outcome = commands.submit(opened, ANA, SENT, "asked for it")
    desk.sandbox.heal()
    assert outcome.state == "done", outcome
    assert len(sent(desk, customer)) == 1 == len(desk.sdk.invoices.list({"customer": customer}).data)


@SQLITE
def test_where_credit_pays_nothing_is_sent(desk: Bench) -> None:
    customer = desk.customer(None, balance=-3000)
    desk.sdk.invoice_items.create({"customer": customer, "amount": 1, "currency": "usd"})
    _, outcome = press(ANA, "add_charge", fresh.subject(customer), **SENT)
    assert outcome.message == "Nothing was charged. $25.00 was taken from the customer's credit.", outcome
    assert sent(desk, customer) == []


@SQLITE
def test_an_invoice_that_could_not_be_sent_is_left_to_be_sent(desk: Bench) -> None:
    customer = desk.customer(None)
    opened = commands.open(ANA, "add_charge", customer)
    steps = catalog.find("add_charge").steps({**parse("add_charge", opened.subject, **SENT)})
    assert [step.name for step in steps] == ["draft", "item", "issue", "send"]
    left = catalog.find("add_charge").left_behind({"draft": "in_1", "item": "ii_1", "issue": "in_1"})
    assert left and (left.command, left.object_id) == ("send_invoice", "in_1") and "send it" in left.said


@SQLITE
def test_without_an_address_stripe_refuses_and_the_desk_before_it(desk: Bench) -> None:
    customer = desk.customer(None, email="")
    with pytest.raises(Conflict, match="nor an email address"):
        commands.open(ANA, "add_charge", customer)
    with pytest.raises(Exception, match="Missing email"):
        desk.sdk.invoices.create(
            {"customer": customer, "collection_method": "send_invoice", "days_until_due": 14}
        )


@pytest.mark.parametrize("days", ["", "0", "366", "1.5", "-1", "٣", "9" * 50])
def test_the_days_to_pay_are_a_whole_number_of_up_to_a_year(days: str) -> None:
    subject = about("active", card=None)
    subject.customer.email = "ada@example.com"
    with pytest.raises(InvalidInput) as refusal:
        parse("add_charge", subject, **{**SENT, "days": days})
    assert refusal.value.field == "days"


def test_without_an_address_it_cannot_be_sent() -> None:
    with pytest.raises(InvalidInput, match="no email address") as refusal:
        parse("add_charge", about("active"), **SENT)
    assert refusal.value.field == "when"


def test_an_ended_subscription_without_a_card_leaves_it_to_the_customer() -> None:
    ended = about("canceled", card=None)
    assert "neither a next invoice" in catalog.find("add_charge").offered(ended)
    ended.customer.email = "ada@example.com"
    assert "the customer, at the top of the page" in catalog.find("add_charge").offered(ended)
