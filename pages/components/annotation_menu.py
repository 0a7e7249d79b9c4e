"""What happened when: the annotations of the charts, and where founders and admins write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import streamlit as st

from models import Annotation
from pages.components import blank, clicks, formats, guard
from services import clock, config, database
from services.customers import once
from services.desk import annotating
from services.desk.annotating import KINDS, LONGEST, Draft
from services.staff.roles import Permission, Person

_PLACE, _NEW = "annotations", "new_annotation"


def draw(person: Person, found: Sequence[Annotation]) -> None:
    """A menu with those that the charts show, newest first; writing needs the permission."""
    why_not = person.why_not(Permission.ANNOTATE_CHARTS)
    with st.popover("Annotations", icon=":material/flag:"):
        if not found:
            st.caption("Nothing is noted in this time: launches, new prices, whatever charts should show.")
        for one in reversed(found):
            _one(one, bool(why_not))
        if why_not:
            st.caption(formats.plain(why_not))
        else:
            _form(blank.key(_NEW), None)
        clicks.show_problem(_PLACE)


def _one(one: Annotation, locked: bool) -> None:
    kind = KINDS.get(one.kind, one.kind)
    st.markdown(f"**{formats.day(one.at)}** {formats.plain(one.text)}")
    st.caption(formats.plain(kind))
    if not locked:
        with st.expander("Change or remove"):
            _form(f"annotation:{one.id}", one)


def _form(key: str, one: Annotation | None) -> None:
    """The fields; of an annotation that is there with a way to take it off the charts."""
    zone = config.settings().zone
    day = clock.local(one.at if one else clock.now(), zone).date()
    kinds = list(KINDS)
    with st.form(key, border=False):
        st.date_input("Day", value=day, key=f"{key}:day")
        st.selectbox(
            "Kind", kinds, kinds.index(one.kind) if one and one.kind in KINDS else 0, key=f"{key}:kind",
            format_func=KINDS.__getitem__,
        )  # fmt: skip
        # without `max_chars`, at which a paste that is too long would vanish: the desk says so instead
        st.text_input(
            "What happened", value=one.text if one else "", key=f"{key}:text",
            help=f"At most {LONGEST} characters: it stands in charts.",
        )  # fmt: skip
        with st.container(horizontal=True):
            act = (_PLACE, _edit, key, one.id) if one else (_PLACE, _add, key)
            st.form_submit_button("Save" if one else "Add", on_click=clicks.attempt, args=act)
            if one:
                st.form_submit_button(
                    "Remove", icon=":material/delete:", type="tertiary", on_click=clicks.attempt,
                    args=(_PLACE, _remove, one.id),
                )  # fmt: skip


def _add(key: str) -> None:
    draft = _draft(key)
    with database.transaction() as session:
        if once.first(session, key, draft):
            annotating.add(session, guard.current(), draft, config.settings().zone)
    blank.clear(_NEW)


def _edit(key: str, id: int) -> None:
    with database.transaction() as session:
        annotating.edit(session, guard.current(), id, _draft(key), config.settings().zone)


def _remove(id: int) -> None:
    with database.transaction() as session:
        annotating.remove(session, guard.current(), id, config.settings().zone)


def _draft(key: str) -> Draft:
    day: date = st.session_state[f"{key}:day"]
    return Draft(day, st.session_state[f"{key}:kind"], st.session_state[f"{key}:text"])
