"""Whose account is this, does money move here, and how old is what you see? On top of every page."""

from __future__ import annotations

import streamlit as st

from pages.components.statuses import Colour
from services import config
from services.config import Mode
from services.staff.roles import Person

_MODES: dict[Mode, tuple[Colour, str]] = {
    "sandbox": ("blue", "**Sandbox**  An account on this machine. Nothing here reaches Stripe."),
    "test": ("orange", "**Test mode**  Stripe's test data. No real money moves."),
    "live": ("red", "**Live**  Actions here move real money."),
}
_LIVE_READ_ONLY = "**Live, read-only**  Set up sign-in to let people act."


def show(person: Person) -> None:
    """Draws the banner."""
    mode = config.settings().mode
    colour, text = _MODES[mode]
    with st.container(horizontal=True, vertical_alignment="center", key="banner"):
        st.markdown(f":{colour}-background[{_LIVE_READ_ONLY if person.read_only else text}]")
