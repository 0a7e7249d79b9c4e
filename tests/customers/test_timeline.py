"""One line of time out of five tables, and Stripe's events as sentences."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from models import Action, CallRequest, Event, Message, Note, Task
from pages.components import formats
from services.customers import timeline
from services.customers.sentences import TYPES, is_news, sentence
from services.customers.timeline import KINDS, USUAL
from services.staff.roles import GRANTS, Permission, Role
from tests.customers.builders import person
from tests.support.statements import asked

DAY = 86_400
SAM = person()
T = 1_767_225_600  # 2026-01-01 00:00 UTC


@pytest.mark.parametrize(
    ("type", "facts", "says"),
    [
        ("invoice.paid", {"number": "A-1", "total": 4900, "currency": "usd"},
         "Invoice A-1 of $49.00 was paid"),
        ("invoice.paid", {"total": 4900, "currency": "jpy"}, "Invoice of ¥4,900 was paid"),
        ("invoice.paid", {}, "Invoice was paid"),
        ("invoice.paid", {"total": -1899, "amount_due": 0, "currency": "usd", "number": "A-1"},
         "Invoice A-1, a credit of $18.99, went to the customer’s balance"),
        ("invoice.finalized", {"total": -1899, "currency": "usd"}, "Invoice, a credit of $18.99, was issued"),
        ("invoice.upcoming", {"total": -500, "currency": "usd"},
         "The next invoice, a credit of $5.00, is coming up"),
        ("invoiceitem.created", {"amount": -9587, "currency": "usd"},
         "A credit of $95.87 was added for the next invoice"),
        ("invoiceitem.created", {"amount": 9587, "currency": "usd", "invoice": "in_1"},
         "A charge of $95.87 was put on an invoice"),
        ("invoiceitem.created", {}, "A charge was added for the next invoice"),
        ("invoiceitem.deleted", {"amount": -9587, "currency": "usd"},
         "A pending credit of $95.87 was removed"),
        (
            "invoice.payment_failed",
            {"number": "A-1", "amount_remaining": 4900, "currency": "usd", "attempt_count": 2,
             "next_payment_attempt": T + DAY},
            "Invoice A-1 of $49.00 was not paid at attempt 2; Stripe tries again on Jan 2, 2026",
        ),
        (
            "invoice.payment_failed",
            {"number": "A-1", "attempt_count": 4, "next_payment_attempt": None},
            "Invoice A-1 was not paid at attempt 4; no further try is planned",
        ),
        (
            "charge.failed",
            {"amount": 4900, "currency": "usd", "failure_code": "card_declined",
             "decline_code": "insufficient_funds"},
            "A payment of $49.00 failed: There was not enough money on the card",
        ),
        ("charge.failed", {}, "A payment failed"),
        ("customer.subscription.created", {"status": "trialing", "trial_end": T},
         "A trial began, to end on Jan 1, 2026"),
        ("customer.subscription.created", {"status": "past_due"}, "A subscription began, past due"),
        ("customer.subscription.updated", {}, "Subscription changed"),
        (
            "customer.subscription.updated",
            {"prices": ["b"], "quantity": 3, "was": {"prices": ["a"], "quantity": 1}},
            "Subscription went over to another plan; quantity is now 3 instead of 1",
        ),
        (
            "customer.subscription.updated",
            {"prices": ["a", "b"], "quantity": 1, "was": {"prices": ["a"]}},
            "Subscription consists of more than before",
        ),
        (
            "customer.subscription.updated",
            {"status": "active", "trial_end": T, "was": {"status": "trialing"}},
            "Subscription went from trialing to active",
        ),
        (
            "customer.subscription.updated",
            {"trial_end": T + DAY, "was": {"trial_end": T}},
            "Subscription trial now ends on Jan 2, 2026 instead of Jan 1, 2026",
        ),
        (
            "customer.subscription.updated",
            {"cancel_at": T, "cancel_at_period_end": True,
             "was": {"cancel_at": None, "cancel_at_period_end": False}},
            "Subscription set to end on Jan 1, 2026",
        ),
        (
            "customer.subscription.updated",
            {"cancel_at": None, "cancel_at_period_end": False, "was": {"cancel_at": T}},
            "Subscription no longer set to end",
        ),
        (
            "customer.subscription.updated",
            {"pause_collection": "void", "changed": ["pause_collection"]},
            "Subscription collects no payments for now",
        ),
        ("customer.subscription.deleted", {"cancel_reason": "payment_failed"},
         "The subscription ended because payment failed"),
        (
            "charge.dispute.created",
            {"amount": 4900, "currency": "usd", "reason": "product_not_received", "due_by": T},
            "A payment of $49.00 was disputed (product not received); evidence is due by Jan 1, 2026",
        ),
        ("payment_method.attached", {"brand": "visa"}, "A Visa card was added"),
        ("customer.updated", {"changed": ["email", "default_source"]},
         "Customer details changed: email, default source"),
        ("brand_new.thing.happened", {}, "Brand new thing happened"),
    ],
)  # fmt: skip
def test_events_read_as_sentences(type: str, facts: dict[str, Any], says: str) -> None:
    assert sentence(type, facts, formats) == says


def test_every_event_can_be_told_without_any_facts() -> None:
    for type in TYPES:
        for facts in ({}, {"was": None, "changed": None}, {"currency": None, "amount": 1}):
            assert sentence(type, facts, formats)


@pytest.mark.parametrize(
    ("type", "facts", "news"),
    [
        ("invoice.paid", {}, True),
        ("charge.succeeded", {}, False),
        ("brand_new.thing", {}, False),
        ("customer.subscription.updated", {"changed": ["latest_invoice"], "was": {}}, False),
        ("customer.subscription.updated", {"changed": ["status"], "was": {"status": "trialing"}}, True),
        ("customer.subscription.updated", {"changed": ["pause_collection"], "was": {}}, True),
        ("customer.subscription.updated", {"changed": ["items"], "was": {}}, False),
        ("customer.subscription.updated", {"changed": ["items"], "was": {"quantity": 1}}, True),
        ("customer.subscription.updated", {}, False),
    ],
)
def test_news_is_what_people_care_about(type: str, facts: dict[str, Any], news: bool) -> None:
    assert is_news(type, facts) is news


def test_news_is_found_behind_much_that_is_none(database: ModuleType) -> None:
    with database.transaction() as s:
        s.add(Event(id="evt_news", created=T, type="invoice.paid", customer="cus_1"))
        for n in range(40):
            s.add(Event(id=f"evt_{n}", created=T + 1, type="payment_intent.created", customer="cus_1"))
    with database.session() as s:
        with asked(database.engine()) as statements:
            page = timeline.latest(s, SAM, "cus_1", ["Billing"], formats, limit=5)
        assert len([one for one in statements if one.startswith("SELECT events.")]) == 1
        assert [entry.id for entry in page.entries] == ["evt_news"]
        assert not page.more
        assert timeline.latest(s, SAM, "cus_1", ["Technical"], formats, limit=40).more is False
        assert timeline.latest(s, SAM, "cus_1", ["Technical"], formats, limit=39).more is True


@pytest.fixture
def told(database: ModuleType) -> ModuleType:
    with database.transaction() as s:
        s.add(
            Event(id="evt_1", created=T + 1, type="invoice.paid", customer="cus_1", facts={"number": "A-1"})
        )
        s.add(Event(id="evt_2", created=T + 9, type="payment_intent.created", customer="cus_1"))
        s.add(Event(id="evt_3", created=T + 9, type="invoice.paid", customer="cus_2"))
        s.add(
            Action(
                token="a1",
                command="extend_trial",
                state="done",
                customer="cus_1",
                opened_at=T,
                finished_at=T + 3,
                staff_name="Ann",
                reason="asked nicely",
            )
        )
        s.add(
            Action(
                token="a2",
                command="cancel",
                state="failed",
                customer="cus_1",
                opened_at=T + 4,
                staff_name="Bob",
                reason="leaving",
                error={"message": "Stripe said no."},
            )
        )
        s.add(Action(token="a3", command="cancel", state="open", customer="cus_1", opened_at=T + 8))
        s.add(
            Message(
                token="m1",
                customer="cus_1",
                subject="Hello *you*",
                state="accepted",
                created_at=T + 2,
                staff_name="Ann",
            )
        )
        s.add(
            CallRequest(
                token="c1",
                customer="cus_1",
                state="done",
                created_at=T + 5,
                due_at=T + DAY,
                requested_by_name="Bob",
                note="pricing",
                outcome="will_pay",
                outcome_note="soon",
                closed_at=T + 7,
            )
        )
        s.add(Note(customer="cus_1", author_name="Ann", body="line 1\nline 2", created_at=T + 6))
        s.add(Task(customer="cus_1", title="Send *it*", created_at=T + 9, due_at=T + DAY, done_at=T + 10))
    return database  # fmt: skip


@pytest.mark.parametrize(
    ("state", "said"),
    [("done", "It ends now."), ("failed", "Announced: It ends now."), ("unknown", "Announced: It ends now.")],
)
def test_what_was_announced_and_not_done_is_not_told_as_a_fact(
    database: ModuleType, state: str, said: str
) -> None:
    with database.transaction() as session:
        preview = {"happens": ["It ends now."], "warnings": []}
        session.add(
            Action(token="a", command="cancel", state=state, customer="cus_1", opened_at=T, preview=preview)
        )
    with database.session() as session:
        [entry] = timeline.latest(session, SAM, "cus_1", ["Actions"], formats, limit=5).entries
    assert entry.detail == said


def test_all_sources_make_one_line_newest_first(told: ModuleType) -> None:
    with told.session() as s:
        page = timeline.latest(s, SAM, "cus_1", USUAL, formats, limit=50)
    assert not page.more
    assert [(e.at - T, e.kind, e.title, e.detail, e.who, e.state) for e in page.entries] == [
        (10, "Tasks", "Mark task as done", "Send *it*", "", "done"),
        (9, "Tasks", "Add a task, due Jan 2, 2026", "Send *it*", "", ""),
        (7, "Calls", "Call outcome: Will pay", "soon", "", "done"),
        (6, "Notes", "Note", "line 1\nline 2", "Ann", ""),
        (5, "Calls", "Request a call, due Jan 2, 2026", "pricing", "Bob", ""),
        (4, "Actions", "Cancel", "leaving\nStripe said no.", "Bob", "failed"),
        (3, "Actions", "Extend trial", "asked nicely", "Ann", "done"),
        (2, "Messages", "Send message: Hello *you*", "", "Ann", "accepted"),
        (1, "Billing", "Invoice A-1 was paid", "", "", ""),
    ]


def test_kinds_are_shown_as_asked(told: ModuleType) -> None:
    with told.session() as s:
        for kind, count in zip(KINDS, (1, 2, 1, 2, 2, 1, 0, 1), strict=True):
            entries = timeline.latest(s, SAM, "cus_1", [kind], formats, limit=50).entries
            assert [entry.kind for entry in entries] == [kind] * count
        assert timeline.latest(s, SAM, "cus_1", [], formats, limit=50).entries == ()


def test_a_page_is_cut_at_its_limit_and_says_so(told: ModuleType) -> None:
    with told.session() as s:
        whole = timeline.latest(s, SAM, "cus_1", KINDS, formats, limit=50).entries
        for limit in range(1, len(whole)):
            page = timeline.latest(s, SAM, "cus_1", KINDS, formats, limit=limit)
            assert page.entries == whole[:limit]
            assert page.more
        assert not timeline.latest(s, SAM, "cus_1", KINDS, formats, limit=len(whole)).more


def test_what_happened_in_one_second_stands_in_the_order_of_causes(database: ModuleType) -> None:
    happened = [
        "customer.created", "payment_method.attached", "customer.subscription.created", "invoice.paid",
        "customer.subscription.updated",
    ]  # fmt: skip
    facts = {"was": {"status": "incomplete"}, "status": "active"}
    with database.transaction() as s:
        for type, id in zip(happened, "caebd", strict=True):
            s.add(Event(id=f"evt_{id}", created=T, type=type, customer="cus_1", facts=facts))
        s.flush()
        told = timeline.latest(s, SAM, "cus_1", USUAL, formats, limit=50).entries
        words = [sentence(type, facts, formats) for type in happened]
        assert [entry.title for entry in reversed(told)] == words
        assert timeline.latest(s, SAM, "cus_1", USUAL, formats, limit=2).entries == told[:2]


@pytest.mark.parametrize("role", Role)
def test_why_others_acted_is_for_who_may_see_all_activity(database: ModuleType, role: Role) -> None:
    about = {"customer": "cus_1", "command": "retry_payment", "state": "failed"}
    with database.transaction() as s:
        for token, staff, at in (("own", 1, T + 1), ("other", 2, T)):
            s.add(Action(
                token=token, staff=staff, staff_name=f"Person {staff}", reason="in confidence", opened_at=at,
                comment="Sam checked again.", error={"message": "Declined."}, **about,
            ))  # fmt: skip
    with database.session() as s:
        own, other = timeline.latest(s, person(role), "cus_1", ["Actions"], formats, limit=5).entries
    assert own.detail == "in confidence\nSam checked again.\nDeclined."
    assert (other.title, other.who, other.state) == ("Retry payment", "Person 2", "failed")
    sees_all = Permission.SEE_ACTIVITY in GRANTS[role]
    assert other.detail == (own.detail if sees_all else "Declined.")
