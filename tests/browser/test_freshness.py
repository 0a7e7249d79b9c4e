"""What happens in the account shows up on an open page, without a click, and closes no dialog."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.cast import Cast, Part
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import Visitor
from tests.support.sandbox import Account

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def part(cast: Cast, account: Account, tables: Tables) -> Part:
    """A customer to whom things happen."""
    made = cast.trial("Freya Fresh")
    await_parts(tables, [made], account)
    return made


def test_a_customers_page_follows_the_account(visitor: Visitor, part: Part, cast: Cast) -> None:
    visitor.open("customer", part.name, id=part.customer)
    set_to_end = visitor.page.get_by_text("Set to end", exact=True)
    expect(set_to_end).to_have_count(0)
    cast.sdk.subscriptions.update(part.subscription, {"cancel_at_period_end": True})
    expect(set_to_end).to_be_visible()


@pytest.mark.slow  # a page of a customer does, too
def test_a_list_follows_the_account(visitor: Visitor, cast: Cast) -> None:
    visitor.open("customers", "Customers", q="Newt Newcomer")
    visitor.sees("No customer matches this search and these filters.")
    cast.active("Newt Newcomer")
    expect(visitor.page.get_by_text(re.compile("^1 customer$")).first).to_be_visible()


def test_news_close_no_dialog_and_take_nothing_that_was_typed(
    visitor: Visitor, part: Part, cast: Cast
) -> None:
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Extend trial")
    reason = dialog.get_by_label(re.compile("^Reason"))
    reason.fill("Half a sent")
    cast.sdk.customers.update(part.customer, {"phone": "+1 555 0199"})
    another = visitor.page.context.new_page()
    witness = Visitor(another, visitor.url)
    witness.open("customer", part.name, id=part.customer).sees("+1 555 0199")
    another.close()
    expect(reason).to_have_value("Half a sent")
    dialog.get_by_role("button", name="Close").click()
    visitor.sees("+1 555 0199")
