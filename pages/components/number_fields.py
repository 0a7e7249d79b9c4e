"""How is a whole number asked for, so that what was typed is what is judged?"""

from __future__ import annotations

from decimal import Decimal

import streamlit as st


def whole(label: str, first: int, key: str) -> str:
    """Draws a field for a whole number; gives what was typed, "" for nothing.

    A field for whole numbers would cut 1.5 to 1, and one that is told its first value would take it again
    when it is emptied.
    """
    st.session_state.setdefault(key, float(first))
    typed = st.number_input(label, value=None, step=1.0, format="%g", key=key)
    return "" if typed is None else f"{Decimal(str(typed)):f}".removesuffix(".0")
