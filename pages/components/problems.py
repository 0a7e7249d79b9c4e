"""How does a page say that something went wrong? In sentences; the log keeps the rest."""

from __future__ import annotations

import logging
import uuid
from contextlib import suppress

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.components import formats, navigation
from services import database
from services.errors import DatabaseAway, TrialdeskError, Unavailable

_log = logging.getLogger("trialdesk.pages")


def show(error: TrialdeskError) -> None:
    """Draws what is wrong and what to do."""
    st.error(formats.plain(error.message), icon=":material/error:")
    if error.remedy:
        st.caption(formats.plain(error.remedy))


def on_script_error(error: Exception) -> bool:
    """What Streamlit calls when a page raises: ours in words, any other with a reference into the log."""
    if away := database.absence(error):
        _wait_for_the_database(away)
        return True
    if isinstance(error, TrialdeskError):
        show(error)
        return True
    reference = uuid.uuid4().hex[:8]
    _log.error("A page failed (reference %s).", reference, exc_info=error)
    st.error("Something went wrong on this page, and it is our fault.", icon=":material/error:")
    st.caption(
        "Reload the page. Before you repeat an action, look for it on the Activity page. "
        f"If this stays, tell an admin “{reference}”."
    )
    return True


def _wait_for_the_database(away: DatabaseAway) -> None:
    """Says that it is away, and draws the page again once it is there."""
    context = get_script_run_ctx()
    if context is not None and not context.fragment_ids_this_run:
        navigation.hide()  # so that the visitor's page is known, as nobody can tell who it is
    show(away)
    _come_back()


@st.fragment(run_every=2)
def _come_back() -> None:
    with suppress(Unavailable):
        database.reach()
        st.rerun()
