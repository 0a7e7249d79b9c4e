"""Who is refused, when does nothing happen, and does the refusal say why?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import Mock

import pytest
from sqlmodel import Session, select

from models import Subscription
from services import database, durable
from services.desk import catalog, commands, loading
from services.errors import Conflict, InvalidInput, NotAllowed, Refused, Unavailable
from services.staff.roles import Person
from services.stripe_api import client, writes
from services.stripe_api.failures import RequestRejected
from tests.desk.bench import ANA, BEN, FORMS, SAM, VIC, Bench, row
from tests.support.sandbox import free_port


@pytest.mark.parametrize(
    ("person", "command", "state"),
    [(VIC, "extend_trial", "trialing"), (SAM, "cancel", "active"), (SAM, "add_charge", "active")],
)
def test_a_role_that_may_not_is_refused_by_the_service(
    desk: Bench, person: Person, command: str, state: str
) -> None:
    about = desk.shared(state)
    with pytest.raises(NotAllowed, match="Your role"):
        commands.open(person, command, about.customer.id, about.object_id)
    opened = commands.open(ANA, command, about.customer.id, about.object_id)
    with pytest.raises(NotAllowed):
        commands.submit(opened, person, {"mode": "days", "days": "1"}, "x")
    assert row(opened.token)["state"] == "open"
    offers = {offer.command.name: offer.reason for offer in catalog.offers(person, about)}
    assert offers[command].startswith("Your role")


def test_another_persons_dialog_cannot_be_confirmed(desk: Bench) -> None:
    about = desk.shared("trialing")
    opened = commands.open(ANA, "extend_trial", about.customer.id, about.object_id)
    with pytest.raises(NotAllowed, match="opened by Ana"):
        commands.submit(opened, BEN, {"mode": "days", "days": "1"}, "")


def test_a_reason_is_asked_for_where_money_moves_and_nothing_is_lost(desk: Bench) -> None:
    about = desk.shared("active")
    opened = commands.open(ANA, "add_charge", about.customer.id, about.object_id)
    with pytest.raises(InvalidInput, match="Say why") as said:
        commands.submit(opened, ANA, {"amount": "5", "description": "x", "when": "next"}, "  ")
    assert said.value.field == "reason" and row(opened.token)["state"] == "open"


def test_nothing_is_done_for_a_deleted_customer(desk: Bench) -> None:
    about = desk.in_state("trialing")
    opened = commands.open(ANA, "extend_trial", about.customer.id, about.object_id)
    desk.sdk.customers.delete(about.customer.id)
    outcome = commands.submit(opened, ANA, {"mode": "days", "days": "7"}, "")
    assert outcome.state == "failed" and "deleted in Stripe" in outcome.message
    with pytest.raises(Conflict, match="deleted in Stripe"):
        commands.open(ANA, "card_link", about.customer.id)


def test_without_an_object_the_fitting_one_is_chosen(desk: Bench) -> None:
    customer = desk.customer()
    desk.subscribe(customer)
    trial = desk.trial(customer, items=[{"price": desk.price(9900)}])
    assert commands.open(ANA, "extend_trial", customer).subject.object_id == trial
    about = desk.failed_invoice()
    assert commands.open(ANA, "retry_payment", about.customer.id).subject.object_id == about.object_id
    with pytest.raises(Conflict, match="no open invoice"):
        commands.open(ANA, "retry_payment", customer)


@pytest.fixture
def silent_stripe(desk: Bench) -> Iterator[None]:
    """Nobody answers where Stripe should be."""
    known = client.account()
    client.configure(client.connect("sk_test_sandbox", f"http://127.0.0.1:{free_port()}"))
    yield
    client.configure(known)


def test_where_stripe_is_silent_no_money_moves(desk: Bench, request: pytest.FixtureRequest) -> None:
    charged, trial = desk.shared("active"), desk.shared("trialing")
    request.getfixturevalue("silent_stripe")
    with pytest.raises(Unavailable, match="cannot be reached"):
        commands.open(ANA, "add_charge", charged.customer.id, charged.object_id)
    opened = commands.open(ANA, "extend_trial", trial.customer.id, trial.object_id)
    assert "cannot be reached" in opened.warning
    outcome = commands.submit(opened, ANA, {"mode": "days", "days": "7"}, "")
    assert outcome.state == "failed" and "cannot be reached" in outcome.message


@contextmanager
def without_previews(desk: Bench, how: str) -> Iterator[str]:
    """Stripe does not say what an invoice would come to; all else works. What it says instead."""
    if how == "refused":
        said = "The customer's tax location is not known."
        refusal = RequestRejected(said, code="customer_tax_location_invalid", param=None, request_id="")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(writes, "preview_invoice", Mock(side_effect=refusal))
            yield said
        return
    known = client.account()
    rights = {"customers": "read", "subscriptions": "write", "invoices": "read", "invoiceitems": "write"}
    desk.sandbox.restrict("rk_test_no_previews", **rights)
    client.configure(client.connect("rk_test_no_previews", desk.sandbox.url))
    try:
        yield "The Stripe key lacks the right “invoices write”."
    finally:
        client.configure(known)


@pytest.mark.parametrize("how", ["refused", "a right is missing"])
def test_without_a_preview_what_it_says_is_not_charged_and_all_else_can_be_done(
    desk: Bench, how: str
) -> None:
    subjects = {name: desk.in_state(name) for name in ("trialing", "set to cancel", "collection paused")}
    with without_previews(desk, how) as said:
        for command, state in (
            ("end_trial", "trialing"),
            ("reactivate", "paused"),
            ("reactivate", "canceled"),
        ):
            about = desk.shared(state)
            with pytest.raises((Refused, NotAllowed), match=said):
                commands.open(ANA, command, about.customer.id, about.object_id)
        for command, form, about in (
            ("extend_trial", FORMS["extend_trial"], subjects["trialing"]),
            ("undo_cancel", {}, subjects["set to cancel"]),
            ("add_charge", {**FORMS["add_charge"], "when": "next"}, subjects["trialing"]),
            ("reactivate", {}, subjects["collection paused"]),
        ):
            opened = commands.open(ANA, command, about.customer.id, about.object_id)
            assert opened.quote is None
            assert opened.warning.endswith(f"{said} What the next invoice comes to is therefore not known.")
            assert commands.preview(opened, form).happens
            outcome = commands.submit(opened, ANA, form, "asked")
            assert outcome.state == "done", outcome


def test_nothing_begins_while_the_desk_starts(desk: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    about = desk.shared("trialing")
    opened = commands.open(ANA, "extend_trial", about.customer.id, about.object_id)
    monkeypatch.setattr(durable._process, "stopping", True)
    with pytest.raises(Unavailable, match="starting or stopping"):
        commands.submit(opened, ANA, {"mode": "days", "days": "7"}, "")
    assert row(opened.token)["state"] == "open"


def test_reading_asks_for_one_transaction_and_commits_nothing(desk: Bench) -> None:
    about = desk.shared("trialing")
    with database.session() as session:
        assert isinstance(session, Session)
        loading.load(session, about.customer.id, about.object_id)
        assert not session.dirty and not session.new
        assert session.exec(select(Subscription.id).where(Subscription.id == about.object_id)).one()
