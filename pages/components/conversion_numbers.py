"""The numbers on top of the Conversion page: each with its meaning, and the way to its rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pages.components import behind, charts, formats, tiles
from pages.components.conversion_view import View
from services.metrics.definitions import DEFINITIONS
from services.metrics.statistics.statistics import Rate, may_be_chance
from services.metrics.trials import conversion
from services.metrics.trials.conversion import Cohort, Days


def draw(view: View) -> None:
    """The tiles, and why the two rates differ."""
    last, before = conversion.last_closed(view.outcomes.cohorts(view.window))
    recent, running = (
        view.measures.period_rate(view.asked.segment),
        view.measures.running(view.asked.segment),
    )
    name = f"Converted, {charts.brief(last.period.key)}" if last else DEFINITIONS["cohort_rate"].title
    days, started = view.outcomes.days, view.outcomes.started
    with tiles.row():
        with _tile(f"cohort:{last.period.key}" if last else "", last.rate.whole if last else 0):
            _rate(name, last.rate if last else Rate(0, 0), "cohort_rate", before)
        with _tile("number:recent", recent.whole):
            _rate("30-day rate", recent, "period_rate")
        with _tile("number:converted", days.count if days else 0):
            _count("Days to convert", days.median if days else None, _told_days(days))
        with _tile("number:converted", days.count if days else 0, "p90"):
            _count("Nine of ten within", days.p90 if days else None, _told_days(days))
        with _tile("number:started", started):
            _count("Trials started", started, f"In the {view.one}s below.")
        with _tile("number:running", running):
            _count("Still running", running, "Not over, or the first invoice is still a draft.")
    st.caption(_differ(view, last))


def _differ(view: View, last: Cohort | None) -> str:
    begun = (
        f"that started in {charts.month(last.period.key)}" if last and view.one == "month" else "of a cohort"
    )
    return (
        f"Two rates, two questions: the first follows the trials {begun} and counts who converted "
        f"{view.within}; the 30-day rate takes the trials that ended in the last 30 days, whenever they "
        "started, as Stripe’s own page does."
    )


@contextmanager
def _tile(show: str, trials: int, name: str = "") -> Iterator[None]:
    """A number on a tile, with the way to the trials that it counts; none where it counts none."""
    with tiles.frame():
        yield
        if trials:
            st.button(
                formats.plural(trials, "trial"), key=f"rows:{name or show}", type="tertiary",
                on_click=behind.open, args=(show,), icon=":material/chevron_right:", icon_position="right",
            )  # fmt: skip


def _told_days(days: Days | None) -> str:
    if days is None:
        return DEFINITIONS["days_to_convert"].short
    half, most = formats.plural(days.median, "day"), formats.plural(days.p90, "day")
    said = (
        f"Half of {formats.plural(days.count, 'conversion')} took at most {half}, nine of ten at most {most}."
    )
    return f"{said} {DEFINITIONS['days_to_convert'].more}"


def _count(label: str, number: int | None, help: str) -> None:
    value = formats.NO_DATA if number is None else formats.count(number)
    st.metric(label, value, help=help)


def _rate(label: str, rate: Rate, key: str, before: Cohort | None = None) -> None:
    said = [DEFINITIONS[key].short, f"{formats.count(rate.part)} of {formats.count(rate.whole)}."]
    if held := rate.interval:
        said.append(f"95 % interval: {charts.between(held)}.")
    change, chance = None, before is None or may_be_chance(rate, before.rate)
    if before and before.rate.value is not None and rate.value is not None:
        change = formats.points(rate.value - before.rate.value)
        said.append(f"The change is since {charts.begin(before.period.key)}{'; it may be chance' * chance}.")
    st.metric(
        label, formats.share(rate.part, rate.whole), change, help=formats.plain(" ".join(said)),
        delta_color="off" if chance else "normal",
    )  # fmt: skip
