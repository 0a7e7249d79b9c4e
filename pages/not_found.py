"""Not found: which page did the address ask for, and which are there?"""

from __future__ import annotations

import streamlit as st

from pages.components import address, guard, navigation
from pages.components.document import ASKED

_LONGEST = 80  # characters of an address that are repeated


def main() -> None:
    """One run of the page."""
    person = guard.enter("not-found")
    st.title("No such page")
    asked = address.read(ASKED)
    if asked:
        short = asked if len(asked) <= _LONGEST else f"{asked[: _LONGEST - 1]}…"
        st.text(f"The address asks for “{short}”. These pages are there:")
    else:
        st.text("These pages are there:")
    for page in navigation.PAGES.values():
        if not page.hidden and person.may(page.permission):
            with st.container(gap=None):
                navigation.link(page.key, page.title, icon=page.icon)
                st.caption(page.help)


main()
