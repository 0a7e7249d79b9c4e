"""A running desk on a small sandbox account, and a page of a real browser that tells of every fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tests.support.browser import launched
from tests.support.desk import Desk, start_desk


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a worker."""
    with launched() as running:
        yield running


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with 60 customers, pulled, shared by the tests of a worker."""
    running = start_desk(tmp_path_factory.mktemp("desk"), SANDBOX_CUSTOMERS="60", SANDBOX_LIFE="false")
    running.wait_until_pulled()
    yield running
    running.stop()


@dataclass
class Faults:
    """What a page must never do: write errors to the console, or ask other hosts."""

    console: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Listens to a page."""
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console.append(f"{message.text} ({message.location.get('url', '')})")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.strangers.append(request.url)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page at desktop width; the test fails on console errors and on requests to other hosts."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    faults = Faults()
    faults.watch(opened)
    yield opened
    context.close()
    assert faults.console == []
    assert faults.strangers == []
