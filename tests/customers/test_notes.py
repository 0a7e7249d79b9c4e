"""Notes, tags, owner and tasks: kept, changed by whom they belong to, refused to those who may not."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from models import Customer, CustomerFacts, CustomerTag, Note, Staff, Task, Workspace
from services import clock
from services.customers import notes, tasks
from services.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.metrics import version
from services.mirror import underived
from services.staff.roles import Person, Role
from tests.customers.builders import customer, person, staff

VIEWER = person(Role.VIEWER)
LOCKED = person(Role.ADMIN, read_only="The account is read-only.")
AHEAD = 4_000_000_000  # in 2096


def test_a_note_is_kept_word_for_word_with_its_author(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        notes.add(s, person(id=7), "cus_1", "  first  ")
        notes.add(s, person(id=8), "cus_1", "<b>*second*</b>\n=1+1")
    with database.session() as s:
        found = notes.on(s, "cus_1")
        assert [(note.body, note.author, note.author_name) for note in found] == [
            ("<b>*second*</b>\n=1+1", 8, "Person 8"),
            ("first", 7, "Person 7"),
        ]
        assert abs(found[0].created_at - clock.now()) < 60
        assert notes.on(s, "cus_2") == []


def test_addresses_in_notes_and_tasks_can_be_used(database: ModuleType) -> None:
    typed, kept = "ask ana@\u200bx.example", "ask ana@x.example"
    with database.transaction() as s:
        customer(s, "cus_1")
        assert notes.add(s, person(), "cus_1", typed).body == kept
        assert tasks.add(s, person(), "cus_1", typed).title == kept


def test_only_the_author_changes_or_removes_a_note(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        id = notes.add(s, person(id=7), "cus_1", "mine").id
        assert id is not None
        for other in (person(id=8), person(Role.ADMIN, id=9)):
            with pytest.raises(NotAllowed, match="Person 7"):
                notes.edit(s, other, id, "theirs")
            with pytest.raises(NotAllowed, match="Person 7"):
                notes.delete(s, other, id)
        edited = notes.edit(s, person(id=7), id, "still mine")
        assert edited.body == "still mine"
        assert edited.edited_at is not None
        notes.delete(s, person(id=7), id)
        s.flush()
        assert notes.on(s, "cus_1") == []
        with pytest.raises(NotFound):
            notes.edit(s, person(id=7), id, "gone")


@pytest.mark.parametrize("body", ["", " \n ", "x" * 10_001])
def test_an_unusable_note_is_refused(body: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        notes._body(body)
    assert refused.value.field == "body"


def test_tags_are_one_lower_case_set(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        customer(s, "cus_2")
        assert notes.set_tags(s, person(), "cus_1", ["VIP", " vip ", "Big  Fish"], seen=[]) == [
            "big fish",
            "vip",
        ]
        notes.set_tags(s, person(), "cus_2", ["beta"], seen=[])
        seen = ["big fish", "vip"]
        assert notes.set_tags(s, person(), "cus_1", ["vip", "new"], seen=seen) == ["new", "vip"]
    with database.session() as s:
        assert notes.tags(s, "cus_1") == ["new", "vip"]
        assert notes.all_tags(s) == ["beta", "new", "vip"]


def test_a_tag_that_was_not_seen_is_not_taken_away(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        notes.set_tags(s, person(), "cus_1", ["old", "vip"], seen=[])
        seen = notes.tags(s, "cus_1")
        notes.set_tags(s, person(), "cus_1", [*seen, "colleague's"], seen=seen)
        assert notes.set_tags(s, person(), "cus_1", ["vip", "new"], seen=seen) == [
            "colleague's", "new", "vip",
        ]  # fmt: skip
    with database.session() as s:
        assert notes.tags(s, "cus_1") == ["colleague's", "new", "vip"]


def test_a_customer_with_too_many_tags_gives_some_up(database: ModuleType) -> None:
    """Two people filled them at once: what is one too many can be taken away, not one more added."""
    seen = [f"t{n:02d}" for n in range(notes.MOST_TAGS)]
    with database.transaction() as s:
        customer(s, "cus_1")
        notes.set_tags(s, person(), "cus_1", seen, seen=[])
        with pytest.raises(InvalidInput):
            notes.set_tags(s, person(), "cus_1", ["late"], seen=[])
        assert notes.set_tags(s, person(), "cus_1", seen[1:], seen=seen) == seen[1:]


def test_unusable_tags_change_nothing(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        notes.set_tags(s, person(), "cus_1", ["kept"], seen=[])
        for wanted in ([""], ["x" * 41], ["a\x00b"], [f"t{n}" for n in range(21)]):
            with pytest.raises(InvalidInput):
                notes.set_tags(s, person(), "cus_1", wanted, seen=[])
        assert notes.tags(s, "cus_1") == ["kept"]


@given(st.text(max_size=60))
def test_any_text_is_a_tidy_tag_or_refused(text: str) -> None:
    try:
        tag = notes._tag(text)
    except InvalidInput:
        return
    assert tag == notes._tag(tag)
    assert 0 < len(tag) <= notes.LONGEST_TAG


def test_an_owner_is_somebody_who_works_here_and_the_facts_follow(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        ann, bob = staff(s, "Ann"), staff(s, "Bob")
        _row(s, Staff, bob).active = False
        assert notes.owner(s, "cus_1") is None
        notes.set_owner(s, person(), "cus_1", ann)
        with pytest.raises(InvalidInput, match="Bob"):
            notes.set_owner(s, person(), "cus_1", bob)
        with pytest.raises(InvalidInput):
            notes.set_owner(s, person(), "cus_1", 999)
    with database.session() as s:
        assert notes.owner(s, "cus_1") == ann
        assert _row(s, CustomerFacts, "cus_1").owner == ann
    with database.transaction() as s:
        notes.set_owner(s, person(), "cus_1", None)
    with database.session() as s:
        assert notes.owner(s, "cus_1") is None
        assert _row(s, CustomerFacts, "cus_1").owner is None


def test_an_owner_is_kept_though_the_facts_cannot_be_derived(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1", metadata_=5)
        ann = staff(s, "Ann")
    with database.transaction() as s:
        notes.set_owner(s, person(), "cus_1", ann)
    with database.session() as s:
        assert notes.owner(s, "cus_1") == ann
        assert _row(s, CustomerFacts, "cus_1").owner is None
    with database.transaction() as s:
        _row(s, Customer, "cus_1").metadata_ = {}
    underived.derive(underived.left())
    with database.session() as s:
        assert _row(s, CustomerFacts, "cus_1").owner == ann
    assert underived.left() == {}


def test_tasks_stand_by_urgency_and_are_ticked_off(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        ann = staff(s, "Ann")
        whenever = tasks.add(s, person(id=ann), "cus_1", "whenever")
        later = tasks.add(s, person(id=ann), "cus_1", "later", due_at=AHEAD + 200, assignee=ann)
        soon = tasks.add(s, person(id=ann), "cus_1", " soon \n please ", due_at=AHEAD + 100)
        assert [task.title for task in tasks.on(s, "cus_1")] == ["soon please", "later", "whenever"]
        assert soon.assignee == whenever.assignee == ann
        first = tasks.set_done(s, person(), _id(soon), True).done_at
        assert first is not None
        clock.follow(clock.offset() + 50)
        assert tasks.set_done(s, person(), _id(soon), True).done_at == first
        tasks.set_done(s, person(), _id(later), True)
        assert [task.title for task in tasks.on(s, "cus_1")] == ["whenever", "later", "soon please"]
        assert tasks.set_done(s, person(), _id(later), False).done_at is None
        tasks.edit(
            s,
            person(),
            _id(later),
            title="at once",
            due_at=AHEAD,
            assignee=ann,
            seen=tasks.plan(later),
        )
        tasks.delete(s, person(), _id(whenever))
        s.flush()
        assert [task.title for task in tasks.on(s, "cus_1")] == ["at once", "soon please"]


def test_who_saw_an_older_task_does_not_take_a_colleagues_change_back(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        ann = staff(s, "Ann")
        row = tasks.add(s, person(id=ann), "cus_1", "call", due_at=AHEAD)
        id, seen = _id(row), tasks.plan(row)
        tasks.edit(s, person(), id, title="write", due_at=AHEAD, assignee=ann, seen=seen)
        with pytest.raises(Conflict, match="meanwhile"):
            tasks.edit(s, person(), id, title="call", due_at=AHEAD + 9, assignee=ann, seen=seen)
        assert (row.title, row.due_at) == ("write", AHEAD)
        tasks.edit(s, person(), id, title=" write ", due_at=AHEAD, assignee=ann, seen=seen)  # a second click
        now = tasks.plan(row)
        tasks.edit(s, person(), id, title="write", due_at=AHEAD + 9, assignee=ann, seen=now)
        assert (row.title, row.due_at) == ("write", AHEAD + 9)


def test_a_task_is_due_ahead_and_an_overdue_one_can_be_changed_otherwise(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        ann, ben = staff(s, "Ann"), staff(s, "Ben")
        with pytest.raises(InvalidInput, match="This time has passed") as refused:
            tasks.add(s, person(id=ann), "cus_1", "call", due_at=clock.now() - 60)
        assert refused.value.field == "due_at"
        row = tasks.add(s, person(id=ann), "cus_1", "call", due_at=AHEAD)
        clock.follow(clock.offset() + 4_000_000_000)
        seen = tasks.plan(row)
        with pytest.raises(InvalidInput, match="This time has passed"):
            tasks.edit(s, person(), _id(row), title="call", due_at=AHEAD + 1, assignee=ann, seen=seen)
        tasks.edit(s, person(), _id(row), title="write", due_at=AHEAD, assignee=ben, seen=seen)
        assert tasks.plan(row) == tasks.Plan("write", AHEAD, ben)


def test_a_task_needs_words_and_somebody(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        for title in ("", "  ", "x" * 201):
            with pytest.raises(InvalidInput) as refused:
                tasks.add(s, person(), "cus_1", title)
            assert refused.value.field == "title"
        with pytest.raises(InvalidInput) as refused:
            tasks.add(s, person(), "cus_1", "call", assignee=999)
        assert refused.value.field == "assignee"
        with pytest.raises(NotFound):
            tasks.set_done(s, person(), 999, True)
        assert tasks.on(s, "cus_1") == []


def test_a_comma_separates_two_tags(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        assert notes.set_tags(s, person(), "cus_1", ["VIP, big  fish,", "beta"], seen=[]) == [
            "beta", "big fish", "vip",
        ]  # fmt: skip
        with pytest.raises(InvalidInput, match="cannot be a tag"):
            notes.set_tags(s, person(), "cus_1", [" , "], seen=[])
        s.add(CustomerTag(customer="cus_1", tag="old, one", added_at=1))
        s.flush()
        seen = notes.tags(s, "cus_1")
        assert notes.set_tags(s, person(), "cus_1", [*seen, "new"], seen=seen) == sorted([*seen, "new"])


def test_those_who_may_not_write_write_nothing(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        note = _id(notes.add(s, person(), "cus_1", "there"))
        task = _id(tasks.add(s, person(), "cus_1", "there"))
        for attempt in (*_writes(s, VIEWER, note, task), *_writes(s, LOCKED, note, task)):
            with pytest.raises(NotAllowed):
                attempt()
    with database.session() as s:
        assert [row.body for row in notes.on(s, "cus_1")] == ["there"]
        assert [(row.title, row.done_at) for row in tasks.on(s, "cus_1")] == [("there", None)]
        assert notes.tags(s, "cus_1") == []


def _writes(s: Session, who: Person, note: int, task: int) -> tuple[Callable[[], object], ...]:
    return (
        lambda: notes.add(s, who, "cus_1", "x"),
        lambda: notes.edit(s, who, note, "x"),
        lambda: notes.delete(s, who, note),
        lambda: notes.set_tags(s, who, "cus_1", ["x"], seen=[]),
        lambda: notes.set_owner(s, who, "cus_1", None),
        lambda: tasks.add(s, who, "cus_1", "x"),
        lambda: tasks.edit(s, who, task, title="x", due_at=None, assignee=1, seen=""),
        lambda: tasks.set_done(s, who, task, True),
        lambda: tasks.delete(s, who, task),
    )


def test_nothing_is_written_on_customers_who_do_not_exist(database: ModuleType) -> None:
    with database.transaction() as s:
        for attempt in (
            lambda: notes.add(s, person(), "cus_none", "x"),
            lambda: notes.set_tags(s, person(), "cus_none", ["x"], seen=[]),
            lambda: notes.set_owner(s, person(), "cus_none", None),
            lambda: tasks.add(s, person(), "cus_none", "x"),
        ):
            with pytest.raises(NotFound, match="cus_none"):
                attempt()


def test_a_deleted_customer_still_takes_notes(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1", deleted=True)
        assert notes.add(s, person(), "cus_1", "asked for their data").body == "asked for their data"


def _id(row: Note | Task) -> int:
    assert row.id is not None
    return row.id


def _row(session: Session, table: type[Any], id: int | str) -> Any:
    found = session.get(table, id)
    assert found is not None
    return found


Work = Callable[[Session], object]


def _meanwhile(database: ModuleType, first: Work, second: Work, then: Work = lambda s: None) -> None:
    """One person does `first` and `then`, and commits; another begins `second` between the two."""

    def beside() -> None:
        with database.transaction() as s:
            second(s)

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as s:
            first(s)
            s.flush()
            waiting = pool.submit(beside)
            wait([waiting], timeout=0.5)
            then(s)
        waiting.result(timeout=20)


def test_two_people_who_act_at_once_do_not_stumble(database: ModuleType) -> None:
    """The second writes while the first has not committed yet: the owner said last stands, and all tags."""
    with database.transaction() as s:
        customer(s, "cus_1")
        ann, bob = staff(s, "Ann"), staff(s, "Bob")

    def write(s: Session, owner: int, tag: str) -> None:
        notes.set_owner(s, person(), "cus_1", owner)
        notes.set_tags(s, person(), "cus_1", ["vip", tag], seen=[])

    _meanwhile(database, lambda s: write(s, ann, "early"), lambda s: write(s, bob, "late"))
    with database.session() as s:
        assert notes.owner(s, "cus_1") == bob
        assert notes.tags(s, "cus_1") == ["early", "late", "vip"]


def test_of_two_who_tick_a_task_at_once_the_first_did_it(database: ModuleType) -> None:
    """The second has the task before it, open, while the first has not committed yet."""
    with database.transaction() as s:
        customer(s, "cus_1")
        task = _id(tasks.add(s, person(), "cus_1", "call"))

    _meanwhile(
        database,
        lambda s: tasks.set_done(s, person(id=7), task, True),
        lambda s: tasks.set_done(s, person(id=8), task, True),
    )
    with database.session() as s:
        assert _row(s, Task, task).done_by == 7


def test_two_who_tick_the_same_tasks_in_another_order_do_not_lock_each_other_out(
    database: ModuleType,
) -> None:
    """The second waits for the first task without holding the second one, which the first wants next."""
    with database.transaction() as s:
        customer(s, "cus_1")
        one, two = (_id(tasks.add(s, person(), "cus_1", title)) for title in ("one", "two"))

    _meanwhile(
        database,
        lambda s: tasks.set_done(s, person(id=7), one, True),
        lambda s: tasks.set_all_done(s, person(id=8), [two, one], True),
        lambda s: tasks.set_done(s, person(id=7), two, True),
    )
    with database.session() as s:
        assert {task.done_by for task in tasks.on(s, "cus_1")} == {7}


def test_whatever_is_written_moves_the_data_version(
    database: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that others have open are drawn anew by it."""
    monkeypatch.setattr(version, "AT_MOST_EVERY", 0.0)
    with database.transaction() as s:
        customer(s, "cus_1")
        s.merge(Workspace(account="acct_1", mode="test"))
        note, task = (_id(each.add(s, person(), "cus_1", "there")) for each in (notes, tasks))
    for write in (
        lambda s: notes.add(s, person(), "cus_1", "x"),
        lambda s: notes.edit(s, person(), note, "y"),
        lambda s: notes.delete(s, person(), note),
        lambda s: notes.set_tags(s, person(), "cus_1", ["x"], seen=[]),
        lambda s: tasks.add(s, person(), "cus_1", "x"),
        lambda s: tasks.set_done(s, person(), task, True),
        lambda s: tasks.set_done(s, person(), task, False),
        lambda s: tasks.delete(s, person(), task),
    ):
        before = _version(database)
        with database.transaction() as s:
            write(s)
        assert _version(database) == before + 1
    with database.transaction() as s:
        notes.set_tags(s, person(), "cus_1", ["x"], seen=["x"])  # changes nothing
    assert _version(database) == before + 1


def _version(database: ModuleType) -> int:
    with database.session() as s:
        return version.data_version(s)
