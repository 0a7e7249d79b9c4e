"""The dialogs of the Calls page: set a time, say what came of a call, give it to somebody else."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from pages.components import formats
from pages.components.dialog import Reason, show
from pages.components.outreach import NOBODY, assignee_field, due_field, next_working_morning, parse_due
from services import clock, config, database
from services.customers.names import OUTCOMES
from services.desk.command import Form, Preview
from services.desk.commands import Outcome
from services.errors import InvalidInput
from services.outreach import calls
from services.outreach.callboard import CallRow
from services.outreach.calls import DONE
from services.staff.roles import Person
from services.text import isolated

_CLOSED = {"done": "It took place", "no_show": "Nobody was there", "declined": "The customer declined"}


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
    return " · ".join(filter(None, (isolated(row.name or row.email or row.customer), row.phone)))


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
        """When it will be."""
        return Preview(
            (f"The call is at {formats.moment(_required(form['due']))}.", "The customer is not told.")
        )

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Writes the time down."""
        del reason
        due = _required(form["due"])
        with database.transaction() as session:
            calls.schedule(session, self._row.token, person, due, seen=self._row.state)
        return Outcome("", "done", f"Scheduled for {formats.moment(due)}.")


class _Close(_CallChange):
    title = "What came of the call?"
    confirm = "Save"

    def fields(self, key: str) -> Form:
        """How it ended, what came of it, and a note."""
        state = st.radio(
            "How it ended", list(_CLOSED), key=f"{key}:state", horizontal=True,
            format_func=_CLOSED.__getitem__,
        )  # fmt: skip
        codes = OUTCOMES[state or DONE]
        outcome = st.selectbox(
            "Outcome", list(codes), index=None, key=f"{key}:{state}:outcome",
            format_func=codes.__getitem__, placeholder="Choose",
        )  # fmt: skip
        note = st.text_area("Note", key=f"{key}:note", height=100, max_chars=5000)
        return {"state": state or DONE, "outcome": outcome or "", "note": note or ""}

    def preview(self, form: Form) -> Preview:
        """What is kept."""
        if not form["outcome"]:
            raise InvalidInput("Choose what came of the call.", field="outcome")
        words = OUTCOMES[form["state"]][form["outcome"]]
        return Preview((f"The call is closed: {_CLOSED[form['state']].lower()}; {words.lower()}.",))

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
    instant = parse_due(due)
    if instant is None:
        raise InvalidInput("Choose a day and a time.", field="due_at")
    return instant
