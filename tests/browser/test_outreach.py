"""Work lists as people use them: tick rows, write, extend, ask for a call; the tables afterwards."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlmodel import Session, col, select

from models import Action, CallRequest, CustomerFacts, Message, Subscription
from tests.browser.conftest import Tables
from tests.browser.visitor import PATIENCE, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def trials(session: Session) -> list[Subscription]:
    """Running trials in the order of the page."""
    order = (col(Subscription.trial_end), col(Subscription.id))
    return list(session.exec(select(Subscription).where(Subscription.status == "trialing").order_by(*order)))


def messages(tables: Tables, subject: str) -> list[Message]:
    return tables.read(lambda session: list(session.exec(select(Message).where(Message.subject == subject))))


def write(visitor: Visitor, row: int, subject: str, body: str) -> None:
    """Opens the message dialog from a row of Trials and fills it in."""
    visitor.open("trials", "Trials").tick(row)
    dialog = visitor.dialog_of("Message")
    dialog.get_by_label("Subject").fill(subject)
    dialog.get_by_label("Message", exact=True).fill(body)


def test_a_message_from_a_row_is_kept_and_shown(visitor: Visitor, tables: Tables) -> None:
    customer = tables.read(trials)[0].customer
    body = "Hello <b>there</b>, {{ name }}"
    write(visitor, 0, "A word about your trial", body)
    visitor.confirm("Put into the outbox", "Kept in the outbox")
    (kept,) = messages(tables, "A word about your trial")
    assert (kept.customer, kept.state, kept.body) == (customer, "outbox", body)
    assert tables.row(CustomerFacts, customer).last_contact_kind == "email"
    visitor.open("outbox", "Outbox", message_q="a word")
    visitor.sees("1 message")
    visitor.open_row(0)
    expect(visitor.dialog.get_by_text(body)).to_be_visible(timeout=PATIENCE)


def test_two_clicks_on_send_keep_one_message(visitor: Visitor, tables: Tables) -> None:
    write(visitor, 1, "Only once", "Hello")
    visitor.button("Put into the outbox", visitor.dialog).dblclick()
    expect(visitor.dialog.get_by_text("Kept in the outbox")).to_be_visible(timeout=PATIENCE)
    assert len(messages(tables, "Only once")) == 1


def test_a_text_that_cannot_be_sent_keeps_what_was_typed(visitor: Visitor, tables: Tables) -> None:
    write(visitor, 2, "", "A long text that took a while")
    visitor.button("Put into the outbox", visitor.dialog).click()
    expect(visitor.dialog.get_by_text("The subject is empty").first).to_be_visible(timeout=PATIENCE)
    body = visitor.dialog.get_by_label("Message", exact=True)
    expect(body).to_have_value("A long text that took a while")
    assert messages(tables, "") == []


def test_several_trials_are_extended_together(visitor: Visitor, tables: Tables) -> None:
    before = {trial.id: trial.trial_end or 0 for trial in tables.read(trials)[:2]}
    visitor.open("trials", "Trials").tick(0, 1)
    visitor.sees("2 trials chosen")
    dialog = visitor.dialog_of("Extend")
    dialog.get_by_label("Days", exact=True).fill("3")
    dialog.get_by_label("Reason (optional)").fill("Asked for more time")
    visitor.confirm("Extend all", "2 of 2 trials extended.")
    after = {trial.id: trial.trial_end for trial in tables.read(trials)}
    assert {id: after[id] for id in before} == {id: end + 3 * 86_400 for id, end in before.items()}
    done = select(Action.object_id, Action.reason).where(
        Action.state == "done", col(Action.object_id).in_(before)
    )
    rows = tables.read(lambda session: [tuple(row) for row in session.exec(done)])
    assert sorted(rows) == sorted((id, "Asked for more time") for id in before)


def test_a_call_goes_from_a_failed_payment_to_its_outcome(visitor: Visitor, tables: Tables) -> None:
    visitor.open("failed-payments", "Failed payments").tick(0)
    visitor.dialog_of("Call").get_by_label("Note").fill("Ask about the card")
    visitor.confirm("Request", "1 call requested")
    visitor.open("calls", "Calls").tick(0)
    visitor.dialog_of("Schedule")
    visitor.confirm("Schedule", "Scheduled for")
    visitor.open("calls", "Calls", call_state="Scheduled").tick(0)
    visitor.dialog_of("Outcome")
    visitor.choose("Outcome", "Will pay", visitor.dialog)
    visitor.confirm("Save", "Saved.")
    (call,) = tables.read(lambda session: list(session.exec(select(CallRequest))))
    assert (call.state, call.outcome, call.note) == ("done", "will_pay", "Ask about the card")
