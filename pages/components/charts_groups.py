"""How do groups stand beside each other? Shares with their intervals, and the difference of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pages.components import charts, formats, palette
from pages.components.charts import Figure
from services.metrics.statistics.statistics import Interval, Rate


@dataclass(frozen=True, slots=True)
class Dot:
    """A group under its name; `leads_to` is the address of its rows."""

    name: str
    rate: Rate
    leads_to: str = ""


def dots(found: Sequence[Dot], *, coloured: bool = False) -> Figure:
    """The share converted of each group with its interval; `coloured` as the lines of the same groups."""
    ink, _, quiet = palette.ink()
    rates = [one.rate for one in found]
    labels = [f"{charts.cut(one.name, 22)} ({formats.count(one.rate.whole)})" for one in found]
    points = {
        "type": "scatter",
        "mode": "markers+text",
        "y": list(range(len(found))),
        "x": [rate.value for rate in rates],
        "error_x": charts.reach(rates, quiet),
        "marker": {
            "color": [palette.series(at) if coloured else ink for at in range(len(found))],
            "size": 10,
        },
        "text": [charts.share(rate) for rate in rates],
        "textposition": "top center",
        "cliponaxis": False,
        "customdata": [[one.leads_to] for one in found],
        **charts.hover([f"{charts.safe(one.name)}<br>{charts.told(one.rate)}" for one in found]),
    }
    highest = max((rate.interval.high for rate in rates if rate.interval), default=0.5)
    return charts.figure(
        [points],
        height=46 * len(found) + 40,
        margin=charts.MARGIN | {"r": 30},  # for half of a share that stands at 100 %
        xaxis={"tickformat": ".0%", "range": [0, min(1.0, highest * 1.1)], "nticks": 5},
        yaxis={
            "range": [len(found) - 0.5, -0.7], "tickmode": "array", "tickvals": list(range(len(found))),
            "ticktext": labels, "automargin": True, "zeroline": False,
        },
    )  # fmt: skip


def difference(one: Rate, two: Rate, held: Interval) -> Figure:
    """By how many points the first rate is above the second, with its interval, beside none at all."""
    ink, _, quiet = palette.ink()
    value = (one.value or 0.0) - (two.value or 0.0)
    dot = {
        "type": "scatter",
        "mode": "markers+text",
        "x": [100 * value],
        "y": [0],
        "error_x": _arms(value, held, quiet),
        "marker": {"color": ink, "size": 11, "symbol": "diamond"},
        "text": [formats.points(value)],
        "textposition": "top center",
        "cliponaxis": False,
        **charts.hover([_told(value, held)]),
    }
    widest = 115 * max(abs(held.low), abs(held.high), 0.05)
    none: Figure = {"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1}
    at_none = {"yref": "paper", "yanchor": "bottom", "xanchor": "left", "xshift": 3}
    return charts.figure(
        [dot],
        height=130,
        margin=charts.MARGIN | {"l": 8, "r": 8},
        xaxis={
            "tickformat": "+.0f", "range": [-widest, widest], "nticks": 7, "zeroline": False,
            "title": {"text": "percentage points"},
        },
        yaxis={"visible": False, "range": [-1, 1.4]},
        shapes=[none | {"line": {"color": quiet, "width": 1}}],
        annotations=[charts.note("no difference", 0, 0, quiet, **at_none)],
    )  # fmt: skip


def _told(value: float, held: Interval) -> str:
    low, high = formats.points(held.low), formats.points(held.high)
    return f"{formats.points(value)}<br>95 % interval {low} to {high}"


def _arms(value: float, held: Interval, colour: str) -> Figure:
    arms = {"array": [100 * (held.high - value)], "arrayminus": [100 * (value - held.low)]}
    return arms | {"type": "data", "symmetric": False, "color": colour, "thickness": 1, "width": 5}
