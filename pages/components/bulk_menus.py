"""Which commands for many does a list offer? For the rows that are ticked, and for all of its filters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from pages.components import bulk, formats
from services import database
from services.desk import bulk_kinds
from services.desk.bulk_preview import LARGEST
from services.staff.roles import Person

_TICKED_WIDTH = 170  # pixels: the table must not move under the mouse as a number comes into the label
_TOO_MANY = "One run takes at most {}: narrow the filters, and do it in parts."


def why_none(person: Person, commands: Sequence[str]) -> str:
    """Why this person may give none of these, as a sentence; "" where they may one."""
    permissions = (bulk_kinds.find(command).command.permission for command in commands)
    return person.why_none(*dict.fromkeys(permissions))


def for_ticked(
    person: Person, commands: Sequence[str], ids: Sequence[str], *, key: str, of_customers: bool = False
) -> None:
    """The menu for the ticked rows; `of_customers` as in `bulk.dialog`."""
    label = f"For the {formats.count(len(ids))} ticked" if ids else "For the ticked"
    closed = "" if ids else "Tick one or several rows first."
    icon = ":material/check_box:"
    if command := _menu(person, commands, label, closed, key=key, icon=icon, width=_TICKED_WIDTH):
        bulk.dialog(person, command, ids, of_customers=of_customers)


def for_all(
    person: Person,
    commands: Sequence[str],
    many: str,
    total: int,
    every: Callable[[Any], Sequence[str]],
    *,
    key: str,
    of_customers: bool = False,
) -> None:
    """The menu for all rows of the filters, on whichever page; they are so `many`, and `every` reads them."""
    if total < 2:
        return
    closed = _TOO_MANY.format(formats.count(LARGEST)) if total > LARGEST else ""
    ready = "All of these filters, not only this page."
    icon, label = ":material/select_all:", f"For all {many}"
    if command := _menu(person, commands, label, closed, key=key, icon=icon, help=ready):
        with database.session() as session:
            ids = every(session)
        bulk.dialog(person, command, ids, of_customers=of_customers)


def _menu(
    person: Person, commands: Sequence[str], label: str, closed: str, *, help: str = "", **looks: Any
) -> str | None:
    """What was chosen of what this person may do."""
    kinds = {command: bulk_kinds.find(command) for command in commands}
    allowed = [command for command in commands if person.may(kinds[command].command.permission)]
    closed = why_none(person, commands) or closed
    chosen: str | None = st.menu_button(
        label, allowed or list(commands), disabled=bool(closed), help=formats.plain(closed) or help or None,
        format_func=lambda command: f"{kinds[command].command.icon} {kinds[command].title}", **looks,
    )  # fmt: skip
    return chosen
