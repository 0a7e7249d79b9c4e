"""How do curves of the share converted by day look? Steps with their interval, named where they end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pages.components import charts, formats, palette
from pages.components.charts import Figure
from services.metrics.statistics.survival import Point

_APART = 0.055  # of the chart's height, between two names
_ROOM = 128  # pixels for the names


@dataclass(frozen=True, slots=True)
class Line:
    """One curve under its name."""

    name: str
    points: Sequence[Point]


def curves(lines: Sequence[Line], *, since: str = "the start", one: str = "trial") -> Figure:
    """The share that has come by the end of each day since the start, with its 95 % interval; `one` is what
    is watched, `since` from when on."""
    drawn = [line for line in lines if line.points]
    highest = max((line.points[-1].interval.high for line in drawn), default=1.0)
    highest = max(highest, max((line.points[-1].share for line in drawn), default=0.0) * 1.1)
    last = max((line.points[-1].day for line in drawn), default=30)
    shade = 0.14 if len(drawn) < 3 else 0.07
    traces = [part for place, line in enumerate(drawn) for part in _band(line, palette.series(place), shade)]
    traces += [_steps(line, palette.series(place), one) for place, line in enumerate(drawn)]
    top = min(1.0, highest * 1.05)
    return charts.figure(
        traces,
        height=380,
        margin=charts.MARGIN | {"r": _ROOM, "b": 36},
        xaxis={"range": [0, last], "nticks": 8, "showgrid": False, "title": {"text": f"days since {since}"}},
        yaxis={"tickformat": ".0%", "range": [0, top], "nticks": 6},
        annotations=_names(drawn, top),
    )


def _steps(line: Line, colour: str, one: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [point.day for point in line.points],
        "y": [point.share for point in line.points],
        "line": {"color": colour, "width": 2, "shape": "hv"},
        **charts.hover([_told(line.name, point, one) for point in line.points]),
    }


def _band(line: Line, colour: str, shade: float) -> list[Figure]:
    """The interval: its upper edge, and its lower edge filled up to it."""
    edge = {
        "type": "scatter", "mode": "lines", "x": [point.day for point in line.points], "hoverinfo": "skip",
        "line": {"width": 0, "shape": "hv", "color": colour},
    }  # fmt: skip
    upper = {"y": [point.interval.high for point in line.points]}
    lower = {"y": [point.interval.low for point in line.points], "fill": "tonexty"}
    return [edge | upper, edge | lower | {"fillcolor": palette.clear(colour, shade)}]


def _told(name: str, point: Point, one: str) -> str:
    held = point.interval
    return (
        f"{charts.safe(name)}<br>by day {point.day}: {formats.percent(point.share, decimals=1)}"
        f"<br>95 % interval {charts.between(held)}"
        f"<br>{formats.plural(point.at_risk, one)} watched that long"
    )


def _names(lines: Sequence[Line], top: float) -> list[Figure]:
    """Each line's name at its end, moved apart where two would stand on each other."""
    ends = sorted((line.points[-1].share / top, place) for place, line in enumerate(lines))
    found, free = [], 0.0
    for share, place in ends:
        at = max(share, free)
        free = at + _APART
        found.append(_name(lines[place], at, palette.series(place)))
    return found


def _name(line: Line, at: float, colour: str) -> Figure:
    text = f"{charts.cut(line.name, 12)} {formats.percent(line.points[-1].share)}"
    return charts.note(
        text, 1, at, colour, xref="paper", yref="paper", xanchor="left", yanchor="middle", xshift=4,
        font={"color": colour, "size": 12}, hovertext=charts.safe(line.name),
    )  # fmt: skip
