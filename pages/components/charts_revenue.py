"""How does revenue look? Its line over time, what moved it, what left, and of which parts it is made.

Amounts are micros of one currency. What can still change, and what is reconstructed, stands on a ground of
its own. Places on a time axis are positions of periods, as annotations take them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pages.components import charts, palette
from pages.components.charts import Figure
from services.metrics.periods import Period

_ROW = 0.1  # of the height, for words above bars
_ROOM, _LABELS = 108, 7  # pixels, and labels of an axis that fit on a phone beside it
_APART = 0.075  # of the height, between two names


@dataclass(frozen=True, slots=True)
class Line:
    """A line under its name: amounts or shares by their place on the axis, and what to say at each."""

    name: str
    points: Sequence[tuple[float, float]]
    said: Sequence[str]
    leads_to: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """One kind of what is stacked: how much in each period, what to say there, and the rows' address."""

    name: str
    colour: str
    heights: Sequence[float]
    said: Sequence[str]
    leads_to: Sequence[str]


def place(at: int, periods: Sequence[Period]) -> float:
    """Where an instant (UTC seconds) lies on an axis of these adjoining periods."""
    for index, period in enumerate(periods):
        if at < period.ends:
            return index - 0.5 + (at - period.begins) / (period.ends - period.begins)
    return len(periods) - 0.5


def levels(lines: Sequence[Line], periods: Sequence[Period], currency: str, exact_from: float) -> Figure:
    """Amounts day by day; what lies before the place `exact_from` is reconstructed."""
    highest = max((value for line in lines for _, value in line.points), default=0.0)
    axis = charts.money_axis(0, highest, currency)
    return charts.figure(
        _lines(lines, shape="hv"),
        height=340,
        margin=charts.MARGIN | {"r": _ROOM},
        xaxis=_positions(periods, narrow=True),
        yaxis=axis,
        shapes=_ground(-0.5, exact_from),
        annotations=[*_reconstructed(exact_from), *_names(lines, *axis["range"])],
    )


def _lines(lines: Sequence[Line], shape: str) -> list[Figure]:
    return [
        {
            "type": "scatter",
            "mode": "lines" if shape == "hv" else "lines+markers",
            "name": line.name,
            "x": [at for at, _ in line.points],
            "y": [value for _, value in line.points],
            "line": {"color": palette.series(number), "width": 2.5 if number == 0 else 1.5, "shape": shape},
            "marker": {"size": 7},
            "customdata": [[address] for address in line.leads_to],
            **charts.hover(line.said),
        }
        for number, line in enumerate(lines)
    ]


def _positions(periods: Sequence[Period], *, narrow: bool = False) -> Figure:
    """The axis of these periods, whose places are numbers; with fewer labels where names stand beside it."""
    keys = [period.key for period in periods]
    named = charts.categories(keys)
    labels = list(zip(map(keys.index, named["tickvals"]), named["ticktext"], strict=True))
    if narrow and len(labels) > _LABELS:
        labels = labels[::-2][::-1]
    still = {"tickmode": "array", "tickangle": 0, "zeroline": False, "showgrid": False}
    ticks = {"tickvals": [at for at, _ in labels], "ticktext": [text for _, text in labels]}
    return still | ticks | {"range": named["range"]}


def _ground(begins: float, ends: float) -> list[Figure]:
    if ends <= begins:
        return []
    ground: Figure = {
        "type": "rect",
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"width": 0},
    }
    return [ground | {"x0": begins, "x1": ends, "fillcolor": palette.unfinished()}]


def _reconstructed(until: float) -> list[Figure]:
    quiet = palette.ink()[2]
    if until <= -0.5:
        return []
    return [
        charts.note("reconstructed", -0.5, 1, quiet, yref="paper", xanchor="left", yanchor="top", xshift=6)
    ]


def _names(lines: Sequence[Line], low: float, high: float) -> list[Figure]:
    """Each line's name where it ends, moved apart where two would stand on each other."""
    spread = (high - low) or 1.0
    ends = sorted((((line.points[-1][1] - low) / spread), at) for at, line in enumerate(lines) if line.points)
    found, free = [], 0.0
    for share, at in ends:
        height = max(share, free)
        free = height + _APART
        colour = palette.series(at)
        found.append(
            charts.note(
                lines[at].name, 1, height, colour, xref="paper", yref="paper", xanchor="left",
                yanchor="middle", xshift=5, font={"color": colour, "size": 12},
            )
        )  # fmt: skip
    return found


def stacked(
    layers: Sequence[Layer],
    periods: Sequence[Period],
    *,
    currency: str = "",
    totals: Sequence[str] = (),
    beside: Line | None = None,
) -> Figure:
    """Bars up and down by period; amounts where a `currency` is given, else numbers. `totals` stand above the
    bars, `beside` are points that are no part of them. The last period goes on."""
    count = len(periods)
    tops = [sum(layer.heights[at] for layer in layers if layer.heights[at] > 0) for at in range(count)]
    floors = [sum(layer.heights[at] for layer in layers if layer.heights[at] < 0) for at in range(count)]
    points = [value for _, value in beside.points] if beside else []
    high, low = max([*tops, *points], default=0.0), min(floors, default=0.0)
    usual = {"range": [0, high * 1.15 or 1], "nticks": 5}
    axis = charts.money_axis(low, high, currency) if currency else usual
    traces = [_bar(layer, periods) for layer in layers] + ([_points(beside)] if beside else [])
    if totals:
        room = _ROW * (high - low)
        traces.append(_words(totals, tops, room))
        axis["range"][1] = max(axis["range"][1], high + room)
    return charts.figure(
        traces,
        height=360,
        barmode="relative",
        bargap=0.25 if count <= 26 else 0.1,
        showlegend=True,
        legend=charts.LEGEND,
        xaxis=_positions(periods),
        yaxis=axis,
        shapes=_ground(count - 1.5, count - 0.5),
        uniformtext={"minsize": 9, "mode": "hide"},
    )


def _words(totals: Sequence[str], tops: Sequence[float], room: float) -> Figure:
    """Words above bars, in boxes that are not seen: plotly leaves out those that are wider than their bar."""
    return {
        "type": "bar",
        "x": list(range(len(totals))),
        "base": list(tops),
        "y": [room] * len(totals),
        "text": list(totals),
        "textposition": "inside",
        "insidetextanchor": "start",
        "textangle": 0,
        "insidetextfont": {"color": palette.ink()[2], "size": 11},
        "marker": {"color": "rgba(0,0,0,0)", "line": {"width": 0}},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _bar(layer: Layer, periods: Sequence[Period]) -> Figure:
    return {
        "type": "bar",
        "name": layer.name,
        "x": list(range(len(periods))),
        "y": list(layer.heights),
        "marker": {"color": layer.colour, "line": {"width": 0}},
        "customdata": [[address] for address in layer.leads_to],
        **charts.hover(layer.said),
    }


def _points(line: Line) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": line.name,
        "x": [at for at, _ in line.points],
        "y": [value for _, value in line.points],
        "marker": {"color": palette.ink()[2], "size": 9, "symbol": "diamond-open", "line": {"width": 2}},
        "customdata": [[address] for address in line.leads_to],
        **charts.hover(line.said),
    }


def rates(lines: Sequence[Line], periods: Sequence[Period]) -> Figure:
    """Shares by period; the last period goes on."""
    values = [value for line in lines for _, value in line.points]
    high, low = max([*values, 0.0]) or 0.1, min([*values, 0.0])
    top, floor = high + 0.12 * (high - low), low - 0.05 * (high - low) * (low < 0)
    return charts.figure(
        _lines(lines, shape="linear"),
        height=320,
        margin=charts.MARGIN | {"r": _ROOM},
        xaxis=_positions(periods, narrow=True),
        yaxis={"tickformat": ".0%", "range": [floor, top], "nticks": 6, "zerolinecolor": palette.ink()[2]},
        shapes=_ground(len(periods) - 1.5, len(periods) - 0.5),
        annotations=_names(lines, floor, top),
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the whole under its name: its size, what stands beside it, and its rows' address."""

    name: str
    size: float
    beside: str
    said: str
    leads_to: str


def pieces(found: Sequence[Piece]) -> Figure:
    """Lying bars, the largest on top."""
    ink, _, quiet = palette.ink()
    places = list(range(len(found)))
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": places,
        "x": [one.size for one in found],
        "marker": {"color": ink, "line": {"width": 0}},
        "customdata": [[one.leads_to] for one in found],
        **charts.hover([one.said for one in found]),
    }
    return charts.figure(
        [bars],
        height=44 * len(found) + 16,
        bargap=0.62,
        xaxis={"visible": False, "range": [0, max((one.size for one in found), default=1) or 1]},
        yaxis={
            "range": [len(found) - 0.5, -0.7], "visible": False,
        },
        annotations=[
            note
            for at, one in enumerate(found)
            for note in (
                charts.note(charts.safe(one.name), 0, at, quiet, xanchor="left", yanchor="bottom", yshift=8,
                            xref="paper"),
                charts.note(one.beside, 1, at, quiet, xanchor="right", yanchor="bottom", yshift=8,
                            xref="paper"),
            )
        ],
    )  # fmt: skip
