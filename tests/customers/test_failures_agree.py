"""The list, the customer's page, the CSV's facts, the texts and the buttons name the same failures."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from models import Charge, CustomerFacts, Invoice, InvoicePayment, PaymentIntent, PaymentMethod
from services import config
from services.customers import billing
from services.customers.worklists import FailureFilter
from services.desk import loading
from services.metrics.recovery import recovery
from services.mirror import facts
from services.outreach import variables
from services.outreach.variables import Occasion
from tests.customers import builders
from tests.customers.builders import NOW
from tests.metrics import count

CUSTOMER = "cus_1"


def failing(database: ModuleType, intent: dict[str, Any], charges: list[dict[str, Any]]) -> None:
    """An open invoice that was tried through one payment intent."""
    with database.transaction() as s:
        builders.customer(s, CUSTOMER, email="a@x.example")
        builders.row(
            s, Invoice, id="in_1", customer=CUSTOMER, status="open", attempted=True, attempt_count=1,
            amount_remaining=4900, total=4900, currency="usd", number="A-1",
        )  # fmt: skip
        builders.row(s, InvoicePayment, id="inpay_1", invoice="in_1", payment_intent="pi_1")
        builders.row(s, PaymentIntent, id="pi_1", **intent)
        for number, charge in enumerate(charges):
            builders.row(
                s, Charge,
                **{"id": f"ch_{number}", "payment_intent": "pi_1", "status": "failed",
                   "created": NOW + number, **charge},
            )  # fmt: skip
    with database.transaction() as s:
        facts.refresh(s, [CUSTOMER])


def reasons(database: ModuleType) -> set[tuple[str, str]]:
    """What each part of the desk says: the code, and the advice where the part knows of it."""
    with database.session() as s:
        (listed,) = builders.open_failures(s, FailureFilter())
        (demand,) = billing.unpaid(s, CUSTOMER, now=NOW, limit=9)
        (shown,) = billing.invoices(s, CUSTOMER, offset=0, limit=9)
        about = loading.load(s, CUSTOMER, "in_1").last_failure
        kept = s.get(CustomerFacts, CUSTOMER)
    assert kept and about and demand.failed and shown.failed
    assert about == demand.failed == shown.failed
    return {(listed.code, listed.advice), (about.code, about.advice), (kept.failure_code, about.advice)}


@pytest.mark.parametrize(
    ("intent", "charges", "expected"),
    [
        (
            {"decline_code": "expired_card", "error_code": "card_declined", "latest_charge": "ch_0"},
            [{"decline_code": "insufficient_funds"}, {"decline_code": "lost_card", "created": NOW - 1}],
            ("insufficient_funds", ""),
        ),
        (
            {"decline_code": "lost_card", "advice_code": "do_not_try_again", "latest_charge": "ch_1"},
            [{"failure_code": "expired_card"}, {"failure_code": "card_declined"}],
            ("lost_card", "do_not_try_again"),
        ),
        (
            {"decline_code": "lost_card", "advice_code": "do_not_try_again", "latest_charge": "ch_0"},
            [{}, {"failure_code": "expired_card"}],
            ("expired_card", ""),
        ),
        ({"error_code": "authentication_required"}, [], ("authentication_required", "")),
        ({"status": "requires_action"}, [], ("authentication_required", "")),
        (
            {"status": "requires_action", "decline_code": "lost_card", "advice_code": "do_not_try_again"},
            [{"decline_code": "lost_card", "advice_code": "do_not_try_again"}],
            ("authentication_required", ""),
        ),
        (
            {"error_code": "authentication_required"},
            [{"status": "succeeded", "decline_code": "none"}],
            ("authentication_required", ""),
        ),
    ],
)
def test_everybody_names_the_same_reason(
    database: ModuleType, intent: dict[str, Any], charges: list[dict[str, Any]], expected: tuple[str, str]
) -> None:
    failing(database, {"status": "requires_payment_method", **intent}, charges)
    assert reasons(database) == {expected}


@pytest.mark.parametrize(("tried", "expected"), [(-1, "authentication_required"), (1, "lost_card")])
def test_a_payment_that_waits_for_the_customer_stands_for_all_tries_before_it(
    database: ModuleType, tried: int, expected: str
) -> None:
    waiting = {"status": "requires_action", "created": NOW - 9, "payment_method": "pm_1"}
    failing(database, waiting, [{"decline_code": "insufficient_funds"}])
    with database.transaction() as s:
        builders.row(s, PaymentMethod, id="pm_1", customer=CUSTOMER, last4="3155")
        builders.row(s, InvoicePayment, id="inpay_2", invoice="in_1", payment_intent="pi_2")
        builders.row(s, PaymentIntent, id="pi_2", status="requires_payment_method")
        builders.row(
            s, Charge, id="ch_other", payment_intent="pi_2", status="failed",
            created=NOW + tried, decline_code="lost_card",
        )  # fmt: skip
    with database.transaction() as s:
        facts.refresh(s, [CUSTOMER])
    assert reasons(database) == {(expected, "")}
    waits = expected == "authentication_required"
    assert texts(database).get("card_last4") == ("3155" if waits else None)


@pytest.mark.parametrize(("status", "failed"), [("processing", False), ("requires_payment_method", True)])
def test_a_payment_under_way_has_not_failed(database: ModuleType, status: str, failed: bool) -> None:
    failing(database, {"status": status}, [])
    count.everybody(database)
    with database.session() as s:
        customer = billing.unpaid(s, CUSTOMER, now=NOW, limit=9)
        listed = builders.open_failures(s, FailureFilter())
        stakes = recovery.open_failures(s).at_stake
        lately = recovery.recovered(s, NOW - 9, NOW + 9)
        kept = s.get(CustomerFacts, CUSTOMER)
    assert kept is not None
    assert [len(customer), len(listed), len(stakes), len(lately), kept.failed_invoices] == [int(failed)] * 5
    assert ("invoice_number" in texts(database)) is failed


def test_a_deleted_invoice_is_in_no_text(database: ModuleType) -> None:
    failing(database, {"status": "requires_payment_method"}, [{"card_last4": "0341"}])
    assert texts(database)["card_last4"] == "0341"
    with database.transaction() as s:
        s.get(Invoice, "in_1").deleted = True
    assert "invoice_number" not in texts(database)


def texts(database: ModuleType) -> dict[str, Any]:
    with database.session() as s:
        row = s.get(variables.Customer, CUSTOMER)
        return variables.of_customer(s, row, "Ann", config.Settings(), Occasion())
