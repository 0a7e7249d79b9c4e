"""The way back: what paid the payments that had failed, and how soon?"""

from __future__ import annotations

import streamlit as st

from pages.components import charts_curves, charts_recovery, formats, plotted
from pages.components.charts_curves import Line
from pages.components.charts_recovery import Bar
from pages.components.plotted import Sheet
from pages.components.recovery_view import View
from pages.components.recovery_words import called, explained
from services import money
from services.metrics.definitions import DEFINITIONS
from services.metrics.statistics import survival
from services.metrics.statistics.survival import Point

_DAYS = (1, 3, 7, 14, 30, 60)  # that the words name


def draw(view: View) -> None:
    """What brought it back, and the curve by day."""
    if not view.numbers.all.failed.count:
        st.caption("No data: no such payment failed in these months.")
        return
    _ways(view)
    _soon(view)


def _ways(view: View) -> None:
    found = [one for one in view.numbers.by("by") if one.states["recovered"].count]
    rows = [
        (one.key, one.states["recovered"].count, money.units(one.states["recovered"].amount, view.currency),
         view.currency.upper())
        for one in found
    ]  # fmt: skip
    plotted.head(
        view.person, "What brought it back", Sheet(("by", "payments", "amount", "currency"), rows),
        "recovered_by", help=f"{DEFINITIONS['recovered_by'].short} {DEFINITIONS['recovered_by'].more}",
        note="Of what first failed in these months and is recovered: the invoices' totals, and their share.",
    )  # fmt: skip
    if not found:
        st.caption("No data: nothing is recovered yet.")
        return
    bars = [
        Bar(called("by", one.key, view.plans), one, f"by:{one.key}", explained("by", one.key))
        for one in found
    ]
    said = (
        f"{bar.name} {formats.money(bar.group.states['recovered'].amount, view.currency)}" for bar in bars
    )
    made = charts_recovery.ways(bars, view.currency)
    plotted.chart(made, "ways", f"What brought it back: {', '.join(said)}")


def _soon(view: View) -> None:
    points = survival.curve(view.measures.recovered_by_day(view.asked))
    rows = [
        (one.day, f"{one.share:.4f}", f"{one.interval.low:.4f}", f"{one.interval.high:.4f}", one.at_risk)
        for one in points
    ]
    plotted.head(
        view.person, "How soon", Sheet(("day", "share", "low_95", "high_95", "watched"), rows),
        "recovery_curve",
        help=f"{DEFINITIONS['recovery_curve'].short} {DEFINITIONS['recovery_curve'].more}",
        note="Share of the failed payments, by count, that is recovered by each day since the first failure. "
        "The band is the 95 % interval.",
    )  # fmt: skip
    made = charts_curves.curves([Line("Recovered", points)], since="the first failure", one="payment")
    plotted.chart(made, "soon", f"Recovered by day since the first failure: {_said(points)}")


def _said(points: list[Point]) -> str:
    return ", ".join(f"day {one.day} {formats.percent(one.share)}" for one in points if one.day in _DAYS)
