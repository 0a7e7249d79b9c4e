"""Recovery: how often do payments fail, how much comes back, how soon, and by what?"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.components import (
    annotation_menu,
    behind_payments,
    conversion_view,
    counted,
    formats,
    guard,
    recovery_groups,
    recovery_months,
    recovery_numbers,
    recovery_view,
    recovery_ways,
    tiles,
)
from pages.components.recovery_view import View

_VIEWS: dict[str, Callable[[View], None]] = {
    "Months": recovery_months.draw,
    "Reasons and groups": recovery_groups.draw,
    "The way back": recovery_ways.draw,
}


def main() -> None:
    """One run of the page."""
    person = guard.enter("recovery")
    st.title("Recovery")
    if not counted.ready():
        return
    view = recovery_view.draw(person)
    if view is None:
        st.info("No payment has been tried yet. What fails and what comes back appears here.")
        return
    found = behind_payments.asked(view)
    recovery_numbers.draw(view)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        shown = conversion_view.segments("View", conversion_view.same(_VIEWS), "view")
        annotation_menu.draw(person, view.annotations())
    _VIEWS[shown](view)
    st.caption(
        f"Months are cut in {formats.zone_name()}. The first invoice after a trial is left out: it is a "
        "missed payment of the trial. A click on a bar, a point or a number of payments shows them."
    )
    tiles.definitions_link()
    if found is not None:
        behind_payments.show(found)


main()
