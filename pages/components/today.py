"""What waits for this person today? Their tasks and calls that are due, each a way to its list."""

from __future__ import annotations

import streamlit as st

from pages.components import formats, navigation, worklist
from services import clock, config, database
from services.customers import taskboard
from services.customers.taskboard import TaskFilter
from services.outreach import callboard
from services.outreach.callboard import CallFilter
from services.staff.roles import Person


def draw(person: Person) -> None:
    """One line with what is overdue or due today; nothing where nothing is."""
    end = clock.day_start(clock.now(), config.settings().zone, plus_days=1)
    with database.session() as session:
        todo = taskboard.count(session, taskboard.conditions(TaskFilter(assignee=person.id, due_before=end)))
        to_call = callboard.count(
            session, callboard.conditions(CallFilter(assignee=person.id, due_before=end))
        )
    if not todo and not to_call:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown("**For you today**", width="content")
        _link("tasks", todo, "task", tasks_of=worklist.MINE, tasks_due=worklist.BY_TODAY)
        _link("calls", to_call, "call", calls_of=worklist.MINE, calls_due=worklist.BY_TODAY)


def _link(page: str, number: int, one: str, **parameters: str) -> None:
    if number:
        navigation.link(
            page,
            f"{formats.plural(number, one)} due",
            icon=navigation.PAGES[page].icon,
            help="Overdue ones included.",
            **parameters,
        )
