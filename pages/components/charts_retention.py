"""How does it look who stayed? A heat map: a row for each cohort, a cell for each month since."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pages.components import charts, palette
from pages.components.charts import Figure

_FEW = 13  # columns
_REACH = 45  # pixels: from anywhere in a cell to its middle
Shares = Sequence[Sequence[float | None]]


def heat(
    names: Sequence[str],
    shares: Shares,
    said: Callable[[int, int], str],
    leads_to: Callable[[int, int], str],
) -> Figure:
    """Who stayed of each cohort (rows, the oldest on top) in each month since; the last month of each row,
    which goes on, is framed."""
    wide = max((len(row) for row in shares), default=1)
    cells = {
        "type": "heatmap", "z": [[*row, *[None] * (wide - len(row))] for row in shares], "xgap": 1, "ygap": 1,
        "zmin": 0, "zmax": max([1.0, *(value for row in shares for value in row if value)]),
        "colorscale": palette.scale(), "showscale": False, "hoverongaps": False, "hoverinfo": "skip",
        "texttemplate": "%{text}", "textfont": {"size": 11 if wide <= _FEW else 9},
        "text": [[_percent(value) for value in [*row, *[None] * (wide - len(row))]] for row in shares],
    }  # fmt: skip
    return charts.figure(
        [cells, _over(shares, said, leads_to)],
        height=26 * len(names) + 52,
        hoverdistance=_REACH,
        margin=charts.MARGIN | {"t": 46, "r": 16},
        xaxis=_ticks([str(month) for month in range(wide)])
        | {"side": "top", "title": {"text": "months since, share in %", "standoff": 6}},
        yaxis=_ticks(names) | {"range": [len(names) - 0.5, -0.5]},
        shapes=[_frame(len(row) - 1, at) for at, row in enumerate(shares) if row],
    )


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f}"


def _ticks(names: Sequence[str]) -> Figure:
    return {
        "tickmode": "array", "tickvals": list(range(len(names))), "ticktext": list(names), "showgrid": False,
        "zeroline": False, "automargin": True, "range": [-0.5, len(names) - 0.5],
    }  # fmt: skip


def _over(
    shares: Shares,
    said: Callable[[int, int], str],
    leads_to: Callable[[int, int], str],
) -> Figure:
    """Unseen marks over the cells: plotly lets no cell be clicked."""
    seen = [(x, y) for y, row in enumerate(shares) for x, value in enumerate(row) if value is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x for x, _ in seen],
        "y": [y for _, y in seen],
        "marker": {"size": 22, "symbol": "square", "opacity": 0},
        "customdata": [[leads_to(y, x)] for x, y in seen],
        **charts.hover([said(y, x) for x, y in seen]),
    }


def _frame(x: int, y: int) -> Figure:
    line = {"color": palette.series(2), "width": 1.5}
    return {"type": "rect", "x0": x - 0.46, "x1": x + 0.46, "y0": y - 0.44, "y1": y + 0.44, "line": line}
