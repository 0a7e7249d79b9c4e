"""What happened before Stripe's events: told from the tables, and only what no other entry tells."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlmodel import Session, select

from models import (
    Action,
    Charge,
    Customer,
    Dispute,
    Event,
    Invoice,
    InvoicePayment,
    Refund,
    Subscription,
)
from pages.components import formats
from services.config import Settings
from services.customers import history, timeline
from services.customers.history import Fact
from services.customers.sentences import sentence
from services.mirror import identity, pull
from services.stripe_api import client
from tests.customers.builders import customer, person, row
from tests.support.sandbox import start_sandbox

DAY = 86_400
T = 1_735_689_600  # 2025-01-01 00:00 UTC
USD = {"customer": "cus_1", "currency": "usd"}


def day(number: float) -> int:
    return T + round(number * DAY)


def told(session: Session, limit: int = 100) -> list[Fact]:
    return history.latest(session, "cus_1", limit=limit)


@pytest.fixture
def life(database: ModuleType) -> ModuleType:
    """A trial that converted, a payment that failed, and money that went back; then a second subscription."""
    with database.transaction() as s:
        customer(s, "cus_1", created=T)
        row(s, Subscription, id="sub_1", status="canceled", created=day(1), trial_start=day(1),
            trial_end=day(15), canceled_at=day(50), ended_at=day(75), **USD)  # fmt: skip
        row(s, Subscription, id="sub_2", status="active", created=day(80), **USD)
        add_invoices(s)
        for id, at, status in (("ch_1", 15, "succeeded"), ("ch_2", 46, "failed"), ("ch_3", 48, "succeeded")):
            row(s, Charge, id=id, created=day(at), status=status, amount=4900, failure_code="card_declined",
                decline_code="insufficient_funds", **USD)  # fmt: skip
        row(s, Refund, id="re_1", charge="ch_1", created=day(20), amount=900, currency="usd",
            status="succeeded")  # fmt: skip
        row(s, Refund, id="re_2", charge="ch_1", created=day(21), amount=100, currency="usd", status="failed")
        row(s, Dispute, id="du_1", charge="ch_3", created=day(60), amount=4900, currency="usd",
            reason="fraudulent", status="lost")  # fmt: skip
        customer(s, "cus_2", created=T)
        row(s, Charge, id="ch_9", created=T, status="failed", customer="cus_2")
    return database


def add_invoices(s: Session) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "in_0", "created": day(1), "status": "paid", "paid_at": day(1), "total": 0},
        {"id": "in_1", "created": day(15), "status": "paid", "paid_at": day(15) + 3600, "total": 4900},
        {"id": "in_2", "created": day(46), "status": "paid", "paid_at": day(48), "total": 4900},
        {"id": "in_3", "created": day(70), "status": "void", "voided_at": day(71), "total": 4900},
        {"id": "in_4", "created": day(72), "status": "open", "attempt_count": 1, "total": 4900},
        {"id": "in_5", "created": day(73), "status": "uncollectible", "total": 4900,
         "marked_uncollectible_at": day(74)},
        {"id": "in_6", "created": day(46), "status": "open", "attempt_count": 1, "total": 4900},
        {"id": "in_7", "created": day(46), "status": "paid", "paid_at": day(46), "total": 1, "deleted": True},
    ]  # fmt: skip
    for given in rows:
        row(s, Invoice, subscription="sub_1", number=given["id"].replace("in_", "A-"), **USD, **given)
    row(s, InvoicePayment, id="inpay_6", invoice="in_6", charge="ch_2")


def test_a_life_is_told_newest_first_each_thing_once(life: ModuleType) -> None:
    with life.session() as s:
        page = timeline.latest(s, person(), "cus_1", ["Billing"], formats, limit=100)
    assert not page.more
    assert [((e.at - T) / DAY, e.title, e.state) for e in page.entries] == [
        (80, "A subscription began", ""),
        (75, "The subscription ended", ""),
        (74, "Invoice A-5 of $49.00 was given up as uncollectible", ""),
        (72, "Invoice A-4 of $49.00 could not be charged", ""),
        (71, "Invoice A-3 of $49.00 was voided", ""),
        (60, "A payment of $49.00 was disputed (fraudulent)", "lost"),
        (50, "Subscription set to end on Mar 17, 2025", ""),
        (48, "Invoice A-2 of $49.00 was paid", ""),
        (46, "A payment of $49.00 failed: There was not enough money on the card", ""),
        (21, "A refund of $1.00 failed", ""),
        (20, "A refund of $9.00 was made", ""),
        (15 + 1 / 24, "The trial converted: its first invoice is paid", ""),
        (15 + 1 / 24, "Invoice A-1 of $49.00 was paid", ""),
        (15, "The trial ended", ""),
        (1, "A trial began", ""),
        (0, "The customer signed up", ""),
    ]


def test_a_page_of_it_is_its_newest_part(life: ModuleType) -> None:
    with life.session() as s:
        whole = told(s)
        for limit in (1, 7, len(whole)):
            assert told(s, limit) == whole[:limit]


def test_a_trial_without_a_card_ended_by_itself_and_was_not_asked_to(database: ModuleType) -> None:
    asked = {"status": "canceled", "created": T, "trial_end_behavior": "cancel", **USD}
    with database.transaction() as s:
        customer(s, "cus_1", created=T)
        for id, canceled, ended, trial_end in (
            ("sub_1", day(7), day(7), day(7)),  # with the trial
            ("sub_2", day(5), day(8), day(8)),  # asked for in the trial
            ("sub_3", day(20), day(20), day(9)),  # asked for after it
            ("sub_4", day(7) + 60, day(7) + 60, day(7)),  # staff ended the trial, which was charged
            ("sub_5", day(7) + 60, day(7) + 60, day(7)),  # likewise, and there was nothing to charge
            ("sub_6", day(0), day(0), day(0)),  # staff ended the trial in its first second
        ):
            row(s, Subscription, id=id, canceled_at=canceled, ended_at=ended, trial_end=trial_end,
                cancellation_reason="cancellation_requested", **asked)  # fmt: skip
            row(s, Invoice, id=f"in_{id}", subscription=id, billing_reason="subscription_create",
                created=T, **USD)  # fmt: skip
        row(s, Subscription, id="sub_7", canceled_at=day(7), ended_at=day(7), trial_end=day(7),
            default_payment_method="pm_1", **asked)  # fmt: skip
        for id, total in (("sub_4", 4900), ("sub_5", 0)):
            row(s, Invoice, id=f"in_after_{id}", subscription=id, billing_reason="subscription_update",
                created=day(7), total=total, **USD)  # fmt: skip
        row(s, Invoice, id="in_extra", subscription="sub_1", billing_reason="manual", created=day(9), **USD)
    with database.session() as s:
        ends = {fact.id: sentence(fact.name, fact.facts, formats) for fact in told(s)
                if fact.name == "customer.subscription.deleted"}  # fmt: skip
    assert ends == {
        "sub_1": "The subscription ended with its trial, as there was no payment method",
        "sub_2": "The subscription ended as asked for",
        "sub_3": "The subscription ended as asked for",
        "sub_4": "The subscription ended as asked for",
        "sub_5": "The subscription ended as asked for",
        "sub_6": "The subscription ended with its trial, as there was no payment method",
        "sub_7": "The subscription ended",
    }


def test_what_is_still_to_come_is_not_told(database: ModuleType) -> None:
    ahead = 4_000_000_000
    with database.transaction() as s:
        customer(s, "cus_1", created=T)
        row(s, Subscription, id="sub_1", status="trialing", created=T, trial_start=T, trial_end=T + 1, **USD)
        row(
            s, Subscription, id="sub_2", status="active", created=T, trial_start=ahead, trial_end=ahead, **USD
        )
    with database.session() as s:
        assert sorted(fact.name for fact in told(s)) == [
            "customer.created", "customer.subscription.created", "trial.began",
        ]  # fmt: skip


def test_what_an_event_tells_is_not_told_again(life: ModuleType) -> None:
    """Each event takes away the fact of its own object, and only that."""
    events = [
        ("customer.subscription.created", "sub_2", 80, {}, "customer.subscription.created"),
        ("customer.subscription.deleted", "sub_1", 75, {}, "customer.subscription.deleted"),
        ("customer.subscription.updated", "sub_1", 50, {}, "customer.subscription.updated"),
        ("customer.subscription.updated", "sub_1", 15, {"was": {"status": "trialing"}}, "trial.ended"),
        ("customer.subscription.created", "sub_1", 1, {}, "trial.began"),
        ("invoice.marked_uncollectible", "in_5", 74, {}, "invoice.marked_uncollectible"),
        ("invoice.payment_failed", "in_4", 72, {}, "invoice.not_charged"),
        ("invoice.voided", "in_3", 71, {}, "invoice.voided"),
        ("invoice.paid", "in_2", 48, {}, "invoice.paid"),
        ("charge.dispute.created", "du_1", 60, {}, "charge.dispute.created"),
        ("charge.failed", "ch_2", 46, {}, "charge.failed"),
        ("charge.refunded", "ch_1", 20, {}, "refund.created"),
        ("customer.created", "cus_1", 0, {}, "customer.created"),
    ]
    with life.session() as s:
        left = {(fact.name, fact.at) for fact in told(s)}
    for number, (type, object, at, facts, name) in enumerate(events):
        with life.transaction() as s:
            s.add(Event(id=f"evt_{number}", created=day(at), type=type, customer="cus_1",
                        object_id=object, facts=facts))  # fmt: skip
        left.remove((name, day(at)))
        with life.session() as s:
            assert {(fact.name, fact.at) for fact in told(s)} == left, type


@pytest.mark.parametrize(
    ("command", "state", "result", "at", "name"),
    [
        ("cancel", "done", {"subscription": "sub_1"}, 75, "customer.subscription.deleted"),
        ("cancel", "done", {"subscription": "sub_1"}, 50, "customer.subscription.updated"),
        ("end_trial", "done", {"subscription": "sub_1"}, 15, "trial.ended"),
        ("reactivate", "done", {"subscription": "sub_2"}, 80, "customer.subscription.created"),
        ("retry_payment", "done", {"invoice": "in_2"}, 48, "invoice.paid"),
        ("retry_payment", "failed", {}, 46, "charge.failed"),
        ("cancel", "done", {"subscription": "sub_2"}, 75, None),
        ("cancel", "failed", {"subscription": "sub_1"}, 75, None),
        ("retry_payment", "done", {"invoice": "in_2"}, 49, None),
    ],
)
def test_what_staff_did_is_told_by_their_action(
    life: ModuleType, command: str, state: str, result: dict[str, str], at: int, name: str | None
) -> None:
    with life.transaction() as s:
        before = {(fact.name, fact.at) for fact in told(s)}
        s.add(Action(token="a", command=command, state=state, customer="cus_1", result=result,
                     opened_at=day(at) - 90, started_at=day(at) - 5, finished_at=day(at) + 5))  # fmt: skip
    with life.session() as s:
        assert before - {(fact.name, fact.at) for fact in told(s)} == ({(name, day(at))} if name else set())


def test_of_a_living_account_nothing_is_told_twice_and_nothing_is_left_out(
    database: ModuleType, tmp_path: Path
) -> None:
    """Within Stripe's 30 days events tell all but a conversion; before them, each paid invoice is there."""
    with start_sandbox(tmp_path, 40, seed=5) as sandbox:
        client.configure(client.connect(sandbox.key, sandbox.url))
        with database.transaction() as s:
            identity.claim(s, identity.ask(Settings(_env_file=None)))
        pull.whole_account()
        client.configure(None)
    with database.session() as s:
        oldest = min(s.exec(select(Event.created)))
        facts = [fact for id in s.exec(select(Customer.id)) for fact in history.latest(s, id, limit=1000)]
        paid = select(Invoice.id).where(Invoice.status == "paid", Invoice.total > 0, Invoice.paid_at < oldest)
        assert {fact.id for fact in facts if fact.name == "invoice.paid"} == set(s.exec(paid))
    assert {fact.name for fact in facts if fact.at >= oldest} <= {"trial.converted"}
    assert len({fact.name for fact in facts if fact.at < oldest}) >= 6
    assert all(sentence(fact.name, fact.facts, formats) for fact in facts)
