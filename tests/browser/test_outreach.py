"""Messages and calls, from work lists and from a customer's page; the tables afterwards."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from sqlmodel import Session, col, select

from models import Action, CallRequest, CustomerFacts, Message, Subscription, Task
from tests.browser.cast import Cast, Part
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import Visitor
from tests.support.sandbox import Account

pytestmark = pytest.mark.browser


def trials(session: Session) -> list[Subscription]:
    """Running trials in the order of the page."""
    order = (col(Subscription.trial_end), col(Subscription.id))
    return list(session.exec(select(Subscription).where(Subscription.status == "trialing").order_by(*order)))


def messages(tables: Tables, subject: str) -> list[Message]:
    return tables.read(lambda session: list(session.exec(select(Message).where(Message.subject == subject))))


def write(visitor: Visitor, row: int, subject: str, body: str) -> None:
    """Opens the message dialog from a row of Trials and fills it in."""
    visitor.open("trials", "Trials").tick(row)
    dialog = visitor.dialog_of("Send message")
    dialog.get_by_label("Subject").fill(subject)
    dialog.get_by_label("Message", exact=True).fill(body)


@pytest.mark.slow  # as from a customer's page; from a row it is written below
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
    expect(visitor.dialog.get_by_text(body)).to_be_visible()


@pytest.mark.slow  # two clicks charge once, too
def test_two_clicks_on_send_keep_one_message(visitor: Visitor, tables: Tables) -> None:
    write(visitor, 1, "Only once", "Hello")
    visitor.button("Put into the outbox", visitor.dialog).dblclick()
    expect(visitor.dialog.get_by_text("Kept in the outbox")).to_be_visible()
    assert len(messages(tables, "Only once")) == 1


@pytest.mark.slow  # refusals keep what was typed elsewhere
def test_a_text_that_cannot_be_sent_keeps_what_was_typed(visitor: Visitor, tables: Tables) -> None:
    write(visitor, 2, "", "A long text that took a while")
    visitor.press("Put into the outbox", visitor.dialog)
    expect(visitor.dialog.get_by_text("The subject is empty").first).to_be_visible()
    body = visitor.dialog.get_by_label("Message", exact=True)
    expect(body).to_have_value("A long text that took a while")
    assert messages(tables, "") == []


def test_several_trials_are_extended_together(visitor: Visitor, tables: Tables) -> None:
    before = {trial.id: trial.trial_end or 0 for trial in tables.read(trials)[:2]}
    visitor.open("trials", "Trials").tick(0, 1)
    visitor.sees("2 trials chosen")
    dialog = visitor.dialog_of("Extend trial")
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
    visitor.open("bulk-runs", "Bulk runs").open_row()
    visitor.arrive("Bulk run").sees("Extend trial by 3 days")


@pytest.mark.slow  # each of its steps is taken from a customer's page, too
def test_a_call_goes_from_a_failed_payment_to_its_outcome(visitor: Visitor, tables: Tables) -> None:
    visitor.open("failed-payments", "Failed payments").tick(0)
    visitor.dialog_of("Request a call").get_by_label("Note").fill("Ask about the card")
    visitor.confirm("Request", "1 call requested")
    visitor.open("calls", "Calls").tick(0)
    visitor.dialog_of("Schedule")
    visitor.confirm("Schedule", "Scheduled for")
    visitor.open("calls", "Calls", call_state="Scheduled").tick(0)
    visitor.dialog_of("Outcome")
    visitor.choose("Outcome", "Will pay", visitor.dialog)
    visitor.confirm("Save", "Saved.")
    asked = select(CallRequest).where(CallRequest.note == "Ask about the card")
    (call,) = tables.read(lambda session: list(session.exec(asked)))
    assert (call.state, call.outcome) == ("done", "will_pay")


@pytest.mark.parametrize(
    "path, heading",
    [
        ("trials", "Trials"),
        ("failed-payments", "Failed payments"),
        pytest.param("customers", "Customers", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("width", [1440, pytest.param(1000, marks=pytest.mark.slow)])
def test_no_row_moves_under_the_mouse_that_ticks(
    visitor: Visitor, path: str, heading: str, width: int
) -> None:
    visitor.page.set_viewport_size({"width": width, "height": 900})
    visitor.open(path, heading)
    stands = visitor.top_of_table()
    for row in (0, 1, 0):
        visitor.tick(row)
        assert visitor.top_of_table() == stands


@pytest.fixture(scope="module")
def parts(cast: Cast, account: Account, tables: Tables) -> dict[str, Part]:
    """Who is written to, and who is called."""
    made = {
        "letter": cast.trial("Lou Letter"),
        "call": cast.active("Cora Call"),
    }
    await_parts(tables, list(made.values()), account)
    return made


def test_a_message_is_kept_in_the_outbox_and_the_page_says_so(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part, written = parts["letter"], cast.account.requests(method="POST")
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Send message")
    visitor.choose("Text", "Trial ending soon", dialog)
    expect(dialog.get_by_text("your trial of")).to_be_visible()  # the text chosen, not the one before
    visitor.settle()
    dialog.get_by_label("Subject").fill("Your trial, *Lou*")
    expect(dialog.get_by_text("nothing leaves this machine")).to_be_visible()
    visitor.confirm("Put into the outbox", "Kept in the outbox for louletter@cast.example")
    [kept] = tables.read(lambda s: s.exec(select(Message).where(Message.customer == part.customer)).all())
    assert (kept.state, kept.subject, kept.staff_name) == ("outbox", "Your trial, *Lou*", "Ada Berg")
    assert tables.row(CustomerFacts, part.customer).last_contact_kind == "email"
    visitor.sees("Your trial, *Lou*")
    assert cast.account.requests(method="POST") == written
    visitor.open("outbox", "Outbox", message_to=part.customer)
    visitor.sees("No mail server is set up, so nothing leaves this machine")
    visitor.sees(re.compile("^1 message$"))


def test_a_call_is_asked_for_and_worked_through(
    visitor: Visitor, parts: dict[str, Part], cast: Cast, tables: Tables
) -> None:
    part, written = parts["call"], cast.account.requests(method="POST")
    visitor.open("customer", part.name, id=part.customer)
    dialog = visitor.dialog_of("Request a call")
    visitor.choose("Who calls", "Ada Berg", dialog)
    dialog.get_by_label("Note").fill("Show the new reports")
    visitor.confirm("Request", "1 call requested. See the Calls page.")
    visitor.open("calls", "Calls", calls_of="Mine")
    stands = visitor.top_of_table()
    visitor.tick(0)
    assert visitor.top_of_table() == stands
    dialog = visitor.dialog_of("Outcome")
    visitor.choose("Outcome", "Will pay", dialog)
    dialog.get_by_label("Note").fill("Takes <b>two</b> more seats")
    visitor.confirm("Save", "Saved. It is on the customer's timeline.")
    [call] = tables.read(
        lambda s: s.exec(select(CallRequest).where(CallRequest.customer == part.customer)).all()
    )
    assert (call.state, call.outcome, call.outcome_note) == (
        "done",
        "will_pay",
        "Takes <b>two</b> more seats",
    )
    assert (call.note, call.requested_by_name) == ("Show the new reports", "Ada Berg")
    visitor.open("customer", part.name, id=part.customer)
    visitor.sees(re.compile("Takes <b>two</b> more seats"))
    assert cast.account.requests(method="POST") == written


def test_tasks_reach_whoever_they_are_for_and_are_ticked_off_together(
    visitor: Visitor, another: Visitor, parts: dict[str, Part], tables: Tables
) -> None:
    part, titles = parts["call"], ["Send the *offer*", "Ask <b>again</b>"]
    visitor.open("customer", part.name, id=part.customer)
    visitor.press("Add a task")
    visitor.press("Add")
    visitor.sees("A task says what to do")
    expect(visitor.page.get_by_label("What is to be done")).to_be_visible()
    visitor.page.keyboard.press("Escape")
    visitor.settle()
    for title in titles:
        visitor.press("Add a task")
        visitor.page.get_by_label("What is to be done").fill(title)
        visitor.choose("Who", "Pia Novak")
        visitor.button("Add").dblclick()
        visitor.sees(title)
        visitor.page.keyboard.press("Escape")
        visitor.settle()
    another.open("tasks", "Tasks").act_as("Pia Novak")
    another.sees("2 tasks")
    stands = another.top_of_table()
    another.tick(0, 1)
    assert another.top_of_table() == stands
    another.sees("2 tasks chosen")
    another.press("Mark as done")
    another.sees("No task fits this view.")
    mine = select(Task).where(Task.customer == part.customer)
    rows = tables.read(lambda session: list(session.exec(mine)))
    assert [(row.title, row.done_at is not None) for row in rows] == [(title, True) for title in titles]
