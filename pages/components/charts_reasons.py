"""How does it look why trials did not convert? Stacked bars, over time and by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pages.components import charts, formats, palette
from pages.components.charts import Figure


@dataclass(frozen=True, slots=True)
class Layer:
    """One kind of what is stacked: its name and colour, how many in each bar, and the address of each bar's
    rows ("" for none)."""

    name: str
    colour: str
    counts: Sequence[int]
    leads_to: Sequence[str]


def over_time(keys: Sequence[str], layers: Sequence[Layer]) -> Figure:
    """Bars of adjoining periods by their keys."""
    bars = [_bar(layer, [charts.period(key) for key in keys]) | {"x": list(keys), "y": list(layer.counts)}
            for layer in layers]  # fmt: skip
    return _stacked(bars, height=330, xaxis=charts.categories(keys), bargap=0.25 if len(keys) <= 26 else 0.1)


def by_group(names: Sequence[str], layers: Sequence[Layer]) -> Figure:
    """Lying bars of groups, the first on top, with how many each has in all."""
    places = list(range(len(names)))
    bars = [
        _bar(layer, names) | {"y": places, "x": list(layer.counts), "orientation": "h"} for layer in layers
    ]
    totals = [sum(layer.counts[place] for layer in layers) for place in places]
    quiet = palette.ink()[2]
    return _stacked(
        bars,
        height=34 * len(names) + 40 + 20 * len(layers),
        bargap=0.3,
        margin=charts.MARGIN | {"r": 40},
        xaxis={"visible": False, "range": [0, max(totals, default=1) or 1]},
        yaxis={
            "range": [len(names) - 0.5, -0.5], "tickmode": "array", "tickvals": places,
            "ticktext": [charts.cut(name, 22) for name in names], "showgrid": False, "automargin": True,
            "zeroline": False,
        },
        annotations=[
            charts.note(formats.count(total), total, place, quiet, xanchor="left", xshift=3)
            for place, total in zip(places, totals, strict=True)
        ],
    )  # fmt: skip


def _stacked(bars: list[Figure], **layout: object) -> Figure:
    return charts.figure(
        bars, barmode="stack", showlegend=True, legend=charts.LEGEND,
        uniformtext={"minsize": 9, "mode": "hide"}, **layout,  # type: ignore[arg-type]
    )  # fmt: skip


def _bar(layer: Layer, names: Sequence[str]) -> Figure:
    return {
        "type": "bar",
        "name": charts.safe(layer.name),
        "text": [formats.count(count) if count else "" for count in layer.counts],
        "textangle": 0,
        "insidetextanchor": "middle",
        "textposition": "inside",
        "insidetextfont": {"color": palette.on(layer.colour)},
        "marker": {"color": layer.colour, "line": {"width": 0}},
        "customdata": [[address] for address in layer.leads_to],
        **charts.hover([
            f"{charts.safe(name)}<br>{charts.safe(layer.name)}: {formats.plural(count, 'trial')}"
            for name, count in zip(names, layer.counts, strict=True)
        ]),
    }  # fmt: skip
