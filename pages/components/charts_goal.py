"""How does the way to a goal look? A straight line to the target, and what became known on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pages.components import charts, formats, palette
from pages.components.charts import Figure
from services import clock, config, money
from services.desk.goals import Kept, said
from services.metrics.goals import WHOLE, Mark, Way


def way(goal: Kept, way: Way, marks: Sequence[Mark]) -> Figure:
    """The line from the start to the target, what became known since, and where it stands now."""
    ink, pale, quiet = palette.ink()
    line = {
        "type": "scatter", "mode": "lines+markers", "x": [_at(way.begins), _at(way.ends)],
        "y": [_value(goal, way.start), _value(goal, way.target)],
        "line": {"color": pale, "width": 2, "dash": "dash"}, "marker": {"color": pale, "size": 8},
        **charts.hover([_told(goal, Mark(way.begins, way.start)), _told(goal, Mark(way.ends, way.target))]),
    }  # fmt: skip
    since = [Mark(way.begins, way.start), *marks, way.now]
    walked = {
        "type": "scatter", "mode": "lines+markers", "x": [_at(mark.at) for mark in since],
        "y": [_value(goal, mark.value) for mark in since], "line": {"color": ink, "width": 2, "shape": "hv"},
        "marker": {"color": ink, "size": [0] * (len(since) - 1) + [11], "opacity": 1},
        **charts.hover([_told(goal, mark) for mark in since]),
    }  # fmt: skip
    values = [way.start, way.target, *(mark.value for mark in since)]
    low, high = (_value(goal, each) for each in (min(values), max(values)))
    apart = (high - low) or 1.0
    beside = "bottom" if way.now.value >= way.planned else "top"  # away from the line
    return charts.figure(
        [line, walked],
        height=230,
        margin=charts.MARGIN | {"l": 8, "r": 16, "t": 26},
        xaxis={"type": "date", "nticks": 5, "showgrid": False},
        yaxis={"visible": False, "range": [low - 0.25 * apart, high + 0.3 * apart]},
        annotations=[
            _words(goal, Mark(way.begins, way.start), quiet, xanchor="left", yanchor=_away(way)),
            _words(goal, Mark(way.ends, way.target), quiet, xanchor="right", yanchor="bottom"),
            _words(goal, way.now, ink, xanchor="right" if _is_late(way) else "left", yanchor=beside),
        ],
    )


def _away(way: Way) -> str:
    """On which side of its point the start's value stands: away from what is now."""
    return "top" if way.now.value >= way.start else "bottom"


def _is_late(way: Way) -> bool:
    """Whether there is no room for words on the right."""
    return way.now.at - way.begins > 0.75 * (way.ends - way.begins)


def _words(goal: Kept, mark: Mark, colour: str, **place: str) -> Figure:
    shift = 8 if place["yanchor"] == "bottom" else -8
    text = said(goal.measure, mark.value, goal.currency)
    return charts.note(text, _at(mark.at), _value(goal, mark.value), colour, yshift=shift, **place)


def _told(goal: Kept, mark: Mark) -> str:
    return f"{formats.day(mark.at)}<br>{said(goal.measure, mark.value, goal.currency)}"


def _at(instant: int) -> str:
    at: datetime = clock.local(instant, config.settings().zone)
    return at.strftime("%Y-%m-%dT%H:%M:%S")


def _value(goal: Kept, value: int) -> float:
    """A share, or MRR in the currency's units."""
    if goal.measure == "mrr":
        return float(money.exact_units(value, goal.currency))
    return value / WHOLE
