"""While a second lasts in which an object changed several times, no state from between is shown."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any

from models import ActionStep, Invoice, Subscription
from services import clock
from services.mirror import answers, inbox, poll
from services.stripe_api import writes
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
