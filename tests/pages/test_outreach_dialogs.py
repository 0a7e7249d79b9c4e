"""What the dialogs do once confirmed: one message for each customer, nothing twice, each row by itself."""

from __future__ import annotations

from types import ModuleType

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from models import Invoice, Message
from pages.components import outreach
from pages.components.outreach import _MessageDialogue
from pages.components.several import _WriteToSeveral
from services.errors import InvalidInput, NotAllowed, Unavailable
from services.outreach import messages
from services.outreach.variables import Occasion
from services.staff.roles import Person
from tests.customers import builders
from tests.pages.work import add_failure, add_trial, whoever


def written(database: ModuleType) -> list[tuple[str, str]]:
    """Customer and subject of every message, in order of customers."""
    with database.session() as session:
        rows = session.exec(select(Message.customer, Message.subject).order_by(col(Message.customer)))
        return [(customer, subject) for customer, subject in rows]


def one_message(database: ModuleType, person: Person, customer: str, wanted: str = "") -> _MessageDialogue:
    with database.session() as session:
        return _MessageDialogue(person, messages.choices(session, person, customer), wanted)


def test_a_message_says_where_it_goes_and_is_written_once(staffed: ModuleType, sam: Person) -> None:
    dialogue = one_message(staffed, sam, add_trial(staffed, "Jo", 2))
    form = {"template": "welcome", "subject": "Hi", "body": "As I {{ typed }} it"}
    told = dialogue.preview(form)
    assert told.happens == ("One email to jo@x.example.",)
    assert told.warnings == (outreach.NO_MAIL_SERVER,)
    first, second = dialogue.submit(sam, form, ""), dialogue.submit(sam, form, "")
    assert (first.state, first.token) == ("done", second.token)
    assert "Kept in the outbox" in first.message
    with staffed.session() as session:
        assert session.exec(select(Message.body)).all() == ["As I {{ typed }} it"]


def test_a_text_that_does_not_fit_is_not_offered_and_says_why(staffed: ModuleType, sam: Person) -> None:
    dialogue = one_message(staffed, sam, add_trial(staffed, "Jo", 2), wanted="payment_failed")
    assert "payment_failed" not in dialogue._drafts
    assert "what the failed invoice asks for" in dialogue.warning
    with pytest.raises(InvalidInput, match="subject is empty"):
        dialogue.preview({"template": "welcome", "subject": "", "body": "x"})


def test_a_trial_without_a_card_is_asked_for_a_card_link_first(staffed: ModuleType, sam: Person) -> None:
    dialogue = one_message(staffed, sam, add_trial(staffed, "Jo", 2), wanted="card_link")
    assert "Make a card link first" in dialogue.warning


def test_a_card_link_that_is_mailed_is_said_to_be_brief(staffed: ModuleType, sam: Person) -> None:
    link = "https://billing.example/session/1"
    customer = add_trial(staffed, "Jo", 2)
    with staffed.session() as session:
        choices = messages.choices(session, sam, customer, Occasion(card_url=link))
    dialogue = _MessageDialogue(sam, choices, "card_link", link)
    draft = dialogue._drafts["card_link"]
    assert draft and link in draft.body
    form = {"template": "card_link", "subject": draft.subject, "body": draft.body}
    assert any("a few minutes only" in one for one in dialogue.preview(form).warnings)
    form["body"] = "Without it"
    assert not any("a few minutes only" in one for one in dialogue.preview(form).warnings)


def test_a_running_trial_is_not_told_that_it_is_over(staffed: ModuleType, sam: Person) -> None:
    customer = add_trial(staffed, "Jo", 2)
    offered = one_message(staffed, sam, customer)._drafts
    assert "trial_ending" in offered
    assert not {"trial_expired", "cancellation_feedback"} & offered.keys()
    several_at_once = _WriteToSeveral(sam, {customer: "Jo"}, "trial_expired", {})
    with pytest.raises(InvalidInput, match="whose trial ended without a payment"):
        several_at_once.preview({"template": "trial_expired", "subject": "Hi", "body": "Edited"})


def test_a_failed_message_is_a_new_one_at_the_next_try(staffed: ModuleType, sam: Person) -> None:
    dialogue = one_message(staffed, sam, add_trial(staffed, "Jo", 2))
    form = {"template": "blank", "subject": "Hi", "body": "x"}
    dialogue.submit(sam, form, "")
    dialogue.renew(sam)
    dialogue.submit(sam, form, "")
    assert len(written(staffed)) == 2


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("accepted", "done"),
        ("outbox", "done"),
        ("failed", "failed"),
        ("unknown", "unknown"),
        ("queued", "running"),
    ],
)
def test_every_state_of_a_message_is_told(state: str, told: str) -> None:
    outcome = outreach.told(messages.Outcome("msg_1", state, "jo@x.example", "The server said no."))
    assert (outcome.state, bool(outcome.message)) == (told, True)


def test_several_customers_get_one_message_each_in_their_own_words(staffed: ModuleType, sam: Person) -> None:
    ids = {add_trial(staffed, name, 2): name for name in ("Jo", "Al")}
    dialogue = _WriteToSeveral(sam, ids, "welcome", {})
    form = {"template": "welcome", "subject": "For {{ name }}", "body": "{{ email }}"}
    assert dialogue.preview(form).happens[0] == "One email each to 2 customers."
    for _ in range(2):
        assert dialogue.submit(sam, form, "").message == "2 of 2 messages kept in the outbox."
    assert written(staffed) == [("cus_al", "For Al"), ("cus_jo", "For Jo")]


def test_two_customers_of_one_name_are_two(staffed: ModuleType, sam: Person) -> None:
    dialogue = _WriteToSeveral(sam, {add_trial(staffed, name, 2): "Jo" for name in ("Jo", "Al")}, "", {})
    done = dialogue.submit(sam, {"template": "blank", "subject": "Hi", "body": "x"}, "")
    assert done.message == "2 of 2 messages kept in the outbox."


def test_typing_in_the_dialog_for_several_reads_nothing_anew(staffed: ModuleType, sam: Person) -> None:
    dialogue = _WriteToSeveral(
        sam, {add_trial(staffed, name, 2): name for name in ("Jo", "Al")}, "welcome", {}
    )
    asked: list[str] = []
    with staffed.session() as session:
        engine = session.get_bind()
    sa.event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    for subject in ("Hi", "Hi {{ name }}"):
        form = {"template": "welcome", "subject": subject, "body": "x"}
        assert dialogue.preview(form).happens[0] == "One email each to 2 customers."
        assert dialogue._drafts(form)[0] is dialogue._drafts(form)[0]
    assert asked == []
    dialogue.submit(sam, form, "")
    assert asked  # what is sent says what is true by then


def test_who_cannot_be_written_to_is_left_out_and_named(staffed: ModuleType, sam: Person) -> None:
    ids = {add_failure(staffed, "Owes", 500): "Owes", add_trial(staffed, "Jo", 2): "Jo"}
    ids[add_trial(staffed, "Mute", 2, email=None)] = "Mute"
    form = {"template": "payment_failed", "subject": "{{ amount_due }}", "body": "Pay {{ amount_due }}"}
    dialogue = _WriteToSeveral(sam, ids, "payment_failed", {})
    told = dialogue.preview(form)
    assert told.happens[0] == "One email each to 1 customer."
    assert any(warning.startswith("Jo is left out: This text needs") for warning in told.warnings)
    assert any("Mute is left out: This customer has no email address." in one for one in told.warnings)
    done = dialogue.submit(sam, form, "")
    assert (done.state, done.message) == ("done", "1 of 3 messages kept in the outbox.")
    assert "Jo is left out: This text needs" in done.remedy
    assert "Mute is left out: This customer has no email address." in done.remedy
    assert written(staffed) == [("cus_owes", "$5.00")]


def test_each_is_written_to_about_the_invoice_of_the_row(staffed: ModuleType, sam: Person) -> None:
    customer = add_failure(staffed, "Owes", 500)
    with staffed.transaction() as session:
        values = {"customer": customer, "status": "open", "attempted": True, "currency": "usd"}
        builders.row(session, Invoice, id="in_larger", amount_remaining=9_900, **values)
    dialogue = _WriteToSeveral(sam, {customer: "Owes"}, "blank", {customer: "in_owes"})
    dialogue.submit(sam, {"template": "blank", "subject": "{{ amount_due }}", "body": "x"}, "")
    assert written(staffed) == [("cus_owes", "$5.00")]


def test_a_text_for_several_with_a_mistake_is_sent_to_nobody(staffed: ModuleType, sam: Person) -> None:
    dialogue = _WriteToSeveral(sam, {add_trial(staffed, "Jo", 2): "Jo"}, "", {})
    for subject, body in (("{{ nothing }}", "x"), ("x", "Hello {{ name }"), ("x", "{% if %}"), ("", "x")):
        form = {"template": "blank", "subject": subject, "body": body}
        with pytest.raises(InvalidInput):
            dialogue.preview(form)
        with pytest.raises(InvalidInput):
            dialogue.submit(sam, form, "")
    assert written(staffed) == []


def test_only_the_messages_that_failed_are_tried_again(
    staffed: ModuleType, sam: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {add_trial(staffed, name, 2): name for name in ("Jo", "Al")}
    dialogue = _WriteToSeveral(sam, ids, "blank", {})
    form = {"template": "blank", "subject": "Hi", "body": "x"}
    submit = messages.submit

    def refuse_al(token: str, person: Person, draft: messages.Draft) -> messages.Outcome:
        if draft.customer == "cus_al":
            raise Unavailable("The desk is starting.", remedy="Try again.")
        return submit(token, person, draft)

    monkeypatch.setattr(messages, "submit", refuse_al)
    half = dialogue.submit(sam, form, "")
    assert (half.state, half.message) == ("failed", "1 of 2 messages kept in the outbox.")
    assert half.remedy == "Al: The desk is starting. Try again."
    monkeypatch.setattr(messages, "submit", submit)
    dialogue.renew(sam)
    assert dialogue.submit(sam, form, "").state == "done"
    assert written(staffed) == [("cus_al", "Hi"), ("cus_jo", "Hi")]


def test_who_may_not_write_writes_nothing(staffed: ModuleType, sam: Person) -> None:
    vera = whoever(staffed, "vera@trialdesk.test")
    dialogue = _WriteToSeveral(vera, {add_trial(staffed, "Jo", 2): "Jo"}, "blank", {})
    with pytest.raises(NotAllowed):
        dialogue.submit(vera, {"template": "blank", "subject": "Hi", "body": "x"}, "")
    assert written(staffed) == []
