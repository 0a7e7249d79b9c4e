"""What happened with this customer? One line of time, filtered by kind, read on demand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import streamlit as st

from pages.components import address, formats, more, statuses
from services import database
from services.customers import timeline
from services.customers.timeline import KINDS, USUAL, Entry, Kind
from services.staff.roles import Person
from services.text import isolated

STEP = 30
_ICONS: dict[Kind, str] = {
    "Billing": ":material/payments:",
    "Actions": ":material/touch_app:",
    "Messages": ":material/mail:",
    "Calls": ":material/call:",
    "Tasks": ":material/checklist:",
    "Notes": ":material/sticky_note_2:",
    "Changes": ":material/edit:",
    "Technical": ":material/data_object:",
}


def draw(person: Person, customer: str) -> None:
    """The latest entries, and a button for older ones."""
    address.expect("kinds", KINDS)
    kinds = st.pills(
        "Show", KINDS, selection_mode="multi", default=USUAL, key="kinds", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    key = f"timeline:{customer}"
    with database.session() as session:
        page = timeline.latest(session, person, customer, kinds, formats, limit=more.limit(key, STEP))
    if not page.entries:
        st.caption("Nothing of this kind has happened.")
    else:
        st.caption(f"Times are in {formats.zone_name()}.")
    _entries(page.entries)
    if page.more:
        more.button("Show older", key, STEP)


def _entries(entries: Sequence[Entry]) -> None:
    with st.container(gap="xsmall"):
        for day, those in groupby(entries, key=lambda entry: formats.day(entry.at)):
            st.caption(f"**{day}**")
            for entry in those:
                _entry(entry)


def _entry(entry: Entry) -> None:
    if not entry.detail:
        st.markdown(_headline(entry))
        return
    with st.container(gap=None):
        st.markdown(_headline(entry))
        st.text(entry.detail)


def _headline(entry: Entry) -> str:
    """One line as Markdown: an element each for its parts would make long timelines slow."""
    parts = [f":gray[{_ICONS[entry.kind]} {formats.plain(formats.time_of_day(entry.at))}]"]
    parts.append(formats.plain(isolated(entry.title)))
    if entry.state:
        parts.append(statuses.inline(entry.state))
    if entry.who:
        parts.append(f":small[:gray[{formats.plain(isolated(entry.who))}]]")
    return "\u2002".join(parts)
