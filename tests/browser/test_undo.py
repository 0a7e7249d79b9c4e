"""What was done by a mistake is taken back from its row in Activity."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from models import Subscription
from tests.browser.cast import DAY, Cast
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import Visitor
from tests.support.sandbox import Account

pytestmark = pytest.mark.browser
WHAT = 230  # pixels to the column that opens a row


def test_an_extension_is_taken_back(visitor: Visitor, cast: Cast, tables: Tables, account: Account) -> None:
    part = cast.trial("Uma Undo")
    await_parts(tables, [part], account)
    ends = int(cast.sdk.subscriptions.retrieve(part.subscription).trial_end or 0)
    visitor.open("customer", part.name, id=part.customer)
    visitor.dialog_of("Extend trial")
    visitor.say_why()
    visitor.confirm("Extend trial", "The trial now ends on")
    tables.has(Subscription, part.subscription, trial_end=ends + 7 * DAY)
    visitor.open("activity", "Activity", account=part.customer).open_row(x=WHAT)
    visitor.press("Undo", visitor.dialog)
    expect(visitor.dialog.get_by_text("Takes back “Extend trial” by Ada Berg")).to_be_visible()
    expect(visitor.dialog.get_by_text("7 days earlier.")).to_be_visible()
    visitor.say_why()
    visitor.confirm("Take back extension", "The trial now ends on")
    tables.has(Subscription, part.subscription, trial_end=ends)
    visitor.sees("2 entries")
    visitor.open_row(1, x=WHAT)
    expect(visitor.dialog.get_by_text("Undone by Ada Berg")).to_be_visible()
    expect(visitor.button("Undo", visitor.dialog)).to_have_count(0)
