"""A customer wants to leave, is won over, and leaves after all: recorded, offered something, approved."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from sqlmodel import Session, select

from models import CancellationRequest, Subscription
from tests.browser.cast import Cast
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import Visitor
from tests.support.sandbox import Account

pytestmark = pytest.mark.browser


def test_who_wants_to_leave_is_won_over_and_then_let_go(
    visitor: Visitor, cast: Cast, tables: Tables, account: Account
) -> None:
    part = cast.active("Lea Leaver")
    await_parts(tables, [part], account)
    visitor.open("customer", part.name, id=part.customer)
    visitor.dialog_of("Record a request to cancel")
    visitor.confirm("Record request to cancel", "Recorded.")
    dialog = visitor.dialog_of("Offer something else")
    visitor.choose("What", "A discount", dialog)
    dialog.get_by_label(re.compile("^What exactly")).fill("Two months at half the price")
    dialog.get_by_label(re.compile("^What exactly")).press("Tab")
    visitor.confirm("Offer instead of a cancel", "Kept.")
    visitor.sees("Two months at half the price")
    visitor.dialog_of("Customer stays")
    visitor.confirm("Close request to cancel", "Closed: the customer stays.")
    dialog = visitor.dialog_of("Record a request to cancel")
    visitor.choose("Why the customer leaves", "Too expensive", dialog)
    dialog.get_by_label("What the customer said").fill("I cannot afford it *any* more")
    dialog.get_by_label("What the customer said").press("Tab")
    visitor.confirm("Record request to cancel", "Recorded.")
    visitor.sees("“I cannot afford it *any* more”")
    visitor.page.get_by_role("link", name=re.compile("Requests to cancel · 1")).click()
    visitor.arrive("Requests to cancel")
    dialog = visitor.dialog_of("Approve")
    expect(dialog.get_by_label(re.compile("^Reason"))).to_have_value(
        re.compile("^Asked for by the customer on ")
    )
    expect(dialog.get_by_label("What the customer said")).to_have_value("I cannot afford it *any* more")
    visitor.confirm("Cancel subscription", "The subscription ends on")
    visitor.sees("Nobody waits for an answer.")
    tables.has(Subscription, part.subscription, cancel_at_period_end=True)
    details = cast.sdk.subscriptions.retrieve(part.subscription).cancellation_details
    assert details and (details.feedback, details.comment) == (
        "too_expensive",
        "I cannot afford it *any* more",
    )
    assert tables.until(approved)


def approved(session: Session) -> bool:
    rows = session.exec(select(CancellationRequest))
    return {(row.state, row.decided_by_name) for row in rows} == {
        ("withdrawn", "Ada Berg"),
        ("approved", "Ada Berg"),
    }
