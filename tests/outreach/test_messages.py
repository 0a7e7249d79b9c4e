"""Messages: once however often they are asked for, never again by themselves, each with its fate."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import ModuleType

import pytest
from sqlmodel import select

from models import AuditEntry, Customer, CustomerFacts, Message
from services import durable
from services.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.mirror import underived
from services.outreach import messages, outbox, reachable, sending, smtp
from services.outreach.defaults import Template
from services.outreach.email import Email
from services.outreach.messages import Draft, Outcome
from services.outreach.outbox import OutboxFilter
from services.outreach.smtp import MailServer
from services.staff.roles import Person
from tests.customers import builders
from tests.support.mailserver import Mailbox

TEXT = "Hello {{ name }}, 50 % off <b>today</b>"


def draft(**changed: str) -> Draft:
    return replace(Draft("cus_jo", "jo@customer.example", "Hi", TEXT, "welcome"), **changed)


def settled(token: str) -> Outcome:
    """The outcome once nothing moves any more."""
    found = messages.wait(token, 15)
    assert found.is_final, found
    return found


def row(database: ModuleType, token: str) -> Message:
    with database.session() as session:
        found = session.get(Message, token)
        assert found is not None
        return found


def make(database: ModuleType, state: str, token: str = "msg_1", **changed: object) -> None:
    values = {"customer": "cus_jo", "to_address": "jo@customer.example", "subject": "Hi", "body": TEXT}
    with database.transaction() as session:
        session.add(Message(token=token, state=state, created_at=builders.NOW, **{**values, **changed}))


@pytest.mark.usefixtures("smtp_settings", "queues", "jo")
def test_a_message_arrives_as_it_was_typed(database: ModuleType, mailbox: Mailbox, ann: Person) -> None:
    messages.submit("msg_1", ann, draft())
    assert settled("msg_1").state == "accepted"
    (mail,) = mailbox.taken
    assert next(mail.iter_parts()).get_content().strip() == TEXT
    assert str(mail["From"]) == '"Ann (Trialdesk)" <desk@example.com>'
    assert mail["Reply-To"] == "ann@desk.example"
    kept = row(database, "msg_1")
    assert (kept.message_id, kept.staff, kept.template) == (mail["Message-ID"], ann.id, "welcome")
    with database.session() as session:
        facts = session.get(CustomerFacts, "cus_jo")
        assert (facts.last_contact_at, facts.last_contact_kind) == (kept.sent_at, "email")


@pytest.mark.usefixtures("smtp_settings", "queues", "jo")
def test_twenty_clicks_send_one_message(database: ModuleType, mailbox: Mailbox, ann: Person) -> None:
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: messages.submit("msg_1", ann, draft()), range(20)))
    assert settled("msg_1").state == "accepted"
    assert len(mailbox.taken) == 1


@pytest.mark.usefixtures("jo")
def test_links_in_a_message_can_be_opened(database: ModuleType, ann: Person) -> None:
    typed = replace(draft(), subject="About x.\u200bexample", body="See https://x.\u200bexample/\u2060a")
    messages.submit("msg_1", ann, typed)
    kept = row(database, "msg_1")
    assert (kept.subject, kept.body) == ("About x.example", "See https://x.example/a")


@pytest.mark.usefixtures("jo")
def test_without_a_mail_server_it_stays_in_the_outbox(database: ModuleType, ann: Person) -> None:
    assert not messages.has_mail_server()
    assert messages.submit("msg_1", ann, draft()).state == "outbox"
    assert row(database, "msg_1").body == TEXT


@pytest.mark.usefixtures("smtp_settings", "queues", "jo")
def test_a_refused_recipient_can_be_tried_again_by_a_person(
    database: ModuleType, mailbox: Mailbox, ann: Person
) -> None:
    mailbox.refuse = "550 No such user"
    messages.submit("msg_1", ann, draft())
    failed = settled("msg_1")
    assert failed.state == "failed"
    assert "550 No such user" in failed.error
    mailbox.refuse = ""
    with database.transaction() as session:
        session.get(Customer, "cus_jo").email = "new@customer.example"
    messages.send_again("msg_1", ann, seen="failed")
    assert settled("msg_1").state == "accepted"
    assert [envelope.rcpt_tos for envelope in mailbox.envelopes] == [["new@customer.example"]]
    with database.session() as session:
        [kept] = session.exec(select(AuditEntry))
    assert kept.before == {"state": "failed", "to_address": "old address"}
    assert kept.after == {"state": "queued", "to_address": "new address"}


@pytest.mark.usefixtures("smtp_settings", "queues", "jo")
def test_what_is_unknown_waits_for_a_person(
    database: ModuleType, mailbox: Mailbox, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.outreach.smtp.TIMEOUT", 0.2)
    mailbox.delay = 1.0
    messages.submit("msg_1", ann, draft())
    assert settled("msg_1").state == "unknown"
    sending.take_up_loose_ends()
    sending.begin("msg_1", 0)
    sending.deliver("msg_1", 0)
    assert row(database, "msg_1").state == "unknown"
    assert len(mailbox.taken) == 1
    messages.mark_sent("msg_1", ann)
    assert row(database, "msg_1").state == "accepted"
    assert row(database, "msg_1").error == "Ann marked it as sent."


@pytest.mark.usefixtures("smtp_settings", "jo")
def test_a_process_that_died_on_the_way_leaves_an_unknown(
    database: ModuleType, mailbox: Mailbox, ann: Person
) -> None:
    make(database, "sending")
    sending.deliver("msg_1", 0)
    found = row(database, "msg_1")
    assert (found.state, mailbox.taken) == ("unknown", [])
    assert "may or may not have gone out" in found.error


@pytest.mark.usefixtures("smtp_settings", "jo")
def test_what_the_server_accepted_is_accepted_though_its_process_was_taken_for_dead(
    database: ModuleType, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(database, "queued")
    deliver_it = smtp.deliver

    def deliver_while_another_takes_over(mail: Email, server: MailServer) -> str:
        sending.deliver("msg_1", 0)
        assert row(database, "msg_1").state == "unknown"
        return deliver_it(mail, server)

    monkeypatch.setattr(smtp, "deliver", deliver_while_another_takes_over)
    sending.deliver("msg_1", 0)
    found = row(database, "msg_1")
    assert (found.state, found.error, len(mailbox.taken)) == ("accepted", "", 1)
    assert found.message_id and found.sent_at


@pytest.mark.usefixtures("smtp_settings", "jo")
def test_what_was_written_down_goes_out_at_the_next_start(
    database: ModuleType, mailbox: Mailbox, ann: Person
) -> None:
    make(database, "queued", staff=ann.id, staff_name="Ann")
    durable.launch()
    try:
        assert settled("msg_1").state == "accepted"
    finally:
        durable.shutdown()
    assert len(mailbox.taken) == 1


@pytest.mark.usefixtures("smtp_settings", "queues", "jo")
def test_a_message_that_nobody_will_finish_is_taken_up(database: ModuleType, mailbox: Mailbox) -> None:
    make(database, "queued", "msg_lost")
    make(database, "sending", "msg_half")
    sending.take_up_loose_ends()
    assert settled("msg_lost").state == "accepted"
    assert settled("msg_half").state == "unknown"
    assert len(mailbox.taken) == 1


@pytest.mark.usefixtures("smtp_settings", "jo")
def test_an_older_try_does_not_send_again(database: ModuleType, mailbox: Mailbox) -> None:
    make(database, "queued", attempt=2)
    sending.deliver("msg_1", 1)
    assert (row(database, "msg_1").state, mailbox.taken) == ("queued", [])


@pytest.mark.usefixtures("smtp_settings", "jo")
def test_a_customer_deleted_meanwhile_gets_nothing(database: ModuleType, mailbox: Mailbox) -> None:
    make(database, "queued")
    with database.transaction() as session:
        session.get(Customer, "cus_jo").deleted = True
    sending.deliver("msg_1", 0)
    assert (row(database, "msg_1").state, mailbox.taken) == ("failed", [])


@pytest.mark.usefixtures("smtp_settings", "jo")
def test_what_the_server_accepted_is_accepted_though_the_facts_cannot_be_derived(
    database: ModuleType, mailbox: Mailbox
) -> None:
    make(database, "queued")
    with database.transaction() as session:
        session.get(Customer, "cus_jo").metadata_ = 5
    sending.deliver("msg_1", 0)
    sending.deliver("msg_1", 0)
    assert (row(database, "msg_1").state, len(mailbox.taken)) == ("accepted", 1)
    assert set(underived.left().values()) == {(Customer, "cus_jo")}


@pytest.mark.usefixtures("smtp_settings", "jo")
def test_a_mistake_of_ours_leaves_an_unknown_and_is_not_hidden(
    database: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError

    make(database, "queued")
    monkeypatch.setattr("services.outreach.smtp.deliver", broken)
    with pytest.raises(ZeroDivisionError):
        sending.deliver("msg_1", 0)
    assert row(database, "msg_1").state == "unknown"


@pytest.mark.usefixtures("smtp_settings", "queues", "jo")
def test_two_people_cannot_both_send_it_again(database: ModuleType, mailbox: Mailbox, ann: Person) -> None:
    make(database, "unknown")
    messages.send_again("msg_1", ann, seen="unknown")
    with pytest.raises(Conflict, match="Somebody else"):
        messages.send_again("msg_1", ann, seen="unknown")
    with pytest.raises(Conflict):
        messages.mark_sent("msg_1", ann)
    assert settled("msg_1").state == "accepted"
    assert len(mailbox.taken) == 1


@pytest.mark.parametrize("state", ["accepted", "queued", "sending"])
@pytest.mark.usefixtures("smtp_settings", "jo")
def test_only_what_did_not_go_out_can_be_sent_again(database: ModuleType, ann: Person, state: str) -> None:
    make(database, state)
    with pytest.raises(Conflict):
        messages.send_again("msg_1", ann, seen=state)


@pytest.mark.usefixtures("jo")
def test_sending_again_needs_a_mail_server(database: ModuleType, ann: Person) -> None:
    make(database, "outbox")
    with pytest.raises(InvalidInput, match="No mail server"):
        messages.send_again("msg_1", ann, seen="outbox")


@pytest.mark.usefixtures("jo")
def test_who_may_not_send_writes_nothing(database: ModuleType, vera: Person, ann: Person) -> None:
    make(database, "unknown", token="msg_2")
    reader = replace(ann, read_only="This is a live account and sign-in is not set up.")
    for person in (vera, reader):
        with pytest.raises(NotAllowed):
            messages.submit("msg_1", person, draft())
        with pytest.raises(NotAllowed):
            messages.send_again("msg_2", person, seen="unknown")
        with pytest.raises(NotAllowed):
            messages.mark_sent("msg_2", person)
    with database.session() as session:
        with pytest.raises(NotFound):
            messages.outcome(session, "msg_1")
        assert messages.outcome(session, "msg_2").state == "unknown"


@pytest.mark.parametrize(
    ("given", "problem", "words"),
    [
        ({"email": None}, reachable.Unreachable, "no email address"),
        ({"email": "  "}, reachable.Unreachable, "no email address"),
        ({"email": "jo at home"}, InvalidInput, "is not an email address"),
        ({"email": "jo@x.example\r\nBcc: thief@x.example"}, InvalidInput, "is not an email address"),
        ({"email": "jo@x.example", "deleted": True}, Conflict, "deleted in Stripe"),
    ],
)
def test_who_cannot_be_written_to(
    database: ModuleType, ann: Person, given: dict[str, object], problem: type[Exception], words: str
) -> None:
    with database.transaction() as session:
        id = builders.customer(session, **given)
    with database.session() as session, pytest.raises(problem, match=words):
        messages.choices(session, ann, id)
    with pytest.raises(problem, match=words):
        messages.submit("msg_1", ann, draft(customer=id))


@pytest.mark.parametrize(
    ("changed", "problem", "words"),
    [
        ({"customer": "cus_nobody"}, NotFound, "no customer"),
        ({"subject": " \n "}, InvalidInput, "subject is empty"),
        ({"subject": "x" * 201}, InvalidInput, "201 characters"),
        ({"body": "  "}, InvalidInput, "message is empty"),
        ({"body": "x" * 20_001}, InvalidInput, "20001 characters"),
        ({"to_address": "old@customer.example"}, Conflict, "has changed to jo@customer.example"),
    ],
)
@pytest.mark.usefixtures("jo")
def test_what_cannot_be_sent_is_said(
    database: ModuleType, ann: Person, changed: dict[str, str], problem: type[Exception], words: str
) -> None:
    with pytest.raises(problem, match=words):
        messages.submit("msg_1", ann, draft(**changed))
    with database.session() as session, pytest.raises(NotFound):
        messages.outcome(session, "msg_1")


@pytest.mark.usefixtures("jo")
def test_a_text_is_filled_in_for_the_customer(database: ModuleType, ann: Person) -> None:
    typed = Template("own", "Own", "marketing", "For {{ name }}", "{{ email }} {{ staff_name }}")
    with database.session() as session:
        choices = {choice.template.slug: choice for choice in messages.choices(session, ann, "cus_jo")}
        own = messages.write(typed, messages.reader(session, ann, "cus_jo"))
    written = choices["welcome"].draft
    assert written is not None
    assert written.body.startswith("Hello Jo,")
    assert (written.to_address, written.template) == ("jo@customer.example", "welcome")
    assert choices["payment_failed"].draft is None
    assert "what the failed invoice asks for" in choices["payment_failed"].problem
    assert own.template == "own"
    assert (own.subject, own.body) == ("For Jo", "jo@customer.example Ann")


@pytest.mark.usefixtures("jo")
def test_the_outbox_is_listed_newest_first(database: ModuleType, ann: Person) -> None:
    with database.transaction() as session:
        builders.customer(session, "cus_al", name="Al 100% Élise", email="al@customer.example")
    for number, (state, customer, staff) in enumerate(
        [("accepted", "cus_jo", ann.id), ("failed", "cus_al", 99), ("unknown", "cus_jo", 99)]
    ):
        make(
            database,
            state,
            f"msg_{number}",
            customer=customer,
            staff=staff,
            to_address=f"{customer}@x.example",
        )
        with database.transaction() as session:
            session.get(Message, f"msg_{number}").created_at = builders.NOW + number

    def listed(**wanted: object) -> list[str]:
        where = outbox.conditions(OutboxFilter(**wanted))  # type: ignore[arg-type]
        with database.session() as session:
            rows = outbox.page(session, where, offset=0, limit=10)
            assert sum(outbox.count_by_state(session, where).values()) == len(rows)
        return [row.token for row in rows]

    assert listed() == ["msg_2", "msg_1", "msg_0"]
    assert listed(state="failed") == ["msg_1"]
    assert listed(author=ann.id) == ["msg_0"]
    assert listed(customer="cus_jo") == ["msg_2", "msg_0"]
    assert listed(text="al 100%") == ["msg_1"]
    assert listed(text="CUS_JO@") == ["msg_2", "msg_0"]
    assert listed(text="élise") == listed(text="ÉLISE") == ["msg_1"]
    assert listed(text="100_") == []
    with database.session() as session:
        assert [row.token for row in outbox.page(session, [], offset=1, limit=1)] == ["msg_1"]
