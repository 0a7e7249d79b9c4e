"""Are the numbers counted? What pages of numbers show until they are."""

from __future__ import annotations

import streamlit as st

from pages.components import formats
from services import database
from services.metrics.counting import counting

_LOOK_EVERY = 1  # seconds
_MANY = 500  # customers: fewer are counted in a moment


def ready() -> bool:
    """Whether there are numbers to show; says how far they are where many are being counted."""
    with database.session() as session:
        found = counting.progress(session)
    if not found.exists or found.left > _MANY:
        _progress()
    return found.exists


@st.fragment(run_every=_LOOK_EVERY)
def _progress() -> None:
    with database.session() as session:
        found = counting.progress(session)
    if found.exists and found.left <= _MANY:
        st.rerun()
    until = " Until then you see what was counted before." if found.exists else ""
    st.progress(
        found.share,
        text=f"Counting the numbers: {formats.count(found.left)} of {formats.count(found.waiting)} customers "
        f"are left.{until}",
    )
