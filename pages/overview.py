"""Overview: today at a glance, per currency, each number against the period before and with its rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st

from pages.components import banner, charts, counted, formats, guard, navigation, tiles, today
from pages.components.measures import Measures
from services.metrics.overview import Figure

_SHOWN = 3
_LINES_OF_ALL = ("trials_ending", "failing_ended")
_LINES = ("trials_ending", "trial_mrr", "at_stake_ended", "recovery_rate", "disputed", "unvalued")


def main() -> None:
    """One run of the page."""
    person = guard.enter("overview")
    st.title("Overview")
    today.draw(person)
    if not banner.is_whole():
        st.info("Numbers appear here once the whole account has been read. Customers can be found already.")
        navigation.link("customers", "Search customers", icon=":material/search:")
        return
    if not counted.ready():
        return
    glance = Measures(person).glance()
    if not glance.by_currency:
        st.info(
            "No subscription, trial or payment has been read yet. Numbers appear here with the first ones."
        )
        return
    st.caption(
        "Changes are against 30 days ago, of conversion against the month before. Past numbers are "
        "reconstructed."
    )
    currencies = list(glance.by_currency)
    if len(currencies) > 1:
        _block("All currencies", "", glance.all, _LINES_OF_ALL)
    for code in currencies[:_SHOWN]:
        _block(code.upper(), code, glance.by_currency[code], _LINES)
    if rest := currencies[_SHOWN:]:
        with st.expander(f"More currencies: {', '.join(code.upper() for code in rest)}"):
            for code in rest:
                _block(code.upper(), code, glance.by_currency[code], _LINES)
    st.caption(f"Amounts are never added across currencies. Months are cut in {formats.zone_name()}.")
    navigation.link("report", "Monthly report", icon=":material/article:")
    tiles.definitions_link()


def _block(title: str, code: str, figures: Sequence[Figure], lines: Collection[str]) -> None:
    """The figures as tiles, those in `lines` as one line of text below them."""
    st.subheader(title)
    with tiles.row():
        for figure in figures:
            if figure.key not in lines:
                tiles.show(figure, code, title=_title(figure))
    with st.container(horizontal=True, gap="small"):
        for figure in figures:
            if figure.key in lines:
                tiles.line(figure, code)


def _title(figure: Figure) -> str:
    """The cohort's month belongs to the name of its rate."""
    if figure.key != "cohort_rate" or "show" not in figure.params:
        return ""
    return f"Converted, {charts.month(figure.params['show'].partition(':')[2])}"


main()
