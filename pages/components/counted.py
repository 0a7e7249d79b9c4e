"""Are the numbers counted? What pages of numbers show until they are."""

from __future__ import annotations

import streamlit as st

from pages.components import formats
from services import database
from services.metrics.counting import counting
from services.metrics.counting.counting import Progress

_LOOK_EVERY = 1  # seconds
_MANY = 500  # customers: fewer are counted in a moment


def ready() -> bool:
    """Whether there are numbers to show; says how far they are where many are being counted."""
    with database.session() as session:
        found = counting.progress(session)
    if not found.exists or found.left > _MANY or found.is_building:
        _progress()
    return found.exists


@st.fragment(run_every=_LOOK_EVERY)
def _progress() -> None:
    with database.session() as session:
        found = counting.progress(session)
    if found.exists and found.left <= _MANY and not found.is_building:
        st.rerun()
    st.progress(found.share, text=_said(found))


def _said(found: Progress) -> str:
    until = " Until then you see what was counted before." if found.exists else ""
    if not found.left:
        return f"Adding up what was counted.{until}"
    many = f"{formats.count(found.left)} of {formats.count(found.waiting)} customers are left."
    return f"Counting the numbers: {many}{until}"


def hint() -> None:
    """Says where something has changed a moment ago that is in no number yet."""
    with database.session() as session:
        left = counting.progress(session).left
    if left:
        st.caption(f"{formats.plural(left, 'customer')} changed just now, and will be counted in a moment.")
