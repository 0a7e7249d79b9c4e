"""The customer page's contents: subscriptions in full, money asked, paid, failed and disputed."""

from __future__ import annotations

from types import ModuleType

import pytest

from models import (
    Charge,
    Coupon,
    Discount,
    Dispute,
    Invoice,
    InvoiceItem,
    InvoicePayment,
    PaymentMethod,
    Price,
    Product,
    Subscription,
    SubscriptionItem,
)
from services.customers import billing, record
from services.errors import NotFound
from tests.customers.builders import NOW, customer, row


def test_an_unknown_customer_is_named(database: ModuleType) -> None:
    with database.session() as s, pytest.raises(NotFound, match="cus_none") as refused:
        record.read(s, "cus_none", now=NOW)
    assert refused.value.remedy


def test_a_price_is_shown_in_the_subscriptions_currency(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        options = {"eur": {"unit_amount_decimal": "4500", "tiers": []}, "gbp": {"unit_amount_decimal": "0.5"}}
        price = {"currency": "usd", "unit_amount": 4900, "currency_options": options}
        row(s, Price, id="price_1", **price)
        for currency in ("usd", "eur", "gbp", "jpy", ""):
            id = f"sub_{currency}"
            row(s, Subscription, id=id, customer="cus_1", status="active", currency=currency)
            row(s, SubscriptionItem, id=f"si_{currency}", subscription=id, price="price_1")
    with database.session() as s:
        plans = record.read(s, "cus_1", now=NOW).plans
        assert not s.new
    shown = {plan.row.currency: plan.items[0].price for plan in plans}
    assert {code: (one.currency, one.unit_amount) for code, one in shown.items() if one} == {
        "usd": ("usd", 4900),
        "eur": ("eur", 4500),
        "gbp": ("gbp", None),
        "jpy": ("jpy", None),
        "": ("usd", 4900),
    }
    assert shown["gbp"].unit_amount_decimal == "0.5"


def test_subscriptions_carry_their_items_prices_and_running_discounts(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        for id, status, created in (
            ("sub_old", "canceled", 9),
            ("sub_older", "canceled", 4),
            ("sub_a", "active", 5),
            ("sub_b", "paused", 7),
        ):
            row(s, Subscription, id=id, customer="cus_1", status=status, created=created)
        row(s, Subscription, id="sub_other", customer="cus_2", status="active")
        row(s, Product, id="prod_1", name="Team")
        row(s, Price, id="price_1", product="prod_1", currency="usd", unit_amount=4900)
        row(
            s,
            SubscriptionItem,
            id="si_1",
            subscription="sub_a",
            price="price_1",
            product="prod_1",
            quantity=3,
        )
        row(s, SubscriptionItem, id="si_2", subscription="sub_a", price="price_gone", product="prod_gone")
        row(s, SubscriptionItem, id="si_3", subscription="sub_a", price="price_1", deleted=True)
        row(s, Coupon, id="co_1", percent_off="20")
        row(s, Discount, id="di_1", coupon="co_1", subscription="sub_a")
        row(s, Discount, id="di_item", coupon="co_1", customer="cus_1", subscription_item="si_1", start=2)
        row(s, Discount, id="di_other", coupon="co_1", subscription="sub_other")
        row(s, Discount, id="di_nobody", coupon="co_1")
        row(s, Discount, id="di_over", coupon="co_1", subscription="sub_a", end=NOW)
        row(s, Discount, id="di_all", coupon="co_gone", customer="cus_1", end=NOW + 1)
    with database.session() as s:
        found = record.read(s, "cus_1", now=NOW)
    assert [plan.row.id for plan in found.plans] == ["sub_b", "sub_a", "sub_old", "sub_older"]
    assert [plan.row.id for plan in found.actionable] == ["sub_b", "sub_a", "sub_old"]
    plan = found.plans[1]
    assert [(i.row.id, i.product, i.price and i.price.unit_amount) for i in plan.items] == [
        ("si_1", "Team", 4900),
        ("si_2", "prod_gone", None),
    ]
    assert [(r.row.id, r.coupon and r.coupon.percent_off) for r in plan.rebates] == [
        ("di_1", "20"), ("di_item", "20"),
    ]  # fmt: skip
    assert [each.rebates for each in found.plans if each.row.id != "sub_a"] == [(), (), ()]
    assert [(r.row.id, r.coupon) for r in found.rebates] == [("di_all", None)]


@pytest.mark.parametrize(
    ("status", "cancel_at", "at_period_end", "ends"),
    [
        ("active", None, False, None),
        ("active", 50, False, 50),
        ("active", 50, True, 50),
        ("active", None, True, 90),
        ("trialing", None, True, 90),
        ("canceled", 50, True, None),
    ],
)
def test_a_scheduled_end_is_read_from_either_mark(
    status: str, cancel_at: int | None, at_period_end: bool, ends: int | None
) -> None:
    row = Subscription(
        id="sub_1", customer="cus_1", created=1, status=status, cancel_at=cancel_at,
        cancel_at_period_end=at_period_end, current_period_end=90,
    )  # fmt: skip
    assert record.Plan(row, (), ()).ends_at == ends


def test_pending_charges_are_those_on_no_invoice(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        row(s, InvoiceItem, id="ii_2", customer="cus_1", created=NOW)
        row(s, InvoiceItem, id="ii_1", customer="cus_1", created=NOW - 1)
        row(s, InvoiceItem, id="ii_billed", customer="cus_1", invoice="in_1")
        row(s, InvoiceItem, id="ii_gone", customer="cus_1", deleted=True)
        row(s, InvoiceItem, id="ii_other", customer="cus_2")
    with database.session() as s:
        assert [item.id for item in record.read(s, "cus_1", now=NOW).pending] == ["ii_1", "ii_2"]


def test_customers_who_share_an_email_know_of_each_other(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1", email="Jo@x.com")
        customer(s, "cus_2", email="jo@x.com", name="Twin")
        customer(s, "cus_3", email="jo@x.com", deleted=True)
        customer(s, "cus_4")
        customer(s, "cus_5")
    with database.session() as s:
        (twin,) = record.read(s, "cus_1", now=NOW).same_email
        assert (twin.facts.customer, twin.name) == ("cus_2", "Twin")
        assert record.read(s, "cus_4", now=NOW).same_email == ()


def test_invoices_come_newest_first_with_the_failure_that_matters(database: ModuleType) -> None:
    with database.transaction() as s:
        for n, status in enumerate(("paid", "open", "void", "uncollectible", "draft")):
            row(s, Invoice, id=f"in_{n}", customer="cus_1", status=status, created=NOW - n, attempted=True)
            row(s, InvoicePayment, id=f"inpay_{n}", invoice=f"in_{n}", payment_intent=f"pi_{n}")
            for late in (0, 1):
                row(
                    s,
                    Charge,
                    id=f"ch_{n}_{late}",
                    payment_intent=f"pi_{n}",
                    status="failed",
                    created=NOW + late,
                )
        row(s, Charge, id="ch_1_2", payment_intent="pi_1", status="succeeded", created=NOW + 2)
        row(s, Invoice, id="in_gone", customer="cus_1", deleted=True)
        row(s, Invoice, id="in_other", customer="cus_2")
    with database.session() as s:
        assert billing.count_invoices(s, "cus_1") == 5
        found = billing.invoices(s, "cus_1", offset=0, limit=4)
        assert [(d.row.id, d.failed and d.failed.charge) for d in found] == [
            ("in_0", None),
            ("in_1", "ch_1_1"),
            ("in_2", None),
            ("in_3", "ch_3_1"),
        ]
        assert [d.row.id for d in billing.invoices(s, "cus_1", offset=4, limit=4)] == ["in_4"]


def test_invoices_of_one_second_come_by_their_numbers_and_a_draft_first(database: ModuleType) -> None:
    numbers = {"in_a": "A-0002", "in_b": None, "in_c": "A-0001", "in_d": "A-0003"}
    with database.transaction() as s:
        for id, number in numbers.items():
            row(s, Invoice, id=id, customer="cus_1", status="open", created=NOW, number=number)
    with database.session() as s:
        found = billing.invoices(s, "cus_1", offset=0, limit=9)
    assert [one.row.id for one in found] == ["in_b", "in_d", "in_a", "in_c"]


def test_payments_name_their_invoice_by_intent_or_by_charge(database: ModuleType) -> None:
    with database.transaction() as s:
        for n in (1, 2):
            row(s, Invoice, id=f"in_{n}", customer="cus_1", number=f"A-{n}")
        row(s, InvoicePayment, id="inpay_1", invoice="in_1", payment_intent="pi_1")
        row(s, InvoicePayment, id="inpay_2", invoice="in_2", charge="ch_2")
        row(s, Charge, id="ch_1", customer="cus_1", payment_intent="pi_1", created=NOW)
        row(s, Charge, id="ch_2", customer="cus_1", created=NOW - 1)
        row(s, Charge, id="ch_3", customer="cus_1", created=NOW - 2)
        row(s, Charge, id="ch_other", customer="cus_2")
    with database.session() as s:
        assert billing.count_payments(s, "cus_1") == 3
        found = billing.payments(s, "cus_1", offset=0, limit=10)
    assert [(p.row.id, p.invoice and p.invoice.number) for p in found] == [
        ("ch_1", "A-1"),
        ("ch_2", "A-2"),
        ("ch_3", None),
    ]


def test_disputes_that_wait_for_us_come_first(database: ModuleType) -> None:
    with database.transaction() as s:
        row(s, Charge, id="ch_1", customer="cus_1")
        row(s, Charge, id="ch_2", customer="cus_2")
        dispute = {"charge": "ch_1"}
        row(s, Dispute, id="du_won", status="won", evidence_due_by=1, **dispute)
        row(s, Dispute, id="du_late", status="needs_response", evidence_due_by=9, **dispute)
        row(s, Dispute, id="du_soon", status="warning_needs_response", evidence_due_by=5, **dispute)
        row(s, Dispute, id="du_other", status="needs_response", charge="ch_2")
    with database.session() as s:
        found = billing.disputes(s, "cus_1")
    assert [(d.id, billing.needs_response(d)) for d in found] == [
        ("du_soon", True),
        ("du_late", True),
        ("du_won", False),
    ]


@pytest.mark.parametrize(
    ("own", "status", "customers", "charged"),
    [
        ({"default_source": "card_1"}, "active", {"default_payment_method": "pm_1"}, "card_1"),
        ({"default_source": "card_1"}, "canceled", {"default_payment_method": "pm_1"}, "pm_1"),
        ({}, "active", {"default_source": "card_2"}, "card_2"),
        ({}, "active", {}, None),
    ],
)
def test_what_is_charged_next_is_a_running_plans_own_or_the_customers(
    database: ModuleType, own: dict[str, str], status: str, customers: dict[str, str], charged: str | None
) -> None:
    with database.transaction() as s:
        customer(s, "cus_1", **customers)
        row(s, Subscription, id="sub_1", customer="cus_1", status=status, **own)
    with database.session() as s:
        assert record.read(s, "cus_1", now=NOW).default_payment_method == charged


def test_the_default_card_comes_first_and_a_card_lives_through_its_month(database: ModuleType) -> None:
    with database.transaction() as s:
        row(s, PaymentMethod, id="pm_new", customer="cus_1", exp_year=2026, exp_month=3, created=NOW)
        row(s, PaymentMethod, id="pm_main", customer="cus_1", created=NOW - 1)
        row(s, PaymentMethod, id="pm_gone", customer="cus_1", deleted=True)
    with database.session() as s:
        main, new = billing.cards(s, "cus_1", default="pm_main")
    assert (main.row.id, main.default, new.row.id, new.default) == ("pm_main", True, "pm_new", False)
    assert not new.expired(year=2026, month=3)
    assert new.expired(year=2026, month=4)
    assert new.expired(year=2027, month=1)
    assert not main.expired(year=2999, month=1)
