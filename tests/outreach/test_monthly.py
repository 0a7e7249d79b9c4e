"""The monthly report by mail: on the 1st, once to each, whatever happens to the desk."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import time as time_of_day
from pathlib import Path
from types import ModuleType

import pytest
from sqlmodel import select

from models import AuditEntry, CustomerFacts, Message, ReportMailing, SyncCursor
from services import clock, config, database, durable
from services.errors import Conflict, InvalidInput, NotAllowed
from services.metrics.counting import waiting
from services.metrics.report import made, summary
from services.metrics.report.made import Made
from services.mirror import cursors
from services.outreach import messages, monthly, report_page, sending, smtp
from services.outreach.monthly import Mailing
from services.staff.roles import Person, Role
from tests.customers import builders
from tests.desk.bench import within
from tests.metrics import company
from tests.metrics.build import at
from tests.outreach import monthly_victim
from tests.support.mailserver import Mailbox
from tests.support.nursery import nursery

BOARD = ("ann@board.example", "Bo.Berg@board.example")
DECIDED = Mailing(True, BOARD, time_of_day(8))
FIRST = at("2026-06-01 08:00")
OFTEN = ("before they are queued", "before it is known that the server took it")
MOMENTS = [
    pytest.param(one, marks=() if one in OFTEN else pytest.mark.slow) for one in monthly_victim.MOMENTS
]


def be(instant: int) -> None:
    """Sets the clock."""
    clock.follow(instant - int(time.time()))


@pytest.fixture
def ada(database: ModuleType) -> Person:
    """An admin."""
    with database.transaction() as session:
        id = builders.staff(session, "Ada", role=Role.ADMIN)
    return Person(id, "Ada", "ada@desk.example", Role.ADMIN)


@pytest.fixture
def decided(database: ModuleType, ada: Person, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A company whose admin decided on May 20th that the board gets its report."""
    monkeypatch.delenv("WORKSPACE_TIMEZONE", raising=False)
    config.settings.cache_clear()
    report_page._made.cache_clear()
    company.found(database)
    be(at("2026-05-20"))
    save(ada, DECIDED)
    be(company.NOW)
    return database


@pytest.fixture
def refusing(mailbox: Mailbox) -> None:
    """The mail server takes nothing now."""
    mailbox.refuse = "450 Try later"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the mails are written down, the report can no longer be made."""
    of = report_page.of
    monkeypatch.setattr(report_page, "of", lambda month, at: 1 / 0 if mails() else of(month, at))


def save(person: Person, mailing: Mailing, seen: int = 0) -> None:
    with database.transaction() as session:
        monthly.save(session, person, mailing, seen=seen)


def mails() -> list[Message]:
    with database.session() as session:
        return list(session.exec(select(Message).order_by(Message.to_address)))


def settled(*states: str) -> None:
    """Waits until all mails have come to these states, in the order of their addresses."""
    until = time.monotonic() + 20
    while [mail.state for mail in mails()] != list(states):
        assert time.monotonic() < until, mails()
        time.sleep(0.02)


@pytest.mark.usefixtures("decided", "smtp_settings", "queues")
def test_each_recipient_gets_the_page_once(mailbox: Mailbox) -> None:
    for _ in range(3):
        monthly.send_what_is_due()
        sending.take_up_loose_ends()
    settled("accepted", "accepted")
    assert sorted(one.rcpt_tos[0] for one in mailbox.envelopes) == ["Bo.Berg@board.example", BOARD[0]]
    mail = mailbox.taken[0]
    assert (mail["Subject"], mail["Reply-To"]) == ("Trialdesk: May 2026", None)
    assert str(mail["From"]) == "Trialdesk <desk@example.com>"
    [page] = mail.iter_attachments()
    assert (page.get_filename(), page.get_content_type()) == ("monthly-report-2026-05.html", "text/html")
    html = page.get_content()
    assert "<h1>May 2026</h1>" in html and "<script" not in html
    assert "MRR $294.00" in mail.get_body(("plain",)).get_content()
    for kept in mails():
        assert (kept.customer, kept.report, kept.template) == ("", "2026-05", monthly.TEMPLATE)
        assert kept.sent_at is not None
    with database.session() as session:
        assert session.get(CustomerFacts, "") is None
        assert monthly.states(monthly.sent(session)["2026-05"]) == {"accepted": 2}


@pytest.fixture
def times_made(decided: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The months whose reports were made, each time that one was."""
    make, found = made.make, []

    def making(month: str) -> Made:
        found.append(month)
        return make(month)

    monkeypatch.setattr(made, "make", making)
    return found


@pytest.mark.usefixtures("smtp_settings")
def test_the_report_is_made_once_for_all_mails(
    mailbox: Mailbox, ada: Person, times_made: list[str], request: pytest.FixtureRequest
) -> None:
    save(ada, replace(DECIDED, recipients=(*BOARD, "cy@board.example", "di@board.example")), 1)
    request.getfixturevalue("queues")
    settled(*["accepted"] * 4)
    assert times_made == ["2026-05"]  # for what the mails say and for the page
    assert len({next(mail.iter_attachments()).get_content() for mail in mailbox.taken}) == 1


@pytest.mark.both_databases
@pytest.mark.usefixtures("decided")
def test_processes_that_look_at_once_write_it_down_once(monkeypatch: pytest.MonkeyPatch) -> None:
    all_saw_that_it_is_due, text = threading.Barrier(4, timeout=30), summary.text

    def told(report: Made) -> summary.Text:
        all_saw_that_it_is_due.wait()
        return text(report)

    monkeypatch.setattr("services.outreach.monthly.summary.text", told)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: monthly.send_what_is_due(), range(4)))
    assert len(mails()) == 2


@pytest.mark.usefixtures("decided")
def test_it_goes_out_at_its_time_in_the_workspaces_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    berlin = at("2026-06-01 06:00")  # 8 o'clock there
    monkeypatch.setenv("WORKSPACE_TIMEZONE", "Europe/Berlin")
    config.settings.cache_clear()
    zone = config.settings().zone
    with database.session() as session:
        assert monthly.due(session, berlin - 1, zone) is None
        found = monthly.due(session, berlin, zone)
        assert found is not None and found.key == "2026-05"
        late = monthly.due(session, company.NOW, zone)  # made up for in the same month
        assert late is not None and late.key == "2026-05"
    config.settings.cache_clear()


@pytest.mark.usefixtures("decided")
def test_it_waits_until_all_that_happened_is_read_and_counted() -> None:
    def is_due() -> bool:
        with database.session() as session:
            return monthly.due(session, company.NOW, config.settings().zone) is not None

    assert is_due()
    with database.transaction() as session:
        session.get_one(SyncCursor, cursors.FEED).cursor = str(FIRST - 1)
    assert not is_due()
    with database.transaction() as session:
        session.get_one(SyncCursor, cursors.FEED).cursor = str(FIRST)
    assert is_due()
    with database.transaction() as session:
        waiting.mark(session, [f"cus_{number}" for number in range(501)])
    assert not is_due()


@pytest.mark.usefixtures("decided")
def test_who_turns_it_on_in_the_middle_of_a_month_waits_for_the_next(ada: Person) -> None:
    save(ada, replace(DECIDED, active=False), 1)
    save(ada, DECIDED, 2)
    with database.session() as session:
        zone = config.settings().zone
        assert monthly.due(session, clock.now(), zone) is None
        assert monthly.due_at(DECIDED, clock.now(), zone, plus_months=1) == at("2026-07-01 08:00")


@pytest.mark.usefixtures("decided")
def test_who_comes_later_in_the_month_is_sent_nothing_old(ada: Person) -> None:
    monthly.send_what_is_due()
    save(ada, replace(DECIDED, recipients=(*BOARD, "new@board.example"), at=time_of_day(9)), 1)
    monthly.send_what_is_due()
    assert [mail.to_address for mail in mails()] == ["Bo.Berg@board.example", "ann@board.example"]


@pytest.mark.usefixtures("decided")
def test_without_a_mail_server_it_stays_in_the_outbox() -> None:
    monthly.send_what_is_due()
    monthly.send_what_is_due()
    assert [mail.state for mail in mails()] == ["outbox", "outbox"]
    assert "MRR $294.00" in mails()[0].body


@pytest.mark.usefixtures("decided", "refusing", "smtp_settings", "queues")
def test_what_the_server_did_not_take_is_tried_again_later(mailbox: Mailbox) -> None:
    monthly.send_what_is_due()
    settled("failed", "failed")
    mailbox.refuse = ""
    monthly.send_what_is_due()
    settled("failed", "failed")
    be(company.NOW + 1801)
    monthly.send_what_is_due()
    settled("accepted", "accepted")
    assert len(mailbox.taken) == 2


@pytest.mark.usefixtures("decided", "refusing", "smtp_settings", "queues")
def test_it_is_given_up_after_a_few_tries() -> None:
    for hours in range(1, 60, 4):
        settled("failed", "failed")
        be(company.NOW + hours * 3600)
        monthly.send_what_is_due()
    settled("failed", "failed")
    assert {mail.attempt for mail in mails()} == {monthly._TRIES - 1}


@pytest.mark.usefixtures("decided", "refusing", "smtp_settings", "queues")
def test_a_person_can_send_it_again(mailbox: Mailbox, ann: Person) -> None:
    settled("failed", "failed")
    mailbox.refuse = ""
    messages.send_again(mails()[1].token, ann, seen="failed")
    settled("failed", "accepted")
    assert [one.rcpt_tos for one in mailbox.envelopes] == [["ann@board.example"]]
    assert len(list(mailbox.taken[0].iter_attachments())) == 1


@pytest.mark.usefixtures("decided", "smtp_settings", "broken", "queues")
def test_a_report_that_cannot_be_made_did_not_go_out(mailbox: Mailbox) -> None:
    settled("failed", "failed")
    assert "No report could be made (ZeroDivisionError)" in mails()[0].error
    assert mailbox.taken == []


@pytest.mark.both_databases
@pytest.mark.usefixtures("decided", "smtp_settings")
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_desk_that_is_killed_sends_it_once(
    mailbox: Mailbox, database_url: str, tmp_path: Path, moment: str
) -> None:
    log = tmp_path / "victim.log"
    what = [database_url, moment, str(company.NOW)]
    child = nursery().start("tests.outreach.monthly_victim", what, log, dict(os.environ))
    assert child.wait(120) == -9, log.read_text()
    durable.launch()
    try:
        within(30, lambda: {mail.state for mail in mails()} <= {"accepted", "unknown"} and mails())
    finally:
        durable.shutdown()
    went_out = [one.rcpt_tos[0] for one in mailbox.envelopes]
    assert len(went_out) == len(set(went_out))
    unsure = {mail.to_address for mail in mails() if mail.state == "unknown"}
    assert {*went_out, *unsure} == set(BOARD)
    assert bool(unsure) == ("server" in moment)  # then nobody can tell, and a person decides


def test_only_an_admin_decides_and_it_is_kept_who_did(database: ModuleType, ada: Person, ann: Person) -> None:
    with pytest.raises(NotAllowed, match="who gets the monthly report"):
        save(ann, DECIDED)
    save(ada, DECIDED)
    save(ada, replace(DECIDED, active=False), 1)
    with pytest.raises(Conflict, match="Somebody else has changed"):
        save(ada, DECIDED, 1)
    with database.session() as session:
        assert monthly.load(session) == replace(DECIDED, active=False, version=2)
        first, second = session.exec(select(AuditEntry).order_by(AuditEntry.id))
        assert session.get_one(ReportMailing, 1).at == "08:00"
    assert (first.kind, first.staff_name, first.before["recipients"]) == ("report_mailing", "Ada", [])
    assert first.after == {
        "recipients": ["Bo.Berg@board.example", "ann@board.example"], "sent_at": "on the 1st at 08:00"
    }  # fmt: skip
    assert second.after == {"sent_at": "never"}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("ann@board.example\nbo at board", "“bo at board” is not an email address"),
        ("ann@board.example\r\nBcc: x@y.example", "is not an email address"),
        ("\n".join(f"a{number}@board.example" for number in range(51)), "51 recipients"),
    ],
)
def test_who_cannot_be_written_to_is_said(typed: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        monthly.recipients(typed)


def test_addresses_are_read_as_people_write_them(database: ModuleType, ada: Person) -> None:
    typed = " ann@board.example, Bo@board.example;\n\nANN@board.example\n"
    assert monthly.recipients(typed) == ("ANN@board.example", "Bo@board.example")
    with pytest.raises(InvalidInput, match="Nobody would get it"):
        save(ada, Mailing(True))


def test_nothing_is_due_where_nobody_decided(database: ModuleType) -> None:
    company.found(database)
    monthly.send_what_is_due()
    assert mails() == [] and smtp.server(config.settings()) is None
