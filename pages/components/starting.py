"""Is the desk ready? Until it is, every page shows how far the start is, or why it stands still."""

from __future__ import annotations

import streamlit as st

from pages.components import formats, navigation, problems
from services import schedules


def wait() -> None:
    """Returns at once when the desk is ready; otherwise draws the start and stops the run."""
    startup = schedules.startup()
    if startup.ready:
        return
    navigation.hide()  # so that the visitor's page is known, and shown when the desk is ready
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title("Trialdesk")
        if startup.problem is None:
            _progress()
        else:
            problems.show(startup.problem)
            st.button("Try again", on_click=schedules.retry, icon=":material/refresh:", type="primary")
            _standing(str(startup.problem))
    st.stop()


@st.fragment(run_every=2)
def _standing(shown: str) -> None:
    """Goes on when the desk does: some problems are over by themselves."""
    startup = schedules.startup()
    if startup.problem is None or str(startup.problem) != shown:
        st.rerun()


@st.fragment(run_every=0.5)
def _progress() -> None:
    startup = schedules.startup()
    if startup.ready or startup.problem:
        st.rerun()
    share = startup.share or 0.0
    done = f" ({formats.share(round(share * 100), 100)})" if startup.share else ""
    st.progress(share, text=f"{startup.step}{done}")
    st.caption("This page goes on by itself.")
