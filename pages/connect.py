"""Connect: is the desk connected to its account as it should be, and what is still to set up?"""

from __future__ import annotations

import streamlit as st

from pages.components import connect_events, connect_parts, connect_rights, formats, guard

_NARROWEST = 360  # pixels of half the page; where there is no room the second half goes below


def main() -> None:
    """One run of the page."""
    person = guard.enter("connect")
    st.title("Connect")
    grid = st.grid(2, gap="large", min_column_width=_NARROWEST)
    with grid.cell():
        connect_parts.account()
    with grid.cell():
        connect_parts.pull()
    connect_rights.draw()
    connect_events.draw(person)
    connect_parts.to_set_up()
    st.caption(f"Times are in {formats.zone_name()}.")


main()
