"""Definitions: what each number means, in full, with numerator and denominator."""

from __future__ import annotations

import streamlit as st

from pages.components import formats, guard
from services.metrics.definitions import Definition, sections


def main() -> None:
    """One run of the page."""
    guard.enter("definitions")
    st.title("Definitions")
    st.caption(f"One meaning for each number, everywhere. Days and months are cut in {formats.zone_name()}.")
    for section, definitions in sections().items():
        st.header(section)
        for definition in definitions:
            _draw(definition)


def _draw(definition: Definition) -> None:
    st.subheader(definition.title, anchor=definition.key.replace("_", "-"))
    with st.container(width=760):
        st.write(formats.plain(definition.short))
        if definition.part:
            st.table(
                {"Counted": formats.plain(definition.part), "Divided by": formats.plain(definition.whole)},
                border="horizontal",
                width="content",
            )
        if definition.more:
            st.caption(formats.plain(definition.more))


main()
