"""One command for many: the dialog that begins it, and how far it is, there and on the page Bulk runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from pages.components import (
    account_fields,
    clicks,
    formats,
    guard,
    navigation,
    plan_fields,
    statuses,
    tables,
    ticking,
)
from pages.components.actions import days_field
from pages.components.dialog import Reason, say, show, show_problem
from pages.components.tables import Column
from services import database
from services.desk import bulk, bulk_kinds, bulk_preview, bulk_progress, commands
from services.desk.bulk_preview import Chosen
from services.desk.bulk_progress import STATES, Run, Seen
from services.desk.command import Form, Preview
from services.desk.commands import Outcome
from services.errors import TrialdeskError
from services.staff.roles import Person

_LOOK_EVERY = 1.0  # seconds
_IN_DIALOG = 10  # rows
_MOVING = ("running", "stopping")
_FIELDS: dict[str, Callable[[Chosen, str], Form]] = {
    "extend_trial": lambda _, key: days_field(key),
    "cancel": lambda _, key: account_fields.at_period_end(key),
    "apply_coupon": lambda chosen, key: plan_fields.coupon(chosen.coupons, key),
}
_COLUMNS = (
    Column("name", "Customer", width=200),
    Column("state", "State", "status", width=150),
    Column("message", "What came of it", width="large"),
)


def dialog(person: Person, command: str, ids: Sequence[str], *, of_customers: bool = False) -> None:
    """Opens the dialog that gives a command to many; where nobody may, it says why. `of_customers`: the ids
    are customers', and all of their subscriptions are meant for which it is offered."""
    kind = bulk_kinds.find(command)
    try:
        person.require(kind.command.permission)
        with database.session() as session:
            meant = bulk_preview.of_customers(session, command, ids) if of_customers else ids
            chosen = bulk_preview.look(session, command, meant)
            left = bulk_preview.without(session, chosen, ids) if of_customers else ""
    except TrialdeskError as error:
        show_problem(kind.title, error)
        return
    dialogue = _Bulk(person, chosen)
    about = f"{chosen.many}: {chosen.first(list(chosen.subjects))}.{left and f' {left}'}"
    show(dialogue, about=about, progress=dialogue.progress, grave=kind.command.grave)


class _Bulk:
    """A command for many as a dialogue: it begins the run, which goes on by itself."""

    warning = ""

    def __init__(self, person: Person, chosen: Chosen) -> None:
        self._person = person
        self._chosen = chosen
        self._token = commands.new_token()
        self.title = chosen.kind.title
        self.icon = chosen.kind.command.icon
        self.confirm = chosen.kind.confirm
        self.reason: Reason = "required" if chosen.kind.command.reason_required else "optional"

    def fields(self, key: str) -> Form:
        """What is the same for all of them."""
        draw = _FIELDS.get(self._chosen.kind.command.name)
        return draw(self._chosen, key) if draw else {}

    def preview(self, form: Form) -> Preview:
        """What happens in all, and the exceptions."""
        return bulk_preview.preview(self._person, self._chosen, form)

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Begins the run, or asks for it."""
        name = self._chosen.kind.command.name
        return bulk.start(self._token, person, name, list(self._chosen.subjects), form, reason)

    def renew(self, person: Person) -> None:
        """Looks at the rows again; nothing was begun."""
        with database.session() as session:
            self._chosen = bulk_preview.look(
                session, self._chosen.kind.command.name, list(self._chosen.subjects)
            )
        self._person = person

    def progress(self) -> None:
        """How far it is, with the rows that need somebody."""
        progress(self._token, rows=_IN_DIALOG)


@st.fragment
def progress(id: str, *, rows: int = 0) -> None:
    """How far a run is, and the buttons to stop it or to go on; with so many of its `rows` where any. It is
    looked at again for as long as it moves."""
    person = guard.current()
    with database.session() as session:
        run = bulk_progress.find(session, person, id)
        first = bulk_progress.rows(session, id, limit=rows) if rows else []
    ticking.every(_LOOK_EVERY if run.state in _MOVING else None)
    st.progress(run.over / max(run.total, 1), text=formats.plain(run.said))
    if run.state == "asked":
        say(commands.asked(id))
    if run.note:
        st.warning(formats.plain(run.note), icon=":material/block:")
    _counts(run)
    _buttons(run)
    clicks.show_problem(_place(id))
    if rows:
        table(first, key=f"bulk-{id}")
        if run.total > len(first):
            st.caption(f"The first {len(first)} of {formats.count(run.total)}: what needs somebody, first.")
        if run.state in _MOVING:
            st.caption("It goes on when this is closed. The page Bulk runs shows how far it is.")


def _counts(run: Run) -> None:
    """How many rows stand how."""
    said = [
        f"{statuses.inline(each)} {formats.count(run.counts[each])}" for each in STATES if each in run.counts
    ]
    moving = f"{statuses.inline(run.state)} · " if run.state != "done" else ""
    st.markdown(f"{moving}{' '.join(said)}")


def _buttons(run: Run) -> None:
    """Stop, Resume or Retry, whichever fits."""
    failed = run.counts.get("failed", 0)
    others = "" if run.is_own else f"{run.staff_name} began this run; only they can go on with it."
    match run.state:
        case "running":
            _button(run, "Stop", ":material/stop_circle:", bulk.stop, run.why_not)
        case "stopped":
            _button(run, "Resume", ":material/play_circle:", bulk.resume, run.why_not or others)
        case "done" if failed:
            _button(run, "Retry failed rows", ":material/refresh:", bulk.retry, run.why_not or others)


def _button(run: Run, label: str, icon: str, act: Callable[[Person, str], None], why_not: str) -> None:
    st.button(
        label, icon=icon, key=f"bulk-{run.id}-{label}", disabled=bool(why_not),
        help=formats.plain(why_not) or None, on_click=clicks.attempt,
        args=(_place(run.id), partial(_do, act), run.id),
    )  # fmt: skip


def _do(act: Callable[[Person, str], None], id: str) -> None:
    act(guard.current(), id)


def _place(id: str) -> str:
    return f"bulk-{id}"


def table(rows: list[Seen], *, key: str) -> None:
    """The rows of a run, each with what came of it."""
    picked = tables.show(
        [_cells(row) for row in rows], _COLUMNS, key=key, alt="What became of each", empty="No rows.",
        open_label="Customer",
    )  # fmt: skip
    if picked.opened is not None:
        navigation.go("customer", id=rows[picked.opened].customer)


def _cells(row: Seen) -> dict[str, Any]:
    return {"name": row.name, "state": row.state, "message": row.message}
