"""Which views did people keep of this page? Pick one, keep the present one, remove one's own."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from models import SavedFilter
from pages.components import clicks, formats, guard
from services import database
from services.customers import saved_filters
from services.staff.roles import Permission, Person

Query = dict[str, list[str]]
_PLACE = "saved views"


def menu(person: Person, page: str, present: Query, apply: Callable[[Query], None]) -> None:
    """The popover with the saved views of `page`; `present` is what would be kept."""
    with database.session() as session:
        views = saved_filters.available(session, person, page)
    with st.popover("Saved filters", icon=":material/bookmark:"):
        if not views:
            st.caption("No filters are saved yet.")
        for view in views:
            _row(person, view, apply)
        if present:
            _keep(person, page, present)
        else:
            st.caption("Set a filter first to save it here.")
        clicks.show_problem(_PLACE)


def _row(person: Person, view: SavedFilter, apply: Callable[[Query], None]) -> None:
    mine = view.owner == person.id
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            formats.plain(view.name),
            key=f"view:{view.id}",
            on_click=clicks.attempt,
            args=(_PLACE, apply, view.query),
            icon=":material/group:" if view.shared else ":material/lock:",
            type="tertiary",
            width="stretch",
            help="Shared with everybody" if view.shared else "Only you see it",
        )
        if mine:
            st.button(
                "Remove",
                key=f"view:{view.id}:remove",
                icon=":material/delete:",
                type="tertiary",
                on_click=clicks.attempt,
                args=(_PLACE, _remove, view),
            )


def _keep(person: Person, page: str, present: Query) -> None:
    with st.form("save_view", border=False, clear_on_submit=False):
        st.text_input("Save this filter as", key="view_name", max_chars=saved_filters.LONGEST_NAME)
        why_not = person.why_not(Permission.SHARE_FILTERS)
        st.checkbox("Share with everybody", key="view_shared", disabled=bool(why_not), help=why_not or None)
        st.form_submit_button("Save", on_click=clicks.attempt, args=(_PLACE, _save, page, present))


def _save(page: str, present: Query) -> None:
    person = guard.current()
    name, shared = st.session_state["view_name"], bool(st.session_state["view_shared"])
    with database.transaction() as session:
        saved_filters.save(session, person, page, name, present, shared=shared)
    st.session_state["view_name"] = ""
    st.toast("The filter is saved.", icon=":material/check:")


def _remove(view: SavedFilter) -> None:
    if view.id is None:
        return
    with database.transaction() as session:
        saved_filters.delete(session, guard.current(), view.id)
