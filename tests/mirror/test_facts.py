"""The row of facts of each customer, on both databases."""

from __future__ import annotations

import threading
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from models import CallRequest, Customer, CustomerFacts, CustomerProfile, Message
from services import database as desk
from services.metrics.revenue import revenue
from services.mirror import facts
from services.mirror.dealings import plan_name
from tests.mirror import objects as o
from tests.mirror.objects import NOW


def known(*sources: Any, customer: str = "cus_1", at: int = NOW) -> CustomerFacts:
    """The customer's facts after these objects were stored."""
    with desk.transaction() as session:
        touched = o.store(session, sources, at, exact=True)
        facts.refresh(session, touched)
    with desk.session() as session:
        found = session.get(CustomerFacts, customer)
    assert found is not None
    return found


def test_a_customer_without_any_subscription(database: ModuleType) -> None:
    person = o.customer(
        name="  Žofie ÄRGER ",
        email="Me@Example.COM ",
        phone="+420 (0)2 555-1703",
        currency="eur",
        address={"country": "CZ"},
        metadata={"source": "ads"},
    )
    found = known(person)
    assert found.search_key == "zofie arger\nme@example.com"
    assert (found.name_key, found.email_key, found.email_domain) == (
        "zofie arger",
        "me@example.com",
        "example.com",
    )
    assert found.phone_key == "30715552024"
    assert (found.country, found.source, found.currency, found.status) == ("CZ", "ads", "eur", "none")
    assert (found.subscriptions, found.mrr_micros, found.created) == (0, 0, NOW - 1000)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["canceled", "active"], "active"),
        (["active", "past_due", "trialing"], "past_due"),
        (["trialing", "active"], "active"),
        (["unpaid", "active"], "unpaid"),
        (["canceled", "paused", "incomplete"], "paused"),
        (["incomplete_expired", "canceled"], "canceled"),
        (["hibernating", "canceled"], "hibernating"),
    ],
)
def test_the_subscription_that_asks_for_most_attention_speaks(
    database: ModuleType, statuses: list[str], expected: str
) -> None:
    made = [o.subscription(f"sub_{n}", status=status) for n, status in enumerate(statuses)]
    found = known(o.customer(), *made)
    assert found.status == expected
    assert found.subscription == f"sub_{statuses.index(expected)}"
    assert found.subscriptions == sum(s not in ("canceled", "incomplete_expired") for s in statuses)


def test_the_newest_speaks_among_equals(database: ModuleType) -> None:
    made = [o.subscription(f"sub_{n}", created=NOW - 100 + n) for n in (1, 3, 2)]
    assert known(o.customer(), *made).subscription == "sub_3"


def test_money_is_never_added_across_currencies(database: ModuleType) -> None:
    euros = o.price("price_eur", 700, currency="eur")
    found = known(
        o.customer(),
        o.subscription("sub_1", created=NOW),
        o.subscription("sub_2", created=NOW - 5),
        o.subscription(
            "sub_3", created=NOW - 9, currency="eur", items=[o.item("si_eur", euros, subscription="sub_3")]
        ),
    )
    assert (found.currency, found.mrr_micros) == ("usd", 2_000_000_000)


def test_the_plan_as_people_say_it(database: ModuleType) -> None:
    yearly = o.price("price_y", 12_000, "year")
    found = known(o.customer(), o.product(), o.subscription(items=[o.item("si_1", yearly), o.item("si_2")]))
    assert (found.product, found.plan) == ("prod_1", "Team, yearly + 1 more")
    assert found.mrr_micros == 2_000_000_000


def test_the_plan_is_the_dearest_item_and_not_the_first(database: ModuleType) -> None:
    support = o.price("price_2", 400, product="prod_2")
    items = [o.item("si_1", support, created=NOW - 900), o.item("si_2", o.price("price_1", 1000))]
    prices = (o.price("price_1", 1000), support)
    found = known(o.product(), *prices, o.customer(), o.subscription(items=items))
    assert (found.product, found.plan) == ("prod_1", "Team, monthly + 1 more")


def test_plan_names() -> None:
    assert plan_name("Team", "month", 1) == "Team, monthly"
    assert plan_name("Team", "month", 3) == "Team, every 3 months"
    assert plan_name("Team", "fortnight", 1) == "Team, every fortnight"
    assert plan_name(None, "year", 1) == "yearly"
    assert plan_name("Setup", None, None) == "Setup"


def test_a_running_trial(database: ModuleType) -> None:
    trial = o.subscription("sub_t", status="trialing", trial_start=NOW - 9, trial_end=NOW + 900)
    paying = o.subscription("sub_p", trial_start=NOW - 999, trial_end=NOW - 99)
    found = known(o.customer(), trial, paying)
    assert (found.status, found.trial_start, found.trial_end) == ("active", NOW - 9, NOW + 900)
    assert (found.mrr_micros, found.plan_micros) == (1_000_000_000, 1_000_000_000)


def test_a_cancel_that_is_scheduled_in_either_way(database: ModuleType) -> None:
    assert known(o.customer(), o.subscription(cancel_at_period_end=True)).cancel_at == NOW + 100
    assert known(o.subscription(cancel_at=NOW + 7), at=NOW + 1).cancel_at == NOW + 7
    assert known(o.subscription(status="canceled", cancel_at=NOW + 7), at=NOW + 2).cancel_at is None


def test_what_failed_and_why(database: ModuleType) -> None:
    found = known(
        o.customer(),
        o.invoice("in_1", attempted=True, attempt_count=2, next_payment_attempt=NOW + 60),
        o.invoice("in_2", attempted=True, attempt_count=1, next_payment_attempt=NOW + 30, amount=500),
        o.invoice("in_paid", attempted=True, status="paid", amount=0),
        o.invoice("in_new", attempted=False),
        o.invoice("in_draft", attempted=False, status="draft"),
        o.invoice("in_free", attempted=True, amount=0),
        o.invoice("in_other", attempted=True, attempt_count=4, amount=900, currency="eur"),
        o.invoice_payment("inpay_1", "in_1", "pi_1"),
        o.invoice_payment("inpay_2", "in_2", "pi_2"),
        o.declined("ch_1", "insufficient_funds", payment_intent="pi_1", created=NOW - 50),
        o.declined("ch_2", "expired_card", payment_intent="pi_1", created=NOW - 40),
        o.declined("ch_3", "lost_card", payment_intent="pi_2", created=NOW - 45),
        o.charge("ch_4", payment_intent="pi_9"),
    )
    assert (found.failed_invoices, found.open_amount, found.open_currency) == (3, 1500, "usd")
    assert (found.attempts, found.next_payment_attempt, found.failure_code) == (4, NOW + 30, "expired_card")


def test_a_failure_that_was_paid_is_over(database: ModuleType) -> None:
    assert known(o.customer(), o.invoice(attempted=True, attempt_count=1)).failed_invoices == 1
    paid = o.invoice(attempted=True, attempt_count=2, status="paid", amount_remaining=0)
    found = known(paid, at=NOW + 1)
    assert (found.failed_invoices, found.open_amount, found.open_currency, found.attempts) == (0, 0, "", 0)


def test_the_card_is_the_default_one_else_the_last_charged(database: ModuleType) -> None:
    found = known(o.customer(), o.charge("ch_1", created=NOW - 1))
    assert (found.payment_method_on_file, found.card_last4, found.country) == (False, "4242", "FR")
    person = o.customer()
    person["invoice_settings"] = {
        **person["invoice_settings"],
        "default_payment_method": o.method("pm_c", "1111"),
    }
    found = known(person, at=NOW + 1)
    assert (found.payment_method_on_file, found.card_last4) == (True, "1111")
    own = o.subscription(default_payment_method=o.method("pm_s", "2222"))
    assert known(own, at=NOW + 2).card_last4 == "2222"
    assert known(o.subscription(status="canceled"), at=NOW + 3).card_last4 == "1111"


def test_an_old_style_card_is_on_file_too(database: ModuleType) -> None:
    assert known(o.customer(default_source="card_1")).payment_method_on_file


def test_a_subscriptions_own_source_is_on_file_while_it_lives(database: ModuleType) -> None:
    assert not known(o.customer(), o.subscription()).payment_method_on_file
    own = {"default_source": "card_1"}
    assert known(o.subscription(**own), at=NOW + 1).payment_method_on_file
    assert not known(o.subscription(status="canceled", **own), at=NOW + 2).payment_method_on_file


def test_disputes_count_until_they_are_decided(database: ModuleType) -> None:
    found = known(o.customer(), o.charge(), o.dispute(), o.dispute("dp_2", status="won"))
    assert found.open_disputes == 1
    assert known(o.dispute(status="lost"), at=NOW + 1).open_disputes == 0


def test_the_desks_own_knowledge(database: ModuleType) -> None:
    with desk.transaction() as session:
        session.add(CustomerProfile(customer="cus_1", owner=4))
        session.add(
            Message(token="m1", customer="cus_1", state="outbox", sent_at=NOW - 50, created_at=NOW - 60)
        )
        session.add(Message(token="m2", customer="cus_1", state="failed", sent_at=NOW, created_at=NOW))
        session.add(CallRequest(token="c1", customer="cus_1", state="requested", created_at=NOW))
    found = known(o.customer())
    assert (found.owner, found.last_contact_at, found.last_contact_kind) == (4, NOW - 50, "email")
    with desk.transaction() as session:
        session.add(
            CallRequest(token="c2", customer="cus_1", state="done", closed_at=NOW - 5, created_at=NOW)
        )
        facts.refresh(session, ["cus_1"])
    with desk.session() as session:
        again = session.get(CustomerFacts, "cus_1")
    assert again is not None
    assert (again.last_contact_at, again.last_contact_kind) == (NOW - 5, "call")


def test_all_touched_customers_of_a_batch_are_named(database: ModuleType) -> None:
    with desk.transaction() as session:
        o.store(session, [o.charge(customer="cus_3"), o.invoice("in_4", customer="cus_4")], NOW, exact=True)
        touched = o.store(
            session,
            [
                o.customer("cus_1"),
                o.dispute(),
                o.invoice_payment(invoice="in_4"),
                o.subscription(customer="cus_5"),
            ],
            NOW,
            exact=True,
        )
    assert touched == {"cus_1", "cus_3", "cus_4", "cus_5"}


def test_hundreds_at_once(database: ModuleType) -> None:
    people = [o.customer(f"cus_{n:04}") for n in range(450)]
    paying = [
        o.subscription(
            f"sub_{n}",
            customer=f"cus_{n:04}",
            items=[o.item(f"si_{n}", quantity=n + 1, subscription=f"sub_{n}")],
        )
        for n in range(450)
    ]
    with desk.transaction() as session:
        o.store(session, [*people, *paying], NOW, exact=True)
    facts.derive_in_pieces(facts.everyone())
    with desk.session() as session:
        kept = [session.get(CustomerFacts, f"cus_{n:04}") for n in range(450)]
    assert [row.mrr_micros for row in kept if row] == [(n + 1) * 1_000_000_000 for n in range(450)]


def test_what_a_slow_writer_read_does_not_replace_newer_facts(
    database: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow one has computed the facts of a trial when the subscription becomes active elsewhere."""
    known(o.customer(), o.subscription(status="trialing"))
    computed, overtaken, save = threading.Event(), threading.Event(), facts._save

    def save_slowly(*values: Any) -> None:
        if threading.current_thread() is slow:
            computed.set()
            overtaken.wait(0.5)
        save(*values)

    monkeypatch.setattr(facts, "_save", save_slowly)
    slow = threading.Thread(target=facts.derive_in_pieces, args=(["cus_1"],))
    slow.start()
    assert computed.wait(5)
    known(o.subscription(status="active"), at=NOW + 1)
    overtaken.set()
    slow.join(5)
    with desk.session() as session:
        row = session.get(CustomerFacts, "cus_1")
    assert row is not None
    assert row.status == "active"


def test_a_subscription_that_is_gone_counts_neither_in_mrr_nor_in_the_rows_behind_it(
    database: ModuleType,
) -> None:
    known(o.customer(), o.subscription(), o.subscription("sub_2"))
    found = known(o.deleted("subscription", "sub_2"), at=NOW + 9)
    with desk.session() as session:
        assert revenue.of_customers(session, sa.select(col(Customer.id))) == {"usd": found.mrr_micros}
    assert found.mrr_micros == 1_000_000_000
