"""Which colours do the charts use, in light and dark?"""

from __future__ import annotations

import streamlit as st

# Told apart by lightness too, so that they stay apart for every kind of colour blindness, and in grey.
STATE_COLOURS: dict[str, tuple[str, str]] = {  # light, dark
    "converted": ("#1f9080", "#3fb8a5"),
    "running": ("#8fb8ee", "#5f8fd6"),
    "missed_payment": ("#d97b16", "#f0a35c"),
    "cancelled_in_trial": ("#7c2f6c", "#a8509a"),
    "expired": ("#b9bfca", "#4f5765"),
    "free": ("#e3cf5b", "#ecdc86"),
}
_INK = {"light": ("#4453c4", "#c9cfe9", "#5d6675"), "dark": ("#8c98f5", "#3b4374", "#a3acba")}


def ink() -> tuple[str, str, str]:
    """Colours of what matters, of its pale companion, and of what stays quiet, in the visitor's theme."""
    return _INK["dark" if _dark() else "light"]


def of_state(state: str) -> str:
    """The colour of a trial's state in the visitor's theme."""
    return STATE_COLOURS[state][_dark()]


def on(colour: str) -> str:
    """White or black, whichever reads better on a colour."""
    red, green, blue = ((int(colour[at : at + 2], 16) / 255) ** 2.2 for at in (1, 3, 5))
    return "#ffffff" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.2 else "#14181f"


def _dark() -> bool:
    return st.context.theme.type == "dark"
