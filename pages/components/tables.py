"""How is a list of rows shown: one page of it, with links, badges and money that reads in columns?

The rows of one page come from SQL, already filtered, sorted and cut. Cells are plain text or badges:
customer text is never read as Markdown.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import streamlit as st

from pages.components import address, formats, statuses
from services.text import isolated

Kind = Literal["text", "money", "micros", "moment", "day", "relative", "days_left", "count", "status", "link"]
_RIGHT: frozenset[Kind] = frozenset({"money", "micros", "count", "days_left"})

PAGER = 282  # pixels: seven buttons and two arrows; a pager hides pages that it finds no room for


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the row's `field` under a `label`. Money takes its currency from the row's `currency`."""

    field: str
    label: str
    kind: Kind = "text"
    currency: str = "currency"
    help: str | None = None
    width: Literal["small", "medium", "large"] | int | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class PageOf:
    """Which part of a list to read: `offset` and `limit` for SQL, `number` counts from 1."""

    number: int
    limit: int

    @property
    def offset(self) -> int:
        """How many rows come before this page."""
        return (self.number - 1) * self.limit


def page_of(total: int, *, key: str = "page", size: int = 50) -> PageOf:
    """The page that the address asks for (`?page=3`), shown as a row of page numbers when there are several.

    Call it after counting and before reading. A number beyond the end is ignored like anything else that is
    not understood; where the list became shorter while one looked at it, the last page follows.
    """
    pages = max(1, -(-total // size))
    arrives = key not in st.session_state
    address.expect(key, address.whole(1, pages if arrives else sys.maxsize))
    if pages == 1:
        return PageOf(1, size)
    number = st.pagination(pages, key=key, bind="query-params")
    return PageOf(min(number, pages), size)


def caption(total: int, page: PageOf, one: str, many: str = "", *, sums: str = "") -> None:
    """Says which rows are shown: `51-100 of 2,300 customers`; `sums`: what all of them come to."""
    told = formats.plural(total, one, many)
    if total > page.limit:
        last = min(page.offset + page.limit, total)
        told = f"{formats.count(page.offset + 1)}–{formats.count(last)} of {told}"
    st.caption(formats.plain(" · ".join(filter(None, (told, sums)))))


def show(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    *,
    key: str,
    alt: str,
    empty: str,
    open_label: str = "",
    select: bool = False,
) -> Picked:
    """Draws one page of rows; `alt` names the table for screen readers, `empty` says why there are none.

    `open_label` names the text column whose cells open the row; `select` adds boxes for several rows.
    Returns the positions (from 0) of the row that was just opened and of the rows that are ticked.
    """
    if not rows:
        st.caption(empty)
        return Picked(None, ())
    frame = pd.DataFrame({column.field: [_cell(row, column) for row in rows] for column in columns})
    opened = f"{key}_open"
    event = st.dataframe(
        frame,
        key=key,
        alt=alt,
        hide_index=True,
        height="content",
        placeholder="",
        column_config={column.field: _config(column, open_label, opened) for column in columns},
        on_select="rerun" if select else "ignore",
        selection_mode="multi-row",
    )
    click = st.session_state.get(opened) if open_label else None
    ticked = tuple(sorted(event["selection"]["rows"])) if select else ()
    return Picked(click["row"] if click else None, ticked)


@dataclass(frozen=True, slots=True)
class Picked:
    """What a person picked in a table: the row just opened, and the rows ticked (positions from 0)."""

    opened: int | None
    ticked: tuple[int, ...]


def _cell(row: Mapping[str, Any], column: Column) -> Any:
    value = row[column.field]
    match column.kind:
        case "money":
            return formats.money(value, row[column.currency] or "")
        case "micros":
            return formats.micros(value, row[column.currency] or "")
        case "count":
            return "" if value is None else formats.count(value)
        case "moment":
            return formats.moment(value)
        case "day":
            return formats.day(value)
        case "relative":
            return formats.relative(value)
        case "days_left":
            return formats.days_left(value)
        case "status":
            return [statuses.label(value)] if value else []
        case "link":
            return value or None
    return "" if value is None else _from_left(str(value))


def _from_left(text: str) -> str:
    """Text for a cell whose text begins at its left edge: a table draws Arabic or Hebrew beyond that edge,
    unless it finds a sign that runs from left to right first (U+200E, which is not seen)."""
    return text if isolated(text) == text else f"\u200e{text}"


def _config(column: Column, open_label: str, opened: str) -> Any:
    shared = {"help": column.help, "width": column.width, "pinned": column.pinned}
    if column.label == open_label:
        return st.column_config.ButtonColumn(
            column.label, type="tertiary", alignment="left", key=opened, **shared
        )
    if column.kind == "status":
        return st.column_config.MultiselectColumn(
            column.label, options=statuses.LABELS, color=statuses.COLOURS, **shared
        )
    if column.kind == "link":
        return st.column_config.LinkColumn(column.label, display_text="Open", **shared)
    alignment = "right" if column.kind in _RIGHT else "left"
    return st.column_config.TextColumn(column.label, alignment=alignment, **shared)
