"""Curves: what share has converted by each day since the start, young trials rightly counted?"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components import charts, charts_curves, formats, plotted
from pages.components.charts_curves import Line
from pages.components.conversion_view import View, choice
from pages.components.conversion_words import DIMS
from pages.components.plotted import Sheet
from services.metrics.definitions import DEFINITIONS
from services.metrics.statistics import survival
from services.metrics.statistics.survival import Point, Watched

_MOST = 5  # lines that eyes can follow
_ALL, _COHORT = "", "cohort"
_TOLD = (7, 14, 30, 60, 90)  # days


def draw(view: View) -> None:
    """The curves, and what they come to as a table."""
    options = {_ALL: "All trials together", _COHORT: "Month or week of the start", **DIMS}
    by = choice("One curve for each", options, "curves")
    found = _watched(view, by)
    shown = found[-_MOST:] if by == _COHORT else found[:_MOST]
    lines = [Line(name, points) for name, watched in shown if (points := survival.curve(watched))]
    plotted.head(
        view.person, "Share converted by day since the start", sheet(lines), "conversion_curves",
        help=f"{DEFINITIONS['curve'].short} {DEFINITIONS['curve'].more}", note=_note(by, len(found)),
    )  # fmt: skip
    if not lines:
        st.caption(f"No data: no such trial started in these {view.one}s.")
        return
    said = ", ".join(
        f"{line.name} {formats.percent(line.points[-1].share)} by day {line.points[-1].day}" for line in lines
    )
    charts.draw(charts_curves.curves(lines), key="curves_chart", alt=f"Share converted by day: {said}")
    st.table([_row(line) for line in lines], border="horizontal", hide_index=True)


def sheet(lines: Sequence[Line]) -> Sheet:
    """The curves' numbers: a row for each day of each."""
    header = ("curve", "day", "share", "low_95", "high_95", "at_risk")
    return Sheet(header, [_cells(line.name, point) for line in lines for point in line.points])


def _note(by: str, found: int) -> str:
    few = f" The {_MOST} {'latest' if by == _COHORT else 'largest'} of {found}." if found > _MOST else ""
    return (
        "Each trial counts for as long as it has been watched, so that young ones neither lower the share "
        f"nor are left out. The shade is the 95 % interval.{few}"
    )


def _watched(view: View, by: str) -> list[tuple[str, Watched]]:
    """The curves' counts under their names: cohorts as they began, groups the largest first."""
    if by == _ALL:
        return [("All trials", view.measures.curve(view.asked))]
    if by == _COHORT:
        by_period = view.measures.curves(view.asked)
        return [(charts.begin(period.key), watched) for period, watched in by_period.items()]
    groups = view.measures.curves_by(view.asked, by)
    largest = sorted(groups.items(), key=lambda one: (-_size(one[1]), one[0]))
    return [(view.names.of(by, value), watched) for value, watched in largest]


def _size(watched: Watched) -> int:
    return watched.at_risk[0] if watched.at_risk else 0


def _cells(name: str, point: Point) -> tuple[object, ...]:
    shares = (point.share, point.interval.low, point.interval.high)
    return (name, point.day, *(f"{each:.4f}" for each in shares), point.at_risk)


def _row(line: Line) -> dict[str, str]:
    return {
        "Curve": formats.plain(line.name),
        "Trials": formats.count(line.points[0].at_risk),
        **{formats.unbroken(f"By day {day}"): _by(line.points, day) for day in _TOLD},
    }


def _by(points: Sequence[Point], day: int) -> str:
    """The share by a day; when all have converted, it stays so."""
    if day > points[-1].day and points[-1].share < 1:
        return "not yet"
    point = points[min(day, len(points) - 1)]
    share = formats.percent(point.share, decimals=1)
    return formats.unbroken(f"{share} ({charts.between(point.interval)})" if point.share else share)
