"""The Failed payments page: money at stake by currency, reasons in words, filters in the address."""

from __future__ import annotations

from types import ModuleType

import pytest

from models import Charge, CustomerFacts, InvoicePayment, Subscription
from services import clock
from services.stripe_api import declines
from tests.customers import builders
from tests.metrics import count
from tests.pages.work import add_failure, captions, column, open_page


@pytest.fixture
def failures(staffed: ModuleType, ready: None) -> ModuleType:
    """Three open failures in two currencies."""
    add_failure(staffed, "Small", 1000, next_payment_attempt=clock.now() + clock.DAY, subscription="sub_on")
    add_failure(staffed, "Big", 900_000)
    add_failure(staffed, "Yen", 5000, "jpy", subscription="sub_off")
    with staffed.transaction() as session:
        builders.row(session, Subscription, id="sub_on", customer="cus_x", status="past_due")
        builders.row(session, Subscription, id="sub_off", customer="cus_x", status="canceled")
        builders.row(session, InvoicePayment, id="inpay_1", invoice="in_big", charge="ch_1")
        builders.row(
            session,
            Charge,
            id="ch_1",
            status="failed",
            decline_code="insufficient_funds",
            advice_code="do_not_try_again",
        )
    return staffed


def test_failures_stand_by_money_at_stake(failures: ModuleType) -> None:
    app = open_page("failed_payments")
    assert column(app, "customer") == ["Big", "Small", "Yen"]
    assert column(app, "amount") == ["$9,000.00", "$10.00", "¥5,000"]
    assert [(metric.label, metric.value, metric.delta) for metric in app.metric] == [
        ("At stake in USD", "$9,010.00", "2 invoices"),
        ("Of ended subscriptions in JPY", "¥5,000", "1 invoice"),
    ]
    big, small, yen = column(app, "next")
    assert big == yen == "No further retry" != small
    assert [list(cell) for cell in column(app, "subscription")] == [[], ["Past due"], ["Canceled"]]
    assert column(app, "attempts") == ["2"] * 3


def test_a_card_that_is_lost_is_not_to_be_tried_again(failures: ModuleType) -> None:
    app = open_page("failed_payments")
    why, advice = column(app, "why"), column(app, "advice")
    assert why[0] == declines.explain("insufficient_funds").words
    assert advice[0] == declines.explain("do_not_try_again").advice
    assert (why[2], advice[2]) == (declines.explain("").words, declines.explain("").advice)


def test_without_a_card_that_is_the_reason(failures: ModuleType) -> None:
    with failures.transaction() as session:
        session.get(CustomerFacts, "cus_yen").payment_method_on_file = False
    assert column(open_page("failed_payments"), "why")[2].startswith("There is no card on file")


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ({"currency": "USD"}, ["Big", "Small"]),
        ({"retry": "Planned"}, ["Small"]),
        ({"retry": "No further retry", "currency": "USD"}, ["Big"]),
        ({"failure_contact": "Contacted"}, []),
        ({"currency": "XYZ"}, ["Big", "Small", "Yen"]),
        ({"currency": "EUR"}, []),
        ({"subscription": "Not ended"}, ["Big", "Small"]),
        ({"subscription": "Ended"}, ["Yen"]),
    ],
)
def test_an_address_shows_a_colleague_the_same(
    failures: ModuleType, address: dict[str, str], found: list[str]
) -> None:
    app = open_page("failed_payments", **address)
    assert column(app, "customer") == found
    if not found:
        assert "None fits these filters." in captions(app)


def test_without_failures_it_says_so(staffed: ModuleType, ready: None) -> None:
    app = open_page("failed_payments")
    assert "No payment is failing." in captions(app)
    assert not app.metric


def test_sales_may_send_a_card_link_but_not_charge(failures: ModuleType) -> None:
    app = open_page("failed_payments", acting_as="pia@trialdesk.test")
    help = {button.label: button.help or "" for button in app.button}
    assert "may not retry payments" in help["Retry payment"]
    assert help["Send card or pay link"] == help["Send message"] == help["Request a call"] == ""


def test_before_all_is_counted_no_part_of_what_was_recovered_is_shown(failures: ModuleType) -> None:
    app = open_page("failed_payments", show="recovered:usd")
    assert "first failed in the last 30 days" not in str([text.value for text in app.markdown])
    assert column(app, "customer") == ["Big", "Small", "Yen"]
    count.everybody(failures)
    app = open_page("failed_payments", show="recovered:usd")
    assert "first failed in the last 30 days" in app.markdown[0].value
