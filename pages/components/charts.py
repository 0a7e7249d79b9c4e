"""How do the charts look? One palette that colour-blind people can tell apart, direct labels, little ink.

Every function takes numbers and gives a plotly figure; `draw` puts it on the page in the visitor's theme. A
bar or point that opens rows carries their address in `customdata`. Text that customers or staff typed is
escaped: plotly reads tags.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from babel.dates import format_date

from pages.components import formats
from services import config
from services.metrics.conversion import Cohort, Group
from services.metrics.funnel import Step
from services.metrics.statistics import Rate

# Told apart by lightness too, so that they stay apart for every kind of colour blindness, and in grey.
STATE_COLOURS: dict[str, tuple[str, str]] = {  # light, dark
    "converted": ("#1f9080", "#3fb8a5"),
    "running": ("#8fb8ee", "#5f8fd6"),
    "missed_payment": ("#d97b16", "#f0a35c"),
    "cancelled_in_trial": ("#7c2f6c", "#a8509a"),
    "expired": ("#b9bfca", "#4f5765"),
    "free": ("#e3cf5b", "#ecdc86"),
}
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
_INK = {"light": ("#4453c4", "#c9cfe9", "#5d6675"), "dark": ("#8c98f5", "#3b4374", "#a3acba")}
_CONFIG = {"displaylogo": False, "modeBarButtons": [["toImage"]], "scrollZoom": False, "responsive": True}
_MARGIN = {"l": 0, "r": 8, "t": 8, "b": 0}


def month(key: str) -> str:
    """A period's key (`2026-05`) as people say it: `May 2026`."""
    return _month(key, "LLL y")


def state_word(state: str) -> str:
    """A trial's state or a funnel's step in words."""
    return STATE_WORDS.get(state) or STEP_WORDS.get(state, state)


def draw(figure: go.Figure, *, key: str, alt: str, on_pick: Callable[[str], None] | None = None) -> None:
    """Puts a figure on the page. `on_pick` is called with the key when a bar or a point is clicked."""
    if on_pick is None:
        st.plotly_chart(figure, key=key, alt=alt, config=_CONFIG)
        return
    st.plotly_chart(
        figure, key=key, alt=alt, config=_CONFIG, selection_mode="points", on_select=lambda: on_pick(key)
    )


def picked(key: str) -> str:
    """The address that the clicked bar or point of a chart carries; "" when the click took it back."""
    points = st.session_state[key]["selection"]["points"]
    data = points[0].get("customdata") if points else ""
    return str(data[0] if isinstance(data, list) else data or "")


def cohort_rates(cohorts: Sequence[Cohort]) -> go.Figure:
    """The share converted of each month with its interval; months that are still open carry no share."""
    ink, pale, quiet = _ink()
    closed = [one for one in cohorts if not one.open and one.started]
    names, shares = [_label(one) for one in closed], [one.rate.value for one in closed]
    tops = [one.rate.interval.high + 0.01 if one.rate.interval else 0.0 for one in closed]
    points = go.Scatter(
        x=names,
        y=shares,
        error_y=_reach([one.rate for one in closed], quiet),
        mode="lines+markers",
        line={"color": pale, "width": 1},
        marker={"color": ink, "size": 9},
        customdata=[[f"cohort:{one.period.key}"] for one in closed],
        hovertext=[f"{month(one.period.key)}<br>{_told(one.rate)}" for one in closed],
        hoverinfo="text",
    )
    written = [formats.share(one.rate.part, one.rate.whole) for one in closed]
    figure = go.Figure([points, _labels(names, tops, written)])
    for one in cohorts:
        if one.open or not one.started:
            _note(figure, _label(one), "still open" if one.open else formats.NO_DATA.lower(), quiet)
    _shape(figure, height=300)
    everybody = [_label(one) for one in cohorts]
    figure.update_xaxes(
        type="category", categoryorder="array", categoryarray=everybody, range=[-0.5, len(cohorts) - 0.5]
    )
    figure.update_yaxes(tickformat=".0%", range=[0, max(tops, default=0.5) * 1.2], nticks=5)
    return figure


def _labels(x: Sequence[str], y: Sequence[float], written: Sequence[str]) -> go.Scatter:
    return go.Scatter(x=x, y=y, mode="text", text=written, textposition="top center", hoverinfo="skip")


def cohort_states(cohorts: Sequence[Cohort]) -> go.Figure:
    """How many trials of each month ended in which of the six states."""
    names = [_label(one) for one in cohorts]
    figure = go.Figure(
        [
            go.Bar(
                name=words,
                x=names,
                y=[one.states[state] for one in cohorts],
                text=[one.states[state] or "" for one in cohorts],
                textangle=0,
                insidetextanchor="middle",
                insidetextfont={"color": _on(_state_colour(state))},
                marker={"color": _state_colour(state), "line": {"width": 0}},
                customdata=[[f"cohort:{one.period.key}:{state}"] for one in cohorts],
                hovertext=[_state_hover(one, state, words) for one in cohorts],
                hoverinfo="text",
            )
            for state, words in STATE_WORDS.items()
            if any(one.states[state] for one in cohorts)
        ]
    )
    _shape(figure, height=340)
    figure.update_layout(
        barmode="stack", bargap=0.25, showlegend=True, uniformtext={"minsize": 9, "mode": "hide"}
    )
    figure.update_layout(
        legend={
            "traceorder": "normal",
            "orientation": "h",
            "y": 1.02,
            "yanchor": "bottom",
            "x": 0,
            "title": "",
        }
    )
    figure.update_xaxes(type="category")
    return figure


def funnel(steps: Sequence[Step], path: str) -> go.Figure:
    """The steps from top to bottom: who reached each, and for whom it is too early to tell."""
    ink, pale, _ = _ink()
    names = [state_word(step.name) for step in steps]
    first = steps[0].count
    figure = go.Figure(
        [
            go.Bar(
                y=names,
                x=[step.count for step in steps],
                orientation="h",
                marker={"color": ink, "line": {"width": 0}},
                customdata=[[f"funnel:{path}:{step.name}"] for step in steps],
                hovertext=_step_hovers(steps),
                hoverinfo="text",
            ),
            go.Bar(
                y=names,
                x=[step.undecided for step in steps],
                orientation="h",
                marker={"color": pale, "line": {"width": 0}},
                text=[_step_text(step, first) for step in steps],
                textposition="outside",
                cliponaxis=False,
                hovertext=[f"{formats.count(step.undecided)} too early to tell" for step in steps],
                hoverinfo="text",
            ),
        ]
    )
    _shape(figure, height=44 * len(steps) + 20)
    figure.update_layout(barmode="stack", bargap=0.3)
    figure.update_xaxes(visible=False, range=[0, max(1, first) * 1.3])
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True)
    return figure


def groups(found: Sequence[Group], kind: str, names: Mapping[str, str]) -> go.Figure:
    """The share converted of each group with its interval, the largest group on top."""
    ink, _, quiet = _ink()
    labels = [f"{_safe(names.get(one.key, one.key) or 'Not given')} ({one.rate.whole})" for one in found]
    figure = go.Figure(
        go.Scatter(
            y=labels,
            x=[one.rate.value for one in found],
            error_x=_reach([one.rate for one in found], quiet),
            mode="markers+text",
            marker={"color": ink, "size": 10},
            text=[formats.share(one.rate.part, one.rate.whole) for one in found],
            textposition="top center",
            customdata=[[f"{kind}:{one.key}"] for one in found],
            hovertext=[f"{label}<br>{_told(one.rate)}" for label, one in zip(labels, found, strict=True)],
            hoverinfo="text",
            cliponaxis=False,
        )
    )
    _shape(figure, height=46 * len(found) + 40)
    highest = max((one.rate.interval.high for one in found if one.rate.interval), default=0.5)
    figure.update_xaxes(tickformat=".0%", range=[0, min(1.0, highest * 1.1)], nticks=5)
    figure.update_yaxes(autorange="reversed", type="category", automargin=True)
    return figure


def _shape(figure: go.Figure, *, height: int) -> None:
    figure.update_layout(
        height=height, margin=_MARGIN, showlegend=False, dragmode=False, hoverlabel={"align": "left"},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", separators=_separators(),
    )  # fmt: skip
    figure.update_xaxes(fixedrange=True, title=None)
    figure.update_yaxes(fixedrange=True, title=None)


def _note(figure: go.Figure, at: str, words: str, colour: str) -> None:
    figure.add_annotation(
        x=at, y=0, yref="paper", yanchor="bottom", text=words, textangle=-90, showarrow=False,
        font={"color": colour, "size": 11},
    )  # fmt: skip


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
    said = (
        f"{formats.share(rate.part, rate.whole)}: {formats.count(rate.part)} of {formats.count(rate.whole)}"
    )
    if held := rate.interval:
        said += f"<br>95 % interval {held.low:.0%} to {held.high:.0%}"
    return said


def _state_hover(cohort: Cohort, state: str, words: str) -> str:
    count = cohort.states[state]
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
    return _month(cohort.period.key, "LLL yy")


def _month(key: str, pattern: str) -> str:
    year, number = key.split("-")[:2]
    return str(
        format_date(date(int(year), int(number), 1), pattern, locale=config.settings().workspace_locale)
    )


def _safe(text: str) -> str:
    return html.escape(" ".join(text.split()), quote=False)


def _separators() -> str:
    written = formats.count(1000)
    return f"{'.' if written[1] != '.' else ','}{written[1]}"


def _ink() -> tuple[str, str, str]:
    """Colours of what matters, of its pale companion, and of what stays quiet."""
    return _INK[_theme()]


def _state_colour(state: str) -> str:
    return STATE_COLOURS[state][0 if _theme() == "light" else 1]


def _on(colour: str) -> str:
    """White or black, whichever reads better on a colour."""
    red, green, blue = ((int(colour[at : at + 2], 16) / 255) ** 2.2 for at in (1, 3, 5))
    return "#ffffff" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.2 else "#14181f"


def _theme() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"
