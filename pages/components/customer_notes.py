"""What do staff know and plan about this customer: owner, tags, tasks and notes, each changed in place."""

from __future__ import annotations

import streamlit as st

from models import Note
from pages.components import blank, clicks, customer_tasks, formats, guard
from services import database
from services.customers import names, notes, once, tasks
from services.staff import people
from services.staff.roles import Permission, Person

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
    _owner(customer, owner, customer_tasks.choices(owner, staff, everyone), bool(why_not))
    _tags(customer, tags, known, bool(why_not))
    clicks.show_problem(f"about:{customer}")
    customer_tasks.draw(person, customer, todo, staff, everyone, bool(why_not))
    _notes(person, customer, written, bool(why_not))


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


def _notes(person: Person, customer: str, written: list[Note], locked: bool) -> None:
    st.subheader("Notes", anchor=False)
    key, place = blank.key(f"new_note:{customer}"), f"notes:{customer}"
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
    blank.clear(f"new_note:{customer}")


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
