"""Every page in a real browser: it opens without a fault, fits its window, and shows text as text."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, TimeoutError, ViewportSize, expect

from models import CustomerFacts
from pages.components.navigation import PAGES
from tests.browser.cast import NASTY, Cast, Part
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import Visitor
from tests.support import sample
from tests.support.desk import Desk
from tests.support.sandbox import Account

pytestmark = pytest.mark.browser
WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 400, "height": 800}
Look = tuple[Literal["light", "dark"], ViewportSize]
HALF: ViewportSize = {"width": 900, "height": 900}
_TO_FOLLOW = 15_000  # milliseconds
_WIDER_THAN_WINDOW = """() => [document.documentElement, ...document.querySelectorAll(
    '[data-testid="stMain"], [data-testid="stAppViewContainer"], [data-testid="stMainBlockContainer"]')]
    .filter(one => one.scrollWidth > one.clientWidth + 1)
    .map(one => `${one.dataset.testid || "page"}: ${one.scrollWidth} > ${one.clientWidth}`)"""
_BRIGHTNESS = """() => { const [r, g, b] = getComputedStyle(document.querySelector('[data-testid="stApp"]'))
    .backgroundColor.match(/\\d+/g).map(Number); return (r + g + b) / 3 }"""


@pytest.fixture(scope="module")
def nasty(cast: Cast, account: Account, tables: Tables) -> Part:
    """A customer whose name is Markdown, HTML, and an image from elsewhere."""
    made = cast.failing(NASTY)
    await_parts(tables, [made], account)
    return made


def faults_of(page: Page) -> list[str]:
    """What is wrong with the page as it stands: an error, or what stays wider than the window."""
    with suppress(TimeoutError):  # a table follows its window when its observer is told
        page.wait_for_function(f"() => ({_WIDER_THAN_WINDOW})().length === 0", timeout=_TO_FOLLOW)
    shown = page.get_by_test_id("stException").all_inner_texts()
    ours = page.get_by_text("Something went wrong on this page").all_inner_texts()
    return [*shown, *ours, *page.evaluate(_WIDER_THAN_WINDOW)]


def _is_tried(key: str) -> bool:
    """By make test: what support looks at all day, and a sample of the others."""
    return key in ("customer", "customers") or sample.holds(key, one_in=4)


@pytest.mark.parametrize(
    "key",
    [pytest.param(key, marks=() if _is_tried(key) else pytest.mark.slow) for key in PAGES],
)
def test_a_page_opens_by_its_address_and_fits_its_window(
    visitor: Visitor, desk: Desk, nasty: Part, key: str
) -> None:
    """Wide and narrow, light and dark; every other page is opened in the dark."""
    page, spec = visitor.page, PAGES[key]
    looks: list[Look] = [("light", NARROW), ("dark", WIDE)]
    first, then = looks if list(PAGES).index(key) % 2 else reversed(looks)
    about = {"id": nasty.customer} if key == "customer" else {}
    look(page, *first)
    visitor.open(spec.path.lstrip("/"), "" if about else spec.title, **about)
    assert page.url.split("?")[0] == desk.url + spec.path
    assert (page.evaluate(_BRIGHTNESS) > 128) == (first[0] == "light")
    assert page.title().endswith(" · Trialdesk")
    assert page.title().startswith("**Bold** <b>b</b>" if spec.names_itself else f"{spec.title} ·")
    expect(page.get_by_text("An account on this machine. Nothing here reaches Stripe.")).to_be_visible()
    at_first = faults_of(page)
    look(page, *then)
    page.wait_for_function(f"dark => (({_BRIGHTNESS})() < 128) === dark", arg=then[0] == "dark")
    visitor.settle()
    assert [*at_first, *faults_of(page)] == []


@pytest.mark.slow  # its looks alone
def test_who_has_no_name_is_called_by_an_address_that_can_be_copied(
    visitor: Visitor, cast: Cast, account: Account, tables: Tables
) -> None:
    made = cast.trial("Nameless")
    cast.sdk.customers.update(made.customer, {"name": ""})
    await_parts(tables, [made], account)
    tables.until(lambda session: not session.get(CustomerFacts, made.customer).name_key)
    visitor.open("customer", id=made.customer)
    heading = visitor.page.get_by_role("heading", level=1)
    assert heading.inner_text() == "nameless@cast.example", "no unseen sign, a mail program would choke on it"
    color = heading.evaluate("one => getComputedStyle(one).color")
    look = "one => [getComputedStyle(one).color, getComputedStyle(one).pointerEvents]"
    assert heading.locator("a").evaluate(look) == [color, "none"]


def width(place: Locator) -> float:
    """How wide it is drawn, in pixels."""
    box = place.bounding_box()
    assert box is not None
    return box["width"]


@pytest.mark.slow  # its looks alone
def test_half_a_screen_is_used_for_what_is_read(visitor: Visitor, nasty: Part) -> None:
    """No third of a narrow column for notes, no wide margins beside a table."""
    visitor.page.set_viewport_size(HALF)
    visitor.open("customer", id=nasty.customer)
    assert width(visitor.page.get_by_test_id("stTextArea")) > 280
    visitor.open("failed-payments", "Failed payments")
    assert width(visitor.page.get_by_test_id("stDataFrame")) > 600


@pytest.mark.slow  # all pages are opened narrow above
def test_a_phone_is_used_for_two_numbers_beside_each_other(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 800})
    for path, heading in (("", "Overview"), ("conversion", "Conversion")):
        visitor.open(path, heading)
        tiles = [box for one in visitor.page.get_by_test_id("stMetric").all() if (box := one.bounding_box())]
        first, second = tiles[:2]
        assert first["y"] == second["y"]
        assert second["x"] + second["width"] > 340, "they take the whole width"


def look(page: Page, theme: Literal["light", "dark"], size: ViewportSize) -> None:
    """Changes the window while the page is open, as a person's machine does at night."""
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size(size)


def test_an_unknown_customer_is_a_sentence(visitor: Visitor) -> None:
    visitor.open("customer", "Customer", id="cus_nobody")
    visitor.sees("cus_nobody")
    visitor.press("Search customers")
    visitor.arrive("Customers")
    assert urlsplit(visitor.page.url).path == "/customers"


def literal(heading: Locator) -> str:
    """The text as it is seen, without the invisible sign that keeps addresses from becoming links."""
    return heading.inner_text().replace("\u2060", "")


def test_a_name_is_text_wherever_it_stands(visitor: Visitor, nasty: Part, tables: Tables) -> None:
    visitor.open("customer", id=nasty.customer)
    heading = visitor.page.get_by_role("heading", level=1)
    assert literal(heading) == NASTY
    dialog = visitor.dialog_of("Retry payment")
    expect(dialog.get_by_text(NASTY)).to_be_visible()
    dialog.get_by_label("Reason").fill(NASTY)
    visitor.press("Charge now", dialog)
    expect(dialog.get_by_text("There was not enough money on the card.")).to_be_visible()
    made_by_text = "a[href*='evil'], img[src*='evil'], b, strong:has-text('Bold'), s, code"
    assert dialog.locator(made_by_text).count() == 0
    dialog.get_by_role("button", name="Close").click()
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    assert visitor.page.locator(made_by_text).count() == 0
    visitor.open("failed-payments", "Failed payments")
    [row] = tables.actions(nasty.customer)
    assert row.reason == NASTY
    visitor.open("activity", "Activity", account=nasty.customer)
    visitor.sees("1 entry")
    assert visitor.page.locator(made_by_text).count() == 0
    assert visitor.page.evaluate("window.hacked") is None
