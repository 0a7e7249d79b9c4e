"""Has something happened that this page should show? Then it is drawn again, without a click.

Not while a dialog is open: a new run of the page would close it, and what was typed in it were lost.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from services import database
from services.metrics import kept, version

LOOK_EVERY = 3  # seconds
_SHOWN, _DIALOG = "data_shown", "dialog_is_open"


def begin() -> None:
    """Notes which state of the data the page is about to show; before the page."""
    st.session_state[_SHOWN] = _now()
    kept.gave_old()


def watch() -> None:
    """Looks for news from now on; after the page."""
    context = get_script_run_ctx()
    st.session_state[_DIALOG] = context is not None and context.has_dialog_opened
    _look()
    if kept.gave_old():  # what is computed beside is news, too, at the next look
        st.session_state[_SHOWN] = None


def dialog_closed() -> None:
    """What every dialog calls when it is dismissed (`on_dismiss`): its last typed word may come with the
    dismissal, and then Streamlit runs the dialog once more and not the page."""
    st.session_state[_DIALOG] = False


@st.fragment(run_every=LOOK_EVERY)
def _look() -> None:
    if not st.session_state[_DIALOG] and st.session_state[_SHOWN] != _now():
        st.rerun()


def _now() -> int:
    with database.session() as session:
        return version.data_version(session)
