"""How do the charts look? One palette that colour-blind people can tell apart, direct labels, little ink.

Every function takes numbers and gives a plotly figure as plain data; `draw` puts it on the page. A bar or
point that opens rows carries their address in `customdata`. Text that customers or staff typed is escaped:
plotly reads tags.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from babel.dates import format_date

from pages.components import formats, palette
from services import config
from services.metrics.conversion import Cohort, Group
from services.metrics.funnel import Step
from services.metrics.statistics import Rate

STATE_WORDS = {
    "converted": "Converted",
    "running": "Running",
    "missed_payment": "Missed payment",
    "cancelled_in_trial": "Canceled in trial",
    "expired": "Expired",
    "free": "Free",
}
STEP_WORDS = {
    "signed_up": "Signed up",
    "trial": "Trial started",
    "method": "Payment method",
    "over": "Trial over",
    "paid": "First payment",
    "paying_30": "Paying after 30 days",
    "paying_90": "Paying after 90 days",
}
Figure = dict[str, Any]
_MARGIN = {"l": 0, "r": 8, "t": 8, "b": 0}
_CONFIG = {"displaylogo": False, "modeBarButtons": [["toImage"]], "scrollZoom": False, "responsive": True}


def month(key: str) -> str:
    """A period's key (`2026-05`) as people say it: `May 2026`."""
    return _month(key, "LLL y")


def state_word(state: str) -> str:
    """A trial's state or a funnel's step in words."""
    return STATE_WORDS.get(state) or STEP_WORDS.get(state, state)


def draw(figure: Figure, *, key: str, alt: str, on_pick: Callable[[str], None]) -> None:
    """Puts a figure on the page. `on_pick` is called with the key when a bar or a point is clicked."""
    st.plotly_chart(
        _made(json.dumps(figure)), key=key, alt=alt, config=_CONFIG, selection_mode="points",
        on_select=lambda: on_pick(key),
    )  # fmt: skip


class _Drawing(go.Figure):
    """A figure that nobody changes: plotly copies it and its template at each drawing, this one once."""

    def __init__(self, figure: Figure) -> None:
        super().__init__(figure)
        self._plain = super().to_dict()

    def to_dict(self) -> Figure:
        """The figure as plain data, always the same object."""
        return self._plain


@lru_cache(maxsize=128)
def _made(figure: str) -> _Drawing:
    """Plotly's own object of a figure, which costs more to make than all the rest."""
    return _Drawing(json.loads(figure))


def picked(key: str) -> str:
    """The address that the clicked bar or point of a chart carries; "" when the click took it back."""
    points = st.session_state[key]["selection"]["points"]
    data = points[0].get("customdata") if points else ""
    return str(data[0] if isinstance(data, list) else data or "")


def cohort_rates(cohorts: Sequence[Cohort]) -> Figure:
    """The share converted of each month with its interval; months that are still open carry no share."""
    ink, pale, quiet = palette.ink()
    closed = [one for one in cohorts if not one.open and one.started]
    rates, names = [one.rate for one in closed], [_label(one) for one in closed]
    tops = [rate.interval.high + 0.01 if rate.interval else 0.0 for rate in rates]
    points = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": names,
        "y": [rate.value for rate in rates],
        "error_y": _reach(rates, quiet),
        "line": {"color": pale, "width": 1},
        "marker": {"color": ink, "size": 9},
        "customdata": [[f"cohort:{one.period.key}"] for one in closed],
        **_hover([f"{month(one.period.key)}<br>{_told(one.rate)}" for one in closed]),
    }
    labels = {
        "type": "scatter",
        "mode": "text",
        "x": names,
        "y": tops,
        "text": [_share(rate) for rate in rates],
    }
    everybody = [_label(one) for one in cohorts]
    return _figure(
        [points, labels | {"textposition": "top center", "hoverinfo": "skip"}],
        height=300,
        xaxis={
            "type": "category", "categoryorder": "array", "categoryarray": everybody,
            "range": [-0.5, len(cohorts) - 0.5],
        },
        yaxis={"tickformat": ".0%", "range": [0, max(tops, default=0.5) * 1.2], "nticks": 5},
        annotations=[_note(one, quiet) for one in cohorts if one.open or not one.started],
    )  # fmt: skip


def cohort_states(cohorts: Sequence[Cohort]) -> Figure:
    """How many trials of each month ended in which of the six states."""
    seen = [state for state in STATE_WORDS if any(one.states[state] for one in cohorts)]
    legend = {"traceorder": "normal", "orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": ""}
    return _figure(
        [_states_bar(cohorts, state) for state in seen],
        height=340,
        barmode="stack",
        bargap=0.25,
        showlegend=True,
        uniformtext={"minsize": 9, "mode": "hide"},
        legend=legend,
        xaxis={"type": "category"},
    )


def _states_bar(cohorts: Sequence[Cohort], state: str) -> Figure:
    colour = palette.of_state(state)
    return {
        "type": "bar",
        "name": STATE_WORDS[state],
        "x": [_label(one) for one in cohorts],
        "y": [one.states[state] for one in cohorts],
        "text": [one.states[state] or "" for one in cohorts],
        "textangle": 0,
        "insidetextanchor": "middle",
        "insidetextfont": {"color": palette.on(colour)},
        "marker": {"color": colour, "line": {"width": 0}},
        "customdata": [[f"cohort:{one.period.key}:{state}"] for one in cohorts],
        **_hover([_state_hover(one, state) for one in cohorts]),
    }


def funnel(steps: Sequence[Step], path: str) -> Figure:
    """The steps from top to bottom: who reached each, and for whom it is too early to tell."""
    ink, pale, _ = palette.ink()
    first = steps[0].count
    bar = {"type": "bar", "orientation": "h", "y": [state_word(step.name) for step in steps]}
    reached = {
        "x": [step.count for step in steps],
        "marker": {"color": ink, "line": {"width": 0}},
        "customdata": [[f"funnel:{path}:{step.name}"] for step in steps],
        **_hover(_step_hovers(steps)),
    }
    undecided = {
        "x": [step.undecided for step in steps],
        "marker": {"color": pale, "line": {"width": 0}},
        "text": [_step_text(step, first) for step in steps],
        "textposition": "outside",
        "cliponaxis": False,
        **_hover([f"{formats.count(step.undecided)} too early to tell" for step in steps]),
    }
    return _figure(
        [bar | reached, bar | undecided],
        height=44 * len(steps) + 20,
        barmode="stack",
        bargap=0.3,
        margin=_MARGIN | {"r": 100},  # for the words behind the longest bar, however narrow the window
        xaxis={"visible": False, "range": [0, max(1, first)]},
        yaxis={"autorange": "reversed", "showgrid": False, "automargin": True},
    )


def groups(found: Sequence[Group], kind: str, names: Mapping[str, str]) -> Figure:
    """The share converted of each group with its interval, the largest group on top."""
    ink, _, quiet = palette.ink()
    rates = [one.rate for one in found]
    labels = [f"{_safe(names.get(one.key, one.key) or 'Not given')} ({one.rate.whole})" for one in found]
    points = {
        "type": "scatter",
        "mode": "markers+text",
        "y": labels,
        "x": [rate.value for rate in rates],
        "error_x": _reach(rates, quiet),
        "marker": {"color": ink, "size": 10},
        "text": [_share(rate) for rate in rates],
        "textposition": "top center",
        "cliponaxis": False,
        "customdata": [[f"{kind}:{one.key}"] for one in found],
        **_hover([f"{label}<br>{_told(rate)}" for label, rate in zip(labels, rates, strict=True)]),
    }
    highest = max((rate.interval.high for rate in rates if rate.interval), default=0.5)
    return _figure(
        [points],
        height=46 * len(found) + 40,
        margin=_MARGIN | {"r": 30},  # for half of a share that stands at 100 %
        xaxis={"tickformat": ".0%", "range": [0, min(1.0, highest * 1.1)], "nticks": 5},
        yaxis={"autorange": "reversed", "type": "category", "automargin": True},
    )


def _figure(
    traces: list[Figure], *, height: int, xaxis: Figure, yaxis: Figure | None = None, **layout: Any
) -> Figure:
    """A plotly figure as plain data."""
    still = {"fixedrange": True, "title": None}
    shape = {
        "height": height, "margin": _MARGIN, "showlegend": False, "dragmode": False,
        "hoverlabel": {"align": "left"}, "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "separators": _separators(), "xaxis": xaxis | still, "yaxis": (yaxis or {}) | still,
    }  # fmt: skip
    return {"data": traces, "layout": shape | layout}


def _hover(texts: Sequence[str]) -> Figure:
    return {"hovertext": texts, "hoverinfo": "text"}


def _note(cohort: Cohort, colour: str) -> Figure:
    return {
        "text": "still open" if cohort.open else formats.NO_DATA.lower(),
        "x": _label(cohort),
        "y": 0,
        "yref": "paper",
        "yanchor": "bottom",
        "textangle": -90,
        "showarrow": False,
        "font": {"color": colour, "size": 11},
    }


def _reach(rates: Sequence[Rate], colour: str) -> dict[str, Any]:
    """Error bars from Wilson's intervals, which are not symmetric."""
    intervals = [(rate.value or 0.0, rate.interval) for rate in rates]
    return {
        "type": "data",
        "symmetric": False,
        "array": [held.high - value if held else 0 for value, held in intervals],
        "arrayminus": [value - held.low if held else 0 for value, held in intervals],
        "color": colour,
        "thickness": 1,
        "width": 3,
    }


def _told(rate: Rate) -> str:
    said = f"{_share(rate)}: {formats.count(rate.part)} of {formats.count(rate.whole)}"
    if held := rate.interval:
        said += f"<br>95 % interval {held.low:.0%} to {held.high:.0%}"
    return said


def _share(rate: Rate) -> str:
    return formats.share(rate.part, rate.whole)


def _state_hover(cohort: Cohort, state: str) -> str:
    count, words = cohort.states[state], STATE_WORDS[state]
    share = formats.share(count, cohort.started)
    still = "<br>still open: these can change" if cohort.open else ""
    return f"{month(cohort.period.key)}<br>{words}: {formats.count(count)} ({share}){still}"


def _step_text(step: Step, first: int) -> str:
    return f"{formats.count(step.count)} · {formats.share(step.count, first)}"


def _step_hovers(steps: Sequence[Step]) -> list[str]:
    """Each step against the one before it, leaving out those for whom it is too early to tell."""
    said = [f"{formats.count(steps[0].count)} customers"]
    for before, step in zip(steps, steps[1:], strict=False):  # noqa: RUF007 - reads as before and after
        known = before.count - step.undecided
        share = formats.share(step.count, known)
        line = (
            f"{formats.count(step.count)} customers<br>{share} of {formats.count(known)} at the step before"
        )
        late = f"<br>{formats.count(step.undecided)} more: too early to tell" if step.undecided else ""
        said.append(line + late)
    return said


def _label(cohort: Cohort) -> str:
    return _month(cohort.period.key, "LLL'<br>'y")


def _month(key: str, pattern: str) -> str:
    return _written(key, pattern, config.settings().workspace_locale)


@lru_cache(maxsize=1024)
def _written(key: str, pattern: str, locale: str) -> str:
    year, number = key.split("-")[:2]
    return str(format_date(date(int(year), int(number), 1), pattern, locale=locale))


def _safe(text: str) -> str:
    return html.escape(" ".join(text.split()), quote=False)


def _separators() -> str:
    written = formats.count(1000)
    return f"{'.' if written[1] != '.' else ','}{written[1]}"
