"""Revenue: what comes in each month, what moves it, who leaves and who stays, by plan and country?"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.components import (
    annotation_menu,
    conversion_view,
    counted,
    formats,
    guard,
    revenue_behind,
    revenue_churn,
    revenue_mrr,
    revenue_numbers,
    revenue_parts,
    revenue_rates,
    revenue_retention,
    revenue_view,
    tiles,
)
from pages.components.revenue_view import Look

_VIEWS: dict[str, Callable[[Look], None]] = {
    "MRR": revenue_mrr.draw,
    "Churn": revenue_churn.draw,
    "Retention": revenue_retention.draw,
    "Plans and countries": revenue_parts.draw,
}


def main() -> None:
    """One run of the page."""
    person = guard.enter("revenue")
    st.title("Revenue")
    if not counted.ready():
        return
    look = revenue_view.draw(person)
    if look is None:
        st.info("Nobody has subscribed yet. Revenue appears here with the first subscription.")
        return
    found = revenue_behind.asked(look)
    revenue_numbers.draw(look)
    revenue_rates.caption(look)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        shown = conversion_view.segments("View", conversion_view.same(_VIEWS), "view")
        with st.container(horizontal=True, width="content"):
            revenue_rates.draw(look)
            annotation_menu.draw(person, look.annotations())
    _VIEWS[shown](look)
    st.caption(
        f"Days, weeks and months are cut in {formats.zone_name()}. A click on a bar, a point, a cell or "
        "“Customers” shows the rows."
    )
    tiles.definitions_link()
    if found is not None:
        revenue_behind.show(look, found)


main()
