"""Does an action that Stripe has done end as done, also where the database cannot take Stripe's answer?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col, update

from models import ActionStep, InboxItem, Subscription
from services import database
from services.desk import runner
from services.mirror import answers, complete
from services.mirror.aside import Unstorable
from services.stripe_api import client
from tests.desk.bench import ANA, FORMS, Bench, happened, press, row


class PoisonedAccount(client.StripeAccount):
    """An account whose answers about subscriptions hold a number that no database can."""

    writes = reads = False

    def write(self, call: client.WriteCall, idempotency_key: str) -> client.Answer:
        return self._poisoned(super().write(call, idempotency_key), self.writes)

    def read(self, path: str, params: client.Params | None = None) -> client.Answer:
        return self._poisoned(super().read(path, params), self.reads)

    def _poisoned(self, answer: client.Answer, strikes: bool) -> client.Answer:
        if not strikes or answer.object["object"] != "subscription":
            return answer
        return replace(answer, object={**answer.object, "created": 2**63})


@pytest.fixture
def poisoned(desk: Bench) -> Iterator[PoisonedAccount]:
    """The desk's account, poisoned on demand."""
    account = PoisonedAccount(desk.sandbox.key, desk.sandbox.url)
    before = client.account()
    client.configure(account)
    yield account
    client.configure(before)


def kept(id: str) -> tuple[Any, Any]:
    """The subscription's row, and what the inbox has under its id."""
    with database.session() as session:
        return session.get(Subscription, id), session.get(InboxItem, id)


def test_what_stripe_has_done_is_done_and_its_answer_put_aside(
    desk: Bench, poisoned: PoisonedAccount
) -> None:
    about = desk.in_state("trialing")
    assert about.subscription
    poisoned.writes = True
    opened, outcome = press(ANA, "extend_trial", about, **FORMS["extend_trial"])
    assert (outcome.state, row(opened.token)["state"]) == ("done", "done")
    [moved] = happened(desk, "extend_trial", about)
    stale, aside = kept(about.subscription.id)
    assert stale.trial_end == about.subscription.trial_end
    assert (aside.state, aside.type) == ("failed", "subscription")
    assert "the database cannot store" in aside.error
    answers.apply(complete.read("subscription", about.subscription.id))
    assert kept(about.subscription.id)[0].trial_end == moved


def test_nothing_is_done_to_what_cannot_be_stored(desk: Bench, poisoned: PoisonedAccount) -> None:
    about = desk.in_state("trialing")
    assert about.subscription
    before = len(desk.writes("/v1/subscriptions"))
    poisoned.reads = True
    with pytest.raises(Unstorable, match="the database cannot store"):
        press(ANA, "extend_trial", about, **FORMS["extend_trial"])
    assert len(desk.writes("/v1/subscriptions")) == before


def test_what_was_sent_before_a_restart_is_found_done(desk: Bench, poisoned: PoisonedAccount) -> None:
    opened, _ = press(ANA, "extend_trial", desk.in_state("trialing"), **FORMS["extend_trial"])
    with database.transaction() as session:
        session.execute(update(ActionStep).where(col(ActionStep.token) == opened.token).values(state="sent"))
    poisoned.reads = True
    assert runner.take(opened.token, "update") == "done"
