"""What belongs to every chart: a title with what it means, a sentence, and its numbers as a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.components import behind, charts, download, formats
from pages.components.charts import Figure
from services.customers import export
from services.metrics.statistics.statistics import Rate
from services.staff.roles import Person

RATE = ("converted", "trials", "share", "low_95", "high_95")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The numbers that a chart is drawn from, as they stand in its file."""

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]


def rate(one: Rate | None) -> tuple[Any, ...]:
    """A rate under RATE; empty where there is none."""
    if one is None or one.value is None or one.interval is None:
        return (one.part, one.whole, "", "", "") if one else ("",) * len(RATE)
    return (
        one.part,
        one.whole,
        *(f"{each:.4f}" for each in (one.value, one.interval.low, one.interval.high)),
    )


def head(person: Person, title: str, sheet: Sheet, name: str, *, help: str = "", note: str = "") -> None:
    """The title, with the file of the numbers beside it, and a sentence below; `name` is the file's."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(title, help=formats.plain(help) or None, anchor=False, width="content")
        with st.container(width="content"):
            download.csv(
                person,
                lambda _, asking: export.chart_csv(asking, sheet.header, sheet.rows),
                name=name.replace("_", "-"), key=f"{name}_csv", help="The numbers of this chart.",
            )  # fmt: skip
    if note:
        st.caption(formats.plain(note))


def chart(made: Figure, name: str, alt: str) -> None:
    """The chart itself, whose bars and points lead to their rows."""
    charts.draw(made, key=behind.chart_key(name), alt=alt, on_pick=behind.pick)
