"""What was expected, as an interval, and what came."""

from __future__ import annotations

from collections.abc import Sequence

from pages.components import charts, formats, palette
from pages.components.charts import Figure
from services import clock, config
from services.metrics.trials.forecast import Forecast


def month(instant: int) -> str:
    """The key of the month that begins at an instant."""
    return clock.local(instant, config.settings().zone).strftime("%Y-%m")


def tried(found: Sequence[Forecast]) -> Figure:
    """For each month the interval of the conversions that were expected, and those that came."""
    ink, pale, quiet = palette.ink()
    keys = [month(one.at) for one in found]
    interval = {
        "type": "bar",
        "x": keys,
        "base": [one.conversions.low for one in found],
        "y": [one.conversions.high - one.conversions.low for one in found],
        "width": 0.45,
        "marker": {"color": pale, "line": {"width": 0}},
        **charts.hover([_hover(one) for one in found]),
    }
    came = {
        "type": "scatter",
        "mode": "markers+text",
        "x": keys,
        "y": [one.converted for one in found],
        "text": [formats.count(one.converted or 0) for one in found],
        "textposition": "middle right",
        "cliponaxis": False,
        "marker": {
            "size": 10,
            "color": [ink if one.held else palette.of_state("missed_payment") for one in found],
            "symbol": ["circle" if one.held else "diamond" for one in found],
        },
        **charts.hover([_hover(one) for one in found]),
    }
    highest = max(max(one.conversions.high, one.converted or 0) for one in found)
    words = charts.note(
        "Bars: what was expected, four times of five · Points: what came", 0, 1.0, quiet, xref="paper",
        yref="paper", xanchor="left", yanchor="bottom",
    )  # fmt: skip
    return charts.figure(
        [interval, came],
        height=320,
        margin=charts.MARGIN | {"t": 28, "r": 30},
        xaxis=charts.categories(keys),
        yaxis={"range": [0, highest * 1.15 or 1], "nticks": 5},
        annotations=[words],
    )


def _hover(one: Forecast) -> str:
    low, high = formats.count(round(one.conversions.low)), formats.count(round(one.conversions.high))
    outside = "" if one.held else "<br>outside of the interval"
    return (
        f"{charts.begin(month(one.at))}<br>{low} to {high} of {formats.plural(one.running, 'trial')} expected"
        f"<br>{formats.count(one.converted or 0)} came{outside}"
    )
