"""Expected: what may the trials that run now bring, and how often did such an interval hold?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from pages.components import behind, charts, charts_expected, formats, plotted, tiles
from pages.components.conversion_view import View
from pages.components.plotted import Sheet
from services.metrics.definitions import DEFINITIONS
from services.metrics.trials import forecast
from services.metrics.trials.forecast import AHEAD, FEWEST, Expected, Forecast
from services.metrics.trials.slices import EVERYONE

_MONTHS = 14  # past ones


def draw(view: View) -> None:
    """What is expected now, and what was on past months."""
    now, tried = view.measures.forecast(), view.measures.forecasts(_MONTHS)
    if view.asked.segment != EVERYONE:
        st.caption("Of all running trials: the filters above do not count here.")
    _now(now)
    _past(view, tried)


def _now(found: Forecast) -> None:
    known = found.running - found.unknown
    st.subheader(
        f"Expected within {AHEAD} days", help=formats.plain(DEFINITIONS["expected"].more), anchor=False
    )
    if not known:
        st.info(
            "No trial is running."
            if not found.running
            else f"Nothing can be said yet: it takes {FEWEST} past trials that ran as long as those do now."
        )
        return
    with tiles.row():
        with tiles.frame():
            _tile("Conversions", found.conversions, formats.count, "expected")
            st.button(
                formats.plural(found.running, "running trial"), key="rows:expected", type="tertiary",
                on_click=behind.open, args=("number:running",), icon=":material/chevron_right:",
                icon_position="right",
            )  # fmt: skip
        for code, micros in found.mrr.items():
            with tiles.frame():
                _tile(f"New MRR, {code.upper()}", micros, partial(_money, code), "expected_mrr")
    st.caption(_from_what(found))


def _money(currency: str, micros: int) -> str:
    return formats.rough(micros, currency)


def _tile(label: str, one: Expected, written: Callable[[int], str], key: str) -> None:
    low, value, high = (round(each) for each in (one.low, one.value, one.high))
    st.metric(label, written(value), help=formats.plain(DEFINITIONS[key].short))
    st.caption(formats.plain(f"{written(low)} to {written(high)}, four times of five"))


def _from_what(found: Forecast) -> str:
    said = f"From {formats.plural(found.alike, 'past trial')} that ran as long as these do now."
    if found.unknown:
        said += (
            f" {formats.plural(found.unknown, 'running trial')} left out: too few past ones are like them."
        )
    return said


def _past(view: View, tried: Sequence[Forecast]) -> None:
    held, known = forecast.held(tried)
    sheet = Sheet(
        ("month", "running", "left_out", "expected", "low_80", "high_80", "converted", "held"),
        [
            (
                charts_expected.month(one.at), one.running, one.unknown, f"{one.conversions.value:.1f}",
                f"{one.conversions.low:.1f}", f"{one.conversions.high:.1f}", one.converted,
                int(one.held or 0),
            )
            for one in tried
        ],
    )  # fmt: skip
    plotted.head(
        view.person, "How it went in past months", sheet, "expected", help=DEFINITIONS["expected_held"].short,
        note=_how_often(held, known),
    )  # fmt: skip
    if tried:
        charts.draw(charts_expected.tried(tried), key="expected", alt=_told(tried))


def _how_often(held: int, known: int) -> str:
    if not known:
        return f"No data: no month is more than {AHEAD} days old and had enough past trials to go by."
    return (
        "On the first day of each month, by what was known then. The interval should hold four times of "
        f"five. It held {formats.count(held)} of {formats.plural(known, 'time')}."
    )


def _told(tried: Sequence[Forecast]) -> str:
    said = (
        f"{charts_expected.month(one.at)}: {one.conversions.low:.0f} to {one.conversions.high:.0f} expected, "
        f"{one.converted} came"
        for one in tried
    )
    return f"Conversions expected on the first day of each month, and what came: {'; '.join(said)}"
