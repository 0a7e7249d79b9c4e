"""Texts: filled in for a customer, strict about what is missing, harmless whatever is written in them."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import (
    Charge,
    Customer,
    Discount,
    Invoice,
    InvoicePayment,
    Price,
    Product,
    Subscription,
    SubscriptionItem,
)
from services import clock
from services.config import Settings
from services.outreach import defaults, templates, variables
from services.outreach.templates import MissingValue, TemplateProblem
from services.outreach.variables import VARIABLES, Occasion
from tests.customers import builders

VALUES: dict[str, Any] = {
    "name": "Jo", "email": "jo@x.example", "plan": "Team", "plan_price": "$49.00 a month",
    "trial_end": "Friday", "trial_end_time": "14:05 (UTC)", "days_left": 3, "card_on_file": True,
    "on_trial": True, "trial_over": False, "set_to_cancel": False, "canceled": False, "by_invoice": False,
    "card_last4": "4242", "card_url": "https://x.example/card", "card_url_is_brief": False,
    "pay_page_only": False, "offer": "Two months at half the price",
    "amount_due": "$49.00", "invoice_number": "A-1",
    "hosted_invoice_url": "https://x.example/in", "next_attempt": "Sunday", "booking_url": "https://x.example/b",
    "staff_name": "Ann", "workspace_name": "Acme",
}  # fmt: skip
SETTINGS = Settings(workspace_timezone="Europe/Berlin", workspace_name="Acme", workspace_locale="en_GB")


def values_of(database: ModuleType, id: str, occasion: Occasion | None = None) -> dict[str, Any]:
    with database.session() as session:
        customer = session.get(Customer, id)
        return variables.of_customer(session, customer, "Ann", SETTINGS, occasion or Occasion())


@pytest.mark.parametrize("text", defaults.TEMPLATES, ids=lambda text: text.slug)
def test_each_text_that_we_bring_along_renders_without_holes(text: defaults.Template) -> None:
    rendered = templates.render(text.subject or "-", text.body, VALUES)
    assert rendered.body.startswith("Hello Jo,")
    assert rendered.body.endswith("Ann\nAcme")
    assert not any(mark in rendered.subject + rendered.body for mark in ("{{", "{%", "None", "\n\n\n"))


def test_who_canceled_is_not_told_of_a_charge() -> None:
    ending = defaults.TRIAL_ENDING
    staying = templates.render(ending.subject, ending.body, VALUES).body
    leaving = templates.render(ending.subject, ending.body, {**VALUES, "set_to_cancel": True}).body
    assert "we charge the card" in staying
    assert "charge the card" not in leaving
    assert "nothing is charged" in leaving


@pytest.mark.parametrize("card_on_file", [True, False])
def test_who_pays_by_invoice_is_neither_asked_for_a_card_nor_told_that_it_is_charged(
    card_on_file: bool,
) -> None:
    values = {**VALUES, "by_invoice": True, "card_on_file": card_on_file}
    ending = templates.fill(defaults.TRIAL_ENDING, values).body
    assert "from then on we send you an invoice, $49.00 a month, plus tax where it applies." in ending
    for text in defaults.TEMPLATES:
        body = templates.render(text.subject or "-", text.body, values).body
        assert "charge" not in body and "We have no card from you" not in body, text.slug


def test_the_last_notice_does_not_promise_another_try() -> None:
    failed = defaults.PAYMENT_FAILED
    again = templates.render(failed.subject, failed.body, VALUES).body
    last = templates.render(
        failed.subject, failed.body, {k: v for k, v in VALUES.items() if k != "next_attempt"}
    ).body
    assert "try your card again on Sunday" in again
    assert "try your card again" not in last
    assert "We will not try again" in last
    assert VALUES["hosted_invoice_url"] in last


def test_a_value_that_the_customer_lacks_is_named() -> None:
    with pytest.raises(MissingValue) as caught:
        templates.render("Due: {{ amount_due }}", "x", {"name": "Jo", "email": "jo@x.example"})
    assert (
        caught.value.message == "This text needs what the failed invoice asks for, and jo@x.example has none."
    )
    assert caught.value.variable == "amount_due"


def test_a_value_may_be_asked_for() -> None:
    body = "{% if booking_url is defined %}{{ booking_url }}{% else %}write{% endif %}"
    assert templates.render("s", body, {"name": "Jo"}).body == "write"


def test_a_value_that_does_not_exist_is_found_before_anybody_is_written_to() -> None:
    with pytest.raises(TemplateProblem, match="nickname"):
        templates.check("Hello", "Dear {{ nickname }}")


def test_a_mistake_names_its_line() -> None:
    with pytest.raises(TemplateProblem, match="line 2"):
        templates.check("s", "Hello\n{% if %}")


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}", "{{ name.__class__ }}", "{{ name['__class__'] }}", "{{ name.upper() }}",
        "{{ 'x' * 1000000000 }}", "{{ 9 ** 99999999 }}", "{{ '%999999999d' % 1 }}", "{{ range(9) }}",
        "{% for a in name %}{{ a }}{% endfor %}", "{% include 'x' %}", "{{ name|attr('upper') }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{{ self }}", "{{ cycler('a') }}",
        "{{ name|center(999999999) }}", "{{ 1 // 0 }}", "{{ 1 / 0 }}", "{{ name|truncate(5, leeway=-1) }}",
        "{{ name|truncate(5, true, 'x', -1) }}", "{% set a = name %}{{ a }}", "{% set a %}x{% endset %}",
        "{% set name = name ~ name %}" * 40 + "{{ name }}", "{{ name + name }}", "{{ name ~ name }}",
        "{{ name|replace('', name)|replace('', name) }}", "{{ name|trim(name, 1, 2) }}", "{{ [name] }}",
        "{{ {'a': name} }}", "{{ name[0:1] }}", "{% filter upper %}x{% endfilter %}",
        "{% block a %}{% endblock %}",
        "{% with a = 1 %}{{ a }}{% endwith %}", "{% import 'x' as x %}", "{% call name() %}{% endcall %}",
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "{{ " + "not " * 4000 + "1 }}",
    ],
)  # fmt: skip
def test_texts_cannot_reach_beyond_their_values(attack: str) -> None:
    with pytest.raises(TemplateProblem):
        templates.render("s", attack, VALUES)


def test_a_text_does_not_outgrow_what_can_be_sent() -> None:
    fits = "{{ name }}" * 1_000
    assert len(templates.render("s", fits, {**VALUES, "name": "x" * 20}).body) == 20_000
    with pytest.raises(TemplateProblem, match="longer than 20000 characters"):
        templates.render("s", fits, {**VALUES, "name": "x" * 21})


_SCRAPS = st.sampled_from(
    ["{{", "}}", "{%", "%}", " if ", " else ", " endif ", " name", " days_left", "|truncate", "|default",
     "|length", "|trim", "(", ")", "-1", "0", "'x'", ",", "leeway=", " not ", " == ", " in ", " is defined",
     "//", "+", "~", " set a=", "[", "]", ".x", "|title", "|replace", "|d", "\n", "#}", "{#"]
)  # fmt: skip


@given(st.lists(_SCRAPS, max_size=14).map("".join) | st.lists(_SCRAPS, max_size=6).map(
    lambda parts: "{{ name" + "".join(parts) + " }}"
))  # fmt: skip
def test_whatever_is_made_of_our_signs_renders_or_is_explained(source: str) -> None:
    try:
        templates.render("s", source, VALUES)
    except TemplateProblem as problem:
        assert problem.message
        assert problem.remedy


@given(st.text(max_size=200))
def test_a_customers_name_is_never_read_as_a_template(name: str) -> None:
    loud = "{{ email }}{% if %}" + name
    rendered = templates.render("s", "[{{ name }}]", {**VALUES, "name": loud})
    assert rendered.body.startswith("[{{ email }}{% if %}")


@given(st.text(max_size=300))
def test_whatever_is_typed_renders_or_is_explained(source: str) -> None:
    try:
        templates.render("s", source, VALUES)
    except TemplateProblem as problem:
        assert problem.message
        assert problem.remedy


SOON, PAST = clock.now() + 5 * clock.DAY, clock.now() - 5 * clock.DAY


@pytest.mark.parametrize(
    ("subscription", "true"),
    [
        ({"status": "trialing", "trial_end": SOON}, {"on_trial"}),
        (
            {"status": "trialing", "trial_end": SOON, "collection_method": "send_invoice"},
            {"on_trial", "by_invoice"},
        ),
        ({"status": "active", "collection_method": "charge_automatically"}, set()),
        (
            {"status": "trialing", "trial_end": SOON, "cancel_at_period_end": True},
            {"on_trial", "set_to_cancel"},
        ),
        ({"status": "trialing", "trial_end": SOON, "cancel_at": SOON}, {"on_trial", "set_to_cancel"}),
        ({"status": "trialing", "trial_end": SOON, "cancel_at": SOON + clock.DAY}, {"on_trial"}),
        ({"status": "active", "trial_end": PAST, "current_period_end": SOON}, set()),
        ({"status": "active", "current_period_end": SOON, "cancel_at": SOON}, {"set_to_cancel"}),
        ({"status": "active", "current_period_end": SOON, "cancel_at": SOON + clock.DAY}, set()),
        ({"status": "past_due", "trial_end": PAST}, set()),
        ({"status": "paused", "trial_end": PAST}, {"trial_over"}),
        ({"status": "canceled", "trial_end": PAST, "cancel_at": PAST}, {"trial_over", "canceled"}),
        ({"status": "canceled", "trial_end": SOON}, {"canceled"}),
        ({"status": "canceled", "trial_end": None}, {"canceled"}),
        (None, set()),
    ],
)
def test_where_a_customer_stands(
    database: ModuleType, subscription: dict[str, Any] | None, true: set[str]
) -> None:
    with database.transaction() as session:
        id = builders.customer(session, subscription="sub_1" if subscription else None)
        if subscription:
            builders.row(session, Subscription, id="sub_1", customer=id, **subscription)
    values = values_of(database, id)
    standing = ("on_trial", "trial_over", "set_to_cancel", "canceled", "by_invoice")
    assert {name for name in standing if values[name]} == true


def test_a_trial_that_led_to_a_payment_did_not_run_out(database: ModuleType) -> None:
    with database.transaction() as session:
        id = builders.customer(session, subscription="sub_1")
        builders.row(session, Subscription, id="sub_1", customer=id, status="canceled", trial_end=PAST)
        paid = {"customer": id, "status": "paid", "subscription": "sub_1"}
        builders.row(session, Invoice, id="in_trial", amount_paid=0, **paid)
    assert values_of(database, id)["trial_over"]
    with database.transaction() as session:
        builders.row(session, Invoice, id="in_first", amount_paid=4_900, **paid)
    assert not values_of(database, id)["trial_over"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (defaults.TRIAL_ENDING, "for customers on a running trial, and jo@x.example is not one"),
        (defaults.WIN_BACK, "for customers whose trial ended without a payment, and jo@x.example"),
        (defaults.FEEDBACK, "for customers whose plan has ended, and jo@x.example is not one"),
    ],
    ids=lambda value: getattr(value, "slug", ""),
)
def test_a_text_that_would_be_untrue_is_refused_however_it_was_edited(
    text: defaults.Template, told: str
) -> None:
    typed = replace(text, subject="Hello", body="Edited")
    with pytest.raises(TemplateProblem, match=told):
        templates.fill(typed, {**VALUES, str(text.only_if): False})
    assert templates.fill(typed, {**VALUES, str(text.only_if): True}).body == "Edited"


def sell(session: Any, subscription: str, id: str, name: str, **price: Any) -> None:
    """An item of a subscription, with its price and product."""
    terms = {"currency": "usd", "unit_amount": 2450, "billing_scheme": "per_unit", "interval": "month"}
    builders.row(session, Product, id=f"prod_{id}", name=name)
    amount = price.get("unit_amount", 2450)
    exact = {"unit_amount_decimal": None if amount is None else str(amount)}
    builders.row(session, Price, id=f"price_{id}", **{**terms, **exact, **price})
    item = {"price": f"price_{id}", "product": f"prod_{id}", "quantity": 2}
    builders.row(session, SubscriptionItem, id=f"si_{id}", subscription=subscription, **item)


def test_the_values_of_a_running_trial(database: ModuleType) -> None:
    end = clock.now() + 2 * clock.DAY + 3600
    with database.transaction() as session:
        id = builders.customer(session, name="  Jo\nTwo ", email="jo@x.example")
        for sub, status, ends in (
            ("sub_1", "trialing", end + 999_999),
            ("sub_2", "trialing", end),
            ("sub_3", "canceled", end - 999_999),
        ):
            row = {"status": status, "trial_end": ends, "currency": "usd"}
            builders.row(session, Subscription, id=sub, customer=id, **row)
        sell(session, "sub_1", "a", "Solo")
        sell(session, "sub_2", "b", "Team")
    values = values_of(database, id)
    assert (values["name"], values["plan"], values["days_left"]) == ("Jo Two", "Team", 3)
    assert values["plan_price"] == "US$49.00 a month"
    assert values["trial_end_time"].endswith("(Europe/Berlin)")
    assert values["card_on_file"] is False
    assert values.keys() <= VARIABLES.keys()
    assert not {"amount_due", "card_url", "booking_url", "card_last4"} & values.keys()


@pytest.mark.parametrize(
    ("price", "told"),
    [
        ({"interval": "year"}, "US$49.00 a year"),
        ({"interval_count": 3}, "US$49.00 every 3 months"),
        ({"currency": "jpy", "billed_in": "jpy"}, "JP¥4,900 a month"),
        (
            {"currency_options": {"eur": {"unit_amount_decimal": "2000"}}, "billed_in": "eur"},
            "€40.00 a month",
        ),
        ({"billed_in": "eur"}, None),
        ({"transform_divide_by": 10, "transform_round": "up"}, "US$24.50 a month"),
        (
            {
                "billing_scheme": "tiered",
                "tiers_mode": "volume",
                "unit_amount": None,
                "tiers": [{"up_to": None, "unit_amount": "700", "flat_amount": "1000"}],
            },
            "US$24.00 a month",
        ),
        ({"unit_amount": None, "unit_amount_decimal": "0.4"}, None),
        ({"usage_type": "metered"}, None),
        ({"billing_scheme": "tiered", "unit_amount": None}, None),
        ({"unit_amount": None}, None),
    ],
)
def test_a_price_is_told_only_where_it_is_sure(
    database: ModuleType, price: dict[str, Any], told: str | None
) -> None:
    currency = price.get("billed_in", "usd")
    terms = {name: value for name, value in price.items() if name != "billed_in"}
    with database.transaction() as session:
        id = builders.customer(session, subscription="sub_1")
        builders.row(session, Subscription, id="sub_1", customer=id, status="active", currency=currency)
        sell(session, "sub_1", "a", "Team", **terms)
    assert values_of(database, id).get("plan_price") == told


def test_a_discounted_price_is_not_told(database: ModuleType) -> None:
    with database.transaction() as session:
        id = builders.customer(session, subscription="sub_1")
        builders.row(session, Subscription, id="sub_1", customer=id, status="active")
        sell(session, "sub_1", "a", "Team")
        builders.row(session, Discount, id="di_1", subscription="sub_1", coupon="half")
    values = values_of(database, id)
    assert values["plan"] == "Team"
    assert "plan_price" not in values


def test_the_trial_ends_on_the_workspaces_day(database: ModuleType) -> None:
    ends = 1_785_538_800  # 2026-07-31 23:00 UTC
    with database.transaction() as session:
        id = builders.customer(session, subscription="sub_1")
        builders.row(session, Subscription, id="sub_1", customer=id, status="canceled", trial_end=ends)
    values = values_of(database, id)
    assert values["trial_end"] == "Saturday, 1 August 2026"
    assert values["trial_end_time"] == "01:00 (Europe/Berlin)"
    assert "days_left" not in values
    assert values["name"] == "there"


def test_the_values_of_a_failed_invoice(database: ModuleType) -> None:
    with database.transaction() as session:
        id = builders.customer(session, currency="jpy")
        shared = {"customer": id, "status": "open", "attempted": True, "currency": "jpy"}
        builders.row(
            session, Invoice, id="in_1", number="A-1", amount_remaining=4900, hosted_invoice_url="https://s/1",
            next_payment_attempt=1_785_538_800, **shared,
        )  # fmt: skip
        builders.row(session, Invoice, id="in_2", number="A-2", amount_remaining=100, **shared)
        builders.row(session, Invoice, id="in_3", amount_remaining=9999, **{**shared, "status": "paid"})
        builders.row(session, InvoicePayment, id="inpay_1", invoice="in_1", payment_intent="pi_1")
        builders.row(session, Charge, id="ch_1", payment_intent="pi_1", status="failed", card_last4="0341")
    largest, second = values_of(database, id), values_of(database, id, Occasion(invoice="in_2"))
    assert (largest["invoice_number"], largest["amount_due"], largest["card_last4"]) == (
        "A-1",
        "JP¥4,900",
        "0341",
    )
    assert largest["next_attempt"] == "Saturday, 1 August 2026"
    assert largest["hosted_invoice_url"] == "https://s/1"
    assert largest["pay_page_only"] and not second["pay_page_only"]
    assert second["invoice_number"] == "A-2"
    assert not {"next_attempt", "hosted_invoice_url"} & second.keys()
    assert "card_url" not in largest.keys() | second.keys()


def test_a_card_link_just_made_goes_before_any_other(database: ModuleType) -> None:
    with database.transaction() as session:
        id = builders.customer(session)
    values = values_of(database, id, Occasion(card_url="https://s/portal"))
    assert (values["card_url"], values["card_url_is_brief"]) == ("https://s/portal", True)
    assert "opens for a few minutes only" in templates.fill(defaults.CARD_LINK, values).body


def without(*names: str, **given: Any) -> dict[str, Any]:
    """The usual values, some of them missing."""
    return {name: value for name, value in VALUES.items() if name not in names} | given


def test_a_page_where_an_invoice_can_be_paid_is_not_called_a_card_page() -> None:
    text = defaults.CARD_LINK
    pay = templates.fill(text, without("card_url", pay_page_only=True))
    assert pay.subject == "Where you can pay $49.00"
    assert "here you can pay $49.00 for invoice A-1 with the same card or another one." in pay.body
    assert VALUES["hosted_invoice_url"] in pay.body
    assert "change" not in pay.body
    card = templates.fill(text, VALUES)
    assert card.subject == "Your link to change your card"
    assert VALUES["card_url"] in card.body and VALUES["hosted_invoice_url"] not in card.body


def test_without_any_link_the_text_asks_for_a_card_link_first() -> None:
    with pytest.raises(MissingValue, match="needs the link to add or change a card") as caught:
        templates.fill(defaults.CARD_LINK, without("card_url", "hosted_invoice_url"))
    assert "Make a card link first" in caught.value.remedy
