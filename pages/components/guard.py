"""May this person open this page, now? The first line of every page asks, whoever ran the page.

person = guard.enter("customers")
"""

from __future__ import annotations

import streamlit as st

from pages.components import navigation, sign_in, starting
from pages.components.navigation import PAGES
from services.staff.roles import Person


def enter(key: str) -> Person:
    """The person who may open the page; otherwise draws why not and stops the run."""
    person = current()
    page = PAGES[key]
    if reason := person.why_not(page.permission):
        navigation.entitle(page.title)
        st.title(page.title)
        st.info(reason, icon=":material/lock:")
        st.stop()
    navigation.enter(key)
    return person


def current() -> Person:
    """Who is looking at this moment: for fragments and dialogs, which rerun without their page."""
    starting.wait()
    return sign_in.person()
