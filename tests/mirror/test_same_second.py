"""While a second lasts in which an object changed several times, no state from between is shown."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any

import pytest

from models import ActionStep, Invoice, Subscription
from services import clock
from services.mirror import answers, complete, inbox, poll
from services.stripe_api import writes
from services.stripe_api.client import Answer
from tests.mirror import truth
from tests.support.sandbox import Sandbox


def trial_of_somebody_who_can_pay(sandbox: Sandbox) -> str:
    """The id of a subscription that was known a second ago; a new second begins."""
    stripe = sandbox.client().v1
    product = stripe.products.create({"name": "Team"})
    price = stripe.prices.create(
        {"product": product.id, "unit_amount": 18_000, "currency": "eur", "recurring": {"interval": "month"}}
    )
    customer = stripe.customers.create({"name": "Ada"}).id
    sandbox.add_card(customer, "ok")
    trial = stripe.subscriptions.create(
        {"customer": customer, "items": [{"price": price.id}], "trial_period_days": 9}
    )
    time.sleep(1)
    poll.once()
    time.sleep(1 - time.time() % 1)
    return trial.id


def ended(sandbox: Sandbox, trial: str, key: str) -> tuple[str, list[dict[str, Any]]]:
    """Ends a trial, which is charged: the invoice's id, and the events of both, the newest first."""
    answer = writes.end_trial(trial, {"trialdesk": "act_1"}, key)
    answers.apply(answer)
    invoice = answer.object["latest_invoice"]["id"]
    found = truth.every(sandbox, "/v1/events", {"created": {"gte": answer.date - 1}})
    return invoice, [one for one in found if one["data"]["object"]["id"] in (trial, invoice)]


def shown(database: ModuleType, trial: str, invoice: str) -> tuple[str, str]:
    with database.session() as session:
        return session.get_one(Subscription, trial).status, session.get_one(Invoice, invoice).status


def test_what_a_write_answered_is_not_undone_by_an_event_from_before_its_end(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    """Stripe's ids of events do not say which of one second came first."""
    trial = trial_of_somebody_who_can_pay(sandbox)
    invoice, about = ended(sandbox, trial, "key_1")
    with pulled.transaction() as session:  # newest first, so that the first state has the last id
        inbox.put(session, [{**one, "id": f"evt_{at:03}"} for at, one in enumerate(about)], "replay")
    drained = inbox.drain()
    assert drained.deferred > 0, "the second is not over"
    assert shown(pulled, trial, invoice) == ("active", "paid")
    assert poll.settle().deferred == 0


def test_events_of_a_write_of_ours_that_come_one_by_one_do_not_undo_its_answer(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    trial = trial_of_somebody_who_can_pay(sandbox)
    with pulled.transaction() as session:
        key = {"token": "act_1", "step": "end", "idempotency_key": "act_1:end"}
        session.add(ActionStep(**key, prepared_at=clock.now()))
    invoice, about = ended(sandbox, trial, "act_1:end")
    for event in reversed(about):
        with pulled.transaction() as session:
            inbox.put(session, [event], "webhook")
        inbox.drain()
        assert shown(pulled, trial, invoice) == ("active", "paid"), event["type"]
    assert poll.settle().deferred == 0
    poll.once()
    assert truth.differences(sandbox) == []


def open_invoice(sandbox: Sandbox, pulled: ModuleType) -> tuple[str, list[dict[str, Any]]]:
    """The id of an invoice that the desk has just finalized, and the event of that; a second has begun."""
    stripe = sandbox.client().v1
    customer = stripe.customers.create({"name": "Ada"}).id
    sandbox.add_card(customer, "ok")
    poll.once()
    time.sleep(1 - time.time() % 1)
    asked = {"customer": customer, "currency": "eur", "description": "Help"}
    id = writes.draft_invoice(asked, {}, "key_1").object["id"]
    writes.add_invoice_item({**asked, "amount": 900, "invoice": id}, {}, "key_2")
    with pulled.transaction() as session:
        step = {"token": "act_1", "step": "finalize", "idempotency_key": "act_1:finalize"}
        session.add(ActionStep(**step, prepared_at=clock.now()))
    answers.apply(writes.finalize(id, "act_1:finalize"))
    found = truth.every(sandbox, "/v1/events", {"type": "invoice.finalized"})
    return id, [one for one in found if one["data"]["object"]["id"] == id]


def delivered(pulled: ModuleType, found: list[dict[str, Any]]) -> inbox.Drained:
    with pulled.transaction() as session:
        inbox.put(session, found, "webhook")
    return inbox.drain()


def is_paid_and_stays_so(sandbox: Sandbox, pulled: ModuleType, id: str) -> bool:
    with pulled.session() as session:
        shown = session.get_one(Invoice, id).status
    assert poll.settle().deferred == 0
    poll.once()
    assert truth.differences(sandbox) == []
    return bool(shown == "paid")


def test_what_was_read_between_two_writes_of_ours_does_not_outlive_the_second(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    """Staff were told “being processed by the bank” of what was paid."""
    id, found = open_invoice(sandbox, pulled)
    assert delivered(pulled, found).deferred == 1, "the second is not over"
    answers.apply(writes.pay(id, {}, "key_4"))
    assert is_paid_and_stays_so(sandbox, pulled, id)


def test_a_read_that_began_before_a_write_of_ours_does_not_undo_its_answer(
    pulled: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, found = open_invoice(sandbox, pulled)
    read = complete.read

    def read_late(name: str, id: str) -> Answer:
        answer = read(name, id)
        if answer.object["status"] == "open":
            answers.apply(writes.pay(id, {}, "key_4"))
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(complete, "read", read_late)
        assert delivered(pulled, found).deferred == 1
    assert is_paid_and_stays_so(sandbox, pulled, id)
