"""Does a paused subscription resume as its dialog says: charged by us, since Stripe charges nothing?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from models import Action, Invoice
from services import database
from services.desk import catalog, commands, fresh, ledger, repeats, runner, unknown
from services.desk.command import Quote, Work
from services.desk.subject import Subject
from services.errors import Conflict, Refused
from services.stripe_api import writes
from services.stripe_api.client import Answer
from services.stripe_api.failures import StripeUnavailable
from tests.desk.bench import ANA, Bench, press, row

pytestmark = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")


def standing(desk: Bench, about: Subject) -> tuple[str, str]:
    """How the subscription and its latest invoice stand in the account."""
    found = desk.sdk.subscriptions.retrieve(about.object_id, {"expand": ["latest_invoice"]})
    return found.status, str(found.latest_invoice.status)  # type: ignore[union-attr]


def test_it_resumes_and_the_card_that_was_named_is_charged(desk: Bench) -> None:
    about = desk.in_state("paused")
    opened = commands.open(ANA, "reactivate", about.customer.id, about.object_id)
    told = commands.preview(opened, {}).happens
    outcome = commands.submit(opened, ANA, {}, "came back")
    assert told[1] == "$49.00 is charged now to the Visa card ending in 4242."
    assert outcome.state == "done", outcome
    assert outcome.message == "Reactivated: the subscription has resumed. $49.00 was charged."
    assert standing(desk, about) == ("active", "paid")
    [charge] = desk.sdk.charges.list({"customer": about.customer.id}).data
    assert (charge.amount, charge.status, charge.payment_method) == (
        4900, "succeeded", about.payment_method,
    )  # fmt: skip
    assert row(opened.token)["after"]["status"] == "active"


def test_a_declined_payment_leaves_it_past_due_and_leads_to_the_open_invoice(desk: Bench) -> None:
    about = desk.in_state("paused")
    desk.sandbox.add_card(about.customer.id, "insufficient_funds")
    opened, outcome = press(ANA, "reactivate", about)
    assert outcome.state == "failed" and "not enough money" in outcome.message
    assert "does not try it again by itself" in outcome.remedy and not outcome.repeatable
    assert standing(desk, about) == ("past_due", "open")
    assert row(opened.token)["after"]["status"] == "past_due"
    assert outcome.next_step and outcome.next_step.command == "retry_payment"
    desk.sandbox.add_card(about.customer.id)
    _, again = press(ANA, "retry_payment", fresh.subject(about.customer.id, outcome.next_step.object_id))
    assert again.state == "done" and standing(desk, about) == ("active", "paid")


def test_where_no_payment_was_tried_it_says_until_when_one_can_be(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "PAUSES", (0.0,))
    about = desk.in_state("paused")
    opened = commands.open(ANA, "reactivate", about.customer.id, about.object_id)

    def pay(invoice: str, charged_to: Mapping[str, str], key: str) -> Answer:
        raise StripeUnavailable  # as without a connection: nothing was sent

    monkeypatch.setattr(writes, "pay", pay)
    outcome = commands.submit(opened, ANA, {}, "came back")
    assert outcome.state == "failed" and standing(desk, about) == ("paused", "open")
    assert "within 23 hours, Stripe voids it and the subscription stays paused" in outcome.remedy
    desk.sandbox.advance(hours=23.1)
    assert standing(desk, about) == ("paused", "void")


def test_credit_pays_for_it_without_a_charge(desk: Bench) -> None:
    about = desk.in_state("paused")
    desk.sdk.customers.update(about.customer.id, {"balance": -9000})
    opened = commands.open(ANA, "reactivate", about.customer.id, about.object_id)
    told = commands.preview(opened, {})
    assert (told.happens[1], told.warnings) == ("Nothing is charged now.", ())
    assert commands.submit(opened, ANA, {}, "came back").state == "done"
    assert standing(desk, about) == ("active", "paid")
    assert desk.sdk.charges.list({"customer": about.customer.id}).data == []


@pytest.mark.parametrize(
    ("behavior", "warned", "stands", "told"),
    [
        ("void", "voided it stays paused", ("paused", "void"), "voided it; the subscription stays paused."),
        (
            "keep_as_draft",
            "so it stays paused",
            ("paused", "draft"),
            "as a draft; the subscription stays paused",
        ),
        (
            "mark_uncollectible",
            "active at once",
            ("active", "uncollectible"),
            "the subscription has resumed.",
        ),
    ],
)
def test_while_collection_is_paused_no_card_is_charged(
    desk: Bench, behavior: str, warned: str, stands: tuple[str, str], told: str
) -> None:
    about = desk.in_state("paused")
    desk.sdk.subscriptions.update(about.object_id, {"pause_collection": {"behavior": behavior}})  # type: ignore[typeddict-item]
    opened = commands.open(ANA, "reactivate", about.customer.id, about.object_id)
    shown = commands.preview(opened, {})
    assert "nothing is taken" in shown.happens[1] and warned in shown.warnings[0]
    outcome = commands.submit(opened, ANA, {}, "came back")
    assert outcome.state == "done" and told in outcome.message
    assert standing(desk, about) == stands
    assert desk.sdk.charges.list({"customer": about.customer.id}).data == []


@pytest.mark.parametrize("moment", ["resume", "pay"])
def test_a_lost_answer_charges_once(desk: Bench, moment: str) -> None:
    about = desk.in_state("paused")
    path = {"resume": f"/v1/subscriptions/{about.object_id}/resume", "pay": "/v1/invoices/in_"}[moment]
    desk.sandbox.fault("timeout_after", method="POST", path=path, count=1)
    _, outcome = press(ANA, "reactivate", about)
    desk.sandbox.heal()
    assert outcome.state == "done" and standing(desk, about) == ("active", "paid")
    assert len(desk.sdk.charges.list({"customer": about.customer.id}).data) == 1


def test_an_invoice_that_was_asked_for_is_found_while_it_still_waits_for_its_payment(desk: Bench) -> None:
    about = desk.in_state("paused")
    opened = commands.open(ANA, "reactivate", about.customer.id, about.object_id)
    params = opened.command.parse(opened.subject, {}, 0)
    resume, _ = opened.command.steps(params)
    with database.transaction() as session:
        ledger.begin(session, opened.token, params=params, reason="", preview={})
    work, step, _ = runner._prepare(opened.token, resume.name)
    assert step.effect(work) is None
    desk.sdk.subscriptions.resume(about.object_id)
    assert standing(desk, about) == ("paused", "open")
    assert step.effect(work), "though the subscription is paused until it is paid"


def test_where_resuming_makes_no_invoice_it_is_done_if_it_runs_and_told_if_not(desk: Bench) -> None:
    about = desk.in_state("paused")
    opened = commands.open(ANA, "reactivate", about.customer.id, about.object_id)
    params = opened.command.parse(opened.subject, {}, 0)
    _, pay = opened.command.steps(params)
    work = Work(opened.token, "key", about.customer.id, about.object_id, params, {"resume": about.object_id})
    assert pay.effect(work) is None
    with pytest.raises(Refused, match="made no invoice, and the subscription is still paused"):
        pay.call(work)
    active = desk.in_state("active")
    answer = pay.effect(replace(work, object_id=active.object_id, made={"resume": active.object_id}))
    assert answer and answer.object["id"] == active.object_id
    assert pay.billed and pay.billed(answer) is None, "a subscription is no invoice"


def test_what_an_earlier_desk_began_is_finished_with_its_own_request(desk: Bench) -> None:
    about = desk.in_state("paused")
    opened = commands.open(ANA, "reactivate", about.customer.id, about.object_id)
    params: dict[str, Any] = {"way": "resume", "new": {}, "latest_invoice": "in_before"}
    with database.transaction() as session:
        assert ledger.begin(session, opened.token, params=params, reason="", preview={})
    runner.start(Action(**row(opened.token)), 1, opened.subject.partition)
    assert commands.wait(opened.token).message.startswith("Stripe made the invoice")
    assert standing(desk, about) == ("paused", "open")


def test_what_was_resumed_and_waits_for_its_payment_is_not_billed_twice(desk: Bench) -> None:
    about = desk.in_state("paused")
    desk.sdk.subscriptions.resume(about.object_id)
    assert standing(desk, about) == ("paused", "open")
    with pytest.raises(Conflict, match=r"its invoice for \$49.00 is open: retry that payment"):
        commands.open(ANA, "reactivate", about.customer.id, about.object_id)
    waiting = desk.sdk.subscriptions.retrieve(about.object_id).latest_invoice
    _, outcome = press(ANA, "retry_payment", fresh.subject(about.customer.id, str(waiting)))
    assert outcome.state == "done" and standing(desk, about) == ("active", "paid")


def test_a_resumption_that_somebody_began_meanwhile_is_not_repeated(desk: Bench) -> None:
    about = desk.in_state("paused")
    opened = commands.open(ANA, "reactivate", about.customer.id, about.object_id)
    desk.sdk.subscriptions.resume(about.object_id)
    outcome = commands.submit(opened, ANA, {}, "came back")
    assert outcome.state == "failed" and "was resumed already" in outcome.message
    assert desk.sdk.charges.list({"customer": about.customer.id}).data == []


def test_a_payment_that_never_arrived_is_sent_again_for_the_same_invoice(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "PAUSES", (0.0,))
    about = desk.in_state("paused")
    opened = commands.open(ANA, "reactivate", about.customer.id, about.object_id)
    desk.sandbox.fault("timeout_before", method="POST", path="/v1/invoices/in_")
    assert commands.submit(opened, ANA, {}, "came back").state == "unknown"
    desk.sandbox.heal()
    assert standing(desk, about) == ("paused", "open")
    assert unknown.try_again(ANA, opened.token).state == "done"
    assert standing(desk, about) == ("active", "paid")


def test_a_debt_from_before_the_pause_is_said_to_stay(desk: Bench) -> None:
    about = desk.in_state("paused")
    debt = Invoice(
        id="in_debt", created=1, customer=about.customer.id, status="open", currency="usd",
        amount_remaining=3000, attempt_count=4,
    )  # fmt: skip
    owing, reactivate = replace(about, latest=debt), catalog.find("reactivate")
    assert reactivate.offered(owing) == ""
    for quote in (Quote(4900, "usd", 4900), Quote(0, "usd", 0)):
        told = reactivate.preview(owing, reactivate.parse(owing, {}, 0), quote, 0).warnings
        assert (
            told[0] == "Its invoice for $30.00 from before the pause is still open: that stays owed on top."
        )


def test_what_is_paid_by_invoice_cannot_resume(desk: Bench) -> None:
    about = desk.in_state("paused")
    desk.sdk.subscriptions.update(
        about.object_id, {"collection_method": "send_invoice", "days_until_due": 14}
    )
    with pytest.raises(Conflict, match="resumes only what is charged automatically"):
        commands.open(ANA, "reactivate", about.customer.id, about.object_id)
