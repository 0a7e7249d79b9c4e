"""Conversion: who of those that try becomes a customer, how fast, why not, and in which groups?"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.components import (
    annotation_menu,
    behind,
    conversion_cohorts,
    conversion_compare,
    conversion_curves,
    conversion_expected,
    conversion_funnel,
    conversion_groups,
    conversion_numbers,
    conversion_reasons,
    conversion_view,
    counted,
    formats,
    guard,
    tiles,
)
from pages.components.conversion_view import View

_VIEWS: dict[str, Callable[[View], None]] = {
    "Cohorts": conversion_cohorts.draw,
    "Curves": conversion_curves.draw,
    "Why not": conversion_reasons.draw,
    "Groups": conversion_groups.draw,
    "Compare": conversion_compare.draw,
    "Funnel": conversion_funnel.draw,
    "Expected": conversion_expected.draw,
}


def main() -> None:
    """One run of the page."""
    person = guard.enter("conversion")
    st.title("Conversion")
    if not counted.ready():
        return
    view = conversion_view.draw(person)
    if not view.measures.options().currencies:
        st.info("No trial has started yet. Conversion appears here with the first ones.")
        return
    found = behind.asked(view)
    conversion_numbers.draw(view)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        shown = conversion_view.segments("View", conversion_view.same(_VIEWS), "view")
        annotation_menu.draw(person, view.annotations)
    _VIEWS[shown](view)
    st.caption(
        f"Months and weeks are cut in {formats.zone_name()}. A click on a bar, a point, a cell or a number "
        "of trials shows its customers."
    )
    tiles.definitions_link()
    if found is not None:
        behind.show(found)


main()
