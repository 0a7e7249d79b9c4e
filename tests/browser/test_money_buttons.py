"""Charges, retries and card links, pressed in a browser: account, tables and ledger afterwards."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlmodel import Session, col, select

from models import (
    Action,
    Charge,
    Customer,
    Invoice,
    InvoiceItem,
    Message,
    PaymentMethod,
)
from tests.browser.cast import Cast, Part
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import WHY, Visitor
from tests.support.sandbox import Account

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def parts(cast: Cast, account: Account, tables: Tables) -> dict[str, Part]:
    """One customer for each deed."""
    made = {
        "next": cast.active("Nestor Next"),
        "now": cast.active("Noor Now"),
        "failing": cast.failing("Fay Failing"),
        "declined": cast.active("Dee Declined"),
        "card": cast.without_card("Cleo Card"),
        "refund": cast.active("Rita Refund"),
        "void": cast.failing("Vera Void"),
        "sent": cast.without_card("Sol Sent"),
    }
    await_parts(tables, list(made.values()), account)
    return made


def test_a_charge_waits_for_the_next_invoice(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["next"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Add charge")
    dialog.get_by_label("Amount").fill("$ 1 250,50")
    dialog.get_by_label("Amount").press("Enter")
    expect(dialog.get_by_text("Read as $1,250.50")).to_be_visible()
    dialog.get_by_label("Description").fill("Workshop")
    dialog.get_by_label("Description").press("Enter")
    expect(dialog.get_by_text("That invoice then comes to $1,299.50")).to_be_visible()
    visitor.say_why()
    visitor.confirm("Add charge", "$1,250.50 waits for the next invoice.")
    [item] = cast.sdk.invoice_items.list({"customer": part.customer, "pending": True}).data
    assert (item.amount, item.currency, item.description) == (125_050, "usd", "Workshop")
    assert tables.ledger(part, "add_charge").result == {"invoice_item": item.id}
    kept = tables.row(InvoiceItem, item.id)
    assert (kept.customer, kept.amount, kept.currency) == (part.customer, 125_050, "usd")
    visitor.sees("On the next invoice")


def test_a_charge_is_taken_now(visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables) -> None:
    part = parts["now"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Add charge")
    dialog.get_by_label("Amount").fill("25")
    dialog.get_by_label("Description").fill("Setup")
    dialog.get_by_text("Now", exact=True).click()
    expect(dialog.get_by_text("is made, and the Visa card ending in 4242 is charged now")).to_be_visible()
    visitor.say_why()
    visitor.confirm("Add charge", "$25.00 was charged.")
    invoice, first = cast.sdk.invoices.list({"customer": part.customer}).data
    assert (invoice.status, invoice.amount_paid, first.amount_paid) == ("paid", 2500, 4900)
    [charge] = [one for one in cast.sdk.charges.list({"customer": part.customer}).data if one.amount == 2500]
    assert charge.paid
    assert tables.ledger(part, "add_charge").result["invoice"] == invoice.id
    tables.has(Invoice, invoice.id, status="paid", amount_paid=2500)
    assert tables.until(lambda session: session.get(Charge, charge.id)).amount == 2500


@pytest.mark.slow  # the next one is declined, too
def test_a_declined_charge_is_not_made_again_but_leads_to_its_invoice(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["declined"]
    cast.account.add_card(part.customer, "insufficient_funds")
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Add charge")
    dialog.get_by_label("Amount").fill("500")
    dialog.get_by_label("Description").fill("Setup")
    dialog.get_by_text("Now", exact=True).click()
    visitor.say_why()
    visitor.press("Add charge", dialog)
    expect(dialog.get_by_text("Adding the charge again would make a second invoice.")).to_be_visible()
    expect(visitor.button("Try again", dialog)).to_have_count(0)
    cast.account.add_card(part.customer, "pm_card_amex")
    visitor.press("Retry payment", dialog)
    expect(visitor.dialog.get_by_text("$500.00 is charged now to the Amex card ending in")).to_be_visible()
    visitor.say_why()
    visitor.confirm("Charge now", "$500.00 was paid.")
    invoices = cast.sdk.invoices.list({"customer": part.customer}).data
    assert [each.status for each in invoices] == ["paid", "paid"]
    done = [(each.command, each.state) for each in tables.actions(part.customer)]
    assert done == [("add_charge", "failed"), ("retry_payment", "done")]


def test_a_payment_is_declined_in_plain_words_and_works_with_another_card(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["failing"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Retry payment")
    expect(dialog.get_by_text("$49.00 is charged now to the Visa card ending in")).to_be_visible()
    visitor.say_why()
    visitor.press("Charge now", dialog)
    said = dialog.get_by_role("alert").get_by_text("There was not enough money on the card.")
    expect(said.first).to_be_visible()
    expect(dialog.get_by_label(re.compile("^Reason"))).to_have_value(WHY)
    assert cast.sdk.invoices.retrieve(part.invoice).status == "open"
    refused = tables.ledger(part, "retry_payment", "failed")
    assert refused.error["decline_code"] == "insufficient_funds"
    cast.account.add_card(part.customer, "pm_card_amex")
    visitor.press("Try again", dialog)
    expect(dialog.get_by_text("$49.00 is charged now to the Amex card ending in")).to_be_visible()
    visitor.confirm("Try again", "$49.00 was paid.")
    assert cast.sdk.invoices.retrieve(part.invoice).status == "paid"
    tables.has(Invoice, part.invoice, status="paid")
    first, stale, last = tables.actions(part.customer)
    assert (first.token, first.state, last.state, last.reason) == (refused.token, "failed", "done", WHY)
    assert (stale.state, stale.error["message"][:32]) == ("failed", "The dialog named the Visa card e")
    expect(visitor.page.get_by_text("is not paid")).to_have_count(0)


def test_a_card_link_leads_to_a_page_whose_card_comes_to_the_desk_by_itself(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["card"]
    visitor.open("customer", part.name, id=part.customer)
    visitor.sees("No payment method on file.")
    dialog = visitor.dialog_of("Card link")
    visitor.say_why()
    visitor.press("Make the link", dialog)
    link = dialog.get_by_test_id("stCode").inner_text().strip()
    assert link.startswith(cast.account.url)
    assert [link] not in tables.read(_every_text), "the link is kept nowhere"
    portal = visitor.page.context.new_page()
    portal.goto(link)
    portal.get_by_label("Mastercard").check()
    portal.get_by_role("button", name="Save card").click()
    expect(portal.get_by_text("The card was saved.")).to_be_visible()
    portal.close()
    visitor.press("Send it by email", dialog)
    body = visitor.dialog.get_by_label("Message", exact=True)
    expect(body).to_have_value(re.compile(re.escape(link)))
    expect(visitor.dialog.get_by_text("The card link opens for a few minutes")).to_be_visible()
    visitor.confirm("Put into the outbox", "Kept in the outbox")
    [sent] = tables.read(lambda s: s.exec(select(Message).where(Message.customer == part.customer)).all())
    assert (sent.template, link in sent.body) == ("card_link", True)
    assert [link] not in tables.read(_every_text), "only the message has it"
    visitor.sees(re.compile("4444"))
    settings = cast.sdk.customers.retrieve(part.customer).invoice_settings
    assert settings is not None and settings.default_payment_method
    default = str(settings.default_payment_method)
    tables.has(Customer, part.customer, default_payment_method=default)
    kept = tables.row(PaymentMethod, default)
    assert (kept.customer, kept.last4) == (part.customer, "4444")
    tables.ledger(part, "card_link")


def test_a_part_of_a_payment_goes_back_from_its_row(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["refund"]
    visitor.open("customer", part.name, id=part.customer, view="Payments").tick(0)
    dialog = visitor.dialog_of("Refund")
    dialog.get_by_text("A part", exact=True).click()
    dialog.get_by_label("Amount to refund").fill("20")
    dialog.get_by_label("Amount to refund").press("Enter")
    expect(dialog.get_by_text("$29.00 of it can still be refunded after this.")).to_be_visible()
    visitor.say_why()
    visitor.confirm("Refund", "$20.00 was refunded to the Visa card ending in 4242.")
    [charge] = cast.sdk.charges.list({"customer": part.customer}).data
    assert charge.amount_refunded == 2000
    tables.has(Charge, charge.id, amount_refunded=2000)
    assert tables.ledger(part, "refund").params["amount"] == 2000


def test_an_open_invoice_is_voided_from_its_row(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["void"]
    visitor.open("customer", part.name, id=part.customer, view="Invoices").tick(0)
    visitor.button("Void invoice").nth(1).wait_for()  # beside the one on top of the page
    visitor.button("Void invoice").nth(1).click()
    expect(visitor.dialog.get_by_text("nobody has to pay it any more")).to_be_visible()
    visitor.say_why()
    visitor.confirm("Void invoice", "The invoice is void: nobody has to pay it any more.")
    assert cast.sdk.invoices.retrieve(part.invoice).status == "void"
    tables.has(Invoice, part.invoice, status="void")
    expect(visitor.page.get_by_text("is not paid")).to_have_count(0)


@pytest.mark.slow  # one of three ways to charge
def test_a_charge_waits_as_a_sent_invoice_where_no_card_is(
    visitor: Visitor, parts: dict[str, Part], cast: Cast
) -> None:
    part = parts["sent"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Add charge")
    dialog.get_by_text("Now, as a sent invoice", exact=True).click()
    dialog.get_by_label("Amount").fill("25")
    dialog.get_by_label("Description").fill("Setup")
    dialog.get_by_label("Description").press("Enter")
    expect(dialog.get_by_text("which is to be paid by")).to_be_visible()
    visitor.say_why()
    visitor.confirm("Add charge", "An invoice for $25.00 was sent to the customer; it is due on ")
    sent = cast.sdk.invoices.list({"customer": part.customer, "collection_method": "send_invoice"}).data
    assert [(one.status, one.amount_due) for one in sent] == [("open", 2500)]


def _every_text(session: Session) -> Any:
    rows = session.exec(select(Action).where(col(Action.command) == "card_link"))
    return [[str(value)] for row in rows for value in row.model_dump().values()]
