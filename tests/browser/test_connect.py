"""The whole way to events at once: an endpoint, its secret in the settings, and the first event."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.browser.visitor import Visitor
from tests.support.desk import Desk, free_port, start_desk
from tests.support.sandbox import Account

pytestmark = pytest.mark.browser
_SECRET = re.compile(r"^STRIPE_WEBHOOK_SECRET=(whsec_\w+)$")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk of its own, as it is started again in the middle."""
    running = start(tmp_path, free_port())
    running.wait_until_pulled()
    yield running
    running.stop()


def start(folder: Path, port: int, **settings: str) -> Desk:
    """A desk with a small account, on a port."""
    return start_desk(folder, port=port, SANDBOX_CUSTOMERS="5", SANDBOX_LIFE="false", **settings)


def test_an_endpoint_is_made_and_the_first_event_is_seen(page: Page, desk: Desk) -> None:
    visitor = Visitor(page, desk.url).open("connect", "Connect")
    visitor.sees("The sandbox is asked for events every 2 seconds; none are delivered.")
    visitor.press("Make the endpoint")
    line = visitor.dialog.get_by_text(_SECRET)
    expect(line).to_be_visible()
    found = _SECRET.match(line.inner_text())
    assert found
    visitor.press("Done", visitor.dialog)
    expect(page.get_by_text(_SECRET)).to_have_count(0)
    [made] = Account(desk.sandbox_url).client().v1.webhook_endpoints.list().data
    assert made.url == f"{desk.url}/webhooks/stripe"

    page.goto("about:blank")
    desk.stop()
    port = int(desk.url.rpartition(":")[2])
    desk.process = start(desk.folder, port, STRIPE_WEBHOOK_SECRET=found[1]).process
    visitor.open("connect", "Connect")
    visitor.sees("Waiting for an event to be delivered.")
    came = page.get_by_text("Stripe delivers events.")
    for _ in range(20):  # a look at the account may bring an event before its delivery does
        Account(desk.sandbox_url).client().v1.customers.create({"name": "Fay First"})
        with suppress(TimeoutError):
            came.wait_for(timeout=5_000)
            break
    expect(came).to_be_visible()
