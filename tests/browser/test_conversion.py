"""Numbers that lead to their rows, in a real browser: a click on a bar, a link on a tile."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import faults_of
from tests.browser.visitor import ROW, Visitor

pytestmark = pytest.mark.browser
COUNTED = re.compile(r"^(?:[\d,]+–[\d,]+ of )?([\d,]+) customers?$")


def number(text: str | None) -> int:
    """The whole number in a text."""
    return int(re.sub(r"\D", "", text or ""))


def listed(visitor: Visitor) -> int:
    """How many customers the list says that it holds."""
    said = visitor.page.get_by_test_id("stCaptionContainer").get_by_text(COUNTED).first.inner_text()
    found = COUNTED.match(said)
    assert found
    return number(found[1])


def test_a_click_on_a_bar_shows_as_many_customers_as_the_bar_says(visitor: Visitor) -> None:
    visitor.open("conversion", "Conversion", view="Funnel")
    page = visitor.page
    funnel = page.locator(".js-plotly-plot").first
    said = number((funnel.locator(".bartext").first.text_content() or "").split("·")[0])
    for _ in range(2):  # the second click is on a bar that was clicked before
        visitor.press_mark(funnel.locator(".bars .point path").first, re.compile("show=funnel"))
        expect(visitor.dialog.get_by_text("Came as far as “Signed up”")).to_be_in_viewport()
        visitor.settle()
        assert listed(visitor) == said
        visitor.dialog.get_by_label("Close").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page).not_to_have_url(re.compile("show="))
        visitor.settle()


def test_a_cell_of_the_heat_map_shows_who_had_converted_by_then(visitor: Visitor) -> None:
    visitor.open("conversion", "Conversion")
    cells = visitor.page.locator(".js-plotly-plot").nth(1).locator(".points path")
    visitor.press_mark(cells.nth(9), re.compile("show=by"))  # the first cohort's last day
    expect(visitor.dialog.get_by_text("Converted by day 90")).to_be_in_viewport()


def test_what_was_chosen_in_one_view_is_left_behind_in_the_next(visitor: Visitor) -> None:
    visitor.open("conversion", "Conversion", view="Groups", by="Country")
    expect(visitor.page.get_by_role("heading", name="Converted by country")).to_be_visible()
    visitor.page.get_by_role("radio", name="Curves").click()
    visitor.settle()
    expect(visitor.page).to_have_url(re.compile("view=Curves"))
    expect(visitor.page).not_to_have_url(re.compile("by=Country"))
    expect(visitor.page.get_by_text("it is ignored")).to_have_count(0)


@pytest.mark.slow  # the first view is opened narrow with all pages
@pytest.mark.parametrize("view", ["Curves", "Why not", "Groups", "Compare", "Funnel"])
def test_each_view_fits_a_phone(visitor: Visitor, view: str) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 800})
    visitor.open("conversion", "Conversion", view=view)
    assert faults_of(visitor.page) == []


@pytest.mark.slow  # rows of other lists lead there, too
def test_a_row_behind_a_bar_leads_to_its_customer_and_back(visitor: Visitor) -> None:
    visitor.open("conversion", "Conversion", show="funnel:trial:signed_up")
    grid = visitor.dialog.get_by_test_id("stDataFrame")
    visitor.settle()
    box = grid.bounding_box()
    assert box is not None
    visitor.page.mouse.click(box["x"] + 60, box["y"] + 1.5 * ROW)
    visitor.page.wait_for_url("**/customer?id=*")
    visitor.arrive()
    visitor.page.go_back()
    expect(visitor.dialog.get_by_text("Came as far as “Signed up”")).to_be_visible()


def test_a_number_of_the_overview_leads_to_as_many_rows(visitor: Visitor) -> None:
    visitor.open("", "Overview")
    page = visitor.page
    tile = page.get_by_test_id("stMetric").filter(has_text="Active customers").first
    said = number(tile.get_by_test_id("stMetricValue").inner_text())
    page.get_by_test_id("stMain").get_by_role("link", name=re.compile("^Customers")).first.click()
    visitor.arrive("Customers")
    expect(page).to_have_url(re.compile("only=paying"))
    assert listed(visitor) == said
