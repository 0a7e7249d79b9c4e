"""How do cohorts look? Their share converted, what became of them, and how fast they converted.

A cohort that can still change is never drawn as a low share: it stands on a ground of its own, or is blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from pages.components import charts, formats, palette
from pages.components.charts import Figure
from services.metrics.statistics.statistics import Rate
from services.metrics.trials.conversion import Cohort, HeatRow

_FEW = 26  # periods: so many can have words of their own
_OPEN, _DAYS = "still open", "days since the start"


def rates(cohorts: Sequence[Cohort], recent: Rate) -> Figure:
    """The share converted of each cohort with its interval; open ones carry no share. Across them the rate of
    the last 30 days, as Stripe shows it."""
    ink, pale, quiet = palette.ink()
    closed = [one for one in cohorts if not one.open and one.started]
    found, keys = [one.rate for one in closed], [one.period.key for one in closed]
    tops = [rate.interval.high + 0.01 if rate.interval else 0.0 for rate in found]
    points = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": keys,
        "y": [rate.value for rate in found],
        "error_y": charts.reach(found, quiet if len(cohorts) <= _FEW else pale),
        "line": {"color": pale, "width": 1},
        "marker": {"color": ink, "size": 9 if len(cohorts) <= _FEW else 6},
        "customdata": [[f"cohort:{key}"] for key in keys],
        **charts.hover([f"{charts.period(one.period.key)}<br>{charts.told(one.rate)}" for one in closed]),
    }
    labels = {"type": "scatter", "mode": "text", "x": keys, "y": tops, "text": _shares(found, len(cohorts))}
    highest = max([*tops, recent.value or 0.0]) or 0.5
    return charts.figure(
        [points, labels | {"textposition": "top center", "hoverinfo": "skip"}],
        height=300,
        xaxis=charts.categories([one.period.key for one in cohorts]),
        yaxis=charts.shares(highest),
        shapes=[*_grounds(cohorts), *_level(recent, quiet)],
        annotations=[
            *_open_notes(cohorts, quiet), *_empty_notes(cohorts, quiet), *_level_note(recent, quiet)
        ],
    )  # fmt: skip


def _shares(rates: Sequence[Rate], periods: int) -> list[str]:
    return [
        f"{formats.percent(rate.value)}" if periods <= _FEW and rate.value is not None else ""
        for rate in rates
    ]


def _runs(cohorts: Sequence[Cohort]) -> list[tuple[int, int]]:
    """Where open cohorts stand beside each other: the first and the last position of each run."""
    runs = groupby(enumerate(cohorts), key=lambda one: one[1].open)
    places = [[at for at, _ in run] for is_open, run in runs if is_open]
    return [(run[0], run[-1]) for run in places]


def _grounds(cohorts: Sequence[Cohort]) -> list[Figure]:
    ground = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "line": {"width": 0}}
    return [
        ground | {"x0": first - 0.5, "x1": last + 0.5, "fillcolor": palette.unfinished()}
        for first, last in _runs(cohorts)
    ]


def _open_notes(cohorts: Sequence[Cohort], colour: str) -> list[Figure]:
    low = {"yref": "paper", "yanchor": "bottom"}
    return [
        charts.note(_OPEN, (first + last) / 2, 0, colour, **low, textangle=-90 if last - first < 3 else 0)
        for first, last in _runs(cohorts)
    ]


def _empty_notes(cohorts: Sequence[Cohort], colour: str) -> list[Figure]:
    if len(cohorts) > _FEW:
        return []
    text, low = formats.NO_DATA.lower(), {"yref": "paper", "yanchor": "bottom", "textangle": -90}
    empty = (one for one in cohorts if not one.started and not one.open)
    return [charts.note(text, one.period.key, 0, colour, **low) for one in empty]


def _level(recent: Rate, colour: str) -> list[Figure]:
    if recent.value is None:
        return []
    line = {"color": colour, "width": 1, "dash": "dot"}
    return [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": recent.value,
            "y1": recent.value,
            "line": line,
        }
    ]


def _level_note(recent: Rate, colour: str) -> list[Figure]:
    if recent.value is None:
        return []
    text = f"30-day rate {charts.share(recent)}"
    return [charts.note(text, 1, recent.value, colour, xref="paper", xanchor="right", yanchor="bottom")]


def states(cohorts: Sequence[Cohort]) -> Figure:
    """How many trials of each cohort ended in which of the six states."""
    seen = [state for state in charts.STATE_WORDS if any(one.states[state] for one in cohorts)]
    return charts.figure(
        [_states_bar(cohorts, state) for state in seen],
        height=340,
        barmode="stack",
        bargap=0.25 if len(cohorts) <= _FEW else 0.1,
        showlegend=True,
        uniformtext={"minsize": 9, "mode": "hide"},
        legend=charts.LEGEND,
        xaxis=charts.categories([one.period.key for one in cohorts]),
    )


def _states_bar(cohorts: Sequence[Cohort], state: str) -> Figure:
    colour = palette.of_state(state)
    return {
        "type": "bar",
        "name": charts.STATE_WORDS[state],
        "x": [one.period.key for one in cohorts],
        "y": [one.states[state] for one in cohorts],
        "text": [formats.count(one.states[state]) if one.states[state] else "" for one in cohorts],
        "textangle": 0,
        "textposition": "inside",
        "insidetextanchor": "middle",
        "insidetextfont": {"color": palette.on(colour)},
        "marker": {"color": colour, "line": {"width": 0}},
        "customdata": [[f"cohort:{one.period.key}:{state}"] for one in cohorts],
        **charts.hover([_state_hover(one, state) for one in cohorts]),
    }


def _state_hover(cohort: Cohort, state: str) -> str:
    count, words = cohort.states[state], charts.STATE_WORDS[state]
    share = formats.share(count, cohort.started)
    still = "<br>still open: these can change" if cohort.open else ""
    return f"{charts.period(cohort.period.key)}<br>{words}: {formats.count(count)} ({share}){still}"


def heat(rows: Sequence[HeatRow], days: Sequence[int]) -> Figure:
    """The share of each cohort that had converted by a day since its start; blank where the day is to come.

    `days` belong to the shares of each row. Oldest cohort on top: what is to come is at the lower right.
    """
    values = [[rate.value if rate else None for rate in row.shares] for row in rows]
    cells = {
        "type": "heatmap", "z": values, "zmin": 0, "xgap": 1, "ygap": 1, "hoverinfo": "skip",
        "zmax": max((value for row in values for value in row if value), default=1),
        "colorscale": palette.scale(), "showscale": False, "hoverongaps": False,
        "text": [[_percent(value) for value in row] for row in values], "texttemplate": "%{text}",
        "textfont": {"size": 11},
    }  # fmt: skip
    names = [f"{charts.begin(row.period.key)} ({formats.count(row.started)})" for row in rows]
    return charts.figure(
        [cells, _over_cells(rows, days)],
        height=26 * len(rows) + 50,
        xaxis=_places([str(day) for day in days]) | {"side": "top", "title": {"text": _DAYS, "standoff": 6}},
        yaxis=_places(names) | {"range": [len(rows) - 0.5, -0.5]},
        margin=charts.MARGIN | {"t": 46, "r": 16},
        annotations=[_not_yet(at, row) for at, row in enumerate(rows) if None in row.shares],
    )


def _places(names: Sequence[str]) -> Figure:
    """An axis of positions under these names."""
    return {
        "tickmode": "array", "tickvals": list(range(len(names))), "ticktext": list(names), "showgrid": False,
        "zeroline": False, "automargin": True, "ticks": "", "range": [-0.5, len(names) - 0.5],
    }  # fmt: skip


def _percent(value: float | None) -> str:
    return "" if value is None else formats.percent(value)


def _over_cells(rows: Sequence[HeatRow], days: Sequence[int]) -> Figure:
    """Unseen marks over the cells: plotly lets no cell be clicked."""
    seen = [
        (x, y, rate) for y, row in enumerate(rows) for x, rate in enumerate(row.shares) if rate is not None
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x for x, _, _ in seen],
        "y": [y for _, y, _ in seen],
        "marker": {"size": 22, "symbol": "square", "opacity": 0},
        "customdata": [[f"by:{rows[y].period.key}:{days[x]}"] for x, y, _ in seen],
        **charts.hover([_heat_hover(rows[y], days[x], rate) for x, y, rate in seen]),
    }


def _heat_hover(row: HeatRow, day: int, rate: Rate) -> str:
    return f"{charts.period(row.period.key)}, by day {day}<br>{charts.told(rate)}"


def _not_yet(place: int, row: HeatRow) -> Figure:
    quiet = palette.ink()[2]
    first = row.shares.index(None) - 0.5
    font = {"color": quiet, "size": 10}
    return charts.note("not yet", first, place, quiet, xanchor="left", font=font)
