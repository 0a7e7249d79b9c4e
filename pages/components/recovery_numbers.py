"""The numbers on top of the Recovery page: each with its meaning, and the way to its rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pages.components import behind, charts, formats, navigation, tiles
from pages.components.recovery_view import View
from services.metrics.definitions import DEFINITIONS
from services.metrics.recovery.dunning import Group, together
from services.metrics.recovery.recovery import AtStake
from services.metrics.revenue.revenue_history import Share
from services.metrics.statistics.statistics import Rate, percentile

_NOT_ENDED = "Not ended"  # of the filter on the page of failed payments


def draw(view: View) -> None:
    """The tiles."""
    numbers = view.numbers
    decided, everything = together(numbers.closed), numbers.all
    with tiles.row():
        with _tile("number:failed", everything.failed.count):
            _share(view, "failure_rate", everything.failure_volume, everything.failure)
        with _tile("number:decided", decided.failed.count):
            _share(view, "month_recovery_rate", decided.recovery_volume, decided.recovery, _decided(view))
        with _tile("number:recovered", numbers.days.total()):
            _days(view)
        with _tile("number:lost", everything.states["lost"].count):
            _lost(view, everything)
        with tiles.frame():
            _at_stake(view, view.measures.at_stake().get(view.currency, AtStake()))


@contextmanager
def _tile(show: str, payments: int) -> Iterator[None]:
    """A number on a tile, with the way to the payments that it counts; none where it counts none."""
    with tiles.frame():
        yield
        if payments:
            st.button(
                formats.plural(payments, "payment"), key=f"rows:{show}", type="tertiary",
                on_click=behind.open, args=(show,), icon=":material/chevron_right:", icon_position="right",
            )  # fmt: skip


def _share(view: View, key: str, volume: Share, rate: Rate, more: str = "") -> None:
    said = [DEFINITIONS[key].short]
    if volume.whole:
        part, whole = (formats.money(one, view.currency) for one in (volume.part, volume.whole))
        said.append(f"{part} of {whole}.")
    said.append(f"By count {formats.share(rate.part, rate.whole)}: {_of(rate)}.")
    if held := rate.interval:
        said.append(f"95 % interval: {charts.between(held)}.")
    st.metric(
        DEFINITIONS[key].title,
        formats.share(volume.part, volume.whole),
        help=formats.plain(" ".join([*said, more])),
    )


def _of(rate: Rate) -> str:
    return f"{formats.count(rate.part)} of {formats.plural(rate.whole, 'payment')}"


def _decided(view: View) -> str:
    """Which months the rate is of."""
    closed = view.numbers.closed
    failed = [one for one in view.numbers.cohorts if one.failed.count]
    if not closed:
        return "No month is decided yet: payments of each are still in recovery."
    last = charts.month(closed[-1].period.key)
    return (
        f"Of the {formats.plural(len(closed), 'month')} that are decided, of {len(failed)} with failures; "
        f"the last one is {last}."
    )


def _days(view: View) -> None:
    days, definition = view.numbers.days, DEFINITIONS["days_to_recover"]
    median, most = percentile(days, 0.5), percentile(days, 0.9)
    said = definition.short
    if most is not None:
        said = f"The median. Nine of ten: {formats.plural(most, 'day')}. {definition.more}"
    value = formats.NO_DATA if median is None else formats.count(median)
    st.metric(definition.title, value, help=formats.plain(said))


def _lost(view: View, everything: Group) -> None:
    lost, definition = everything.states["lost"], DEFINITIONS["lost"]
    value = formats.money(lost.amount, view.currency) if everything.failed.count else formats.NO_DATA
    of = f"Of {formats.money(everything.failed.amount, view.currency)} that failed."
    st.metric(definition.title, value, help=formats.plain(f"{definition.short} {of} {definition.more}"))


def _at_stake(view: View, found: AtStake) -> None:
    definition = DEFINITIONS["at_stake"]
    st.metric(
        f"{definition.title} now",
        formats.money(found.amount, view.currency),
        help=formats.plain(f"{definition.short} Whatever plan, and whenever it failed. {definition.more}"),
    )
    navigation.link(
        "failed-payments", formats.plural(found.count, "invoice"), icon=":material/chevron_right:", last=True,
        currency=view.currency.upper(), subscription=_NOT_ENDED,
    )  # fmt: skip
