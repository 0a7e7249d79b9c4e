"""Numbers that lead to their rows, in a real browser: a click on a bar, a link on a tile."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from playwright.sync_api import Locator, TimeoutError, expect

from tests.browser.visitor import PATIENCE, Visitor

pytestmark = pytest.mark.browser
_TRIES = 4
COUNTED = re.compile(r"^(?:[\d,]+–[\d,]+ of )?([\d,]+) customers?$")


def number(text: str | None) -> int:
    """The whole number in a text."""
    return int(re.sub(r"\D", "", text or ""))


def press(visitor: Visitor, mark: Locator, leads_to: re.Pattern[str]) -> None:
    """Clicks on a bar or a point: plotly takes the click on a layer above it, and none while it draws."""
    for _ in range(_TRIES):
        mark.scroll_into_view_if_needed()
        box = mark.bounding_box()
        assert box is not None
        visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        with suppress(TimeoutError):
            visitor.page.wait_for_url(leads_to, timeout=PATIENCE / _TRIES, wait_until="commit")
            return
    raise AssertionError(f"{_TRIES} clicks led nowhere")


def listed(visitor: Visitor) -> int:
    """How many customers the list says that it holds."""
    said = visitor.page.get_by_test_id("stCaptionContainer").get_by_text(COUNTED).first.inner_text()
    found = COUNTED.match(said)
    assert found
    return number(found[1])


def test_a_click_on_a_bar_shows_as_many_customers_as_the_bar_says(visitor: Visitor) -> None:
    visitor.open("conversion", "Conversion")
    page = visitor.page
    funnel = page.locator(".js-plotly-plot").nth(2)
    said = number((funnel.locator(".bartext").first.text_content() or "").split("·")[0])
    press(visitor, funnel.locator(".bars .point path").first, re.compile("show=funnel"))
    expect(page.get_by_text("Came as far as “Signed up”")).to_be_visible()
    visitor.settle()
    assert listed(visitor) == said
    visitor.button("Close").click()
    expect(page.get_by_text("Came as far as “Signed up”")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("show="))


def test_a_number_of_the_overview_leads_to_as_many_rows(visitor: Visitor) -> None:
    visitor.open("", "Overview")
    page = visitor.page
    tile = page.get_by_test_id("stMetric").filter(has_text="Active customers").first
    said = number(tile.get_by_test_id("stMetricValue").inner_text())
    page.get_by_test_id("stMain").get_by_role("link", name=re.compile("^Customers")).first.click()
    visitor.arrive("Customers")
    expect(page).to_have_url(re.compile("only=paying"))
    assert listed(visitor) == said
