"""What is above a limit waits for a colleague, who finds it in the menu and allows it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from models import Subscription
from tests.browser.cast import DAY, Cast
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import Visitor
from tests.support.sandbox import Account

pytestmark = pytest.mark.browser


def switch_approvals(visitor: Visitor) -> None:
    visitor.open("policy", "Policy", **{"as": "Ada Berg · admin"})
    visitor.page.get_by_text("A colleague who may do so much can approve it").click()
    visitor.press("Save")
    visitor.sees("Saved.")


@pytest.fixture
def approvals_on(visitor: Visitor) -> Iterator[Visitor]:
    """The desk's policy is as it was afterwards: others visit it, too."""
    switch_approvals(visitor)
    yield visitor
    switch_approvals(visitor)


def test_a_colleague_allows_what_is_above_the_limit(
    approvals_on: Visitor, cast: Cast, tables: Tables, account: Account
) -> None:
    visitor, part = approvals_on, cast.trial("Lia Limit")
    await_parts(tables, [part], account)
    ends = int(cast.sdk.subscriptions.retrieve(part.subscription).trial_end or 0)
    visitor.open("customer", part.name, id=part.customer, **{"as": "Pia Novak · sales"})
    dialog = visitor.dialog_of("Extend trial")
    dialog.get_by_role("spinbutton", name="Days").fill("45")
    dialog.get_by_role("spinbutton", name="Days").press("Tab")
    expect(dialog.get_by_text("The role sales may go up to 30 days")).to_be_visible()
    visitor.say_why()
    visitor.confirm("Ask for approval", "it waits for approval")
    visitor.open("approvals", "Approvals", **{"as": "Frida Lund · founder"})
    expect(visitor.page.get_by_role("link", name=re.compile("Approvals · 1"))).to_be_visible()
    expect(visitor.page.get_by_text("asked for by Pia Novak (sales)")).to_be_visible()
    visitor.press("Approve")
    visitor.sees(re.compile("^The trial now ends on"))
    visitor.sees("Nothing waits for approval.")
    tables.has(Subscription, part.subscription, trial_end=ends + 45 * DAY)
    assert cast.sdk.subscriptions.retrieve(part.subscription).trial_end == ends + 45 * DAY
    [done] = [each for each in tables.actions(part.customer) if each.state == "done"]
    assert (done.staff_name, done.decider_name) == ("Pia Novak", "Frida Lund")
