"""A link shows a colleague the same view; what is typed finds what it means; a saved filter is shared."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlmodel import select

from models import SavedFilter
from services import clock
from tests.browser.cast import Cast, Part
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import Visitor
from tests.support.sandbox import Account

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def part(cast: Cast, account: Account, tables: Tables) -> Part:
    """Somebody whom one can look for: a rare card, a rare amount, an invoice."""
    made = cast.active("Quentin Quarry", card="pm_card_discover")
    cast.sdk.invoice_items.create(
        {"customer": made.customer, "amount": 12_345, "currency": "usd", "description": "Rare"}
    )
    invoice = cast.sdk.invoices.create(
        {"customer": made.customer, "pending_invoice_items_behavior": "include", "auto_advance": False}
    )
    cast.sdk.invoices.pay(cast.sdk.invoices.finalize_invoice(invoice.id).id)
    await_parts(tables, [made], account)
    return made


def count(visitor: Visitor) -> str:
    """How many customers the list says there are."""
    said = visitor.page.get_by_text(re.compile(r"^(\d+–\d+ of )?[\d,]+ customers?$"))
    said.wait_for()
    return said.inner_text()


def trialing(account: Account) -> dict[str, int]:
    """Customer -> trial end, of every running trial of the account."""
    running = account.client().v1.subscriptions.list({"status": "trialing", "limit": 100})
    return {str(one.customer): one.trial_end or 0 for one in running.auto_paging_iter()}


@pytest.mark.slow  # one of them is typed in test_customers
def test_what_is_typed_finds_whom_it_means(visitor: Visitor, part: Part, cast: Cast) -> None:
    number = next(
        one.number for one in cast.sdk.invoices.list({"customer": part.customer}).data if one.number
    )
    visitor.open("customers", "Customers")
    search = visitor.page.get_by_role("searchbox", name="Search")
    for typed in ("Quentin Qua", part.customer, part.subscription, str(number), "123.45", "quentinquarry@"):
        search.fill("")
        search.press_sequentially(typed)
        expect(visitor.page).to_have_url(re.compile("[?&]q="))
        visitor.sees(re.compile("^1 customer$"))
    search.fill("")
    search.press_sequentially("9424")
    expect(visitor.page).to_have_url(re.compile("[?&]q=9424$"))
    visitor.sees(re.compile("card"))
    visitor.settle()
    visitor.open_row(0)
    visitor.page.wait_for_url(re.compile("/customer\\?id=cus_"))


@pytest.mark.slow  # a saved filter is a link, too
def test_a_link_shows_the_same_customers(
    visitor: Visitor, another: Visitor, part: Part, account: Account, tmp_path: Path
) -> None:
    visitor.open("customers", "Customers")
    everybody = count(visitor)
    visitor.choose("Status", "trialing")
    expect(visitor.page).to_have_url(re.compile("status=trialing"))
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_text(everybody, exact=True)).to_have_count(0)
    shown = count(visitor)
    assert shown == f"{len(trialing(account))} customers"
    another.page.goto(visitor.page.url)
    assert count(another.arrive("Customers")) == shown
    with another.page.expect_download() as download:
        another.press("CSV")
    download.value.save_as(tmp_path / "customers.csv")
    rows = csv.DictReader(io.StringIO((tmp_path / "customers.csv").read_text("utf-8-sig"), newline=""))
    assert {row["id"] for row in rows if row["status"] == "Trialing"} == set(trialing(account))


def test_a_link_shows_the_trials_that_end_soon(visitor: Visitor, account: Account) -> None:
    now = account.now()
    soon = [end for end in trialing(account).values() if end <= now + 5 * clock.DAY]
    assert soon
    visitor.open("trials", "Trials", days=5)
    expect(visitor.page.get_by_label("Ends within days", exact=True)).to_have_value("5")
    visitor.sees(re.compile(rf"^{len(soon)} running trials?$"))


@pytest.mark.slow  # a link of customers is shown to a colleague, too
def test_a_link_shows_the_conversion_of_a_plan(visitor: Visitor, another: Visitor) -> None:
    visitor.open("conversion", "Conversion")
    started = visitor.page.get_by_test_id("stMetric").filter(has_text="Trials started")
    everything = started.inner_text()
    visitor.choose("Plan", "Business")
    expect(visitor.page).to_have_url(re.compile("plan=Business"))
    expect(started).not_to_have_text(re.compile(re.escape(everything.split()[-1])))
    shown = started.inner_text()
    another.page.goto(visitor.page.url)
    another.arrive("Conversion")
    expect(another.page.get_by_role("combobox", name=re.compile("^Plan"))).to_have_value("Business")
    again = another.page.get_by_test_id("stMetric").filter(has_text="Trials started")
    expect(again).to_have_text(shown, use_inner_text=True)


def test_a_filter_is_saved_for_everybody(visitor: Visitor, another: Visitor, tables: Tables) -> None:
    visitor.open("customers", "Customers", status="past due", sort="Money at stake")
    shown = count(visitor)
    visitor.press("Saved filters")
    visitor.page.get_by_label("Save this filter as").fill("Owes *us* money")
    visitor.page.get_by_text("Share with everybody").click()
    visitor.press("Save")
    visitor.sees("The filter is saved.")
    [kept] = tables.read(lambda session: session.exec(select(SavedFilter)).all())
    assert (kept.name, kept.shared, kept.page) == ("Owes *us* money", True, "customers")
    assert kept.query == {"status": ["past due"], "sort": ["Money at stake"]}
    another.open("customers", "Customers").act_as("Pia Novak")
    another.press("Saved filters")
    another.page.get_by_role("button", name=re.compile(re.escape("Owes *us* money"))).click()
    expect(another.page).to_have_url(re.compile("status=past"))
    another.sees(re.compile(f"^{shown}$"))
