"""How does one dialog lead to another? Streamlit shows one at a time, and opens them in a run of the page.

The dialog says `to(...)` in the run of a click, which closes it; the page's next run opens the other one.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

_NEXT = "next_dialog"


def to(opens: Callable[[], None]) -> None:
    """Closes the open dialog; the run of the page that follows calls `opens`."""
    st.session_state[_NEXT] = opens
    st.rerun()


def take() -> None:
    """Opens the dialog that the last one led to, once; after the page."""
    if opens := st.session_state.pop(_NEXT, None):
        opens()
