"""Cohorts: what share of the trials of each month or week converted, how fast, and what became of others."""

from __future__ import annotations

import streamlit as st

from pages.components import charts, charts_cohorts, formats, plotted
from pages.components.charts_marks import marked
from pages.components.conversion_view import View
from pages.components.plotted import Sheet
from services.metrics.definitions import DEFINITIONS
from services.metrics.trials.conversion import Cohort, HeatRow
from services.metrics.trials.trials import STATES

_HEAT_DAYS = (3, 7, 10, 14, 17, 21, 30, 45, 60, 90)
_MOST_ROWS = 26  # of the heat map


def draw(view: View) -> None:
    """The three charts, and the same as a table."""
    cohorts = view.outcomes.cohorts(view.window)
    if not any(cohort.started for cohort in cohorts):
        st.caption(f"No data: no such trial started in these {view.one}s.")
        return
    _rates(view, cohorts)
    _heat(view)
    _states(view, cohorts)
    with st.expander("The same as a table"):
        st.table([_row(cohort) for cohort in reversed(cohorts)], border="horizontal", hide_index=True)


def _rates(view: View, cohorts: list[Cohort]) -> None:
    header = (view.one, "open", *plotted.RATE)
    sheet = Sheet(header, [(one.period.key, int(one.open), *plotted.rate(one.rate)) for one in cohorts])
    plotted.head(
        view.person, f"Trials by the {view.one} of their start", sheet, "cohort_rates",
        help=f"{DEFINITIONS['cohort_rate'].short} {DEFINITIONS['cohort_rate'].more}",
        note=f"Share converted {view.within}. Whiskers are 95 % intervals; what is open can still rise.",
    )  # fmt: skip
    made = charts_cohorts.rates(cohorts, view.measures.period_rate(view.asked.segment))
    said = [f"{charts.period(one.period.key)} {_words(one)}" for one in cohorts]
    alt = f"Share of trials converted, by {view.one} of their start: {', '.join(said)}"
    plotted.chart(marked(made, view.periods, view.annotations), "rates", alt)


def _heat(view: View) -> None:
    rows = [row for row in view.outcomes.heat(_HEAT_DAYS) if row.started][-_MOST_ROWS:]
    header = (view.one, "day", *plotted.RATE)
    sheet = Sheet(header, [
        (row.period.key, day, *plotted.rate(rate))
        for row in rows for day, rate in zip(_HEAT_DAYS, row.shares, strict=True)
    ])  # fmt: skip
    plotted.head(
        view.person, "Converted by day", sheet, "cohort_days", help=DEFINITIONS["heat"].short,
        note="Of all that started (in brackets), the share that had converted by that day. “Not yet”: not "
        f"every trial of the {view.one} is that old.",
    )  # fmt: skip
    alt = f"Share converted by day since the start: {', '.join(_heat_words(row) for row in rows)}"
    plotted.chart(charts_cohorts.heat(rows, _HEAT_DAYS), "heat", alt)


def _heat_words(row: HeatRow) -> str:
    known = [(day, rate) for day, rate in zip(_HEAT_DAYS, row.shares, strict=True) if rate]
    if not known:
        return f"{charts.period(row.period.key)} not yet"
    day, rate = known[-1]
    return f"{charts.period(row.period.key)} {formats.share(rate.part, rate.whole)} by day {day}"


def _states(view: View, cohorts: list[Cohort]) -> None:
    later = ", conversions after the window included" if view.window else ""
    sheet = Sheet(
        (view.one, *STATES), [(one.period.key, *(one.states[s] for s in STATES)) for one in cohorts]
    )
    plotted.head(
        view.person, "What became of them", sheet, "cohort_states", help=DEFINITIONS["states"].more,
        note=f"In trials{later}.",
    )  # fmt: skip
    alt = f"Trials of each {view.one} by what became of them: the table below says the same"
    plotted.chart(marked(charts_cohorts.states(cohorts), view.periods, view.annotations), "states", alt)


def _words(cohort: Cohort) -> str:
    return "still open" if cohort.open else formats.share(cohort.rate.part, cohort.rate.whole)


def _row(cohort: Cohort) -> dict[str, str]:
    held = cohort.rate.interval
    return {
        "Started in": charts.begin(cohort.period.key),
        "Started": formats.count(cohort.started),
        "Converted in time": formats.count(cohort.rate.part),
        "Share": _words(cohort),
        "95 % interval": charts.between(held) if held and not cohort.open else formats.NOTHING,
        **{words: formats.count(cohort.states[state]) for state, words in charts.STATE_WORDS.items()},
    }
