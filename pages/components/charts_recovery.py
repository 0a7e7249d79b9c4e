"""How do failed payments look? How many fail, how much comes back, of whom, and by what.

A month that is still open is drawn as what it can still come to, never as a low share. Amounts are minor
units of one currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pages.components import charts, formats, palette
from pages.components.charts import Figure
from pages.components.recovery_words import STATES
from services.metrics.recovery.dunning import Cohort, Group, Payments
from services.metrics.recovery.recovery import CAME_TO, CameTo
from services.metrics.revenue.revenue_history import Share
from services.metrics.statistics.statistics import Rate
from services.money import MICROS

_COLOURS: dict[CameTo, str] = {"recovered": "converted", "in_recovery": "running", "lost": "missed_payment"}
_FEW = 18  # months: so many can have words of their own
_LONGEST = 22  # characters of a name


@dataclass(frozen=True, slots=True)
class Bar:
    """A group of payments under its name; `leads_to` is the address of its rows, `told` explains it."""

    name: str
    group: Group
    leads_to: str
    told: str = ""


def failure_rates(cohorts: Sequence[Cohort], currency: str) -> Figure:
    """The share that failed at the first try of each month's payments, by volume and by count."""
    tried = [one for one in cohorts if one.failure.whole]
    volumes, counts = [one.failure_volume for one in tried], [one.failure for one in tried]
    values = [one.value or 0.0 for one in (*volumes, *counts)]
    hovers = [_failure_hover(one, currency) for one in tried]
    return charts.figure(
        _two_lines(tried, volumes, counts, hovers, labels=[_percent(one, 1) for one in volumes]),
        height=300, showlegend=True, legend=charts.LEGEND, xaxis=_months(cohorts),
        yaxis=charts.shares(max(values, default=0.1)),
        annotations=_nothing([one for one in cohorts if not one.failure.whole]),
    )  # fmt: skip


def recovery_rates(cohorts: Sequence[Cohort], currency: str) -> Figure:
    """The share recovered of what first failed in each month; of open months what it can still come to."""
    failed = [one for one in cohorts if one.failed.count]
    closed, still = [one for one in failed if not one.open], [one for one in failed if one.open]
    volumes = [one.recovery_volume for one in closed]
    hovers = [_recovery_hover(one, currency) for one in closed]
    lines = _two_lines(
        closed, volumes, [one.recovery for one in closed], hovers, labels=[_percent(one) for one in volumes]
    )
    return charts.figure(
        [*lines, _possible(still, currency)],
        height=320, showlegend=True, legend=charts.LEGEND, xaxis=_months(cohorts), bargap=0.55,
        uniformtext={"minsize": 9, "mode": "hide"},
        yaxis={"tickformat": ".0%", "range": [0, 1.12], "nticks": 6},
        annotations=_nothing([one for one in cohorts if not one.failed.count]),
    )  # fmt: skip


def _two_lines(
    cohorts: Sequence[Cohort],
    volumes: Sequence[Share],
    counts: Sequence[Rate],
    hovers: Sequence[str],
    *,
    labels: Sequence[str],
) -> list[Figure]:
    """By volume, with its numbers, and by count, which stays quiet."""
    ink, pale, quiet = palette.ink()
    line = {
        "type": "scatter", "x": [one.period.key for one in cohorts],
        "customdata": [[f"cohort:{one.period.key}"] for one in cohorts], **charts.hover(hovers),
    }  # fmt: skip
    words = labels if len(cohorts) <= _FEW else [""] * len(labels)
    by_count = {
        "name": "by count", "mode": "markers", "y": [one.value for one in counts],
        "marker": {"color": quiet, "size": 7, "symbol": "diamond-open"},
    }  # fmt: skip
    by_volume = {
        "name": "by volume", "mode": "lines+markers+text", "y": [one.value for one in volumes],
        "line": {"color": pale, "width": 1}, "marker": {"color": ink, "size": 9}, "text": words,
        "textposition": "top center", "textfont": {"size": 10}, "cliponaxis": False,
    }  # fmt: skip
    return [line | by_count, line | by_volume]


def _possible(still: Sequence[Cohort], currency: str) -> Figure:
    """From what is recovered to what still can be."""
    pale = palette.ink()[1]
    low = [one.recovery_volume.value or 0.0 for one in still]
    high = [one.possible_volume.value or 0.0 for one in still]
    return {
        "type": "bar", "name": "still open: where it can come to", "x": [one.period.key for one in still],
        "base": low, "y": [top - bottom for top, bottom in zip(high, low, strict=True)],
        "text": [
            f"{formats.percent(bottom)} to<br>{formats.percent(top)}"
            for top, bottom in zip(high, low, strict=True)
        ],
        "textposition": "inside", "insidetextanchor": "middle", "textangle": 0,
        "textfont": {"color": palette.on(pale)},
        "marker": {"color": pale, "line": {"width": 0}},
        "customdata": [[f"cohort:{one.period.key}"] for one in still],
        **charts.hover([_recovery_hover(one, currency) for one in still]),
    }  # fmt: skip


def states(cohorts: Sequence[Cohort], currency: str) -> Figure:
    """What became of the money that first failed in each month."""
    seen = [state for state in CAME_TO if any(one.states[state].count for one in cohorts)]
    highest = max((one.failed.amount for one in cohorts), default=0)
    return charts.figure(
        [_states_bar(cohorts, state, currency) for state in seen],
        height=320, barmode="stack", bargap=0.25, showlegend=True, legend=charts.LEGEND,
        uniformtext={"minsize": 9, "mode": "hide"}, xaxis=_months(cohorts),
        yaxis=charts.money_axis(0, highest, currency),
    )  # fmt: skip


def _states_bar(cohorts: Sequence[Cohort], state: CameTo, currency: str) -> Figure:
    sums = [one.states[state] for one in cohorts]
    return {
        "x": [one.period.key for one in cohorts],
        "y": [one.amount for one in sums],
        **_layer(sums, state, currency),
        "customdata": [[f"cohort:{one.period.key}:{state}"] for one in cohorts],
        **charts.hover([
            f"{charts.month(one.period.key)}<br>{_told(sum, state, currency)}"
            for one, sum in zip(cohorts, sums, strict=True)
        ]),
    }  # fmt: skip


def groups(bars: Sequence[Bar], currency: str) -> Figure:
    """What became of the money that failed in each group, the largest on top, with the share recovered."""
    quiet = palette.ink()[2]
    longest = max((bar.group.failed.amount for bar in bars), default=0) or 1
    return charts.figure(
        [_group_bar(bars, state, currency) for state in CAME_TO],
        height=38 * len(bars) + 60, barmode="stack", bargap=0.3, showlegend=True, legend=charts.LEGEND,
        uniformtext={"minsize": 9, "mode": "hide"},
        margin=charts.MARGIN | {"r": 92},
        xaxis={"visible": False, "range": [0, longest]},
        yaxis=_names(bars),
        annotations=[
            charts.note(
                f"{_percent(bar.group.recovery_volume)} back", bar.group.failed.amount, place,
                quiet, xanchor="left", xshift=4,
            )
            for place, bar in enumerate(bars)
        ],
    )  # fmt: skip


def _group_bar(bars: Sequence[Bar], state: CameTo, currency: str) -> Figure:
    sums = [bar.group.states[state] for bar in bars]
    return {
        "orientation": "h",
        "y": list(range(len(bars))),
        "x": [one.amount for one in sums],
        **_layer(sums, state, currency),
        "customdata": [[f"{bar.leads_to}:{state}"] for bar in bars],
        **charts.hover([
            f"{_about(bar)}<br>{_told(one, state, currency)}" for bar, one in zip(bars, sums, strict=True)
        ]),
    }  # fmt: skip


def ways(bars: Sequence[Bar], currency: str) -> Figure:
    """What paid the payments that were recovered: how much money, of how many."""
    ink, _, quiet = palette.ink()
    sums = [bar.group.states["recovered"] for bar in bars]
    whole = sum(one.amount for one in sums)
    bar = {
        "type": "bar", "orientation": "h", "y": list(range(len(bars))),
        "x": [one.amount for one in sums], "marker": {"color": ink, "line": {"width": 0}},
        "customdata": [[bar.leads_to] for bar in bars],
        **charts.hover([
            f"{_about(bar)}<br>{_told(one, 'recovered', currency)}"
            for bar, one in zip(bars, sums, strict=True)
        ]),
    }  # fmt: skip
    return charts.figure(
        [bar],
        height=40 * len(bars) + 30,
        bargap=0.35,
        margin=charts.MARGIN | {"r": 116},
        xaxis={"visible": False, "range": [0, max((one.amount for one in sums), default=0) or 1]},
        yaxis=_names(bars),
        annotations=[
            charts.note(
                f"{_rough(one, currency)} · {formats.share(one.amount, whole)}",
                one.amount, place, quiet, xanchor="left", xshift=4,
            )
            for place, one in enumerate(sums)
        ],
    )  # fmt: skip


def _layer(sums: Sequence[Payments], state: CameTo, currency: str) -> Figure:
    """What all bars of a state have in common."""
    colour = palette.of_state(_COLOURS[state])
    return {
        "type": "bar",
        "name": STATES[state],
        "text": [_rough(one, currency) if one.amount else "" for one in sums],
        "textangle": 0,
        "textposition": "inside",
        "insidetextanchor": "middle",
        "insidetextfont": {"color": palette.on(colour)},
        "marker": {"color": colour, "line": {"width": 0}},
    }


def _months(cohorts: Sequence[Cohort]) -> Figure:
    return charts.categories([one.period.key for one in cohorts])


def _names(bars: Sequence[Bar]) -> Figure:
    return {
        "range": [len(bars) - 0.5, -0.5], "tickmode": "array", "tickvals": list(range(len(bars))),
        "ticktext": [charts.cut(bar.name, _LONGEST) for bar in bars], "showgrid": False, "automargin": True,
        "zeroline": False,
    }  # fmt: skip


def _nothing(empty: Sequence[Cohort]) -> list[Figure]:
    low = {"yref": "paper", "yanchor": "bottom", "textangle": -90}
    quiet, words = palette.ink()[2], formats.NO_DATA.lower()
    return [charts.note(words, one.period.key, 0, quiet, **low) for one in empty]


def _rough(payments: Payments, currency: str) -> str:
    return formats.rough(payments.amount * MICROS, currency)


def _percent(share: Share, decimals: Literal[0, 1] = 0) -> str:
    return formats.NO_DATA if share.value is None else formats.percent(share.value, decimals=decimals)


def _told(payments: Payments, state: CameTo, currency: str) -> str:
    number = formats.plural(payments.count, "payment")
    return f"{STATES[state]}: {formats.money(payments.amount, currency)} ({number})"


def _about(bar: Bar) -> str:
    return charts.safe(bar.name) + (f"<br>{charts.safe(bar.told)}" if bar.told else "")


def _failure_hover(one: Cohort, currency: str) -> str:
    volume = one.failure_volume
    return (
        f"{charts.month(one.period.key)}<br>{_percent(volume, 1)} by volume: "
        f"{formats.money(volume.part, currency)} of {formats.money(volume.whole, currency)}"
        f"<br>by count {charts.told(one.failure)}"
    )


def _recovery_hover(one: Cohort, currency: str) -> str:
    volume = one.recovery_volume
    still = one.states["in_recovery"]
    more = f"<br>still open: {_told(still, 'in_recovery', currency)}" if one.open else ""
    return (
        f"{charts.month(one.period.key)}<br>{_percent(volume)} by volume: "
        f"{formats.money(volume.part, currency)} of {formats.money(volume.whole, currency)}"
        f"<br>by count {charts.told(one.recovery)}{more}"
    )
