"""Tasks: what was promised to customers, due first; mine and all, ticked off one by one or together."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import clicks, formats, guard, navigation, tables, worklist
from pages.components.tables import Column
from services import clock, database
from services.customers import taskboard, tasks
from services.customers.taskboard import TaskFilter, TaskRow
from services.staff.roles import Permission, Person

PAGE_KEY = "tasks_page"
_PLACE = "tasks"
_STATES: dict[str, bool | None] = {"To do": False, "Done": True, "All": None}
_COLUMNS = (
    Column("customer", "Customer", width="medium", pinned=True),
    Column("due", "Due", width=160),
    Column("title", "What is to be done", width="large"),
    Column("assignee", "Who", width="small"),
    Column("state", "State", "status", width=80),
    Column("added", "Added", "day"),
    Column("done", "Done", "moment"),
)


def main() -> None:
    """One run of the page."""
    person = guard.enter("tasks")
    st.title("Tasks")
    now = clock.now()
    wanted = _filters(person, now)
    where = taskboard.conditions(wanted)
    with database.session() as session:
        total = taskboard.count(session, where)
        tools = st.container(horizontal=True, vertical_alignment="center")
        clicks.show_problem(_PLACE)
        page = tables.page_of(total, key=PAGE_KEY)
        rows = taskboard.page(session, where, now, offset=page.offset, limit=page.limit)
    picked = tables.show(
        [_cells(row) for row in rows], _COLUMNS,
        key=worklist.table_key("tasks", (str(row.id) for row in rows)),
        alt="Tasks, due first", open_label="Customer",
        select=person.may(Permission.ANNOTATE),
        empty="No task fits this view. Add one on a customer's page.",
    )  # fmt: skip
    if rows:
        tables.caption(total, page, "task")
    st.caption(f"Times are in {formats.zone_name()}.")
    with tools:
        _tools(person, [rows[position] for position in picked.ticked])
    if picked.opened is not None:
        navigation.go("customer", id=rows[picked.opened].customer)


def _filters(person: Person, now: int) -> TaskFilter:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        whose = worklist.segments(
            "Whose", [worklist.MINE, worklist.EVERYBODY], worklist.MINE, "tasks_of", PAGE_KEY
        )
        state = worklist.segments("State", list(_STATES), "To do", "task_state", PAGE_KEY)
        due_before = worklist.due_filter("tasks_due", PAGE_KEY, now)
    return TaskFilter(
        done=_STATES[state],
        assignee=person.id if whose == worklist.MINE else None,
        due_before=due_before,
    )


def _tools(person: Person, ticked: list[TaskRow]) -> None:
    """The buttons for the ticked tasks."""
    why_not = person.why_not(Permission.ANNOTATE)
    for label, icon, done in (
        ("Mark as done", ":material/task_alt:", True),
        ("Open again", ":material/undo:", False),
    ):
        fits = any((row.done_at is None) is done for row in ticked)
        st.button(
            label, icon=icon, key=f"tasks-{label.lower()}", disabled=not fits or bool(why_not),
            help=formats.plain(why_not) or None,
            on_click=clicks.attempt, args=(_PLACE, _set_done, [row.id for row in ticked], done),
        )  # fmt: skip
    chosen = formats.plural(len(ticked), "task") + " chosen" if ticked else "Tick one or several tasks."
    st.caption(formats.plain(why_not) or chosen)


def _set_done(ids: list[int], done: bool) -> None:
    """All of them or none: a task that somebody removed meanwhile is told, and the list is up to date."""
    with database.transaction() as session:
        tasks.set_all_done(session, guard.current(), ids, done)
    st.toast(f"{formats.plural(len(ids), 'task')} {'done' if done else 'open again'}.")


def _cells(row: TaskRow) -> dict[str, Any]:
    return {
        "customer": worklist.called(row.name, row.email, row.customer),
        "title": row.title,
        "state": "done" if row.done_at is not None else "open",
        "due": _due(row),
        "assignee": row.assignee_name,
        "added": row.created_at,
        "done": row.done_at,
    }


def _due(row: TaskRow) -> str:
    if row.due_at is None:
        return "No date"
    return f"Overdue: {formats.day(row.due_at)}" if row.overdue else formats.day(row.due_at)


main()
