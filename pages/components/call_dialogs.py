"""The dialogs of the Calls page: set a time, say what came of a call, give it to somebody else."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from pages.components import customer_words, formats
from pages.components.dialog import Reason, show
from pages.components.outreach import NOBODY, assignee_field, due_field, next_working_morning, parse_due
from services import clock, config, database
from services.customers.names import CALL_ENDS, OUTCOMES
from services.desk.command import Form, Preview
from services.desk.commands import Outcome
from services.errors import InvalidInput
from services.outreach import calls
from services.outreach.callboard import CallRow
from services.outreach.calls import DONE
from services.staff.roles import Person
from services.text import isolated


def schedule_dialog(row: CallRow) -> None:
    """Opens the dialog that sets the time of a call."""
    show(_Schedule(row), about=_about(row))


def close_dialog(row: CallRow) -> None:
    """Opens the dialog that says what came of a call."""
    show(_Close(row), about=_about(row))


def reassign_dialog(row: CallRow) -> None:
    """Opens the dialog that gives a call to somebody else."""
    with database.session() as session:
        callers = calls.assignees(session)
    show(_Reassign(row, callers), about=_about(row))


def _about(row: CallRow) -> str:
    there = customer_words.time_there(row.local, clock.now())
    return customer_words.on_the_phone(isolated(row.name or row.email or row.customer), row.phone, there)


class _CallChange:
    """What the three dialogs share: the call as it was seen, and no token, since a change names it."""

    icon = ":material/call:"
    reason: Reason = "none"
    warning = ""

    def __init__(self, row: CallRow) -> None:
        self._row = row

    def renew(self, person: Person) -> None:
        """Never needed: a change is written down or refused with nothing done."""
        del person


class _Schedule(_CallChange):
    title = "Schedule call"
    confirm = "Schedule"

    def fields(self, key: str) -> Form:
        """The day and time."""
        due = self._row.due_at
        first = clock.local(due, config.settings().zone).replace(tzinfo=None) if due else None
        return {"due": due_field(_ahead(first), key, label="Time of the call")}

    def preview(self, form: Form) -> Preview:
        """When it will be, here and for the customer."""
        due = _required(form["due"])
        here = f"The call is at {formats.moment(due)} ({formats.zone_name()})."
        there = customer_words.moment_there(self._row.local, due)
        for_them = (f"For the customer that is {there}.",) if there else ()
        return Preview((here, *for_them, "The customer is not told."))

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Writes the time down."""
        del reason
        due = _required(form["due"])
        with database.transaction() as session:
            calls.schedule(session, self._row.token, person, due, seen=self._row.state)
        return Outcome("", "done", f"Scheduled for {formats.moment(due)} ({formats.zone_name()}).")


class _Close(_CallChange):
    title = "What came of the call?"
    confirm = "Save"

    def fields(self, key: str) -> Form:
        """How it ended, what came of it where it took place, and a note."""
        state = st.radio(
            "How it ended", list(CALL_ENDS), key=f"{key}:state", horizontal=True,
            format_func=CALL_ENDS.__getitem__,
        )  # fmt: skip
        outcome = None
        if state == DONE:
            outcome = st.selectbox(
                "Outcome", list(OUTCOMES), index=None, key=f"{key}:outcome",
                format_func=OUTCOMES.__getitem__, placeholder="Choose",
            )  # fmt: skip
        note = st.text_area("Note", key=f"{key}:note", height=100, max_chars=5000)
        return {"state": state or DONE, "outcome": outcome or "", "note": note or ""}

    def preview(self, form: Form) -> Preview:
        """What is kept."""
        ended = CALL_ENDS[form["state"]].lower()
        if form["state"] != DONE:
            return Preview((f"The call is closed: {ended}.",))
        if not form["outcome"]:
            raise InvalidInput(
                "Choose what came of the call.", field="outcome", remedy="It is one of the list “Outcome”."
            )
        return Preview((f"The call is closed: {ended}; {OUTCOMES[form['outcome']].lower()}.",))

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Closes the call."""
        del reason
        with database.transaction() as session:
            calls.close(
                session, self._row.token, person, form["state"], form["outcome"], form["note"],
                seen=self._row.state,
            )  # fmt: skip
        return Outcome("", "done", "Saved. It is on the customer's timeline.")


class _Reassign(_CallChange):
    title = "Give to somebody else"
    confirm = "Give"

    def __init__(self, row: CallRow, callers: list[Person]) -> None:
        super().__init__(row)
        self._names = {NOBODY: "Nobody yet"} | {caller.id: caller.name for caller in callers}

    def fields(self, key: str) -> Form:
        """Who calls."""
        return {"assignee": str(assignee_field(self._names, self._row.assignee or NOBODY, key))}

    def preview(self, form: Form) -> Preview:
        """Who has it then."""
        return Preview((f"{self._names[int(form['assignee'])]} has the call then.",))

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Hands it over."""
        del reason
        assignee = int(form["assignee"]) or None
        with database.transaction() as session:
            calls.reassign(session, self._row.token, person, assignee, seen=self._row.state)
        return Outcome("", "done", f"{self._names[int(form['assignee'])]} has the call now.")


def _ahead(first: datetime | None) -> datetime:
    """The wall time if it lies ahead, else the next working morning."""
    now = clock.local(clock.now(), config.settings().zone).replace(tzinfo=None)
    return first if first and first > now else next_working_morning()


def _required(due: str) -> int:
    instant = calls.check_due(parse_due(due))
    if instant is None:
        raise InvalidInput("Choose a day and a time.", field="due_at")
    return instant
