"""Does Activity list everything that staff do, from every table, with who, about whom and the change?"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from sqlmodel import Session, select

from models import Action, AuditEntry, Message, Note
from pages.components import formats
from services import clock
from services.customers import audit, notes, tasks, timeline
from services.desk import activity, words
from services.desk.activity import KINDS, ActivityFilter
from services.desk.entries import Entry
from services.outreach import calls, messages
from services.outreach.calls import Wish
from services.staff.roles import Person, Role
from tests.customers import builders

ANN = Person(1, "Ann", "ann@desk.example", Role.SUPPORT)
BOB = Person(2, "Bob", "bob@desk.example", Role.SALES)
DAY = clock.DAY


@pytest.fixture
def worked(database: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A day of Ann's and Bob's work on one customer, a minute between two deeds."""
    start, passed = clock.now(), iter(range(0, 60_000, 60))
    monkeypatch.setattr(clock, "now", lambda: start + next(passed))
    with database.transaction() as s:
        builders.staff(s, "Ann")
        builders.staff(s, "Bob", role=Role.SALES)
        builders.customer(s, "cus_jo", name="Jo", email="jo@x.example")
        _work(s, start)
    return database


def _work(s: Session, start: int) -> None:
    s.add(
        Action(
            token="act", command="extend_trial", state="done", staff=1, staff_name="Ann", customer="cus_jo",
            opened_at=clock.now(),
        )
    )  # fmt: skip
    messages_row = {"to_address": "jo@x.example", "subject": "Hello", "state": "failed", "error": "No route."}
    s.add(
        Message(
            token="msg", customer="cus_jo", staff=2, staff_name="Bob", created_at=clock.now(), **messages_row
        )
    )
    calls.request(s, "call", BOB, Wish("cus_jo", 1, start + 3 * DAY, "about seats"))
    calls.reassign(s, "call", ANN, 2, seen="requested")
    calls.schedule(s, "call", BOB, start + 2 * DAY, seen="requested")
    calls.close(s, "call", BOB, "done", "will_pay", "soon", seen="scheduled")
    note = notes.add(s, ANN, "cus_jo", "Likes tea").id
    assert note is not None
    notes.edit(s, ANN, note, "Likes coffee")
    row = tasks.add(s, ANN, "cus_jo", "Send offer", due_at=start + DAY, assignee=2)
    task, seen = row.id, tasks.plan(row)
    assert task is not None
    tasks.edit(s, BOB, task, title="Send offer", due_at=start + 4 * DAY, assignee=2, seen=seen)
    tasks.set_done(s, BOB, task, True)
    notes.set_owner(s, ANN, "cus_jo", 2)
    notes.set_owner(s, ANN, "cus_jo", 2)  # changes nothing
    notes.set_tags(s, BOB, "cus_jo", ["vip"], seen=[])
    audit.record(s, ANN, "export", after={"file": "trials.csv", "rows": 12})


def found(database: ModuleType, person: Person = ANN, **wanted: Any) -> list[Entry]:
    asked = ActivityFilter(**wanted)
    with database.session() as session:
        listed = activity.search(session, person, asked)
        assert activity.count(session, person, asked) == len(listed)
    return listed


def said(entry: Entry) -> str:
    return entry.detail or audit.sentence(entry.differences)


def test_everything_is_listed_newest_first_with_who_and_what(worked: ModuleType) -> None:
    listed = found(worked)
    assert [(entry.title, entry.staff_name, entry.state) for entry in listed] == [
        ("Export CSV", "Ann", "done"),
        ("Change tags", "Bob", "done"),
        ("Change owner", "Ann", "done"),
        ("Mark task as done", "Bob", "done"),
        ("Edit task", "Bob", "done"),
        ("Add a task", "Ann", "done"),
        ("Edit note", "Ann", "done"),
        ("Add note", "Ann", "done"),
        ("Call outcome", "Bob", "done"),
        ("Schedule call", "Bob", "done"),
        ("Reassign call", "Ann", "done"),
        ("Request a call", "Bob", "done"),
        ("Send message", "Bob", "failed"),
        ("Extend trial", "Ann", "done"),
    ]
    assert {entry.customer_name for entry in listed[1:]} == {"Jo"} and listed[0].customer_name == ""


def test_each_says_what_was_before_and_what_is_after(worked: ModuleType) -> None:
    with worked.session() as session:
        due = [words.moment(int(at)) for at in _dues(session)]
    told = {entry.kind: said(entry) for entry in found(worked)}
    assert told["owner"] == "Owner nobody → Bob"
    assert told["tags"] == "Tags – → vip"
    assert told["export"] == "File trials.csv; rows 12"
    assert told["call_reassigned"] == "For Ann → Bob"
    assert told["call_scheduled"] == f"Due {due[0]} → {due[1]}; state requested → scheduled"
    assert told["task_edited"] == f"Due {due[2]} → {due[3]}"
    assert told["call_outcome"] == "Will pay"
    assert told["add_note"] == "Likes coffee"
    assert told["add_task"].startswith("Send offer (for Bob, due ")
    assert told["send_message"] == "“Hello” to jo@x.example"
    why = {entry.kind: entry.reason for entry in found(worked)}
    assert (why["request_call"], why["call_outcome"]) == ("about seats", "soon")
    assert found(worked, kind="send_message")[0].error == "No route."


def test_what_was_asked_for_stays_as_it_was_asked_for(worked: ModuleType) -> None:
    told = {entry.kind: entry.detail for entry in found(worked)}
    with worked.session() as session:
        call, _, task, _ = (formats.day(int(at)) for at in _dues(session))
        entries = timeline.latest(session, ANN, "cus_jo", ["Calls", "Tasks"], formats, limit=9).entries
    assert told["request_call"] == f"for Ann, due {call}"
    assert told["add_task"] == f"Send offer (for Bob, due {task})"
    titles = [entry.title for entry in entries]
    assert f"Request a call, due {call}" in titles and f"Add a task for Bob, due {task}" in titles


def test_a_call_that_is_scheduled_for_the_day_it_was_due_says_the_day(database: ModuleType) -> None:
    due = clock.now() + DAY
    with database.transaction() as s:
        builders.staff(s, "Ann")
        builders.customer(s, "cus_jo")
        calls.request(s, "call", ANN, Wish("cus_jo", 1, due))
        calls.schedule(s, "call", ANN, due, seen="requested")
        calls.schedule(s, "call", ANN, due, seen="scheduled")  # changes nothing
    [change] = found(database, kind="call_scheduled")
    assert said(change) == f"Due {words.moment(due)}; state requested → scheduled"


def test_of_a_tasks_text_is_kept_that_it_changed_and_not_the_words(database: ModuleType) -> None:
    with database.transaction() as s:
        builders.customer(s, "cus_jo")
        row = tasks.add(s, ANN, "cus_jo", "ring secret number")
        assert row.id is not None
        seen = tasks.plan(row)
        tasks.edit(s, ANN, row.id, title="call", due_at=None, assignee=row.assignee or 0, seen=seen)
        (kept,) = s.exec(select(AuditEntry))
        assert (kept.before, kept.after) == ({}, {"text": "changed"})
    assert said(found(database, kind="task_edited")[0]) == "Text changed"


def _dues(session: Session) -> list[Any]:
    """The two times of the call and the two days of the task, as they were kept."""
    kept = {entry.kind: entry for entry in session.exec(select(AuditEntry))}
    ends = [kept[kind] for kind in ("call_scheduled", "task_edited")]
    return [each["due_at"] for entry in ends for each in (entry.before, entry.after)]


def test_each_kind_is_found_by_its_filter(worked: ModuleType) -> None:
    listed = found(worked)
    for kind in KINDS:
        assert [e.token for e in found(worked, kind=kind)] == [e.token for e in listed if e.kind == kind]


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ({"staff": 2, "kind": "tags"}, ["tags"]),
        ({"staff": 1, "kind": "tags"}, []),
        ({"state": "failed"}, ["send_message"]),
        ({"state": "running"}, []),
        ({"customer": "jo@x", "kind": "owner"}, ["owner"]),
        ({"customer": "nobody"}, []),
    ],
)
def test_filters_work_across_the_tables(worked: ModuleType, wanted: dict[str, Any], kinds: list[str]) -> None:
    assert [entry.kind for entry in found(worked, **wanted)] == kinds


def test_who_may_not_see_all_sees_what_they_did(worked: ModuleType) -> None:
    listed = found(worked, BOB)
    assert {entry.staff_name for entry in listed} == {"Bob"} and len(listed) == 7
    assert found(worked, BOB, staff=1) == []
    assert found(worked, Person(9, "V", "v@x", Role.VIEWER)) == []


def test_pages_cover_everything_once_also_within_one_second(database: ModuleType) -> None:
    with database.transaction() as s:
        builders.customer(s, "cus_jo")
        for number in range(25):
            s.add(Note(customer="cus_jo", author=1, body=str(number), created_at=7))
            audit.record(s, ANN, "tags", "cus_jo", after={"tags": [str(number)]})
    seen: list[tuple[str, str]] = []
    with database.session() as session:
        for offset in range(0, 60, 7):
            page = activity.search(session, ANN, ActivityFilter(), offset=offset, limit=7)
            seen += [(entry.source, entry.token) for entry in page]
    assert len(seen) == len(set(seen)) == 50


def test_changes_stand_in_the_customers_timeline(worked: ModuleType) -> None:
    with worked.session() as session:
        page = timeline.latest(session, BOB, "cus_jo", ["Changes"], formats, limit=9)
        [call] = [
            entry
            for entry in timeline.latest(session, BOB, "cus_jo", ["Calls"], formats, limit=9).entries
            if entry.title == "Call outcome: Will pay"
        ]
    assert [(e.title, e.who) for e in page.entries][:2] == [("Change tags", "Bob"), ("Change owner", "Ann")]
    assert page.entries[1].detail == "Owner nobody → Bob"
    assert call.who == "Bob"


def test_what_is_taken_away_or_opened_again_is_kept_without_its_text(database: ModuleType) -> None:
    with database.transaction() as s:
        builders.staff(s, "Ann")
        builders.customer(s, "cus_jo")
        note, task = notes.add(s, ANN, "cus_jo", "secret"), tasks.add(s, ANN, "cus_jo", "secret too")
        assert note.id and task.id
        notes.delete(s, ANN, note.id)
        tasks.set_done(s, ANN, task.id, True)
        tasks.set_done(s, ANN, task.id, False)
        tasks.set_done(s, ANN, task.id, False)
        tasks.delete(s, ANN, task.id)
    told = {entry.kind: said(entry) for entry in found(database)}
    assert told == {
        "note_removed": "",
        "task_reopened": "For Ann; due –",
        "task_removed": "For Ann; due –",
    }
    assert "secret" not in repr(found(database))


def test_a_message_that_is_settled_by_hand_says_who_did(database: ModuleType) -> None:
    with database.transaction() as s:
        builders.customer(s, "cus_jo")
        s.add(Message(token="msg", customer="cus_jo", state="unknown", created_at=1))
    messages.mark_sent("msg", ANN)
    [marked] = found(database, kind="message_marked")
    assert (said(marked), marked.staff_name) == ("State unknown → accepted", "Ann")
