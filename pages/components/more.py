"""A list that shows its first rows, and some more at each click. `key` names the list in the session."""

from __future__ import annotations

import streamlit as st


def limit(key: str, step: int) -> int:
    """How many rows to show now."""
    return int(st.session_state.get(key, step))


def button(label: str, key: str, step: int) -> None:
    """Draws the button that shows `step` rows more."""
    st.button(label, key=f"{key}:more", on_click=_grow, args=(key, step))


def below(shown: int, total: int, things: str, key: str, step: int) -> None:
    """Under a list that is cut: how much of it is shown, and the button for more; else nothing."""
    if shown >= total:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{shown} of {total} {things} are shown.", width="content")
        button(f"Show {min(step, total - shown)} more", key, step)


def _grow(key: str, step: int) -> None:
    st.session_state[key] = limit(key, step) + step
