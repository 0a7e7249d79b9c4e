"""Compare: do two groups or two periods differ, by how much, and could it be chance?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from pages.components import (
    charts,
    charts_curves,
    charts_groups,
    conversion_curves,
    formats,
    plotted,
    worklist,
)
from pages.components.charts_curves import Line
from pages.components.charts_groups import Dot
from pages.components.conversion_view import View, choice, same, segments
from pages.components.conversion_words import DIMS, no_lots
from pages.components.plotted import Sheet
from services.metrics.definitions import DEFINITIONS
from services.metrics.statistics import statistics, survival
from services.metrics.statistics.statistics import Rate
from services.metrics.statistics.survival import Watched
from services.metrics.trials.slices import EVERYONE, Slice

_GROUPS, _PERIODS = "Two groups", "Two periods"
_LENGTHS = {"1": 1, "3": 3, "6": 6}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: its name, its share converted, its trials by day, and the address of its rows."""

    name: str
    rate: Rate
    watched: Watched
    leads_to: str


def draw(view: View) -> None:
    """The choice of the two, and how they differ."""
    kind = segments("What to compare", same((_GROUPS, _PERIODS)), "compare")
    sides, notice = _groups(view) if kind == _GROUPS else _periods(view)
    if sides is None:
        st.caption(f"No data: there are no two to compare in the {view.one}s that are no longer open.")
        return
    st.info(notice, icon=":material/info:")
    one, two = sides
    header = ("name", *plotted.RATE)
    sheet = Sheet(header, [(side.name, *plotted.rate(side.rate)) for side in sides])
    plotted.head(
        view.person, "Share converted", sheet, "comparison", help=DEFINITIONS["difference"].short,
        note=f"Converted {view.within}, of the {view.one}s that are no longer open.",
    )  # fmt: skip
    dots = [Dot(side.name, side.rate, side.leads_to) for side in sides]
    said = ", ".join(f"{dot.name} {formats.share(dot.rate.part, dot.rate.whole)}" for dot in dots)
    plotted.chart(charts_groups.dots(dots, coloured=True), "compared", f"Share converted: {said}")
    _difference(one, two)
    _curves(view, sides)


def _groups(view: View) -> tuple[tuple[Side, Side] | None, str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dim = choice("Groups by", DIMS, "of")
        all = view.measures.breakdown(replace(view.asked, segment=EVERYONE), dim, view.window)
        found = view.measures.breakdown(view.asked, dim, view.window)
        if len(found) < 2:
            return None, no_lots(dim)
        names = worklist.distinct({one.key: view.names.of(dim, one.key) for one in all})
        keys = [one.key for one in found]
        first = choice("First", names, f"first_{dim}", usual=keys[0])  # a key that goes with what it offers
        second = choice("Second", names, f"second_{dim}", usual=keys[1])
    sides = tuple(
        _side(view, view.asked.of(dim, key), names[key], f"group:{dim}:{key}") for key in (first, second)
    )
    return (sides[0], sides[1]), no_lots(dim)


def _periods(view: View) -> tuple[tuple[Side, Side] | None, str]:
    closed = [one.period for one in view.outcomes.cohorts(view.window) if not one.open and one.started]
    notice = no_lots("") + " Between two periods much else may have changed, too."
    if len(closed) < 2:
        return None, notice
    with st.container(horizontal=True, vertical_alignment="bottom"):
        lengths = {key: formats.plural(count, view.one) for key, count in _LENGTHS.items()}
        length = _LENGTHS[choice("Each over", lengths, f"each_{view.one}")]
        names = {period.key: charts.begin(period.key) for period in reversed(view.periods)}
        before = closed[max(0, len(closed) - 1 - length)].key
        first = choice("First, up to", names, f"until_{view.one}", usual=closed[-1].key)
        second = choice("Second, up to", names, f"against_{view.one}", usual=before)
    one, two = (_span(view, key, length) for key in (first, second))
    return (one, two), notice


def _span(view: View, last: str, length: int) -> Side:
    """The periods up to one of them, taken together."""
    end = next(place for place, period in enumerate(view.periods) if period.key == last)
    mine = view.periods[max(0, end - length + 1) : end + 1]
    name = charts.begin(mine[-1].key)
    if len(mine) > 1:
        name = f"{charts.begin(mine[0].key)} to {name}"
    return _side(view, view.asked.during(mine), name, f"span:{mine[0].key}:{mine[-1].key}")


def _side(view: View, asked: Slice, name: str, leads_to: str) -> Side:
    rate = view.measures.outcomes(asked).rate(view.window)
    return Side(name, rate, view.measures.curve(asked), leads_to)


def _difference(one: Side, two: Side) -> None:
    held = statistics.difference(one.rate, two.rate)
    st.subheader("Difference", help=formats.plain(DEFINITIONS["difference"].more), anchor=False)
    if held is None or one.rate.value is None or two.rate.value is None:
        st.caption("No data: one of the two has no trials.")
        return
    value = one.rate.value - two.rate.value
    where = f"95 % interval {formats.points(held.low)} to {formats.points(held.high)}"
    chance = held.low <= 0 <= held.high
    verdict = (
        "It may be chance: the interval holds 0."
        if chance
        else "It is hardly chance: the interval leaves out 0."
    )
    said = f"{one.name} against {two.name}: {formats.points(value)}, {where}. {verdict}"
    st.markdown(formats.plain(said))
    charts.draw(charts_groups.difference(one.rate, two.rate, held), key="difference_chart", alt=said)


def _curves(view: View, sides: tuple[Side, Side]) -> None:
    lines = [Line(side.name, survival.curve(side.watched)) for side in sides]
    plotted.head(
        view.person, "By day since the start", conversion_curves.sheet(lines), "compared_curves",
        help=DEFINITIONS["chance"].short, note=_told(survival.chance(*(side.watched for side in sides))),
    )  # fmt: skip
    alt = f"Share converted by day since the start: {' and '.join(side.name for side in sides)}"
    charts.draw(charts_curves.curves(lines), key="compared_curves_chart", alt=alt)


def _told(chance: float | None) -> str:
    if chance is None:
        return "No data: nobody converted yet, or one of the two has no trials."
    odds = "less than 0.1 %" if chance < 0.001 else f"{formats.percent(chance, decimals=1)}"
    verdict = "they may be the same" if chance >= 0.05 else "they hardly are the same"
    return (
        f"Were both alike, curves would lie at least so far apart in {odds} of cases (log-rank test): "
        f"{verdict}. Trials of open cohorts count for as long as they have been watched."
    )
