"""Which form is being filled in at a place? Each one that is sent has a key of its own: it is taken once."""

from __future__ import annotations

import uuid

import streamlit as st


def key(place: str) -> str:
    """The key of the form that is now filled in here."""
    form: str = st.session_state.setdefault(f"form:{place}", f"{place}:{uuid.uuid4().hex}")
    return form


def clear(place: str) -> None:
    """The form was sent: the next run draws an empty one."""
    st.session_state.pop(f"form:{place}", None)
