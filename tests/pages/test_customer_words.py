"""Prices, discounts, cards and standings as words."""

from __future__ import annotations

from typing import Any

import pytest

from models import (
    Charge,
    Coupon,
    Customer,
    Discount,
    Invoice,
    InvoiceItem,
    PaymentMethod,
    Price,
    Subscription,
    SubscriptionItem,
)
from pages.components import customer_words
from services.clock import DAY
from services.customers.record import Item, Plan, Rebate

NOW = 1_767_225_600  # 2026-01-01 00:00 UTC


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"unit_amount": 4900, "interval": "month"}, "$49.00 a month"),
        ({"unit_amount": 4900, "interval": "month", "interval_count": 3}, "$49.00 every 3 months"),
        ({"unit_amount": 4900, "currency": "jpy", "interval": "year"}, "¥4,900 a year"),
        ({"unit_amount": 4900, "interval": None}, "$49.00"),
        ({"unit_amount": None, "billing_scheme": "tiered", "interval": "month"}, "by tiers a month"),
        ({"unit_amount": 2, "usage_type": "metered", "interval": "day"}, "$0.02 by use a day"),
        (
            {"unit_amount": 1000, "transform_divide_by": 100, "interval": "month"},
            "$10.00 for each 100 a month",
        ),
        (
            {"unit_amount": 1000, "transform_divide_by": 10000, "interval": "month"},
            "$10.00 for each 10,000 a month",
        ),
        (
            {"unit_amount": None, "unit_amount_decimal": "0.5", "interval": "month"},
            "0.005 USD a month",
        ),
        (
            {"unit_amount": None, "unit_amount_decimal": "0.5", "currency": "jpy", "interval": "month"},
            "0.5 JPY a month",
        ),
    ],
)
def test_prices(given: dict[str, Any], says: str) -> None:
    price = Price(**{"id": "price_1", "created": 0, "currency": "usd", **given})
    assert customer_words.price(price) == says


def test_an_item_says_how_many_and_an_unknown_price_says_nothing() -> None:
    price = Price(id="p", created=0, currency="usd", unit_amount=4900, interval="month")
    three = SubscriptionItem(id="si", created=0, subscription="sub", quantity=3)
    one = SubscriptionItem(id="si", created=0, subscription="sub", quantity=1)
    assert customer_words.item(Item(three, price, "Team")) == "Team: 3 × $49.00 a month"
    assert customer_words.item(Item(one, price, "Team")) == "Team: $49.00 a month"
    assert customer_words.item(Item(one, None, "prod_1")) == "prod_1"
    assert customer_words.price(None) == ""


@pytest.mark.parametrize(
    ("coupon", "end", "says"),
    [
        ({"percent_off": "20.0", "duration": "forever"}, None, "20 % off for ever"),
        ({"percent_off": "12.5", "duration": "once", "name": "Hello"}, None, "12.5 % off once (Hello)"),
        (
            {"amount_off": 1000, "currency": "usd", "duration": "repeating"},
            NOW,
            "$10.00 off until Jan 1, 2026",
        ),
        (None, None, "A discount"),
    ],
)
def test_discounts(coupon: dict[str, Any] | None, end: int | None, says: str) -> None:
    row = Discount(id="di_1", created=0, end=end)
    known = Coupon(id="co_1", created=0, **coupon) if coupon else None
    assert customer_words.rebate(Rebate(row, known)) == says


def standing(*, without_method: bool = False, **given: Any) -> str:
    defaults: dict[str, Any] = {"id": "sub_1", "customer": "cus_1", "created": 0, "status": "active"}
    plan = Plan(Subscription(**(defaults | given)), (), (), without_method)
    return " ".join(customer_words.standing(plan, NOW)).replace("\u202f", " ")


def test_a_trial_says_when_it_ends_how_long_that_is_and_whether_it_was_moved() -> None:
    trial = {"status": "trialing", "trial_end": NOW + 3 * DAY}
    assert standing(**trial) == "The trial ends on Jan 4, 2026, 12:00 AM (3 days left)."
    assert standing(**trial, first_trial_end=NOW + DAY).endswith("(3 days left), 2 days later than at first.")
    assert standing(**trial, first_trial_end=NOW + 4 * DAY).endswith("1 day earlier than at first.")
    assert standing(**trial | {"trial_end": NOW + 18_000}).endswith("(5 hours left).")
    assert standing(**trial | {"trial_end": NOW}).endswith("(over).")
    assert standing(**trial, trial_end_behavior="cancel").endswith(
        "Without a payment method it is canceled at the trial’s end."
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"current_period_end": NOW}, "The next period begins on Jan 1, 2026."),
        (
            {
                "current_period_end": NOW,
                "cancel_at_period_end": True,
                "cancellation_feedback": "too_expensive",
            },
            "It is set to end on Jan 1, 2026, 12:00 AM: too expensive.",
        ),
        ({"cancel_at": NOW}, "It is set to end on Jan 1, 2026, 12:00 AM."),
        (
            {"status": "canceled", "ended_at": NOW, "cancellation_reason": "payment_failed"},
            "It ended on Jan 1, 2026, because payment failed.",
        ),
        (
            {"status": "canceled", "ended_at": NOW, "without_method": True},
            "It ended on Jan 1, 2026 with its trial, as there was no payment method.",
        ),
        ({"status": "canceled", "ended_at": NOW}, "It ended on Jan 1, 2026."),
        (
            {"pause_collection": "void", "pause_resumes_at": NOW},
            "Payments are not collected until Jan 1, 2026.",
        ),
        (
            {"status": "paused", "paused_by": "trial_end_without_payment_method"},
            "It is paused, because the trial ended without a payment method.",
        ),
        ({"status": "paused"}, "It is paused."),
        (
            {"collection_method": "send_invoice", "days_until_due": 30},
            "Invoices are sent, due after 30 days.",
        ),
        ({}, ""),
    ],
)
def test_standings(given: dict[str, Any], says: str) -> None:
    assert standing(**given) == says


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"status": "failed"}, "failed"),
        ({"status": "succeeded"}, "succeeded"),
        ({"status": "succeeded", "amount_refunded": 1}, "partially_refunded"),
        ({"status": "succeeded", "amount_refunded": 9, "refunded": True}, "refunded"),
    ],
)
def test_a_refunded_payment_is_not_shown_as_a_success(given: dict[str, Any], state: str) -> None:
    assert customer_words.charge_state(Charge(id="ch_1", created=0, **given)) == state


def test_what_is_below_zero_is_a_credit() -> None:
    def waits(amount: int, **given: Any) -> str:
        return customer_words.pending(InvoiceItem(id="ii", amount=amount, currency="usd", **given))

    assert waits(9587, description="Seats") == "$95.87: Seats"
    assert waits(-9587) == "Credit of $95.87: no description"
    of_less = Invoice(id="in_1", number="A-1", total=-1899, currency="usd", created=0)
    assert customer_words.invoice(of_less) == "Invoice A-1, a credit of $18.99"
    of_more = Invoice(id="in_1", total=1899, currency="usd", created=0)
    assert customer_words.invoice(of_more) == "Invoice in_1 of $18.99"


def test_ways_to_pay() -> None:
    card = PaymentMethod(
        id="pm", created=0, type="card", brand="visa", last4="4242", exp_month=1, exp_year=2030
    )
    assert customer_words.payment_method(card) == "Visa ·· 4242, 01/2030"
    assert customer_words.payment_method(PaymentMethod(id="pm", created=0, type="sepa_debit")) == "Sepa debit"
    assert customer_words.card(None, None) == ""


def test_the_local_time_says_where_and_how_sure() -> None:
    def told(**given: Any) -> str:
        customer = Customer(id="cus_1", created=0, **given)
        return customer_words.local_time(customer, NOW).replace("\u202f", " ")

    assert told(country="JP") == "9:00 AM, Asia/Tokyo"
    assert told(country="US") == "probably 7:00 PM, America/New York"
    assert told() == ""
