"""One number on a tile: its value, the change since before, what it means, and the way to its rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import charts, formats, navigation
from pages.components.navigation import PAGES
from services.metrics.definitions import DEFINITIONS
from services.metrics.overview import Figure
from services.metrics.statistics.statistics import Rate, may_be_chance

_COLOURS: dict[str, Literal["normal", "inverse", "off"]] = {
    "more": "normal",
    "less": "inverse",
    "neither": "off",
}
_NARROWEST = 150  # pixels: two beside each other on a phone


def row() -> DeltaGenerator:
    """A place for tiles beside each other, as many as fit, which share its width."""
    return st.grid(min_column_width=_NARROWEST)


@contextmanager
def frame() -> Iterator[None]:
    """A tile in a row."""
    with st.container(border=True, height="stretch", gap=None, vertical_alignment="distribute"):
        yield


def show(figure: Figure, currency: str = "", *, title: str = "") -> None:
    """Draws the tile. `currency` is that of the figure's money; `title` replaces the definition's."""
    definition = DEFINITIONS[figure.key]
    change = _change(figure, currency)
    with frame():
        st.metric(
            title or definition.title,
            value(figure, currency),
            change,
            delta_color=_colour(figure),
            delta_arrow="auto" if change else "off",
            help=explained(figure),
        )
        _link(figure, _rows(figure))


def line(figure: Figure, currency: str = "") -> None:
    """Draws the figure as one line of text that leads to its rows, where a page has them."""
    change = _change(figure, currency)
    beside = f" ({change})" if change else ""
    words = f"{DEFINITIONS[figure.key].title}: {value(figure, currency)}{beside}"
    if figure.amounts and figure.amounts[1]:
        words += (
            f" ({_counted(figure)}; {' of '.join(formats.money(one, currency) for one in figure.amounts)})"
        )
    if figure.page:
        _link(figure, formats.plain(words), help=explained(figure))
    else:
        st.markdown(
            formats.plain(words), help=f"{explained(figure)} {DEFINITIONS[figure.key].more}", width="content"
        )


def _counted(figure: Figure) -> str:
    """How many of how many: a share by number and its money need not agree."""
    assert isinstance(figure.value, Rate)
    return f"{formats.count(figure.value.part)} of {formats.plural(figure.value.whole, 'payment')}"


def _link(figure: Figure, label: str, help: str | None = None) -> None:
    navigation.link(
        figure.page, label, icon=":material/chevron_right:", last=True, help=help, **figure.params
    )


def definitions_link() -> None:
    """The way to what each number means in full."""
    navigation.link("definitions", "What each number means", icon=":material/menu_book:")


def value(figure: Figure, currency: str) -> str:
    """The figure's value as people write it."""
    match figure.value:
        case None:
            return formats.NO_DATA
        case Rate(part=part, whole=whole):
            return formats.share(part, whole)
        case int(number):
            return _number(figure, number, currency)


def _colour(figure: Figure) -> Literal["normal", "inverse", "off"]:
    """Good or bad; grey where the difference of two shares may be chance."""
    if isinstance(figure.value, Rate) and isinstance(figure.before, Rate):
        return "off" if may_be_chance(figure.value, figure.before) else "normal"
    return _COLOURS[figure.good]


def _number(figure: Figure, number: int, currency: str) -> str:
    if figure.unit == "micros":
        return formats.micros(number, currency)
    return formats.money(number, currency) if figure.unit == "money" else formats.count(number)


def _change(figure: Figure, currency: str) -> str | int | None:
    """The change with its sign; 0 for none, None where there is nothing to compare."""
    now, before = figure.value, figure.before
    if isinstance(now, Rate) and isinstance(before, Rate):
        if now.value is None or before.value is None:
            return None
        points = round(100 * (now.value - before.value), 1)
        return f"{points:+.1f} points" if points else 0
    if isinstance(now, int) and isinstance(before, int):
        size = _number(figure, abs(now - before), currency)
        return 0 if now == before else f"{'+' if now > before else '-'}{size}"
    return None


def explained(figure: Figure) -> str:
    """What the figure means, out of how many, and against what it is compared."""
    definition = DEFINITIONS[figure.key]
    said = [definition.short]
    if isinstance(figure.value, Rate):
        part, whole = formats.count(figure.value.part), formats.count(figure.value.whole)
        said.append(f"{part} of {whole}.")
        if interval := figure.value.interval:
            low, high = round(100 * interval.low), round(100 * interval.high)
            said.append(f"With 95 % confidence between {low} % and {high} %.")
    if isinstance(figure.before, int):
        said.append(f"The change is since {figure.since}; that number is reconstructed.")
    if isinstance(figure.before, Rate) and figure.before.value is not None:
        chance = " It may be chance." if _colour(figure) == "off" else ""
        said.append(f"The change is since the trials of {charts.month(figure.since)}.{chance}")
    return formats.plain(" ".join(said))


def _rows(figure: Figure) -> str:
    if isinstance(figure.value, Rate) and figure.value.whole:
        return f"{formats.count(figure.value.part)} of {formats.plural(figure.value.whole, 'trial')}"
    if figure.beside is not None:
        return formats.plural(figure.beside, _BESIDE[figure.key])
    return PAGES[figure.page].title


_BESIDE = {"at_stake": "invoice", "disputed": "dispute"}
