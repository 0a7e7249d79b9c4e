"""Each button that writes to Stripe, pressed in a browser: account, tables and ledger afterwards."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlmodel import Session, col, select

from models import Action, Charge, Invoice, InvoiceItem, PaymentMethod, Subscription
from models import Customer as CustomerRow
from tests.browser.cast import DAY, Cast, Part
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import PATIENCE, Visitor
from tests.support.sandbox import Account

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
WHY = "Asked for it by *mail* <b>today</b>"


@pytest.fixture(scope="module")
def parts(cast: Cast, account: Account, tables: Tables) -> dict[str, Part]:
    """One customer for each deed."""
    made = {
        "days": cast.trial("Daisy Days"),
        "date": cast.trial("Dahlia Date"),
        "end": cast.trial("Enzo End"),
        "next": cast.active("Nestor Next"),
        "now": cast.active("Noor Now"),
        "leave later": cast.active("Lars Later"),
        "leave now": cast.active("Lena Leaves"),
        "stay": cast.ending("Stella Stays"),
        "paused": cast.paused("Paula Paused"),
        "canceled": cast.canceled("Carl Canceled"),
        "failing": cast.failing("Fay Failing"),
        "card": cast.without_card("Cleo Card"),
    }
    await_parts(tables, list(made.values()), account)
    return made


def ledger(tables: Tables, part: Part, command: str, state: str = "done") -> Action:
    """The only row of a customer's actions, as it should be."""
    [row] = tables.actions(part.customer)
    assert (row.command, row.state, row.reason) == (command, state, WHY)
    assert (row.staff_name, row.role) == ("Ada Berg", "admin")
    assert row.finished_at is not None and row.finished_at >= (row.started_at or 0) >= row.opened_at
    assert row.request_id.startswith("req_")
    return row


def say_why(visitor: Visitor) -> None:
    visitor.dialog.get_by_label(re.compile("^Reason")).fill(WHY)


def trial_end(cast: Cast, part: Part) -> int:
    return int(cast.sdk.subscriptions.retrieve(part.subscription).trial_end or 0)


def test_a_trial_is_extended_by_days(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["days"]
    before = trial_end(cast, part)
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Extend trial")
    expect(dialog.get_by_text("7 days later")).to_be_visible()
    dialog.get_by_label("Days", exact=True).fill("10")
    dialog.get_by_label("Days", exact=True).press("Enter")
    expect(dialog.get_by_text("10 days later")).to_be_visible()
    say_why(visitor)
    visitor.confirm("Extend trial", "The trial now ends on")
    visitor.sees("24 days left")
    assert trial_end(cast, part) == before + 10 * DAY
    assert tables.row(Subscription, part.subscription).trial_end == before + 10 * DAY
    row = ledger(tables, part, "extend_trial")
    assert (row.before["trial_end"], row.after["trial_end"]) == (before, before + 10 * DAY)
    assert row.params == {"trial_end": before + 10 * DAY}


def test_a_trial_is_extended_to_a_date(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["date"]
    before = datetime.fromtimestamp(trial_end(cast, part), UTC)
    day = before.date() + timedelta(days=45)
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Extend trial")
    dialog.get_by_text("To a date", exact=True).click()
    visitor.type_day("New last day", day)
    expect(dialog.get_by_text("45 days later")).to_be_visible()
    say_why(visitor)
    visitor.confirm("Extend trial", "The trial now ends on")
    wanted = int(datetime.combine(day, time(before.hour, before.minute, before.second), UTC).timestamp())
    assert trial_end(cast, part) == wanted
    assert tables.row(Subscription, part.subscription).trial_end == wanted
    assert ledger(tables, part, "extend_trial").after["trial_end"] == wanted


def test_a_trial_ends_now_with_a_reason(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["end"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("End trial now")
    expect(dialog.get_by_text("The first payment, $49.00, is taken now.")).to_be_visible()
    visitor.button("End trial now", dialog).click()
    expect(dialog.get_by_text("Say why: the reason is kept with the action.")).to_be_visible()
    assert tables.actions(part.customer) == []
    say_why(visitor)
    visitor.confirm("End trial now", "The trial has ended; the subscription is active.")
    now = cast.sdk.subscriptions.retrieve(part.subscription)
    invoice = cast.sdk.invoices.retrieve(str(now.latest_invoice))
    assert (now.status, invoice.status, invoice.amount_paid) == ("active", "paid", 4900)
    assert tables.row(Subscription, part.subscription).status == "active"
    row = ledger(tables, part, "end_trial")
    assert (row.before["status"], row.after["status"]) == ("trialing", "active")


def test_a_charge_waits_for_the_next_invoice(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["next"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Add charge")
    dialog.get_by_label("Amount").fill("1,250.50")
    dialog.get_by_label("Description").fill("Workshop")
    dialog.get_by_label("Description").press("Enter")
    expect(dialog.get_by_text("That invoice then comes to $1,299.50")).to_be_visible()
    say_why(visitor)
    visitor.confirm("Add charge", "$1,250.50 waits for the next invoice.")
    [item] = cast.sdk.invoice_items.list({"customer": part.customer, "pending": True}).data
    assert (item.amount, item.currency, item.description) == (125_050, "usd", "Workshop")
    assert ledger(tables, part, "add_charge").result == {"invoice_item": item.id}
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
    expect(dialog.get_by_text("An invoice over $25.00 is made, and the card on file")).to_be_visible()
    say_why(visitor)
    visitor.confirm("Add charge", "$25.00 was charged.")
    invoice, first = cast.sdk.invoices.list({"customer": part.customer}).data
    assert (invoice.status, invoice.amount_paid, first.amount_paid) == ("paid", 2500, 4900)
    [charge] = [one for one in cast.sdk.charges.list({"customer": part.customer}).data if one.amount == 2500]
    assert charge.paid
    assert ledger(tables, part, "add_charge").result["invoice"] == invoice.id
    assert tables.row(Invoice, invoice.id).status == "paid"
    assert tables.until(lambda session: session.get(Charge, charge.id)).amount == 2500


def test_a_subscription_is_set_to_end_with_what_the_customer_said(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["leave later"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Cancel")
    visitor.choose("Why the customer leaves", "Too expensive", dialog)
    dialog.get_by_label("What the customer said").fill("Twice the price of last year")
    say_why(visitor)
    visitor.confirm("Cancel subscription", "The subscription ends on")
    visitor.sees("Set to end")
    now = cast.sdk.subscriptions.retrieve(part.subscription)
    assert (now.status, now.cancel_at_period_end) == ("active", True)
    details = now.cancellation_details
    assert details is not None
    assert (details.feedback, details.comment) == ("too_expensive", "Twice the price of last year")
    kept = tables.row(Subscription, part.subscription)
    assert (kept.cancel_at_period_end, kept.cancellation_feedback) == (True, "too_expensive")
    assert ledger(tables, part, "cancel").params["when"] == "period_end"


def test_a_subscription_ends_now(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["leave now"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Cancel")
    dialog.get_by_text("Now", exact=True).click()
    expect(dialog.get_by_text("Nothing is refunded and no final invoice is made.")).to_be_visible()
    say_why(visitor)
    visitor.confirm("Cancel subscription", "The subscription has ended.")
    assert cast.sdk.subscriptions.retrieve(part.subscription).status == "canceled"
    assert tables.row(Subscription, part.subscription).status == "canceled"
    row = ledger(tables, part, "cancel")
    assert (row.before["status"], row.after["status"]) == ("active", "canceled")


def test_a_cancellation_is_taken_back(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["stay"]
    visitor.open("customer", part.name, id=part.customer)
    expect(visitor.page.get_by_text("Set to end", exact=True)).to_be_visible()
    visitor.dialog_of("Undo cancellation")
    say_why(visitor)
    visitor.confirm("Undo cancellation", "The cancellation was taken back; the subscription goes on.")
    expect(visitor.page.get_by_text("Set to end", exact=True)).to_have_count(0)
    assert not cast.sdk.subscriptions.retrieve(part.subscription).cancel_at_period_end
    kept = tables.row(Subscription, part.subscription)
    assert (kept.cancel_at_period_end, kept.cancel_at) == (False, None)
    assert ledger(tables, part, "undo_cancel").result == {"subscription": part.subscription}


def test_a_paused_subscription_resumes(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["paused"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Resume")
    expect(dialog.get_by_text("$49.00 is charged now.")).to_be_visible()
    say_why(visitor)
    visitor.confirm("Resume", "The subscription has resumed.")
    now = cast.sdk.subscriptions.retrieve(part.subscription)
    assert now.status == "active"
    assert cast.sdk.invoices.retrieve(str(now.latest_invoice)).status == "paid"
    assert tables.row(Subscription, part.subscription).status == "active"
    ledger(tables, part, "reactivate")


def test_a_canceled_one_starts_again_without_a_second_trial(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["canceled"]
    old = cast.sdk.subscriptions.retrieve(part.subscription)
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Start again")
    expect(dialog.get_by_text("It has no trial.")).to_be_visible()
    say_why(visitor)
    visitor.confirm("Start again", "A new subscription has begun.")
    new, before = cast.sdk.subscriptions.list({"customer": part.customer, "status": "all"}).data
    assert (before.id, before.status) == (old.id, "canceled")
    assert (new.status, new.trial_start, new.trial_end) == ("active", None, None)
    assert [item.price.id for item in new["items"].data] == [item.price.id for item in old["items"].data]
    kept = tables.row(Subscription, new.id)
    assert (kept.status, kept.trial_end) == ("active", None)
    assert ledger(tables, part, "reactivate").result == {"new_subscription": new.id}


def test_a_payment_is_declined_in_plain_words_and_works_with_another_card(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["failing"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Retry payment")
    expect(dialog.get_by_text("$49.00 is charged now to the card on file.")).to_be_visible()
    say_why(visitor)
    visitor.button("Charge now", dialog).click()
    expect(dialog.get_by_text("There was not enough money on the card.")).to_be_visible(timeout=PATIENCE)
    expect(dialog.get_by_label(re.compile("^Reason"))).to_have_value(WHY)
    assert cast.sdk.invoices.retrieve(part.invoice).status == "open"
    refused = ledger(tables, part, "retry_payment", "failed")
    assert refused.error["decline_code"] == "insufficient_funds"
    cast.account.add_card(part.customer, "pm_card_amex")
    visitor.button("Try again", dialog).click()
    visitor.confirm("Charge now", "$49.00 was paid.")
    assert cast.sdk.invoices.retrieve(part.invoice).status == "paid"
    assert tables.row(Invoice, part.invoice).status == "paid"
    first, second = tables.actions(part.customer)
    assert (first.token, first.state, second.state, second.reason) == (refused.token, "failed", "done", WHY)
    expect(visitor.page.get_by_text("is not paid")).to_have_count(0, timeout=PATIENCE)


def test_a_card_link_leads_to_a_page_whose_card_comes_to_the_desk_by_itself(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["card"]
    visitor.open("customer", part.name, id=part.customer)
    visitor.sees("No payment method on file.")
    dialog = visitor.dialog_of("Card link")
    say_why(visitor)
    visitor.button("Make the link", dialog).click()
    link = dialog.get_by_test_id("stCode").inner_text(timeout=PATIENCE).strip()
    assert link.startswith(cast.account.url)
    assert [link] not in tables.read(_every_text), "the link is kept nowhere"
    portal = visitor.page.context.new_page()
    portal.goto(link)
    portal.get_by_label("Mastercard").check()
    portal.get_by_role("button", name="Save card").click()
    expect(portal.get_by_text("The card was saved.")).to_be_visible(timeout=PATIENCE)
    portal.close()
    visitor.button("Done", dialog).click()
    visitor.sees(re.compile("4444"))
    settings = cast.sdk.customers.retrieve(part.customer).invoice_settings
    assert settings is not None and settings.default_payment_method
    default = str(settings.default_payment_method)
    assert tables.row(CustomerRow, part.customer).default_payment_method == default
    kept = tables.row(PaymentMethod, default)
    assert (kept.customer, kept.last4) == (part.customer, "4444")
    ledger(tables, part, "card_link")


def _every_text(session: Session) -> Any:
    rows = session.exec(select(Action).where(col(Action.command) == "card_link"))
    return [[str(value)] for row in rows for value in row.model_dump().values()]
