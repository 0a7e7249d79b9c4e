"""How does a click that writes end? Done, or with a sentence beside the place where it was clicked.

Clicks run before the page does, so that the page shows what is true afterwards; what was typed stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.components import problems
from services.errors import TrialdeskError


def attempt(place: str, act: Callable[..., None], *given: Any) -> None:
    """Runs `act(*given)`; what goes wrong waits for `show_problem(place)`. For `on_click` and `on_change`."""
    st.session_state.pop(_key(place), None)
    try:
        act(*given)
    except TrialdeskError as problem:
        st.session_state[_key(place)] = problem


def show_problem(place: str) -> None:
    """Says what went wrong with the last click at this place, once."""
    problem = st.session_state.pop(_key(place), None)
    if problem is not None:
        problems.show(problem)


def _key(place: str) -> str:
    return f"problem:{place}"
