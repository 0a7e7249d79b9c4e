"""What happened when? Annotations as thin lines across a time axis, named beside them."""

from __future__ import annotations

from collections.abc import Sequence

from models import Annotation
from pages.components import charts, formats, palette
from pages.components.charts import Figure
from services.metrics.periods import Period

_LONGEST = 26  # characters of a name
_LETTER, _NARROWEST = 6.0, 320  # pixels: how wide a letter is, and a chart on a phone
_ROW, _MOST_ROWS = 15, 4  # pixels of a row of names, and how many rows


def marked(made: Figure, periods: Sequence[Period], annotations: Sequence[Annotation]) -> Figure:
    """The figure, whose axis is `charts.categories` of these periods, with the annotations within them."""
    places = [(one, _place(one.at, periods)) for one in annotations]
    found = [(one, place) for one, place in places if place is not None]
    if not found:
        return made
    rows = _rows([(place, len(_name(one))) for one, place in found], len(periods))
    layout, high = made["layout"], _ROW * (1 + max(rows))
    more = {
        "height": layout["height"] + high,
        "margin": layout["margin"] | {"t": layout["margin"]["t"] + high},
        "shapes": [*layout.get("shapes", []), *(_line(place) for _, place in found)],
        "annotations": [
            *layout.get("annotations", []),
            *(_words(one, place, row, len(periods)) for (one, place), row in zip(found, rows, strict=True)),
        ],
    }
    return made | {"layout": layout | more}


def _place(at: int, periods: Sequence[Period]) -> float | None:
    """Where an instant lies on the axis: a period's bar reaches half a step to both sides."""
    for index, period in enumerate(periods):
        if period.begins <= at < period.ends:
            return index - 0.5 + (at - period.begins) / (period.ends - period.begins)
    return None


def _rows(names: Sequence[tuple[float, int]], periods: int) -> list[int]:
    """In which row above the chart each name stands, so that they part even on a phone; `names` are places
    in ascending order, with their lengths."""
    free, found = [float("-inf")] * _MOST_ROWS, []
    for place, letters in names:
        half = letters * _LETTER / _NARROWEST * periods / 2
        row = next((at for at, until in enumerate(free) if until <= place - half), _MOST_ROWS - 1)
        free[row] = place + half
        found.append(row)
    return found


def _line(place: float) -> Figure:
    across = {"yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    line = {"color": palette.ink()[2], "width": 1, "dash": "dash"}
    return {"type": "line", "x0": place, "x1": place, "line": line} | across


def _words(one: Annotation, place: float, row: int, periods: int) -> Figure:
    side = "left" if place < periods / 5 else "right" if place > periods * 4 / 5 else "center"
    return charts.note(
        charts.safe(_name(one)), place, 1, palette.ink()[2], yref="paper", yanchor="bottom",
        yshift=row * _ROW, xanchor=side, hovertext=f"{formats.day(one.at)}<br>{charts.safe(one.text)}",
    )  # fmt: skip


def _name(one: Annotation) -> str:
    return one.text if len(one.text) <= _LONGEST else f"{one.text[: _LONGEST - 1]}…"
