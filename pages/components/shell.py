"""What stands around every page: the start, the way in, the menu, the banner."""

from __future__ import annotations

import streamlit as st

from pages.components import address, banner, freshness, handover, navigation, sign_in, starting
from services import database
from services.desk import approvals, requestboard

_MENU_WIDTH = 220  # pixels, until somebody drags its edge


def run() -> None:
    """One run of the script, for one visitor."""
    st.set_page_config(
        page_title=navigation.last_title(), page_icon=navigation.ICON, layout="wide",
        initial_sidebar_state=_MENU_WIDTH,
    )  # fmt: skip
    st.logo(navigation.ICON, size="large")
    starting.wait()
    with st.sidebar:
        sign_in.switch()
    person = sign_in.person()
    with database.session() as session:
        waiting = {
            navigation.APPROVALS: approvals.count(session),
            navigation.REQUESTS: requestboard.count_open(session),
        }
    page = st.navigation(navigation.menu(person, waiting), expanded=True)  # no page is behind “View more”
    with st.sidebar:
        sign_in.corner(person)
    banner.show(person)
    freshness.begin()
    with address.watched(page.url_path):
        page.run()
    handover.take()
    freshness.watch()
