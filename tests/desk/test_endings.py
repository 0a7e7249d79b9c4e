"""Does a subscription end when and as its dialog said, with the money that it announced?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services import clock, config
from services.desk import commands, fresh, words
from services.desk.asking import Unasked
from services.desk.command import Quote
from services.errors import Conflict, InvalidInput
from services.money import display
from services.stripe_api.failures import StripeUnavailable
from tests.desk.bench import ANA, STATES, Bench, asked, press, row
from tests.desk.test_inputs import NOW, TRIAL_END, about, parse
from tests.desk.test_promises import said

SQLITE = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
PAID: dict[str, Any] = {"status": "active"}
CREDIT, DUE = Quote(0, "usd", -2000), Quote(1500, "usd", 1500)
BEFORE = clock.local(TRIAL_END, config.Settings().zone).date() - timedelta(days=1)
AFTER = BEFORE + timedelta(days=30)


def local_day(instant: int, days: int = 0) -> str:
    """The local day of an instant, moved by days, as a date field gives it."""
    return (clock.local(instant, config.settings().zone).date() + timedelta(days=days)).isoformat()


@SQLITE
def test_an_end_in_the_running_period_credits_the_rest_as_announced(desk: Bench) -> None:
    plan = about_active(desk)
    assert plan.subscription and plan.subscription.current_period_end
    end = plan.subscription.current_period_end
    form = {"when": "date", "date": local_day(end, -10), "prorate": "yes"}
    opened = commands.open(ANA, "cancel", plan.customer.id, plan.object_id)
    told = asked(opened, form)
    outcome = commands.submit(opened, ANA, form, "asked")
    assert outcome.state == "done" and outcome.message.startswith("The subscription ends on"), outcome
    shown = desk.sdk.subscriptions.retrieve(plan.object_id)
    assert shown.cancel_at and abs(shown.cancel_at - (end - 10 * clock.DAY)) <= 3600
    [credit] = desk.sdk.invoice_items.list({"customer": plan.customer.id}).data
    assert credit.proration and credit.amount < 0
    assert f"credits the rest of the period, {display(-credit.amount, 'usd')}" in " ".join(told.happens)
    assert f"runs until {words.moment(shown.cancel_at)}" in told.happens[0]
    opened, undone = press(ANA, "undo_cancel", plan)
    assert undone.state == "done" and "is charged again" in str(row(opened.token)["preview"])
    waiting = desk.sdk.invoice_items.list({"customer": plan.customer.id}).data
    assert abs(sum(item.amount for item in waiting)) <= 1


@SQLITE
def test_without_a_credit_nothing_is_charged_again_when_it_is_taken_back(desk: Bench) -> None:
    plan = about_active(desk)
    assert plan.subscription and plan.subscription.current_period_end
    press(ANA, "cancel", plan, when="date", date=local_day(plan.subscription.current_period_end, -10))
    press(ANA, "undo_cancel", plan)
    assert desk.sdk.invoice_items.list({"customer": plan.customer.id}).data == []
    assert desk.sdk.subscriptions.retrieve(plan.object_id).cancel_at is None


@SQLITE
def test_beyond_the_running_period_the_next_payment_is_announced(desk: Bench) -> None:
    plan = about_active(desk)
    assert plan.subscription and plan.subscription.current_period_end
    form = {"when": "date", "date": local_day(plan.subscription.current_period_end, 10)}
    opened = commands.open(ANA, "cancel", plan.customer.id, plan.object_id)
    told = " ".join(asked(opened, form).happens)
    assert commands.submit(opened, ANA, form, "asked").state == "done"
    due = desk.sdk.invoices.create_preview({"subscription": plan.object_id}).amount_due
    assert 0 < due < 4900 and f"The next payment, {display(due, 'usd')}, is due on" in told


@SQLITE
def test_a_final_invoice_charges_what_waits_and_says_so(desk: Bench) -> None:
    plan = about_active(desk)
    press(ANA, "add_charge", plan, amount="25", description="Setup", when="next")
    form = {"when": "now", "invoice_now": "yes"}
    opened = commands.open(ANA, "cancel", plan.customer.id, plan.object_id)
    told = asked(opened, form)
    outcome = commands.submit(opened, ANA, form, "asked")
    assert "A final invoice for $25.00 is made and charged to the Visa card ending in 4242." in told.happens
    assert "waits" not in str(told.warnings)
    assert outcome.message == "The subscription has ended. Its final invoice: $25.00 was charged."
    made = desk.sdk.invoices.retrieve(row(opened.token)["result"]["invoice"])
    assert (made.status, made.amount_paid) == ("paid", 2500)


@SQLITE
def test_a_final_invoice_that_changed_since_it_was_shown_is_not_made(desk: Bench) -> None:
    plan = about_active(desk)
    opened = commands.open(ANA, "cancel", plan.customer.id, plan.object_id)
    form = {"when": "now", "invoice_now": "yes"}
    opened.ask(form)
    desk.sdk.invoice_items.create(
        {"customer": plan.customer.id, "amount": 700, "currency": "usd", "subscription": plan.object_id}
    )
    outcome = commands.submit(opened, ANA, form, "asked")
    assert "The dialog announced nothing; Stripe would charge $7.00 by now." in outcome.message
    assert desk.sdk.subscriptions.retrieve(plan.object_id).status == "active"


@SQLITE
def test_unused_time_goes_to_the_balance_by_a_final_invoice_only(desk: Bench) -> None:
    for with_invoice in ("yes", ""):
        plan = about_active(desk)
        form = {"when": "now", "prorate": "yes", "invoice_now": with_invoice}
        opened = commands.open(ANA, "cancel", plan.customer.id, plan.object_id)
        told = " ".join(asked(opened, form).happens)
        outcome = commands.submit(opened, ANA, form, "asked")
        assert outcome.state == "done" and "bout $49.00" in told, told
        balance = desk.sdk.customers.retrieve(plan.customer.id).balance or 0
        pending = desk.sdk.invoice_items.list({"customer": plan.customer.id, "pending": True}).data
        if with_invoice:
            assert "credits $49.00: it goes to the customer's balance" in outcome.message
            assert balance == pytest.approx(-4900, abs=2) and pending == []
        else:
            assert balance == 0 and sum(item.amount for item in pending) == pytest.approx(-4900, abs=2)


@SQLITE
def test_stripe_is_asked_by_a_click_where_money_moves_and_a_sum_that_is_charged_must_be_known(
    desk: Bench,
) -> None:
    plan = about_active(desk)
    assert plan.subscription and plan.subscription.current_period_end
    within = local_day(plan.subscription.current_period_end, -10)
    opened = commands.open(ANA, "cancel", plan.customer.id, plan.object_id)
    before = len(desk.writes("/v1/invoices/create_preview"))
    for plain in ({"when": "now"}, {"when": "period_end"}, {"when": "date", "date": within}):
        commands.preview(opened, plain)
    final = {"when": "now", "invoice_now": "yes"}
    with pytest.raises(Unasked):
        commands.preview(opened, final)
    assert len(desk.writes("/v1/invoices/create_preview")) == before
    assert asked(opened, final) == commands.preview(opened, final)
    assert len(desk.writes("/v1/invoices/create_preview")) == before + 1
    desk.sandbox.fault("500_before", method="POST", path="/v1/invoices/create_preview")
    with pytest.raises(StripeUnavailable):
        opened.ask({**final, "comment": "too dear"})
    told = asked(opened, {"when": "now", "prorate": "yes"})
    desk.sandbox.heal()
    assert "The time not used is credited." in told.happens
    assert told.warnings[-1].endswith("What the next invoice comes to is therefore not known.")


@SQLITE
@pytest.mark.parametrize("state", STATES)
def test_each_state_ends_on_a_date_or_says_why_not(desk: Bench, state: str) -> None:
    plan = desk.in_state(state)
    form = {"when": "date", "date": local_day(clock.now(), 10)}
    if state in (
        "trialing",
        "trialing without a card",
        "active",
        "past_due",
        "collection paused",
        "discounted",
    ):
        _, outcome = press(ANA, "cancel", plan, **form)
        shown = desk.sdk.subscriptions.retrieve(plan.object_id)
        assert outcome.state == "done" and shown.cancel_at, outcome
        assert outcome.message == f"The subscription ends on {words.moment(shown.cancel_at)}."
        return
    with pytest.raises((Conflict, InvalidInput), match=r"is paused|is incomplete|already set|has ended"):
        press(ANA, "cancel", plan, **form)


def about_active(desk: Bench) -> Any:
    """A customer with a paid subscription and a card."""
    customer = desk.customer()
    return fresh.subject(customer, desk.subscribe(customer))


@pytest.mark.parametrize(
    ("fields", "form", "remark"),
    [
        (PAID, {"date": ""}, "Choose the day"),
        (PAID, {"date": "2020-01-01"}, "is in the past"),
        ({"status": "paused"}, {"date": str(AFTER)}, "The subscription is paused."),
        ({**PAID, "cancel_at": NOW + 9}, {"date": str(AFTER)}, "already set to end"),
        ({**PAID, "schedule": "sub_sched_1"}, {"date": str(AFTER)}, "schedule in Stripe"),
    ],
)
def test_a_date_on_which_nothing_can_end(fields: dict[str, Any], form: dict[str, str], remark: str) -> None:
    with pytest.raises(InvalidInput, match=remark) as error:
        parse("cancel", about(**fields), when="date", **form)
    assert error.value.field in ("date", "when")


def test_a_day_is_meant_at_the_time_at_which_periods_end() -> None:
    chosen = parse("cancel", about(**PAID), when="date", date=local_day(TRIAL_END))
    assert (chosen["cancel_at"], chosen["prorate"]) == (TRIAL_END, False)
    assert parse("cancel", about(**PAID), when="date", date=str(AFTER))["prorate"], "Stripe always does"


@pytest.mark.parametrize(
    ("fields", "quote", "form", "told"),
    [
        ({}, None, {"date": str(BEFORE)}, "It ends in its trial: nothing is charged."),
        (PAID, None, {"date": str(BEFORE)}, "nothing is credited for the rest of the period."),
        (PAID, None, {"date": str(BEFORE), "prorate": "yes"}, "The rest of the period is credited"),
        (PAID, DUE, {"date": str(BEFORE), "prorate": "yes"}, "A last invoice then comes to $15.00"),
        (PAID, DUE, {"date": str(AFTER)}, "the last one only up to the end."),
        ({}, DUE, {"date": str(AFTER)}, "The first payment, $15.00, is taken on"),
        ({"status": "past_due"}, CREDIT, {"date": str(BEFORE)}, "what it owes is still collected"),
    ],
)
def test_what_is_billed_until_a_date(
    fields: dict[str, Any], quote: Quote | None, form: dict[str, str], told: str
) -> None:
    assert told in said("cancel", about(**fields), quote, **{"when": "date", **form})


@pytest.mark.parametrize(
    ("fields", "quote", "told"),
    [
        ({}, None, "Stripe foresees nothing."),
        ({}, CREDIT, "The final invoice is a credit of $20.00: it goes to the customer's balance"),
        ({}, DUE, "A final invoice for $15.00 is made and charged to the card on file."),
        ({"card": None}, DUE, "that nobody can pay yet"),
        ({"collection_method": "send_invoice"}, DUE, "An invoice for $15.00 is sent to the customer"),
        ({"pause_collection": "void"}, DUE, "the final invoice for $15.00 is voided; nothing is taken."),
        ({}, Quote(0, "usd", 10, carried=10), "$0.10 is less than Stripe charges"),
    ],
)
def test_what_a_final_invoice_comes_to(fields: dict[str, Any], quote: Quote | None, told: str) -> None:
    heard = said("cancel", about("active", **fields), quote, when="now", invoice_now="yes")
    assert told in heard and "no final invoice" not in heard
    with_time = said("cancel", about("active", **fields), DUE, when="now", invoice_now="yes", prorate="yes")
    assert "$15.00" in with_time and ("about" in with_time or fields.get("collection_method"))
