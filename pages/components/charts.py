"""How do the charts look? One palette that colour-blind people can tell apart, direct labels, little ink.

What all charts share; those of one kind are in a `charts_...` module of their own. Every function takes
numbers and gives a plotly figure as plain data; `draw` puts it on the page. A bar or point that opens rows
carries their address in `customdata`. Text that customers or staff typed is escaped: plotly reads tags.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from babel.dates import format_date, format_skeleton

from pages.components import formats, palette
from services import config
from services.metrics.statistics.statistics import Interval, Rate
from services.metrics.words import STATE_WORDS, STEP_WORDS
from services.money import MICROS

Figure = dict[str, Any]
MARGIN = {"l": 0, "r": 8, "t": 8, "b": 0}
LEGEND = {  # below the chart: above it stand annotations
    "traceorder": "normal", "orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom",
    "xref": "container", "x": 0, "xanchor": "left", "maxheight": 1, "title": "",
}  # fmt: skip
_CONFIG = {"displaylogo": False, "modeBarButtons": [["toImage"]], "scrollZoom": False, "responsive": True}
_STEPS = (1, 2, 2.5, 5, 10)
_MOST_LABELS = 13  # that fit beside each other on a phone


def state_word(state: str) -> str:
    """A trial's state or a funnel's step in words."""
    return STATE_WORDS.get(state) or STEP_WORDS.get(state, state)


def draw(made: Figure, *, key: str, alt: str, on_pick: Callable[[str], None] | None = None) -> None:
    """Puts a figure on the page. `on_pick` is called with the key when a bar or a point is clicked."""
    picking: dict[str, Any] = (
        {"selection_mode": "points", "on_select": lambda: on_pick(key)} if on_pick else {}
    )
    st.plotly_chart(_made(json.dumps(made)), key=key, alt=alt, config=_CONFIG, **picking)


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


def figure(
    traces: list[Figure], *, height: int, xaxis: Figure, yaxis: Figure | None = None, **layout: Any
) -> Figure:
    """A plotly figure as plain data; `height` in pixels."""
    still = {"fixedrange": True, "title": None}
    shape = {
        "height": height, "margin": MARGIN, "showlegend": False, "dragmode": False,
        "hoverlabel": {"align": "left"}, "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "separators": _separators(), "xaxis": still | xaxis, "yaxis": still | (yaxis or {}),
    }  # fmt: skip
    return {"data": traces, "layout": shape | layout}


def categories(keys: Sequence[str]) -> Figure:
    """An axis of adjoining periods by their keys, with as many labels as fit on a phone."""
    apart = -(-len(keys) // _MOST_LABELS) or 1
    named = list(reversed(keys[::-1][::apart]))
    return {
        "type": "category", "categoryorder": "array", "categoryarray": list(keys), "tickmode": "array",
        "tickvals": named, "ticktext": [_short(key) for key in named], "tickangle": 0,
        "range": [-0.5, len(keys) - 0.5],
    }  # fmt: skip


def shares(highest: float) -> Figure:
    """An axis of shares from 0 up to a little above the highest."""
    return {"tickformat": ".0%", "range": [0, highest * 1.2 or 1], "nticks": 5}


def money_axis(low: float, high: float, currency: str) -> Figure:
    """An axis of amounts in units of the currency's smallest, with a few round ones named."""
    spread = (high - low) or 1.0
    rough = spread / 4
    power = 10.0 ** (len(str(int(rough))) - 1) if rough >= 1 else 1.0
    step = next(each * power for each in _STEPS if each * power >= rough)
    first = int(low // step)
    ticks = [number * step for number in range(first, int(high // step) + 2)]
    named = [formats.rough(int(tick) * MICROS, currency) for tick in ticks]
    return {
        "tickmode": "array", "tickvals": ticks, "ticktext": named,
        "range": [low * 1.12, high * 1.12 or 1], "automargin": True, "zeroline": low < 0,
        "zerolinecolor": palette.ink()[2],
    }  # fmt: skip


def hover(texts: Sequence[str]) -> Figure:
    """What a trace says where the pointer is."""
    return {"hovertext": list(texts), "hoverinfo": "text"}


def note(text: str, x: Any, y: Any, colour: str, **more: Any) -> Figure:
    """Words in a chart, without an arrow."""
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": {"color": colour, "size": 11}} | more


def reach(rates: Sequence[Rate], colour: str) -> Figure:
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


def told(rate: Rate) -> str:
    """A rate with its parts and its interval, for a hover text."""
    said = f"{share(rate)}: {formats.count(rate.part)} of {formats.count(rate.whole)}"
    if held := rate.interval:
        said += f"<br>95 % interval {between(held)}"
    return said


def between(held: Interval) -> str:
    """An interval of shares in words: `26 % to 32 %`."""
    return f"{formats.percent(held.low)} to {formats.percent(held.high)}"


def share(rate: Rate) -> str:
    """A rate as people write it."""
    return formats.share(rate.part, rate.whole)


def month(key: str) -> str:
    """A month's key (`2026-05`) as people say it: `May 2026`."""
    return _month(key, "LLL y")


def period(key: str) -> str:
    """A period's key as people say it: `May 2026`, or of a week (`2026-05-04`) `Week of May 4, 2026`."""
    return month(key) if key.count("-") == 1 else f"Week of {begin(key)}"


def begin(key: str) -> str:
    """A month's key in words, of a week its Monday: `May 4, 2026`."""
    return month(key) if key.count("-") == 1 else _day(key, _locale())


def brief(key: str) -> str:
    """A month's key in words, of a week its Monday without the year: `May 4`."""
    return month(key) if key.count("-") == 1 else _monday(key, _locale())


def safe(text: str) -> str:
    """Text that somebody typed, in one line."""
    return html.escape(" ".join(text.split()), quote=False)


def cut(name: str, longest: int) -> str:
    """A name of somebody's in a chart, escaped, of so many characters at most."""
    return safe(name if len(name) <= longest else f"{name[: longest - 1]}…")


def _short(key: str) -> str:
    """A period below an axis, in two lines."""
    return _month(key, "LLL'<br>'y") if key.count("-") == 1 else brief(key).replace(" ", "<br>", 1)


def _month(key: str, pattern: str) -> str:
    return _written(key, pattern, _locale())


@lru_cache(maxsize=1024)
def _written(key: str, pattern: str, locale: str) -> str:
    year, number = key.split("-")[:2]
    return str(format_date(date(int(year), int(number), 1), pattern, locale=locale))


@lru_cache(maxsize=1024)
def _day(key: str, locale: str) -> str:
    return str(format_date(date.fromisoformat(key), "medium", locale=locale))


@lru_cache(maxsize=1024)
def _monday(key: str, locale: str) -> str:
    return str(format_skeleton("MMMd", date.fromisoformat(key), locale=locale))


def _locale() -> str:
    return config.settings().workspace_locale


def _separators() -> str:
    written = formats.count(1000)
    return f"{'.' if written[1] != '.' else ','}{written[1]}"
