"""What must not happen twice, or at all: double clicks, two people at once, vanished customers, bad input."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

import pytest
from playwright.sync_api import expect

from models import Subscription
from tests.browser.cast import Cast, Part
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import Visitor
from tests.support.sandbox import Account

pytestmark = pytest.mark.browser
WHY = "The customer asked for it"
TWO_CLICKS = "button => { button.click(); button.click() }"


@pytest.fixture(scope="module")
def parts(cast: Cast, account: Account, tables: Tables) -> dict[str, Part]:
    """One customer for each accident."""
    made = {
        "charged": cast.active("Dora Doubleclick"),
        "gone": cast.trial("Gus Gone"),
        "contested": cast.active("Connie Contested"),
        "trial": cast.trial("Tina Typist"),
        "dollars": cast.active("Dolores Dollars"),
        "yen": cast.active("Yuki Yen", "jpy"),
    }
    await_parts(tables, list(made.values()), account)
    return made


def writes(account: Account, part: Part) -> Counter[str]:
    """What was asked to be written to the part's subscription, and to anybody's invoices."""
    own = (f"/v1/subscriptions/{part.subscription}", "/v1/invoices", "/v1/invoiceitems")
    made = account.requests(method="POST") + account.requests(method="DELETE")
    return Counter(
        one["path"].rsplit("/", 1)[-1]
        for one in made
        if one["path"].startswith(own) and not one["path"].endswith("create_preview")
    )


def test_two_clicks_charge_once(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, account: Account, tables: Tables
) -> None:
    part, before = parts["charged"], writes(account, parts["charged"])
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Add charge")
    dialog.get_by_label("Amount").fill("25")
    dialog.get_by_label("Description").fill("Setup")
    dialog.get_by_text("Now", exact=True).click()
    dialog.get_by_label("Reason").fill(WHY)
    dialog.get_by_label("Reason").blur()
    expect(dialog.get_by_text("An invoice for $25.00 is made")).to_be_visible()
    visitor.button("Add charge", dialog).evaluate(TWO_CLICKS)
    expect(dialog.get_by_text("$25.00 was charged.")).to_be_visible()
    charges = [one for one in cast.sdk.charges.list({"customer": part.customer}).data if one.amount == 2500]
    assert len(charges) == 1
    assert writes(account, part) - before == Counter(("invoices", "invoiceitems", "finalize", "pay"))
    [row] = tables.actions(part.customer)
    assert (row.state, row.attempt) == ("done", 1)


@pytest.mark.slow  # what another person did goes the same way
def test_a_customer_deleted_meanwhile_is_a_sentence(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["gone"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Extend trial")
    dialog.get_by_label(re.compile("^Reason")).fill(WHY)
    cast.sdk.customers.delete(part.customer)
    visitor.press("Extend trial", dialog)
    expect(dialog.get_by_text(re.compile("deleted"))).to_be_visible()
    assert cast.sdk.subscriptions.retrieve(part.subscription).status == "canceled"
    [row] = tables.actions(part.customer)
    assert (row.state, row.result) == ("failed", {})
    dialog.get_by_role("button", name="Close").last.click()
    visitor.sees("This customer was deleted in Stripe.")
    expect(visitor.button("Extend trial")).to_have_count(0)


def test_what_another_person_already_did_is_not_done_again(
    visitor: Visitor, another: Visitor, parts: dict[str, Part], cast: Cast, account: Account, tables: Tables
) -> None:
    part = parts["contested"]
    visitor.open("customer", part.name, id=part.customer)
    another.open("customer", part.name, id=part.customer).act_as("Sofia Reyes")
    for person in (visitor, another):
        person.dialog_of("Cancel").get_by_label("Reason").fill(WHY)
    another.confirm("Cancel subscription", "The subscription ends on")
    before = writes(account, part)
    visitor.press("Cancel subscription", visitor.dialog)
    told = visitor.dialog.get_by_text(re.compile("Sofia Reyes did “Cancel”"))
    expect(told).to_be_visible()
    expect(visitor.dialog.get_by_text("Nothing was done.")).to_be_visible()
    expect(visitor.button("Cancel subscription", visitor.dialog)).to_have_count(0)
    assert writes(account, part) == before
    by = {row.staff_name: row.state for row in tables.actions(part.customer)}
    assert by == {"Sofia Reyes": "done", "Ada Berg": "failed"}
    visitor.button("Close", visitor.dialog).last.click()
    visitor.sees("Refused: had changed")
    assert cast.sdk.subscriptions.retrieve(part.subscription).cancel_at_period_end


@pytest.mark.slow  # an amount that cannot be goes the same way
def test_a_trial_end_that_cannot_be_is_a_sentence(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, account: Account, tables: Tables
) -> None:
    part = parts["trial"]
    ends, before = cast.sdk.subscriptions.retrieve(part.subscription).trial_end, writes(account, part)
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Extend trial")
    dialog.get_by_label(re.compile("^Reason")).fill(WHY)
    days = dialog.get_by_label("Days", exact=True)
    for typed in ("0", "-3", "731"):
        days.fill(typed)
        visitor.press("Extend trial", dialog)
        expect(dialog.get_by_text("The number of days must be between 1 and 730.").first).to_be_visible()
        expect(days).to_have_value(typed)
    dialog.get_by_text("To a date", exact=True).click()
    ahead, past = "at most two years ahead", "is in the past"
    for year, told in ((2020, past), (2095, ahead), (1931, past)):
        day = date(year, 2, 3)
        visitor.type_day("New last day", day)
        visitor.press("Extend trial", dialog)
        expect(dialog.get_by_text(told).first).to_be_visible()
        expect(dialog.get_by_role("spinbutton", name="year, New last day")).to_have_text(str(year))
        expect(dialog.get_by_text("The trial ends on")).to_have_count(0)
    expect(dialog.get_by_label(re.compile("^Reason"))).to_have_value(WHY)
    assert writes(account, part) == before
    assert cast.sdk.subscriptions.retrieve(part.subscription).trial_end == ends
    tables.has(Subscription, part.subscription, trial_end=ends)
    assert tables.actions(part.customer) == []


AMOUNTS = {
    "dollars": {
        "0": "The amount must be above zero.",
        "-1": "The amount must be above zero.",
        "0.1": "The smallest amount in USD is $0.50.",
        "12.345": "“12.345” can be read in two ways.",
        "€20": "“€” stands for EUR; this amount is in USD.",
        "twelve": "“twelve” is not an amount.",
    },
    "yen": {"1200.5": "JPY has no decimals.", "49": "The smallest amount in JPY is ¥50."},
}


@pytest.mark.parametrize("name", ["dollars", pytest.param("yen", marks=pytest.mark.slow)])
def test_an_amount_that_cannot_be_is_a_sentence(
    name: str, visitor: Visitor, parts: dict[str, Part], cast: Cast, account: Account, tables: Tables
) -> None:
    part = parts[name]
    before = writes(account, part)
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Add charge")
    dialog.get_by_label("Description").fill("A workshop of two days")
    dialog.get_by_label("Reason").fill(WHY)
    for typed, told in AMOUNTS[name].items():
        dialog.get_by_label("Amount").fill(typed)
        visitor.press("Add charge", dialog)
        expect(dialog.get_by_text(told).first).to_be_visible()
        expect(dialog.get_by_label("Amount")).to_have_value(typed)
    expect(dialog.get_by_label("Description")).to_have_value("A workshop of two days")
    expect(dialog.get_by_label("Reason")).to_have_value(WHY)
    assert writes(account, part) == before
    assert cast.sdk.invoice_items.list({"customer": part.customer, "pending": True}).data == []
    assert tables.actions(part.customer) == []
