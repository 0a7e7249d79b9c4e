"""What is said to bad input? Pure parts: nothing is asked and nothing is written here."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import Coupon, Customer, Invoice, Price, Product, Subscription, SubscriptionItem
from services import clock, config
from services.desk import catalog, snapshots, words
from services.desk.command import Command, Form, Params, Quote
from services.desk.subject import Item, Subject
from services.desk.terms import Charged, Terms
from services.errors import InvalidInput, NotFound

NOW = 1_790_000_000
TRIAL_END = NOW + 3 * clock.DAY
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Chatham", "Australia/Lord_Howe")


def about(status: str = "trialing", *, card: str | None = "pm_1", **fields: Any) -> Subject:
    """A subject that exists in memory only."""
    values = {
        "id": "sub_1", "created": NOW, "customer": "cus_1", "status": status, "currency": "usd",
        "collection_method": "charge_automatically", "trial_end": TRIAL_END, "trial_end_behavior": "cancel",
        "current_period_end": TRIAL_END, **fields,
    }  # fmt: skip
    customer = Customer(id="cus_1", created=NOW, name="Ada", currency="usd", default_payment_method=card)
    item = SubscriptionItem(id="si_1", created=NOW, subscription="sub_1", price="price_1", product="prod_1")
    price = Price(id="price_1", created=NOW, product="prod_1", currency="usd", unit_amount=4900, active=True)
    product = Product(id="prod_1", created=NOW, name="Team")
    return Subject(customer, subscription=Subscription(**values), items=(Item(item, price, product),))


def parse(name: str, subject: Subject, **form: str) -> Params:
    """The parameters of a command."""
    return catalog.find(name).parse(subject, form, NOW)


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ZoneInfo:
    """The workspace's zone."""
    settings = config.Settings(workspace_timezone=request.param)
    monkeypatch.setattr(config, "settings", lambda: settings)
    return settings.zone


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"mode": "days", "days": "0"}, "between 1 and 730"),
        ({"mode": "days", "days": "-3"}, "between 1 and 730"),
        ({"mode": "days", "days": "1.5"}, "“1.5” is not a whole number of days"),
        ({"mode": "days", "days": "٣"}, "not a whole number"),
        ({"mode": "days", "days": ""}, "between 1 and 730"),
        ({"mode": "days", "days": "9" * 5000}, "between 1 and 730"),
        ({"mode": "days", "days": "00001" + "9" * 5000}, "between 1 and 730"),
        ({"mode": "days", "days": "0" * 5000}, "between 1 and 730"),
        ({"mode": "days", "days": "730"}, "at most two years ahead"),
        ({"mode": "date", "date": "2020-01-01"}, "is in the past"),
        ({"mode": "date", "date": "2026-02-30"}, "Choose the day"),
        ({"mode": "date", "date": ""}, "Choose the day"),
        ({"mode": "date", "date": "9999-12-31"}, "at most two years ahead"),
        ({"mode": "weeks"}, "Choose whether"),
        ({}, "Choose whether"),
    ],
)
def test_a_trial_end_that_cannot_be(form: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as error:
        parse("extend_trial", about(), **form)
    assert error.value.field in ("days", "date", "mode")


def test_a_day_before_the_present_end_is_no_extension() -> None:
    earlier = datetime.fromtimestamp(TRIAL_END - clock.DAY, UTC).date()
    with pytest.raises(InvalidInput, match="already ends on"):
        parse("extend_trial", about(), mode="date", date=earlier.isoformat())


@given(days=st.integers(1, 700))
def test_days_are_added_to_the_present_end(days: int) -> None:
    for typed in (str(days), f"{'0' * 5000}{days}"):
        assert parse("extend_trial", about(), mode="days", days=typed) == {
            "trial_end": TRIAL_END + days * clock.DAY
        }


def test_a_chosen_day_keeps_the_local_time_of_day_across_clock_changes(zone: ZoneInfo) -> None:
    before = clock.local(TRIAL_END, zone)
    for ahead in range(1, 400, 7):
        day: date = before.date() + timedelta(days=ahead)
        new = clock.local(
            parse("extend_trial", about(), mode="date", date=day.isoformat())["trial_end"], zone
        )
        assert (new.date(), new.hour, new.minute) == (day, before.hour, before.minute)


def later(ends: int, **form: str) -> str:
    """By how much the dialog says that a trial ends later."""
    subject, command = about(trial_end=ends), catalog.find("extend_trial")
    told = command.preview(subject, command.parse(subject, form, NOW), Quote(4900, "usd", 4900), NOW)
    return told.happens[0].rpartition(": ")[2]


def test_a_day_beyond_the_end_of_summer_time_is_so_many_days_later(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config.Settings(workspace_timezone="Europe/Berlin")
    monkeypatch.setattr(config, "settings", lambda: settings)
    ends = int(datetime(2026, 10, 20, 12, tzinfo=settings.zone).timestamp())
    assert later(ends, mode="date", date="2026-11-03") == "14 days later."
    assert later(ends, mode="days", days="14") == "14 days later."


@given(name=st.sampled_from(ZONES), after=st.integers(3600, 365 * clock.DAY), ahead=st.integers(1, 360))
def test_so_many_days_as_were_chosen_are_told(name: str, after: int, ahead: int) -> None:
    settings, ends = config.Settings(workspace_timezone=name), NOW + after
    chosen = clock.local(ends, settings.zone).date() + timedelta(days=ahead)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "settings", lambda: settings)
        told = {later(ends, mode="days", days=str(ahead)), later(ends, mode="date", date=str(chosen))}
    assert told == {f"{words.days(ahead)} later."}


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("0", "usd", "above zero"), ("-5", "usd", "above zero"), ("0.10", "usd", "smallest amount"),
        ("1.2345", "usd", "at most 2 decimals"), ("100.5", "jpy", "no decimals"), ("10", "jpy", "smallest"),
        ("", "usd", "Type the amount"), ("abc", "usd", "not an amount"), ("1e5", "usd", "not an amount"),
        ("9999999999", "usd", "largest amount"), ("1.001", "kwd", "last digit"), ("NaN", "usd", "not an"),
    ],
)  # fmt: skip
def test_an_amount_that_cannot_be(amount: str, currency: str, said: str) -> None:
    subject = about("active", currency=currency)
    with pytest.raises(InvalidInput, match=said) as error:
        parse("add_charge", subject, amount=amount, description="x", when="next")
    assert error.value.field == "amount"


def test_a_charge_needs_words_a_time_and_a_way() -> None:
    full = {"amount": "5", "description": "Setup", "when": "next"}
    for missing, field in (("description", "description"), ("when", "when")):
        with pytest.raises(InvalidInput) as error:
            parse("add_charge", about("active"), **{**full, missing: " "})
        assert error.value.field == field
    with pytest.raises(InvalidInput, match="501 characters"):
        parse("add_charge", about("active"), **{**full, "description": "x" * 501})
    with pytest.raises(InvalidInput, match="no next invoice"):
        parse("add_charge", about("unpaid"), **full)
    with pytest.raises(InvalidInput, match="No card is on file"):
        parse("add_charge", about("active", card=None), **{**full, "when": "now"})


def test_the_currency_is_the_customers_where_there_is_one() -> None:
    form = {"amount": "5", "description": "x", "when": "next", "currency": "jpy"}
    assert parse("add_charge", about("active", currency="eur"), **form)["currency"] == "eur"
    new = Subject(Customer(id="cus_1", created=NOW, default_payment_method="pm_1"))
    with pytest.raises(InvalidInput, match="three letters"):
        parse("add_charge", new, **{**form, "currency": "dollars", "when": "now"})
    assert parse("add_charge", new, **{**form, "currency": "CHF", "when": "now"})["currency"] == "chf"


def test_a_cancellation_needs_a_time_and_a_known_reason() -> None:
    with pytest.raises(InvalidInput, match="when the subscription should end"):
        parse("cancel", about("active"))
    with pytest.raises(InvalidInput, match="one of the reasons"):
        parse("cancel", about("active"), when="now", feedback="bored")
    with pytest.raises(InvalidInput, match="no paid period"):
        parse("cancel", about("paused"), when="period_end")
    with pytest.raises(InvalidInput, match="schedule in Stripe"):
        parse("cancel", about("active", schedule="sub_sched_1"), when="period_end")
    assert parse("cancel", about("trialing"), when="period_end", feedback="") == {
        "when": "period_end", "feedback": "", "comment": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("extend_trial", {"trial_offer": True}, "trial offer"),
        ("extend_trial", {"schedule": "sub_sched_1"}, "schedule in Stripe"),
        ("end_trial", {"status": "active"}, "no running trial"),
        ("undo_cancel", {"status": "active", "cancel_at": NOW + 9, "schedule": "s"}, "schedule in Stripe"),
        ("undo_cancel", {"status": "canceled", "ended_at": NOW}, "has ended on"),
        ("reactivate", {"status": "past_due"}, "retry the payment"),
        ("reactivate", {"status": "active", "cancel_at": NOW + 9}, "only scheduled and can be undone"),
        ("reactivate", {"status": "paused", "card": None}, "Send a card link first"),
        ("reactivate", {"status": "canceled", "card": None}, "Send a card link first"),
        ("add_charge", {"status": "paused", "card": None}, "neither a next invoice nor a card"),
        ("retry_payment", {"status": "active"}, "no open invoice"),
    ],
)
def test_reasons_why_not(name: str, fields: dict[str, Any], said: str) -> None:
    assert said in catalog.find(name).offered(about(**fields))


@pytest.mark.parametrize("status", ["paid", "void", "uncollectible", "draft", "a_state_of_tomorrow"])
def test_a_closed_invoice_is_not_paid(status: str) -> None:
    invoice = Invoice(id="in_1", created=NOW, customer="cus_1", status=status, amount_remaining=100)
    subject = Subject(Customer(id="cus_1", created=NOW, default_payment_method="pm_1"), invoice=invoice)
    assert catalog.find("retry_payment").offered(subject).startswith("The invoice")


@pytest.mark.parametrize("command", catalog.COMMANDS.values(), ids=lambda command: command.name)
def test_nothing_is_offered_for_a_deleted_customer(command: Command) -> None:
    subject = about("trialing")
    subject.customer.deleted = True
    if "invoice" in command.about:
        invoice = Invoice(id="in_1", created=NOW, customer="cus_1", status="open")
        subject = Subject(subject.customer, invoice=invoice)
    assert "deleted" in command.offered(subject)


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [("cancel", "is canceled then"), ("pause", "pauses then"), ("create_invoice", "nobody can pay yet")],
)
def test_the_preview_says_what_happens_without_a_card(behaviour: str, said: str) -> None:
    subject = about(card=None, trial_end_behavior=behaviour)
    told = catalog.find("extend_trial").preview(
        subject, {"trial_end": TRIAL_END + 7 * clock.DAY}, Quote(4900, "usd", 4900), NOW
    )
    assert said in " ".join(told.happens) and "7 days later" in told.happens[0]


@pytest.mark.parametrize(
    ("behavior", "fate"),
    [
        ("void", "voided"),
        ("keep_as_draft", "kept as a draft"),
        ("mark_uncollectible", "marked uncollectible"),
    ],
)
def test_where_collection_is_paused_no_payment_is_announced(behavior: str, fate: str) -> None:
    longer = {"trial_end": TRIAL_END + 7 * clock.DAY}
    extend = catalog.find("extend_trial").preview
    told = " ".join(extend(about(pause_collection=behavior), longer, Quote(4900, "usd", 4900), NOW).happens)
    assert f"Collection is paused: the first invoice, for $49.00, is {fate} then; nothing is taken." in told
    assert "first payment" not in told


# The form with which a command that brings an invoice is given, and the state that it is given in.
BRINGING: dict[str, tuple[Form, dict[str, Any]]] = {
    "extend_trial": ({"mode": "days", "days": "7"}, {}),
    "end_trial": ({}, {}),
    "add_charge": ({"amount": "5", "description": "Setup", "when": "next"}, {"status": "active"}),
    "undo_cancel": ({}, {"status": "active", "cancel_at": TRIAL_END}),
    "cancel": ({"when": "period_end"}, {"status": "active"}),
    "reactivate": ({}, {"status": "paused"}),
    "change_plan": ({"quantity": "2", "billing": "next"}, {"status": "active"}),
    "apply_coupon": ({"kind": "coupon", "coupon": "FIFTH"}, {"status": "active"}),
    "remove_coupon": ({}, {"status": "active", "discounts": ["di_1"]}),
}
SOLD = (Coupon(id="FIFTH", created=NOW, percent_off="20", duration="forever"),)
ANNOUNCED = re.compile(r"(is|are) charged now|(first|next) payment|is taken |a new period begins")


def told_by(command: str, **fields: Any) -> str:
    """All that the dialog of a command says."""
    form, state = BRINGING[command]
    subject = replace(about(**{**state, **fields}), coupons=SOLD)
    found = catalog.find(command)
    assert not found.offered(subject)
    said = found.preview(subject, found.parse(subject, form, NOW), Quote(4900, "usd", 4900), NOW)
    return " ".join([*said.happens, *said.warnings]).replace("Nothing is charged now.", "")


@pytest.mark.parametrize("resumes", [None, TRIAL_END + 99 * clock.DAY])
@pytest.mark.parametrize("behavior", ["void", "keep_as_draft", "mark_uncollectible"])
@pytest.mark.parametrize("command", BRINGING)
def test_no_dialog_announces_a_payment_while_collection_is_paused(
    command: str, behavior: str, resumes: int | None
) -> None:
    told = told_by(command, pause_collection=behavior, pause_resumes_at=resumes)
    assert not ANNOUNCED.search(told), told
    assert ("Collection is paused" in told) == (command != "cancel"), told


@pytest.mark.parametrize("command", sorted(set(BRINGING) - {"cancel", "add_charge"}))
def test_a_payment_after_the_pause_of_collection_is_announced(command: str) -> None:
    told = told_by(command, pause_collection="void", pause_resumes_at=NOW)
    assert ANNOUNCED.search(told) and "Collection is paused" not in told, told


def test_every_command_that_brings_an_invoice_is_asked_about_a_pause() -> None:
    of_subscriptions = {name for name, each in catalog.COMMANDS.items() if "subscription" in each.about}
    assert set(BRINGING) == of_subscriptions


def test_what_starts_again_or_is_collected_again_is_paid_for() -> None:
    collected = about("active", pause_collection="void")
    command = catalog.find("reactivate")
    told = command.preview(collected, command.parse(collected, {}, NOW), Quote(4900, "usd", 4900), NOW)
    assert "The next payment, $49.00, is due on" in " ".join(told.happens)
    ended = replace(about("canceled", pause_collection="void"), terms=Terms(Charged()))
    told = command.preview(ended, command.parse(ended, {}, NOW), Quote(4900, "usd", 4900), NOW)
    assert "$49.00 is charged now to the card on file." in told.happens, "a new subscription is not paused"


NEXT = {"amount": 500, "currency": "usd", "description": "Setup", "when": "next"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": "active", "cancel_at": TRIAL_END, "cancel_at_period_end": True}, "is set to end on"),
        ({"status": "active", "cancel_at": TRIAL_END - 9}, "is set to end on"),
        ({"status": "active", "pause_collection": "void"}, "Collection is paused"),
        ({"status": "active", "cancel_at": TRIAL_END + 9}, ""),
        ({"card": None, "trial_end_behavior": "cancel"}, "Without a card the subscription is canceled"),
        ({"card": None, "trial_end_behavior": "pause"}, "Without a card the subscription pauses"),
        ({"card": None, "trial_end_behavior": "create_invoice"}, ""),
        ({"card": None, "trial_end_behavior": "cancel", "collection_method": "send_invoice"}, ""),
        ({"card": "pm_1", "trial_end_behavior": "cancel"}, ""),
    ],
)
def test_a_charge_that_may_wait_for_ever_says_so(fields: dict[str, Any], said: str) -> None:
    told = catalog.find("add_charge").preview(about(**fields), NEXT, None, NOW)
    assert said in " ".join(told.warnings) and bool(told.warnings) == bool(said)
    assert ("the invoice of" in told.happens[0]) == (not said)


def test_every_time_names_its_zone(zone: ZoneInfo) -> None:
    assert words.moment(NOW).endswith(f"({zone.key})")


def test_differences_are_said_in_words() -> None:
    before = {"status": "past_due", "trial_end": None, "cancel_at_period_end": False}
    after = {"status": "active", "trial_end": NOW, "cancel_at_period_end": True}
    assert [(d.label, d.before, d.after) for d in snapshots.differences(before, after)] == [
        ("Status", "past due", "active"),
        ("Trial ends", "–", words.day(NOW)),
        ("Set to end with its period", "no", "yes"),
    ]
    ends = {"cancel_at": NOW, "cancel_at_period_end": True}
    assert [
        d.line for d in snapshots.differences({"cancel_at": None, "cancel_at_period_end": False}, ends)
    ] == [f"set to end no → {words.day(NOW)}"]


def test_an_unknown_command_is_named() -> None:
    with pytest.raises(NotFound, match="drop_tables"):
        catalog.find("drop_tables")
