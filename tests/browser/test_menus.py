"""Pages of numbers in a real browser: nothing covers, cuts, moves or swallows what somebody needs."""

from __future__ import annotations

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from services.desk.annotating import LONGEST
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 800}


def box(found: Locator) -> FloatRect:
    """Where it is drawn."""
    drawn = found.bounding_box()
    assert drawn is not None
    return drawn


def part(one: FloatRect, other: FloatRect) -> bool:
    """Whether two boxes do not touch."""
    beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
    return beside or one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]


def test_every_view_can_be_reached_on_a_phone(visitor: Visitor) -> None:
    visitor.page.set_viewport_size(PHONE)
    visitor.open("conversion", "Conversion")
    views = visitor.page.get_by_role("radio")
    names = [one.inner_text() for one in views.all()]
    assert names == ["Cohorts", "Curves", "Why not", "Groups", "Compare", "Funnel", "Expected"]
    for one in views.all():
        drawn = box(one)
        assert drawn["x"] >= 0
        assert drawn["x"] + drawn["width"] <= PHONE["width"]


@pytest.mark.parametrize("wide", [390, 1440])
def test_a_tables_own_buttons_leave_the_one_for_its_file_free(visitor: Visitor, wide: int) -> None:
    visitor.page.set_viewport_size({"width": wide, "height": 900})
    visitor.open("revenue", "Revenue", show="paying:trial")
    visitor.dialog.get_by_test_id("stDataFrame").hover()
    own = visitor.dialog.get_by_test_id("stElementToolbar")
    expect(own).to_be_visible()
    assert part(box(own), box(visitor.dialog.get_by_test_id("stDownloadButton").get_by_role("button")))


def test_a_paste_that_is_too_long_is_kept_and_said(visitor: Visitor) -> None:
    visitor.open("revenue", "Revenue")
    visitor.press("Annotations")
    menu, long = visitor.page.get_by_test_id("stPopoverBody"), "x" * (LONGEST + 15)
    field = menu.get_by_role("textbox", name="What happened")
    field.focus()
    visitor.page.keyboard.insert_text(long)
    visitor.press("Add", menu)
    expect(menu.get_by_text(f"has {len(long)} characters, of at most {LONGEST}")).to_be_visible()
    expect(field).to_have_value(long)


@pytest.mark.parametrize("wide", [390, 1440])
def test_words_over_bars_stand_apart_or_are_left_out(visitor: Visitor, wide: int) -> None:
    visitor.page.set_viewport_size({"width": wide, "height": 900})
    visitor.open("revenue", "Revenue")
    words = visitor.page.locator(".js-plotly-plot").nth(1).locator(".bartext")
    words.first.wait_for(state="attached")
    seen = [box(one) for one in words.all() if one.text_content() and one.is_visible()]
    assert wide == 390 or len(seen) > 3
    assert all(part(one, other) for at, one in enumerate(seen) for other in seen[:at])


@pytest.mark.parametrize("wide", [390, 1440])
def test_the_calendar_leaves_the_button_free(visitor: Visitor, wide: int) -> None:
    visitor.page.set_viewport_size({"width": wide, "height": 900})
    visitor.open("goals", "Goals")
    visitor.press("Set a goal")
    menu = visitor.page.get_by_test_id("stPopoverBody")
    visitor.page.get_by_role("spinbutton", name="year, By the end of").click()
    calendar = visitor.page.get_by_role("application")
    expect(calendar).to_be_visible()
    assert part(box(calendar), box(visitor.button("Set", menu)))


def test_the_menu_of_rates_keeps_its_place(visitor: Visitor) -> None:
    visitor.open("revenue", "Revenue")
    visitor.press("Exchange rates")
    menu = visitor.page.get_by_test_id("stPopoverBody")
    visitor.choose("Reporting currency", "USD", menu)
    field = menu.get_by_label("Is in USD")
    visitor.choose("One unit of", "EUR", menu)
    field.fill("1.10")
    visitor.button("Add", menu).scroll_into_view_if_needed()
    place = box(menu)  # within it one scrolls
    visitor.press("Add", menu)
    expect(menu.get_by_text("1 EUR = 1.10 USD")).to_be_visible()
    visitor.settle()
    assert box(menu) == place
    visitor.press("Remove", menu)
    expect(menu.get_by_text("No rate is entered yet.")).to_be_visible()
    top = menu.get_by_role("combobox", name="Reporting currency")
    top.scroll_into_view_if_needed()  # else its list closes again
    visitor.settle()
    visitor.choose("Reporting currency", "None", menu)
