"""What is still to be done for this customer? Ticked off, added and edited in place.

What somebody types while a colleague changes the same task stays: the form keeps what it was opened with,
says what has changed, and saving changes only what was typed.
"""

from __future__ import annotations

from datetime import date, datetime, time

import streamlit as st

from models import Task
from pages.components import blank, clicks, formats, guard
from services import clock, config, database
from services.customers import names, once, tasks
from services.customers.tasks import Plan
from services.errors import InvalidInput
from services.staff.roles import Person
from services.text import isolated

_END_OF_DAY, _MIDNIGHT = time(18), time(23, 59)


def draw(
    person: Person,
    customer: str,
    todo: list[Task],
    staff: dict[int, str],
    everyone: dict[int, str],
    locked: bool,
) -> None:
    """The tasks, those done folded away; `staff` work here, `everyone` names also who has left."""
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
        key = blank.key(f"new_task:{customer}")
        with st.form(key, border=False, clear_on_submit=False):
            _fields(key, Plan("", None, person.id), staff)
            place = f"new_task:{customer}"
            st.form_submit_button("Add", on_click=clicks.attempt, args=(place, _add, key, customer))
        clicks.show_problem(place)  # an element before the popover would close it


def choices(now: int | None, staff: dict[int, str], everyone: dict[int, str]) -> dict[int, str]:
    """Whom one may choose: who works here, and who it is now, though they may have left."""
    return staff if now is None or now in staff else {now: everyone.get(now, ""), **staff}


def _task(task: Task, staff: dict[int, str], everyone: dict[int, str], locked: bool) -> None:
    place = f"tasks:{task.customer}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"task_row:{task.id}"):
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
        menu = st.popover(
            "Edit", icon=":material/edit:", type="tertiary", disabled=locked, key=_menu(task.id),
            on_change="rerun",
        )  # fmt: skip
        with menu:
            _edit_form(task, _begun(task, is_open=bool(menu.open)), staff, everyone)
            st.button(
                "Remove the task",
                key=f"remove_task:{task.id}",
                icon=":material/delete:",
                type="tertiary",
                on_click=clicks.attempt,
                args=(place, _remove, task.id),
            )


def _menu(task: int | None) -> str:
    return f"edit_task:{task}"


def _due(task: Task) -> None:
    if task.due_at is None or task.done_at is not None:
        return
    if task.due_at < clock.now():
        st.badge(f"Overdue, {formats.day(task.due_at)}", color="red")
    else:
        st.caption(f"by {formats.day(task.due_at)}", width="content")


def _begun(task: Task, *, is_open: bool) -> Plan:
    """What the form was opened with."""
    key, now = f"begun:{task.id}", tasks.plan(task)
    if not is_open:
        st.session_state.pop(key, None)
        return now
    begun: Plan = st.session_state.setdefault(key, now)
    return begun


def _edit_form(task: Task, begun: Plan, staff: dict[int, str], everyone: dict[int, str]) -> None:
    now = tasks.plan(task)
    key = f"task:{task.id}:{hash(begun)}"  # a field ignores a new value under its old key
    if now != begun:
        st.info(_changed(begun, now, everyone), icon=":material/group:")
    with st.form(key, border=False, clear_on_submit=False):
        _fields(key, begun, choices(begun.assignee, staff, everyone))
        place = f"task:{task.id}"
        st.form_submit_button("Save", on_click=clicks.attempt, args=(place, _edit, key, task.id, begun, now))
    clicks.show_problem(place)


def _changed(begun: Plan, now: Plan, everyone: dict[int, str]) -> str:
    told = []
    if now.title != begun.title:
        told.append(f"what is to be done is now “{isolated(now.title)}”")
    if now.due_at != begun.due_at:
        told.append(f"it is due {formats.day(now.due_at)}" if now.due_at else "it has no date")
    if now.assignee != begun.assignee:
        told.append(f"it is for {everyone.get(now.assignee or 0, '') or 'nobody'}")
    return formats.plain(
        f"A colleague changed this task meanwhile: {', '.join(told)}. "
        "Saving keeps that where you changed nothing, and takes yours where you did."
    )


def _fields(key: str, begun: Plan, staff: dict[int, str]) -> None:
    st.text_input("What is to be done", value=begun.title, key=f"{key}:title", max_chars=tasks.LONGEST_TITLE)
    st.date_input("By", value=_day(begun.due_at), key=f"{key}:due")
    ids = list(staff)
    st.selectbox(
        "Who",
        ids,
        index=ids.index(begun.assignee) if begun.assignee in ids else None,
        key=f"{key}:who",
        format_func=lambda id: staff[id],
    )


def _typed(key: str) -> tuple[str, int | None, int]:
    """What the form says: the title, when it is due (an instant), and the assignee's staff id."""
    who = st.session_state[f"{key}:who"]
    if who is None:
        raise InvalidInput("Nobody is chosen for the task.", field="assignee", remedy="Choose who does it.")
    return st.session_state[f"{key}:title"], _instant(st.session_state[f"{key}:due"]), who


def _edit(key: str, task: int, begun: Plan, now: Plan) -> None:
    title, due_at, who = _typed(key)
    with database.transaction() as session:
        tasks.edit(
            session, guard.current(), task, seen=now,
            title=now.title if title == begun.title else title,
            due_at=now.due_at if _day(due_at) == _day(begun.due_at) else due_at,
            assignee=now.assignee if who == begun.assignee and now.assignee else who,
        )  # fmt: skip
    st.session_state.pop(f"begun:{task}", None)
    st.session_state[_menu(task)] = False


def _add(key: str, customer: str) -> None:
    title, due_at, who = _typed(key)
    with database.transaction() as session:
        if once.first(session, key, title, due_at, who):
            tasks.add(session, guard.current(), customer, title, due_at=due_at, assignee=who)
    blank.clear(f"new_task:{customer}")


def _day(instant: int | None) -> date | None:
    return None if instant is None else clock.local(instant, config.settings().zone).date()


def _instant(day: date | None) -> int | None:
    """A day as the instant when the working day ends in the workspace's zone; once that is over, today is
    until midnight."""
    if day is None:
        return None
    ends = (datetime.combine(day, at, tzinfo=config.settings().zone) for at in (_END_OF_DAY, _MIDNIGHT))
    evening, midnight = (int(end.timestamp()) for end in ends)
    return evening if evening > clock.now() else midnight


def _tick(task: int, done: bool) -> None:
    with database.transaction() as session:
        tasks.set_done(session, guard.current(), task, done)


def _remove(task: int) -> None:
    with database.transaction() as session:
        tasks.delete(session, guard.current(), task)
