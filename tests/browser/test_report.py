"""The monthly report in a real browser: read on its page, kept as a file, printed on A4 and Letter."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
WIDTHS = {"A4": 794 - 2 * 53, "Letter": 816 - 2 * 53}  # pixels between the margins of 14 mm
LONGEST = 1123 - 2 * 57  # pixels of A4 between those of 15 mm
_CUT = """([wide]) => [...document.querySelectorAll("svg, table, .tile, h1, p")].filter(
    it => it.getBoundingClientRect().right > wide + 1).map(it => it.outerHTML.slice(0, 80))"""
_TALL = """([high]) => [...document.querySelectorAll("figure, .short, .tile")].filter(
    it => it.getBoundingClientRect().height > high).length"""


@pytest.fixture
def file(visitor: Visitor, tmp_path: Path) -> Path:
    """The report as somebody downloads it."""
    visitor.open("report", "Monthly report")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.startswith("monthly-report-")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_it_is_read_on_its_page(visitor: Visitor) -> None:
    visitor.open("report", "Monthly report")
    sheet = visitor.page.frame_locator("iframe")
    expect(sheet.get_by_role("heading", name="At a glance")).to_be_visible()
    expect(sheet.get_by_role("img", name="MRR in USD, day by day")).to_be_attached()


def test_it_prints_without_cutting_anything(file: Path, browser: Browser, tmp_path: Path) -> None:
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    for paper, wide in WIDTHS.items():
        page.set_viewport_size({"width": wide, "height": 1000})
        assert page.evaluate(_CUT, [wide]) == []
        assert page.evaluate(_TALL, [LONGEST]) == 0
        printed = page.pdf(path=tmp_path / f"{paper}.pdf", format=paper)
        sheets = printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ")
        sections = page.locator("section.own").count()
        assert sections + 1 <= sheets <= 3 * sections + 3, (paper, sheets)
        assert len(printed) < 1_000_000
    assert asked == [file.as_uri()]
    page.close()


@pytest.mark.parametrize("wide", [390, 1200])
def test_it_is_read_on_any_screen(file: Path, browser: Browser, wide: int) -> None:
    page = browser.new_page(viewport={"width": wide, "height": 900}, color_scheme="dark")
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= wide
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    page.close()
