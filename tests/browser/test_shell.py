"""The shell in a real browser: addresses, the menu, acting people, the way back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cast import Cast
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import Visitor
from tests.support.desk import Desk, free_port, start_desk
from tests.support.sandbox import start_sandbox

pytestmark = pytest.mark.browser
SLOW = 20_000  # milliseconds


def ready(page: Page) -> None:
    expect(page.locator('[data-testid="stApp"]')).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=SLOW
    )


def test_the_menu_changes_the_address_and_back_leads_back(desk: Desk, page: Page) -> None:
    page.goto(desk.url)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Trials").click(timeout=SLOW)
    expect(page).to_have_url(f"{desk.url}/trials", timeout=SLOW)
    expect(page.get_by_role("heading", name="Trials").first).to_be_visible(timeout=SLOW)
    page.go_back()
    expect(page).to_have_url(f"{desk.url}/", timeout=SLOW)
    expect(page.get_by_role("heading", name="Overview").first).to_be_visible(timeout=SLOW)


@pytest.mark.slow  # the next one takes the menu, too
def test_the_person_one_acts_as_stays_on_the_next_page(desk: Desk, page: Page) -> None:
    page.goto(desk.url)
    page.get_by_role("combobox", name="Acting as").click(timeout=SLOW)
    page.get_by_role("option", name="Vera Lind · viewer").click()
    ready(page)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Calls").click()
    expect(page).to_have_url(re.compile("/calls[?]as=Vera"), timeout=SLOW)
    ready(page)
    expect(page.get_by_role("combobox", name="Acting as")).to_have_value("Vera Lind · viewer")


def plays_vera(visitor: Visitor, address: str) -> None:
    """The tab is at an address, still as Vera, which the address says."""
    expect(visitor.page).to_have_url(re.compile(address))
    expect(visitor.page).to_have_url(re.compile(r"as=Vera"))
    expect(visitor.page.get_by_role("combobox", name="Acting as")).to_have_value("Vera Lind · viewer")


def test_the_person_one_acts_as_outlives_a_reload_and_follows_every_way(
    visitor: Visitor, another: Visitor
) -> None:
    visitor.open("customers", "Customers").act_as("Vera Lind")
    visitor.page.reload()
    plays_vera(visitor.arrive("Customers"), "/customers")
    visitor.open_row(0)
    plays_vera(visitor.arrive(), "/customer[?].*id=cus_")
    visitor.page.reload()
    plays_vera(visitor.arrive(), "/customer[?].*id=cus_")
    visitor.page.go_back()
    plays_vera(visitor.arrive("Customers"), "/customers")
    visitor.page.get_by_test_id("stSidebarNavLink").filter(has_text="Overview").click()
    plays_vera(visitor.arrive("Overview"), "/[?]")
    visitor.page.get_by_test_id("stPageLink-NavLink").first.click()
    plays_vera(visitor.arrive(), "/[a-z-]+[?]")
    assert visitor.page.url.count("as=") == 1
    visitor.page.go_back()
    plays_vera(visitor.arrive("Overview"), "/[?]")
    another.page.goto(visitor.page.url)
    plays_vera(another.arrive("Overview"), "/[?]")
    another.act_as("Ada Berg")
    expect(another.page).not_to_have_url(re.compile("as="))
    another.open("custmers", "No such page", **{"as": "Vera Lind · viewer"})
    plays_vera(another, "/not-found[?]asked=")
    another.page.get_by_test_id("stSidebarNavLink").filter(has_text="Calls").click()
    plays_vera(another.arrive("Calls"), "/calls[?]")


@pytest.mark.slow  # test_pages reads the titles, too
def test_the_tab_is_named_after_the_page_or_the_customer(
    visitor: Visitor, cast: Cast, tables: Tables
) -> None:
    name = "Tabea <b>Tab</b> *x*"
    part = cast.active(name)
    await_parts(tables, [part], cast.account)
    visitor.open("trials", "Trials")
    expect(visitor.page).to_have_title("Trials · Trialdesk")
    visitor.open("customer", id="cus_nobody")
    expect(visitor.page).to_have_title("Customer · Trialdesk")
    visitor.open("customer", "Tabea", id=part.customer)
    expect(visitor.page).to_have_title(f"{name} · Trialdesk")
    visitor.page.get_by_test_id("stSidebarNavLink").filter(has_text="Calls").click()
    expect(visitor.page).to_have_title("Calls · Trialdesk")


@pytest.mark.slow  # a desk of its own, and half a minute
def test_a_page_goes_on_by_itself_when_what_kept_the_desk_is_over(page: Page, tmp_path: Path) -> None:
    port = free_port()
    desk = start_desk(
        tmp_path / "desk", STRIPE_API_KEY="sk_test_sandbox", STRIPE_API_BASE=f"http://127.0.0.1:{port}"
    )
    try:
        page.goto(f"{desk.url}/trials")
        expect(page.get_by_text("Stripe cannot be reached")).to_be_visible()
        (tmp_path / "account").mkdir()
        with start_sandbox(tmp_path / "account", port=port):
            expect(page.get_by_role("heading", name="Trials", level=1)).to_be_visible()
    finally:
        page.goto("about:blank")
        desk.stop()
