"""How does a page say that something went wrong? In sentences; the log keeps the rest."""

from __future__ import annotations

import logging
import uuid

import streamlit as st

from pages.components import formats
from services.errors import TrialdeskError

_log = logging.getLogger("trialdesk.pages")


def show(error: TrialdeskError) -> None:
    """Draws what is wrong and what to do."""
    st.error(formats.plain(error.message), icon=":material/error:")
    if error.remedy:
        st.caption(formats.plain(error.remedy))


def on_script_error(error: Exception) -> bool:
    """What Streamlit calls when a page raises: ours in words, any other with a reference into the log."""
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
