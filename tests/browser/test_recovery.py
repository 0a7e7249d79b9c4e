"""Failed payments behind a bar, in a real browser: a click opens them, closing leaves nothing behind."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_a_click_on_a_bar_shows_the_payments_that_it_counts(visitor: Visitor) -> None:
    visitor.open("recovery", "Recovery", view="The way back")
    page = visitor.page
    ways = page.locator(".js-plotly-plot").first
    for _ in range(2):  # the second click is on a bar that was clicked before
        visitor.press_mark(ways.locator(".bars .point path").first, re.compile("show=by"))
        expect(visitor.dialog.get_by_text(re.compile("^Recovered: "))).to_be_in_viewport()
        expect(visitor.dialog.get_by_text(re.compile(r"[0-9]+ payments?$"))).to_be_visible()
        visitor.dialog.get_by_label("Close").click()
        expect(page).not_to_have_url(re.compile("show="))
        visitor.settle()
