"""Whose account is this, does money move here, and how old is what you see? On top of every page."""

from __future__ import annotations

import streamlit as st

from pages.components.statuses import Colour
from services import config
from services.config import Mode
from services.staff.roles import Person

_MODES: dict[Mode, tuple[str, Colour, str]] = {
    "sandbox": ("Sandbox", "violet", "An account on this machine. Nothing here reaches Stripe."),
    "test": ("Test mode", "orange", "Stripe's test mode. No real money moves."),
    "live": ("Live", "red", "The live account. Actions move real money."),
}


def show(person: Person) -> None:
    """Draws the banner."""
    word, colour, meaning = _MODES[config.settings().mode]
    with st.container(horizontal=True, vertical_alignment="center", key="banner", border=True):
        st.badge(word, color=colour)
        st.caption(person.read_only or meaning)
