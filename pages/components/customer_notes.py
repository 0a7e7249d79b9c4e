"""What do staff know and plan about this customer: owner, tags, tasks and notes, each changed in place."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time

import streamlit as st

from models import Note, Task
from pages.components import clicks, formats, guard
from services import clock, config, database
from services.customers import names, notes, once, tasks
from services.errors import InvalidInput
from services.staff import people
from services.staff.roles import Permission, Person

_END_OF_DAY = time(18)
_NOBODY = 0  # no staff id; a selectbox shows None as a prompt


def draw(person: Person, customer: str) -> None:
    """The four of them; read-only with the reason where the person may not write."""
    with database.session() as session:
        owner, tags, known = (
            notes.owner(session, customer),
            notes.tags(session, customer),
            notes.all_tags(session),
        )
        staff = {one.id: one.name for one in people.active(session)}
        todo, written = tasks.on(session, customer), notes.on(session, customer)
        named = {owner, *(task.assignee for task in todo)} - {None}
        everyone = staff if named <= staff.keys() else people.names(session)  # who left is named, too
    why_not = person.why_not(Permission.ANNOTATE)
    if why_not:
        st.caption(formats.plain(why_not))
    _owner(customer, owner, _choices(owner, staff, everyone), bool(why_not))
    _tags(customer, tags, known, bool(why_not))
    clicks.show_problem(f"about:{customer}")
    _tasks(person, customer, todo, staff, everyone, bool(why_not))
    _notes(person, customer, written, bool(why_not))


def _choices(now: int | None, staff: dict[int, str], everyone: dict[int, str]) -> dict[int, str]:
    """Whom one may choose: who works here, and who it is now, though they may have left."""
    return staff if now is None or now in staff else {now: everyone.get(now, ""), **staff}


def _owner(customer: str, owner: int | None, staff: dict[int, str], locked: bool) -> None:
    key = f"owner:{customer}"
    st.session_state[key] = owner or _NOBODY
    st.selectbox(
        "Owner",
        [_NOBODY, *staff],
        key=key,
        format_func=lambda id: staff.get(id, "Nobody"),
        disabled=locked,
        on_change=clicks.attempt,
        args=(f"about:{customer}", _set_owner, customer),
    )


def _set_owner(customer: str) -> None:
    chosen = st.session_state[f"owner:{customer}"]
    with database.transaction() as session:
        notes.set_owner(session, guard.current(), customer, chosen or None)


def _tags(customer: str, tags: list[str], known: list[str], locked: bool) -> None:
    key = f"tags:{customer}"
    st.session_state[key] = tags
    st.multiselect(
        "Tags",
        list(dict.fromkeys([*known, *tags])),
        key=key,
        accept_new_options=True,
        disabled=locked,
        placeholder="Add a tag",
        on_change=clicks.attempt,
        args=(f"about:{customer}", _set_tags, customer, tags),
    )


def _set_tags(customer: str, seen: list[str]) -> None:
    wanted = list(st.session_state[f"tags:{customer}"])
    with database.transaction() as session:
        notes.set_tags(session, guard.current(), customer, wanted, seen=seen)


def _tasks(
    person: Person,
    customer: str,
    todo: list[Task],
    staff: dict[int, str],
    everyone: dict[int, str],
    locked: bool,
) -> None:
    st.subheader("Tasks", anchor=False)
    for task in [task for task in todo if task.done_at is None]:
        _task(task, staff, everyone, locked)
    done = [task for task in todo if task.done_at is not None]
    if done:
        with st.expander(f"{formats.count(len(done))} done"):
            for task in done:
                _task(task, staff, everyone, locked)
    clicks.show_problem(f"tasks:{customer}")
    with st.popover(names.ADD_TASK, icon=":material/add_task:", disabled=locked):
        _task_form(_blank(f"new_task:{customer}"), customer, None, staff, person.id)


def _task(task: Task, staff: dict[int, str], everyone: dict[int, str], locked: bool) -> None:
    place = f"tasks:{task.customer}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.checkbox(
            formats.plain(task.title),
            value=task.done_at is not None,
            key=f"done:{task.id}:{task.done_at}",
            disabled=locked,
            on_change=clicks.attempt,
            args=(place, _tick, task.id, task.done_at is None),
        )
        _due(task)
        st.caption(formats.plain(everyone.get(task.assignee or 0, "")), width="content")
        with st.popover(
            "Edit", icon=":material/edit:", type="tertiary", disabled=locked, key=f"edit_task:{task.id}"
        ):
            who = _choices(task.assignee, staff, everyone)
            key = f"task:{task.id}:{tasks.fingerprint(task)}"  # a field ignores a new value under its old key
            _task_form(key, task.customer, task, who, task.assignee)
            st.button(
                "Remove the task",
                key=f"remove_task:{task.id}",
                icon=":material/delete:",
                type="tertiary",
                on_click=clicks.attempt,
                args=(place, _remove_task, task.id),
            )


def _due(task: Task) -> None:
    if task.due_at is None or task.done_at is not None:
        return
    if task.due_at < clock.now():
        st.badge(f"Overdue, {formats.day(task.due_at)}", color="red")
    else:
        st.caption(f"by {formats.day(task.due_at)}", width="content")


def _task_form(
    key: str, customer: str, task: Task | None, staff: dict[int, str], assignee: int | None
) -> None:
    zone = config.settings().zone
    due = clock.local(task.due_at, zone).date() if task and task.due_at else None
    with st.form(key, border=False, clear_on_submit=False):
        st.text_input(
            "What is to be done",
            value=task.title if task else "",
            key=f"{key}:title",
            max_chars=tasks.LONGEST_TITLE,
        )
        st.date_input("By", value=due, key=f"{key}:due")
        ids = list(staff)
        st.selectbox(
            "Who",
            ids,
            index=ids.index(assignee) if assignee in ids else None,
            key=f"{key}:who",
            format_func=lambda id: staff[id],
        )
        sent = (_edit_task, key, task.id, tasks.fingerprint(task)) if task else (_add_task, key, customer)
        place = f"tasks:{customer}"
        st.form_submit_button("Save" if task else "Add", on_click=clicks.attempt, args=(place, *sent))


def _typed_task(key: str) -> tuple[str, int | None, int]:
    """What the form says: the title, when it is due (an instant), and the assignee's staff id."""
    who = st.session_state[f"{key}:who"]
    if who is None:
        raise InvalidInput("Nobody is chosen for the task.", field="assignee", remedy="Choose who does it.")
    return st.session_state[f"{key}:title"], _instant(st.session_state[f"{key}:due"]), who


def _edit_task(key: str, task: int, seen: str) -> None:
    title, due_at, who = _typed_task(key)
    with database.transaction() as session:
        tasks.edit(session, guard.current(), task, title=title, due_at=due_at, assignee=who, seen=seen)


def _add_task(key: str, customer: str) -> None:
    title, due_at, who = _typed_task(key)
    with database.transaction() as session:
        if once.first(session, key, title, due_at, who):
            tasks.add(session, guard.current(), customer, title, due_at=due_at, assignee=who)
    _clear(f"new_task:{customer}")


def _blank(place: str) -> str:
    """The key of the form that is now filled in here: each one that is sent has a key of its own."""
    form: str = st.session_state.setdefault(f"form:{place}", f"{place}:{uuid.uuid4().hex}")
    return form


def _clear(place: str) -> None:
    st.session_state.pop(f"form:{place}", None)


def _instant(day: date | None) -> int | None:
    """A day as the instant when the working day ends in the workspace's zone."""
    if day is None:
        return None
    return int(datetime.combine(day, _END_OF_DAY, tzinfo=config.settings().zone).timestamp())


def _tick(task: int, done: bool) -> None:
    with database.transaction() as session:
        tasks.set_done(session, guard.current(), task, done)


def _remove_task(task: int) -> None:
    with database.transaction() as session:
        tasks.delete(session, guard.current(), task)


def _notes(person: Person, customer: str, written: list[Note], locked: bool) -> None:
    st.subheader("Notes", anchor=False)
    key, place = _blank(f"new_note:{customer}"), f"notes:{customer}"
    st.text_area(
        "Write a note",
        key=key,
        label_visibility="collapsed",
        placeholder="Write a note for your colleagues",
        disabled=locked,
        height=80,
    )
    clicks.show_problem(place)
    st.button(
        names.ADD_NOTE,
        key=f"{key}:add",
        disabled=locked,
        on_click=clicks.attempt,
        args=(place, _add_note, key, customer),
    )
    for note in written:
        _note(person, note, locked)


def _add_note(key: str, customer: str) -> None:
    body = st.session_state[key]
    with database.transaction() as session:
        if once.first(session, key, body):
            notes.add(session, guard.current(), customer, body)
    _clear(f"new_note:{customer}")


def _note(person: Person, note: Note, locked: bool) -> None:
    key, place = f"note:{note.customer}:{note.id}", f"notes:{note.customer}"
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            edited = ", edited" if note.edited_at else ""
            st.caption(
                f"{formats.plain(note.author_name)}, {formats.moment(note.created_at)}{edited}",
                width="stretch",
            )
            if note.author == person.id:
                with st.popover(
                    "Edit", icon=":material/edit:", type="tertiary", disabled=locked, key=f"{key}:menu"
                ):
                    st.text_area("Note", value=note.body, key=f"{key}:body", height=120)
                    st.button(
                        "Save",
                        key=f"{key}:save",
                        on_click=clicks.attempt,
                        args=(place, _edit_note, key, note.id),
                    )
                    st.button(
                        "Remove the note",
                        key=f"{key}:remove",
                        type="tertiary",
                        icon=":material/delete:",
                        on_click=clicks.attempt,
                        args=(place, _remove_note, note.id),
                    )
        st.text(note.body)


def _edit_note(key: str, note: int) -> None:
    with database.transaction() as session:
        notes.edit(session, guard.current(), note, st.session_state[f"{key}:body"])


def _remove_note(note: int) -> None:
    with database.transaction() as session:
        notes.delete(session, guard.current(), note)
