"""What each role is shown: the buttons of its work, and for the others the reason why not."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from models import Subscription
from tests.browser.cast import DAY, Cast, Part
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import Visitor
from tests.support.sandbox import Account

pytestmark = pytest.mark.browser
ACTIONS = ("Extend trial", "End trial now", "Add charge", "Cancel", "Card link")


@pytest.fixture(scope="module")
def part(cast: Cast, account: Account, tables: Tables) -> Part:
    """A customer that everybody looks at."""
    made = cast.trial("Rhea Rolecall")
    await_parts(tables, [made], account)
    return made


def offered(visitor: Visitor, *labels: str) -> None:
    """These buttons are there, and none of the others."""
    for label in labels:
        expect(visitor.button(label)).to_be_visible()
    for label in set(ACTIONS) - set(labels):
        expect(visitor.button(label)).to_have_count(0)


def reasons(visitor: Visitor) -> str:
    """What stands behind “Not now” beside the subscription."""
    visitor.button("Not now expand_more").or_(visitor.button("Not now")).last.click()
    shown = visitor.page.get_by_test_id("stPopoverBody")
    shown.wait_for()
    return shown.inner_text()


@pytest.mark.slow  # each role is tried without a browser
def test_a_viewer_sees_no_action_but_why(visitor: Visitor, part: Part, tables: Tables) -> None:
    visitor.open("customer", part.name, id=part.customer)
    offered(visitor, *ACTIONS)
    visitor.act_as("Vera Lind")
    offered(visitor)
    expect(visitor.button("Send message")).to_be_disabled()
    expect(visitor.button("Request a call")).to_be_disabled()
    said = reasons(visitor)
    assert "Your role (viewer) may not extend trials. Ask an admin for another role." in said
    assert "Your role (viewer) may not cancel subscriptions." in said
    assert tables.actions(part.customer) == []


@pytest.mark.slow  # nor from a page
def test_a_viewer_cannot_act_from_a_work_list(visitor: Visitor, part: Part) -> None:
    visitor.open("trials", "Trials").act_as("Vera Lind")
    expect(visitor.button("Extend trial")).to_be_disabled()
    visitor.sees("Your role (viewer) may not extend trials, send messages or request calls.")
    expect(visitor.page.get_by_text("Tick one or several rows")).to_have_count(0)
    for label in ("Extend trial", "Send message", "Request a call"):
        expect(visitor.button(label)).to_be_disabled()


def test_sales_may_extend_but_not_cancel(visitor: Visitor, part: Part, cast: Cast, tables: Tables) -> None:
    visitor.open("customer", part.name, id=part.customer).act_as("Pia Novak")
    offered(visitor, "Extend trial", "Card link")
    assert "Your role (sales) may not cancel subscriptions." in reasons(visitor)
    visitor.page.keyboard.press("Escape")
    before = cast.sdk.subscriptions.retrieve(part.subscription).trial_end or 0
    visitor.dialog_of("Extend trial")
    visitor.confirm("Extend trial", "The trial now ends on")
    assert cast.sdk.subscriptions.retrieve(part.subscription).trial_end == before + 7 * DAY
    tables.has(Subscription, part.subscription, trial_end=before + 7 * DAY)
    [row] = tables.actions(part.customer)
    assert (row.state, row.staff_name, row.role, row.reason) == ("done", "Pia Novak", "sales", "")
