"""What stands around every page: the start, the way in, the menu, the banner."""

from __future__ import annotations

import streamlit as st

from pages.components import actions, banner, freshness, navigation, sign_in, starting
from services import config

_ICON = navigation.ROOT / "pages" / "components" / "icon.png"


def run() -> None:
    """One run of the script, for one visitor."""
    st.set_page_config(page_title="Trialdesk", page_icon=_ICON, layout="wide")
    st.logo(_ICON, size="large")
    starting.wait()
    person = sign_in.person()
    page = st.navigation(navigation.menu(person))
    st.set_page_config(page_title=f"{page.title} · {config.settings().workspace_name}", page_icon=_ICON)
    with st.sidebar:
        sign_in.corner(person)
    banner.show(person)
    freshness.begin()
    page.run()
    actions.follow(person)
    freshness.watch()
