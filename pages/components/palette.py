"""Which colours do the charts use, in light and dark?

Colours that must be told apart differ in lightness, too: so they stay apart for every kind of colour
blindness, and in grey.
"""

from __future__ import annotations

import streamlit as st

STATE_COLOURS: dict[str, tuple[str, str]] = {  # light, dark
    "converted": ("#1f9080", "#3fb8a5"),
    "running": ("#8fb8ee", "#5f8fd6"),
    "missed_payment": ("#d97b16", "#f0a35c"),
    "cancelled_in_trial": ("#7c2f6c", "#a8509a"),
    "expired": ("#b9bfca", "#4f5765"),
    "free": ("#e3cf5b", "#ecdc86"),
}
MOVE_COLOURS: dict[str, tuple[str, str]] = {  # movements of MRR: up in blue and green, down in orange and red
    "new": ("#1b5fa8", "#4f9be8"),
    "reactivation": ("#63b7ad", "#8fe0d2"),
    "expansion": ("#a9cdf2", "#c9e2fb"),
    "switch": ("#b9bfca", "#4f5765"),
    "contraction": ("#f2b56b", "#f5c98d"),
    "churn": ("#b8430f", "#e0652f"),
}
# Lines and groups: the first stands out most from the page, in both themes.
SERIES: tuple[tuple[str, str], ...] = (
    ("#22307f", "#d0d6ff"),
    ("#9a2f78", "#f2b0e0"),
    ("#c04a0c", "#ff9168"),
    ("#12907f", "#2fa898"),
    ("#b27d05", "#a8780f"),
)
# From nothing to all: away from the page's own colour, in both themes.
SCALE: tuple[tuple[str, ...], tuple[str, ...]] = (
    ("#eef0fb", "#c2c8ee", "#8894da", "#5565c6", "#364292", "#1d2557"),
    ("#1c2240", "#2f3a80", "#4453b4", "#6c7ad0", "#a6afe5", "#e6e9fb"),
)
_INK = {"light": ("#4453c4", "#c9cfe9", "#5d6675"), "dark": ("#8c98f5", "#3b4374", "#a3acba")}
_OPEN = ("#f1f2f6", "#1d222d")


def ink() -> tuple[str, str, str]:
    """Colours of what matters, of its pale companion, and of what stays quiet, in the visitor's theme."""
    return _INK["dark" if _dark() else "light"]


def of_state(state: str) -> str:
    """The colour of a trial's state in the visitor's theme."""
    return STATE_COLOURS[state][_dark()]


def of_move(kind: str) -> str:
    """The colour of a movement of MRR in the visitor's theme."""
    return MOVE_COLOURS[kind][_dark()]


def series(place: int) -> str:
    """The colour of a chart's line or group by its place; beyond the last one they are all quiet."""
    return SERIES[place][_dark()] if place < len(SERIES) else ink()[2]


def scale() -> list[list[float | str]]:
    """The colours between a share of nothing and the highest one, as plotly takes them."""
    colours = SCALE[_dark()]
    return [[place / (len(colours) - 1), colour] for place, colour in enumerate(colours)]


def unfinished() -> str:
    """The ground under what can still change."""
    return _OPEN[_dark()]


def clear(colour: str, opacity: float) -> str:
    """A colour through which the page is seen; `opacity` from 0 to 1."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def on(colour: str) -> str:
    """White or black, whichever reads better on a colour."""
    red, green, blue = ((int(colour[at : at + 2], 16) / 255) ** 2.2 for at in (1, 3, 5))
    return "#ffffff" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.2 else "#14181f"


def _dark() -> bool:
    return st.context.theme.type == "dark"
