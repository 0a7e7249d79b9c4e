"""A person at a page of the desk: opens it, presses buttons by the words on them, fills in dialogs.

Every wait is for something to be seen; nothing waits for time alone.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, TimeoutError, expect

PATIENCE = 60_000  # milliseconds; machines that run tests are busy
WHY = "Asked for it by *mail* <b>today</b>"
ROW, BOX = 31, 17  # pixels: a table is a picture, so its rows are clicked by position
_LOOK_EVERY = 100  # milliseconds
# An answer from the desk must follow what was asked last, its script must have ended (which is told before
# its last elements are drawn), and the page and its dialogs must have come to rest.
_SETTLED = """() => {
    const app = document.querySelector('[data-testid="stApp"]')
    const drawn = document.querySelectorAll('[data-testid="stApp"] *, [role="dialog"] *').length
    if (drawn !== window.drawn) { window.drawn = drawn; window.drawnAt = performance.now() }
    return app?.dataset.testScriptState === "notRunning" && window.answeredAt > window.askedAt
        && performance.now() - Math.max(window.drawnAt, window.answeredAt) > 200
        && !document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]')
}"""
_TO_SEE = 2_000  # milliseconds
_CLICKS = 3  # a chart or a table may be drawn at the first, and at its answer
_BELOW = """([x, y]) => ({
    below: document.elementsFromPoint(x, y).slice(0, 4).map(it => it.outerHTML.slice(0, 120)),
    script: document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState,
    quiet: [performance.now() - window.askedAt, performance.now() - window.answeredAt],
    dialogs: document.querySelectorAll('[role="dialog"]').length,
})"""
_LISTEN = """(() => {
    if (window.askedAt !== undefined) return
    window.askedAt = 0
    const send = WebSocket.prototype.send
    WebSocket.prototype.send = function (data) {
        if (!this.heard) {
            this.heard = true
            this.addEventListener("message", () => { window.answeredAt = performance.now() })
        }
        window.askedAt = performance.now()
        return send.call(this, data)
    }
})()"""


class Visitor:
    """One person in one tab."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        page.set_default_timeout(PATIENCE)
        page.add_init_script(_LISTEN)

    def open(self, path: str, heading: str = "", **parameters: str | int) -> Visitor:
        """Goes to a page by its address and waits until it is drawn (under its heading, when given)."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        self.page.goto(f"{self.url}/{path}{query}")
        return self.arrive(heading)

    def arrive(self, heading: str = "") -> Visitor:
        """Waits until the page under a heading is drawn."""
        name = re.compile(re.escape(heading)) if heading else re.compile(".")
        self.page.get_by_role("heading", level=1, name=name).first.wait_for()
        return self.settle()

    def settle(self) -> Visitor:
        """Waits until the page's script has run to its end and all of it is drawn."""
        self.page.wait_for_function(_SETTLED, polling=_LOOK_EVERY)
        return self

    def act_as(self, name: str) -> Visitor:
        """Takes another person's part, by the sandbox's switch."""
        switch = self.page.get_by_role("combobox", name=re.compile("Acting as"))
        switch.click()
        self.page.get_by_role("option", name=re.compile(f"^{name}")).click()
        expect(switch).to_have_value(re.compile(name))
        return self.settle()

    def button(self, label: str, within: Locator | None = None) -> Locator:
        """A button by its words (an icon's name may stand before them)."""
        return (within or self.page).get_by_role("button", name=worded(label))

    def press(self, label: str, within: Locator | None = None) -> None:
        """Presses the button with these words, once nothing of an earlier drawing is left beside it: a dialog
        has only one, a page the first of several."""
        self.settle()
        found = self.button(label, within)
        if within:
            expect(found).to_have_count(1)
        (found if within else found.first).click()

    def press_mark(self, mark: Locator, leads_to: re.Pattern[str]) -> None:
        """Clicks on a bar or a point of a chart, and again where that led nowhere.

        Plotly takes the click on a layer above the mark, none while it draws, and none where it has not seen
        the pointer come; a second click takes the first one back, so it waits for what that led to.
        """
        assert not leads_to.search(self.page.url), "the page is there before the click"
        for _ in range(_CLICKS):
            self.settle()
            if leads_to.search(self.page.url):
                return
            x, y = self._middle(mark)
            self._point_at(x, y)
            self.page.mouse.click(x, y)
            with suppress(TimeoutError):
                self.page.wait_for_url(leads_to, timeout=PATIENCE / _CLICKS, wait_until="commit")
                return
        raise AssertionError(f"{_CLICKS} clicks led nowhere: {self.page.evaluate(_BELOW, [x, y])}")

    def _point_at(self, x: float, y: float) -> None:
        """Moves the pointer there from beside it, and waits until the chart says what lies there."""
        self.page.mouse.move(x, y - 300)
        self.page.mouse.move(x, y)
        with suppress(TimeoutError):
            self.page.locator(".hoverlayer .hovertext").first.wait_for(timeout=_TO_SEE)

    def _middle(self, mark: Locator) -> tuple[float, float]:
        mark.scroll_into_view_if_needed()
        box = mark.bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def dialog_of(self, label: str) -> Locator:
        """Presses a button of the page and gives the dialog that opens."""
        self.press(label)
        return self.dialog

    @property
    def dialog(self) -> Locator:
        """The open dialog."""
        found = self.page.get_by_role("dialog")
        found.wait_for()
        return found

    def confirm(self, label: str, outcome: str) -> None:
        """Presses the dialog's button, waits for the outcome's words, and closes it."""
        self.press(label, self.dialog)
        expect(self.dialog.get_by_text(outcome)).to_be_visible()
        self.press("Done", self.dialog)
        expect(self.page.get_by_role("dialog")).to_have_count(0)
        self.settle()

    def say_why(self) -> None:
        """Types a reason into the open dialog."""
        self.dialog.get_by_label(re.compile("^Reason")).fill(WHY)

    def choose(self, label: str, option: str, within: Locator | None = None) -> None:
        """Picks an option of a list by its words."""
        (within or self.page).get_by_role("combobox", name=re.compile(re.escape(label))).first.click()
        self.page.get_by_role("option", name=option, exact=True).click()
        self.settle()

    def type_day(self, label: str, day: date) -> None:
        """Types a date into a field for dates, part by part; it counts once the calendar is closed."""
        self.page.get_by_role("spinbutton", name=f"year, {label}").click()
        self.page.keyboard.type(f"{day:%Y%m%d}")
        calendar = self.page.get_by_role("application")
        calendar.wait_for()
        self.page.keyboard.press("Escape")
        calendar.wait_for(state="detached")

    def tick(self, *rows: int) -> None:
        """Ticks rows of the page's table (from 0), again where a click came before the table took any."""
        for row in rows:
            ticked = self.page.locator(f'[role="row"][aria-rowindex="{row + 2}"][aria-selected="true"]').first
            for _ in range(_CLICKS):
                self._click(BOX, row)
                with suppress(TimeoutError):
                    ticked.wait_for(state="attached", timeout=PATIENCE / _CLICKS)
                    break
            else:
                raise AssertionError(f"{_CLICKS} clicks did not tick row {row}")
            self.settle()

    def top_of_table(self) -> float:
        """How far from the top of the document the page's table begins."""
        grid = self.page.get_by_test_id("stDataFrame").first
        grid.scroll_into_view_if_needed()
        scrolled = "document.querySelector('[data-testid=\"stMain\"]').scrollTop"
        return float(grid.evaluate(f"it => it.getBoundingClientRect().top + {scrolled}"))

    def open_row(self, row: int = 0, *, x: float = 60) -> None:
        """Clicks the button in a row's first column, or in the one that is `x` pixels from the left."""
        self._click(x, row)

    def _click(self, x: float, row: int) -> None:
        self.settle()  # a table that still moves is hit beside the row
        grid = self.page.get_by_test_id("stDataFrame").first
        grid.scroll_into_view_if_needed()
        box = grid.bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + x, box["y"] + ROW * (row + 1) + ROW / 2)

    def sees(self, text: str | re.Pattern[str]) -> None:
        """Waits for words on the page."""
        expect(self.page.get_by_text(text).first).to_be_visible()


def worded(label: str) -> re.Pattern[str]:
    """A button's accessible name: the words, after an icon's name where there is one."""
    return re.compile(rf"^(\w+\s+)?{re.escape(label)}$")
