"""Trials and subscriptions changed by buttons in a browser: account, tables and ledger afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from playwright.sync_api import expect
from sqlmodel import select

from models import (
    Subscription,
)
from tests.browser.cast import DAY, Cast, Part
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import Visitor
from tests.support.sandbox import Account

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def parts(cast: Cast, account: Account, tables: Tables) -> dict[str, Part]:
    """One customer for each deed."""
    made = {
        "days": cast.trial("Daisy Days"),
        "date": cast.trial("Dahlia Date"),
        "end": cast.trial("Enzo End"),
        "leave later": cast.active("Lars Later"),
        "leave now": cast.active("Lena Leaves"),
        "stay": cast.ending("Stella Stays"),
        "paused": cast.paused("Paula Paused"),
        "canceled": cast.canceled("Carl Canceled"),
        "grow": cast.active("Greta Grows"),
    }
    await_parts(tables, list(made.values()), account)
    return made


def trial_end(cast: Cast, part: Part) -> int:
    return int(cast.sdk.subscriptions.retrieve(part.subscription).trial_end or 0)


def test_a_dialog_is_left_with_nothing_done(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["days"]
    before = trial_end(cast, part)
    visitor.open("customer", part.name, id=part.customer)
    for button, leave in (("Extend trial", "Cancel"), ("Cancel", "Go back")):
        visitor.dialog_of(button)
        visitor.say_why()
        visitor.press(leave, visitor.dialog)
        expect(visitor.page.get_by_role("dialog")).to_have_count(0)
        assert (trial_end(cast, part), tables.actions(part.customer)) == (before, [])


def test_a_dialog_is_there_while_stripe_takes_its_time(
    visitor: Visitor, parts: dict[str, Part], account: Account
) -> None:
    part = parts["leave later"]
    visitor.open("customer", part.name, id=part.customer)
    account.fault("slow", method="GET", path=f"/v1/subscriptions/{part.subscription}", seconds=4, count=1)
    dialog = visitor.dialog_of("Cancel")
    expect(dialog.get_by_text("Asking Stripe…")).to_be_visible()
    expect(visitor.button("Cancel subscription", dialog)).to_be_visible()
    expect(dialog.get_by_text("Asking Stripe…")).to_have_count(0)


@pytest.mark.slow  # test_roles does that, too
def test_a_trial_is_extended_by_days(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["days"]
    before = trial_end(cast, part)
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Extend trial")
    expect(dialog.get_by_text("7 days later")).to_be_visible()
    dialog.get_by_label("Days", exact=True).fill("1.5")
    dialog.get_by_label("Days", exact=True).press("Enter")
    expect(dialog.get_by_text("“1.5” is not a whole number of days.")).to_be_visible()
    dialog.get_by_label("Days", exact=True).fill("")
    dialog.get_by_label("Days", exact=True).press("Enter")
    expect(dialog.get_by_text("The number of days must be between 1 and 730.")).to_be_visible()
    dialog.get_by_label("Days", exact=True).fill("10")
    dialog.get_by_label("Days", exact=True).press("Enter")
    expect(dialog.get_by_text("10 days later")).to_be_visible()
    visitor.say_why()
    visitor.confirm("Extend trial", "The trial now ends on")
    visitor.sees("24 days left")
    assert trial_end(cast, part) == before + 10 * DAY
    tables.has(Subscription, part.subscription, trial_end=before + 10 * DAY)
    row = tables.ledger(part, "extend_trial")
    assert (row.before["trial_end"], row.after["trial_end"]) == (before, before + 10 * DAY)
    assert row.params == {"trial_end": before + 10 * DAY}


@pytest.mark.slow  # by days it goes the same way; dates are typed in test_once
def test_a_trial_is_extended_to_a_date(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["date"]
    before = datetime.fromtimestamp(trial_end(cast, part), UTC)
    day = before.date() + timedelta(days=45)
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Extend trial")
    dialog.get_by_text("To a date", exact=True).click()
    visitor.type_day("New last day", day)
    expect(dialog.get_by_text("45 days later")).to_be_visible()
    visitor.say_why()
    visitor.confirm("Extend trial", "The trial now ends on")
    wanted = int(datetime.combine(day, time(before.hour, before.minute, before.second), UTC).timestamp())
    assert trial_end(cast, part) == wanted
    tables.has(Subscription, part.subscription, trial_end=wanted)
    assert tables.ledger(part, "extend_trial").after["trial_end"] == wanted


def test_a_trial_ends_now_with_a_reason(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["end"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("End trial now")
    expect(dialog.get_by_text("The first payment, $49.00, is taken now.")).to_be_visible()
    visitor.press("End trial now", dialog)
    expect(dialog.get_by_text("Say why: the reason is kept with the action.")).to_be_visible()
    assert tables.actions(part.customer) == []
    visitor.say_why()
    visitor.confirm("End trial now", "The trial has ended. $49.00 was charged. The subscription is active.")
    now = cast.sdk.subscriptions.retrieve(part.subscription)
    invoice = cast.sdk.invoices.retrieve(str(now.latest_invoice))
    assert (now.status, invoice.status, invoice.amount_paid) == ("active", "paid", 4900)
    tables.has(Subscription, part.subscription, status="active")
    row = tables.ledger(part, "end_trial")
    assert (row.before["status"], row.after["status"]) == ("trialing", "active")


def test_a_subscription_is_set_to_end_with_what_the_customer_said(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["leave later"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Cancel")
    visitor.choose("Why the customer leaves", "Too expensive", dialog)
    dialog.get_by_label("What the customer said").fill("Twice the price of last year")
    visitor.say_why()
    visitor.confirm("Cancel subscription", "The subscription ends on")
    visitor.sees("Set to end")
    now = cast.sdk.subscriptions.retrieve(part.subscription)
    assert (now.status, now.cancel_at_period_end) == ("active", True)
    details = now.cancellation_details
    assert details is not None
    assert (details.feedback, details.comment) == ("too_expensive", "Twice the price of last year")
    ending = {"cancel_at_period_end": True, "cancellation_feedback": "too_expensive"}
    tables.has(Subscription, part.subscription, **ending)
    assert tables.ledger(part, "cancel").params["when"] == "period_end"


@pytest.mark.slow  # the same dialog as for an end later
def test_a_subscription_ends_now(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["leave now"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Cancel")
    dialog.get_by_text("Now", exact=True).click()
    expect(dialog.get_by_text("Nothing is refunded and no final invoice is made.")).to_be_visible()
    visitor.say_why()
    visitor.confirm("Cancel subscription", "The subscription has ended.")
    assert cast.sdk.subscriptions.retrieve(part.subscription).status == "canceled"
    tables.has(Subscription, part.subscription, status="canceled")
    row = tables.ledger(part, "cancel")
    assert (row.before["status"], row.after["status"]) == ("active", "canceled")


@pytest.mark.slow  # its dialog has nothing of its own
def test_a_cancellation_is_taken_back(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["stay"]
    visitor.open("customer", part.name, id=part.customer)
    expect(visitor.page.get_by_text("Set to end", exact=True)).to_be_visible()
    visitor.dialog_of("Undo cancel")
    visitor.say_why()
    visitor.confirm("Undo cancel", "The cancellation was taken back; the subscription goes on.")
    expect(visitor.page.get_by_text("Set to end", exact=True)).to_have_count(0)
    assert not cast.sdk.subscriptions.retrieve(part.subscription).cancel_at_period_end
    tables.has(Subscription, part.subscription, cancel_at_period_end=False, cancel_at=None)
    assert tables.ledger(part, "undo_cancel").result == {"subscription": part.subscription}


@pytest.mark.slow  # its dialog has nothing of its own
def test_a_paused_subscription_resumes(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["paused"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Reactivate")
    expect(dialog.get_by_text("$49.00 is charged now to the")).to_be_visible()
    visitor.say_why()
    visitor.confirm("Reactivate", "Reactivated: the subscription has resumed.")
    now = cast.sdk.subscriptions.retrieve(part.subscription)
    assert now.status == "active"
    assert cast.sdk.invoices.retrieve(str(now.latest_invoice)).status == "paid"
    tables.has(Subscription, part.subscription, status="active")
    tables.ledger(part, "reactivate")


@pytest.mark.slow  # its dialog has nothing of its own
def test_a_canceled_one_starts_again_without_a_second_trial(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["canceled"]
    old = cast.sdk.subscriptions.retrieve(part.subscription)
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Reactivate")
    expect(dialog.get_by_text("It has no trial.")).to_be_visible()
    visitor.say_why()
    visitor.confirm("Reactivate", "Reactivated: a new subscription has begun.")
    new, before = cast.sdk.subscriptions.list({"customer": part.customer, "status": "all"}).data
    assert (before.id, before.status) == (old.id, "canceled")
    assert (new.status, new.trial_start, new.trial_end) == ("active", None, None)
    assert [item.price.id for item in new["items"].data] == [item.price.id for item in old["items"].data]
    # The event of its first instant may be told before the read that follows it.
    active = select(Subscription).where(Subscription.id == new.id, Subscription.status == "active")
    assert tables.until(lambda session: session.exec(active).first()).trial_end is None
    made = {"new_subscription": new.id, "invoice": str(new.latest_invoice)}
    assert tables.ledger(part, "reactivate").result == made


def test_a_plan_is_changed_for_what_stripe_said_of_what_was_typed_last(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part = parts["grow"]
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Change plan")
    dialog.get_by_text("At once", exact=True).click()
    dialog.get_by_label("Quantity", exact=True).fill("2")
    visitor.say_why()
    visitor.press("Show what it comes to", dialog)
    expect(dialog.get_by_text("becomes 2 × ")).to_be_visible()
    dialog.get_by_label("Quantity", exact=True).fill("3")
    dialog.get_by_label("Quantity", exact=True).press("Enter")
    expect(dialog.get_by_text("becomes 2 × ")).to_have_count(0)
    visitor.press("Show what it comes to", dialog)
    expect(dialog.get_by_text("becomes 3 × ")).to_be_visible()
    visitor.confirm("Change plan", "The plan is changed: it is 3 × ")
    [item] = cast.sdk.subscriptions.retrieve(part.subscription)["items"].data
    invoice = cast.sdk.invoices.retrieve(tables.ledger(part, "change_plan").result["invoice"])
    assert (item.quantity, invoice.status, invoice.billing_reason) == (3, "paid", "subscription_update")
