"""Calls: who should talk to whom, due first; set a time, say what came of it, hand it over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from pages.components import (
    call_dialogs,
    customer_words,
    formats,
    guard,
    navigation,
    statuses,
    tables,
    worklist,
)
from pages.components.tables import Column
from services import clock, database
from services.customers import names
from services.outreach import callboard, calls
from services.outreach.callboard import CallFilter, CallRow
from services.outreach.calls import OPEN
from services.staff.roles import Permission, Person, Role

PAGE_KEY = "calls_page"
_ALL_OPEN, _ALL = "open", ""
_NOBODY = "Nobody's"
_VALUE = "What the customer pays, or would pay, in a month; of a yearly price a twelfth."
_WHOSE = (worklist.MINE, worklist.EVERYBODY, _NOBODY)
_WHICH = (_ALL_OPEN, *calls.STATES)
_COLUMNS = (
    Column("customer", "Customer", width="medium", pinned=True),
    Column("state", "State", "status", width=110),
    Column("due", "Due", width="medium"),
    Column("assignee", "Who calls", width="small"),
    Column("phone", "Phone"),
    Column("there", "Local time", width="medium", help="What the customer’s clock shows now."),
    Column("note", "Note", width="medium"),
    Column("plan", "Plan"),
    Column("value", "Plan value / month", "micros", help=_VALUE),
    Column("trial", "Trial", "days_left", help="How long a running trial has left."),
)
_OUTCOME = Column("outcome", "Outcome", width="medium")


def main() -> None:
    """One run of the page."""
    person = guard.enter("calls")
    st.title("Calls")
    now = clock.now()
    wanted = _filters(person, now)
    st.caption(_counted(wanted))
    where = callboard.conditions(wanted)
    with database.session() as session:
        total = callboard.count(session, where)
        tools = st.container(horizontal=True, vertical_alignment="center")
        page = tables.page_of(total, key=PAGE_KEY)
        rows = callboard.page(session, where, now, offset=page.offset, limit=page.limit)
    picked = tables.show(
        [_cells(row, now) for row in rows], _columns(wanted.state), 
        key=worklist.table_key("calls", (row.token for row in rows)),
        alt="Requested and made calls, due first", open_label="Customer", select=True,
        empty="No call fits this view. Request one on a customer's page, Trials or Failed payments.",
    )  # fmt: skip
    if rows:
        tables.caption(total, page, "call")
    st.caption(f"Times are in {formats.zone_name()}.")
    with tools:
        _tools(person, [rows[position] for position in picked.ticked])
    if picked.opened is not None:
        navigation.go("customer", id=rows[picked.opened].customer)


def _filters(person: Person, now: int) -> CallFilter:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        usual = worklist.MINE if person.role is Role.SALES else worklist.EVERYBODY
        whose = worklist.segments("Whose", _WHOSE, usual, "calls_of", PAGE_KEY)
        assignee = {worklist.MINE: person.id, _NOBODY: callboard.NOBODY}.get(whose)
        state = worklist.segments("State", _WHICH, _ALL_OPEN, "call_state", PAGE_KEY, _state)
        due_before = worklist.due_filter("calls_due", PAGE_KEY, now)
    return CallFilter(state=state or _ALL, assignee=assignee, due_before=due_before)


def _counted(wanted: CallFilter) -> str:
    """How many calls there are in each state, whatever state is shown."""
    with database.session() as session:
        every = callboard.conditions(replace(wanted, state=_ALL))
        counts = callboard.count_by_state(session, every)
    return " · ".join(f"{statuses.label(state)} {formats.count(counts[state])}" for state in calls.STATES)


def _state(state: str) -> str:
    return "To do" if state == _ALL_OPEN else statuses.label(state)


def _columns(state: str) -> tuple[Column, ...]:
    """What came of calls stands beside their state, and nowhere while all shown are still open."""
    return _COLUMNS if state in (_ALL_OPEN, *OPEN) else (*_COLUMNS[:2], _OUTCOME, *_COLUMNS[2:])


def _tools(person: Person, ticked: list[CallRow]) -> None:
    """The buttons for the ticked call."""
    row = ticked[0] if len(ticked) == 1 else None
    why_not = person.why_not(Permission.WORK_CALLS)
    is_open = row is not None and row.state in OPEN
    for label, icon, fits, act in (
        ("Schedule", ":material/event:", is_open or (row is not None and row.state == calls.NO_SHOW),
         call_dialogs.schedule_dialog),
        ("Outcome", ":material/task_alt:", is_open, call_dialogs.close_dialog),
        ("Reassign", ":material/swap_horiz:", is_open, call_dialogs.reassign_dialog),
    ):  # fmt: skip
        clicked = st.button(
            label, icon=icon, key=f"calls-{label.lower()}", disabled=not fits or bool(why_not),
            help=formats.plain(why_not) or None,
        )  # fmt: skip
        if clicked and row is not None:
            act(row)
    hint = formats.plain(why_not) or "Tick one call to work on it."
    st.caption(hint if row is None else _told(row))


def _told(row: CallRow) -> str:
    asked = f"Requested by {row.requested_by or 'somebody'}, {formats.relative(row.created_at)}."
    return formats.plain(asked)


def _cells(row: CallRow, now: int) -> dict[str, Any]:
    return {
        "customer": worklist.called(row.name, row.email, row.customer),
        "state": row.state,
        "due": _due(row),
        "assignee": row.assignee_name or "Nobody yet",
        "phone": row.phone,
        "there": customer_words.time_there(row.local, now),
        "note": row.note,
        "plan": row.plan,
        "value": row.value_micros or None,
        "currency": row.currency,
        "trial": row.trial_end,
        "outcome": _outcome(row),
    }


def _due(row: CallRow) -> str:
    if row.due_at is None:
        return "No date"
    return f"Overdue: {formats.moment(row.due_at)}" if row.overdue else formats.moment(row.due_at)


def _outcome(row: CallRow) -> str:
    return ". ".join(filter(None, (names.of_outcome(row.state, row.outcome), row.outcome_note)))


main()
