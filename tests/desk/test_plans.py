"""Does a subscription go over to another plan as its dialog says, by what Stripe was asked?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pages.components import formats
from services import clock
from services.customers import sentences
from services.desk import changing, commands, fresh
from services.desk.asking import Opened, Unasked
from services.desk.command import Form
from services.desk.subject import Subject
from services.errors import Conflict, InvalidInput, NotAllowed
from services.mirror import events
from services.stripe_api.failures import StripeUnavailable
from tests.desk.bench import ANA, BEN, SAM, Bench, asked, press, row
from tests.mirror import truth

pytestmark = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
HALF = 15 * clock.DAY


def opened_for(about: Subject) -> Opened:
    return commands.open(ANA, "change_plan", about.customer.id, about.object_id)


def follow(desk: Bench) -> None:
    """Lets the desk's clock go by the account's, as it does in life."""
    clock.follow(clock.offset() + desk.sandbox.now() - clock.now())


def later(desk: Bench, about: Subject, seconds: int = HALF) -> Subject:
    """The same subject when some time has gone by."""
    desk.sandbox.advance(seconds=seconds)
    follow(desk)
    return fresh.subject(about.customer.id, about.object_id)


def invoices(desk: Bench, about: Subject) -> list[Any]:
    """The subscription's invoices, newest first."""
    return list(desk.sdk.invoices.list({"subscription": about.object_id}).data)


@pytest.fixture(autouse=True)
def _clock(desk: Bench) -> Iterator[None]:
    follow(desk)
    yield
    clock.follow(0)


@pytest.mark.parametrize(("currency", "price", "new"), [("usd", 4900, 9900), ("jpy", 5000, 12000)])
def test_what_was_shown_is_charged_at_once_also_after_a_while(
    desk: Bench, currency: str, price: int, new: int
) -> None:
    customer = desk.customer()
    made = desk.subscribe(customer, items=[{"price": desk.price(price, currency)}])
    about = later(desk, fresh.subject(customer, made))
    form = {"price": desk.price(new, currency), "quantity": "2", "billing": "now"}
    opened = opened_for(about)
    with pytest.raises(Unasked):
        commands.preview(opened, form)
    told = asked(opened, form)
    later(desk, about, 3600)
    outcome = commands.submit(opened, ANA, form, "asked for it")
    assert outcome.state == "done", outcome
    latest = invoices(desk, about)[0]
    assert (latest.status, latest.billing_reason) == ("paid", "subscription_update")
    amount = f"{latest.total / 100:.2f}" if currency == "usd" else f"{latest.total:,}"
    assert any(f"{amount} is charged now to the Visa card" in said for said in told.happens), told
    assert amount in outcome.message and "The plan is changed: it is 2 × " in outcome.message
    kept = row(opened.token)
    assert kept["result"]["invoice"] == latest.id
    assert [item.quantity for item in desk.sdk.subscriptions.retrieve(made)["items"].data] == [2]


def test_credit_and_charge_come_with_the_next_invoice(desk: Bench) -> None:
    about = later(desk, desk.in_state("active"))
    form = {"price": desk.price(9900), "quantity": "1", "billing": "next"}
    opened = opened_for(about)
    told = asked(opened, form)
    assert commands.submit(opened, ANA, form, "asked for it").state == "done"
    upcoming = desk.sdk.invoices.create_preview({"subscription": about.object_id})
    text = " ".join(told.happens)
    assert f"The next payment, ${upcoming.amount_due / 100:.2f}, is due on " in text
    assert "Nothing is charged now." in told.happens and len(invoices(desk, about)) == 1
    parts = sorted(item.amount for item in desk.sdk.invoice_items.list({"customer": about.customer.id}).data)
    assert (
        f"${-parts[0] / 100:.2f} is credited for the time not used, and ${parts[1] / 100:.2f} asked" in text
    )


def test_without_proration_only_the_next_invoice_changes(desk: Bench) -> None:
    about = later(desk, desk.in_state("active"))
    form = {"price": desk.price(9900), "quantity": "1", "billing": "none"}
    told = " ".join(asked(opened_for(about), form).happens)
    assert "Nothing is credited or charged for the rest of this period." in told
    assert "The next payment, $99.00, is due on " in told
    assert press(ANA, "change_plan", about, **form)[1].state == "done"
    assert desk.sdk.invoices.create_preview({"subscription": about.object_id}).amount_due == 9900


@pytest.mark.parametrize("billing", ["now", "none"])
def test_another_interval_moves_the_billing_day_and_is_billed_at_once(desk: Bench, billing: str) -> None:
    about = later(desk, desk.in_state("active"))
    form = {"price": desk.price(49000, interval="year"), "quantity": "1", "billing": billing}
    opened = opened_for(about)
    with pytest.raises(InvalidInput, match="begins a new period, which is billed at once"):
        opened.ask({**form, "billing": "next"})
    told = asked(opened, form)
    assert told.happens[1].startswith(
        "The billing day moves: a new period begins now, and is billed at once."
    )
    assert commands.submit(opened, ANA, form, "asked for it").state == "done"
    latest = invoices(desk, about)[0]
    assert f"${latest.total / 100:,.2f} is charged now" in " ".join(told.happens)
    assert (latest.total == 49000) == (billing == "none")


def test_what_was_free_begins_a_period_of_its_own(desk: Bench) -> None:
    customer = desk.customer()
    made = desk.subscribe(customer, items=[{"price": desk.price(0)}])
    about = later(desk, fresh.subject(customer, made))
    form = {"price": desk.price(4900), "quantity": "1", "billing": "now"}
    opened = opened_for(about)
    told = " ".join(asked(opened, form).happens)
    assert "The billing day moves" in told and "$49.00 is charged now" in told
    assert commands.submit(opened, ANA, form, "asked for it").state == "done"
    assert invoices(desk, about)[0].total == 4900


def test_a_smaller_plan_at_once_gives_credit(desk: Bench) -> None:
    about = later(desk, desk.in_state("active"))
    form = {"price": desk.price(900), "quantity": "1", "billing": "now"}
    opened = opened_for(about)
    told = asked(opened, form)
    outcome = commands.submit(opened, ANA, form, "asked for it")
    assert outcome.state == "done"
    credit = -(desk.sdk.customers.retrieve(about.customer.id).balance or 0)
    assert credit > 0
    assert f"Nothing is charged now: ${credit / 100:.2f} goes to the customer's credit." in told.happens
    assert not told.warnings, "where nothing is charged no payment can fail"


def test_a_declined_card_changes_nothing(desk: Bench) -> None:
    about = desk.in_state("active")
    desk.sandbox.add_card(about.customer.id, "insufficient_funds")
    opened = opened_for(about)
    told = asked(opened, {"quantity": "3", "billing": "now"})
    assert told.warnings[0].startswith("If the payment fails, nothing is changed")
    outcome = commands.submit(opened, ANA, {"quantity": "3", "billing": "now"}, "asked for it")
    assert outcome.state == "failed" and "not enough money" in outcome.message, outcome
    shown = desk.sdk.subscriptions.retrieve(about.object_id)
    assert (shown.status, shown["items"].data[0].quantity) == ("active", 1)
    assert len(invoices(desk, about)) == 1


def test_in_a_trial_nothing_is_prorated(desk: Bench) -> None:
    about = desk.in_state("trialing")
    form = {"price": desk.price(49000, interval="year"), "quantity": "1", "billing": ""}
    opened = opened_for(about)
    told = " ".join(asked(opened, form).happens)
    assert "Nothing is charged now. The first payment, $490.00, is taken on " in told
    assert commands.submit(opened, ANA, form, "asked for it").state == "done"
    shown = desk.sdk.subscriptions.retrieve(about.object_id)
    assert about.subscription and (shown.status, shown.trial_end) == (
        "trialing",
        about.subscription.trial_end,
    )


def test_of_several_items_one_is_changed(desk: Bench) -> None:
    customer = desk.customer()
    prices = [desk.price(4900), desk.price(1500)]
    made = desk.subscribe(customer, items=[{"price": price} for price in prices])
    opened = opened_for(fresh.subject(customer, made))
    [seats] = [item for item in opened.subject.items if item.row.price == prices[1]]
    said = [plan.price.interval for plan in changing.plans_for(opened.subject, seats)]
    assert said and set(said) == {"month"}, "all of a subscription is billed together"
    form = {"item": seats.row.id, "price": prices[0], "quantity": "1", "billing": "next"}
    with pytest.raises(InvalidInput, match="is in the subscription already"):
        opened.ask(form)
    with pytest.raises(InvalidInput, match="Choose what should be changed"):
        opened.ask({**form, "item": ""})
    form |= {"price": prices[1], "quantity": "5"}
    assert commands.submit(opened, ANA, form, "more seats").state == "done"
    shown = {item.price.id: item.quantity for item in desk.sdk.subscriptions.retrieve(made)["items"].data}
    assert shown == {prices[0]: 1, prices[1]: 5}


def test_tiers_and_use_are_taken_as_stripe_reckons_them(desk: Bench) -> None:
    product = desk.sdk.products.create({"name": "Volume"}).id
    common: Any = {"product": product, "currency": "usd"}
    tiers = [{"up_to": 5, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 600}]
    by_tiers: Any = {**common, "billing_scheme": "tiered", "tiers_mode": "volume", "tiers": tiers}
    tiered = desk.sdk.prices.create({**by_tiers, "recurring": {"interval": "month"}}).id
    metered = desk.sdk.prices.create(
        {**common, "recurring": {"interval": "month", "usage_type": "metered"}, "unit_amount": 2}
    ).id
    desk.mirror("product", product)
    for price in (tiered, metered):
        desk.mirror("price", price)
    about = desk.in_state("active")
    opened = opened_for(about)
    form = {"price": tiered, "quantity": "10", "billing": "none"}
    told = " ".join(asked(opened, form).happens)
    assert "becomes 10 × Volume by tiers a month now." in told and "The next payment, $60.00," in told
    form = {"price": metered, "quantity": "", "billing": "none"}
    assert commands.submit(opened, ANA, form, "by use").state == "done"
    again = opened_for(fresh.subject(about.customer.id, about.object_id))
    told_of = asked(again, {"price": tiered, "quantity": "2", "billing": "none"})
    assert any("Volume is billed by use" in said for said in told_of.warnings)


def test_an_archived_price_keeps_its_quantity_changeable(desk: Bench) -> None:
    about = desk.in_state("active")
    [item] = about.items
    desk.sdk.prices.update(item.row.price, {"active": False})
    desk.mirror("price", item.row.price)
    opened, outcome = press(ANA, "change_plan", about, quantity="2", billing="next")
    desk.sdk.prices.update(item.row.price, {"active": True})
    desk.mirror("price", item.row.price)
    assert outcome.state == "done", outcome
    assert item.row.price not in [plan.price.id for plan in opened.subject.plans]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"quantity": "0", "billing": "next"}, "not a quantity"),
        ({"quantity": "1.5", "billing": "next"}, "“1.5” is not a quantity. Type a whole number between"),
        ({"quantity": " ", "billing": "next"}, "Enter a quantity"),
        ({"quantity": "٣", "billing": "next"}, "not a quantity"),
        ({"quantity": "9" * 5000, "billing": "next"}, "not a quantity"),
        ({"quantity": "1", "billing": "next"}, "what it has now"),
        ({"quantity": "2", "billing": "later"}, "how the change is billed"),
        ({"quantity": "2", "price": "price_of_nobody", "billing": "next"}, "one of the plans"),
    ],
)
def test_what_cannot_be_is_said_before_stripe_is_asked(desk: Bench, form: Form, said: str) -> None:
    opened = opened_for(desk.shared("active"))
    before = len(desk.writes("/v1/invoices/create_preview"))
    with pytest.raises(InvalidInput, match=said):
        opened.ask(form)
    assert len(desk.writes("/v1/invoices/create_preview")) == before


def test_what_nobody_could_pay_at_once_is_not_billed_at_once(desk: Bench) -> None:
    about = desk.in_state("active")
    opened = opened_for(about)
    lone = replace(
        opened, subject=replace(opened.subject, customer=type(about.customer)(id="cus_1", created=0))
    )
    with pytest.raises(InvalidInput, match="no card is on file"):
        lone.ask({"quantity": "2", "billing": "now"})
    paused = opened_for(desk.in_state("collection paused"))
    with pytest.raises(InvalidInput, match="collection is paused"):
        paused.ask({"quantity": "2", "billing": "now"})


def test_what_is_past_due_and_what_is_set_to_end_is_warned_of(desk: Bench) -> None:
    form = {"quantity": "2", "billing": "next"}
    for state, said in (
        ("past_due", "not paid for yet is credited"),
        ("set to cancel", "comes on an invoice then"),
    ):
        told = asked(opened_for(desk.shared(state)), form)
        assert any(said in one for one in told.warnings), told


def test_a_schedule_decides_itself(desk: Bench) -> None:
    about = desk.shared("active")
    assert about.subscription
    steered = type(about.subscription)(**{**about.subscription.model_dump(), "schedule": "sub_sched_1"})
    reason = opened_for(about).command.offered(replace(about, subscription=steered))
    assert "schedule in Stripe decides about its plan" in reason


def test_whoever_changes_it_meanwhile_stops_it(desk: Bench) -> None:
    about = desk.in_state("active")
    first, second = opened_for(about), commands.open(BEN, "change_plan", about.customer.id, about.object_id)
    assert commands.submit(first, ANA, {"quantity": "3", "billing": "next"}, "grows").state == "done"
    outcome = commands.submit(second, BEN, {"quantity": "4", "billing": "next"}, "grows")
    assert outcome.state == "failed" and "Plan: Team" in outcome.message, outcome
    assert " → 3 × Team" in outcome.message


def test_another_amount_than_was_shown_is_not_charged(desk: Bench) -> None:
    about = desk.in_state("active")
    opened = opened_for(about)
    form = {"quantity": "3", "billing": "now"}
    opened.ask(form)
    item: Any = {
        "customer": about.customer.id,
        "subscription": about.object_id,
        "amount": 700,
        "currency": "usd",
    }
    desk.sdk.invoice_items.create(item)
    outcome = commands.submit(opened, ANA, form, "asked for it")
    assert outcome.state == "failed" and "Stripe would charge" in outcome.message
    assert len(invoices(desk, about)) == 1


def test_a_silent_stripe_and_a_role_that_may_not_change_nothing(desk: Bench) -> None:
    about = desk.in_state("active")
    opened = opened_for(about)
    desk.sandbox.fault("timeout_after", method="POST", path="/v1/invoices/create_preview")
    with pytest.raises(StripeUnavailable):
        commands.submit(opened, ANA, {"quantity": "3", "billing": "now"}, "asked for it")
    desk.sandbox.heal()
    with pytest.raises(NotAllowed, match="change plans"):
        commands.open(SAM, "change_plan", about.customer.id, about.object_id)
    assert row(opened.token)["state"] == "open"
    with pytest.raises(Conflict, match="ended"):
        opened_for(desk.shared("canceled"))


def told_by_events(desk: Bench, about: Subject) -> list[str]:
    """What the subscription's events say on a timeline, newest first; the account keeps them for 30 days."""
    updates = truth.every(desk.sandbox, "/v1/events", {"type": "customer.subscription.updated"})
    found = [events.row(one) for one in updates if one["data"]["object"].get("id") == about.object_id]
    assert found
    news = (one for one in found if sentences.is_news(one["type"], one["facts"]))
    return [sentences.sentence(one["type"], one["facts"], formats) for one in news]


def test_the_timeline_tells_a_change_of_plan_and_not_a_new_period(desk: Bench) -> None:
    about = desk.in_state("active")
    press(ANA, "change_plan", about, price=desk.price(9900), quantity="3", billing="next")
    newest = told_by_events(desk, about)[0]
    assert newest == "Subscription went over to another plan; quantity is now 3 instead of 1"
    assert told_by_events(desk, later(desk, about, 32 * clock.DAY)) == [], "a new period is no news"
