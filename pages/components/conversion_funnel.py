"""Funnel: how far did the people who signed up come, all of them and by group?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.components import charts, charts_funnel, formats, plotted
from pages.components.conversion_view import View, choice
from pages.components.conversion_words import DIMS, no_lots
from pages.components.plotted import Sheet
from services.metrics.definitions import DEFINITIONS
from services.metrics.trials import funnel
from services.metrics.trials.funnel import Cell, Path, Step
from services.metrics.trials.slices import JOURNEY_DIMS

_NARROWEST = 340  # pixels of a chart beside another; where there is no room one goes below
_PATHS: dict[Path, str] = {
    "trial": "Everybody who signed up, through a trial",
    "direct": "Without a trial, straight to paying",
}


def draw(view: View) -> None:
    """The two paths, and the first of them by group."""
    walked = view.measures.walked(view.asked)
    steps = {path: funnel.steps(walked, path) for path in _PATHS}
    sheet = Sheet(("path", "step", "customers", "too_early"), [
        (path, step.name, step.count, step.undecided) for path in steps for step in steps[path]
    ])  # fmt: skip
    plotted.head(
        view.person, "From sign-up to paying customer", sheet, "funnel",
        help=f"{DEFINITIONS['funnel'].short} {DEFINITIONS['funnel'].more}",
    )  # fmt: skip
    if not walked:
        st.caption(f"Nobody signed up in these {view.one}s.")
        return
    grid = st.grid(2, gap="large", min_column_width=_NARROWEST)
    for path, words in _PATHS.items():
        with grid.cell():
            _path(steps[path], path, words)
    _by_group(view)


def _path(steps: list[Step], path: str, words: str) -> None:
    st.caption(f"{words}. The share is of those who signed up.")
    alt = f"{words}: " + ", ".join(f"{charts.state_word(step.name)} {step.count}" for step in steps)
    plotted.chart(charts_funnel.funnel(steps, path), f"funnel_{path}", alt)


def _by_group(view: View) -> None:
    options = {dim: DIMS[dim] for dim in JOURNEY_DIMS}
    dim = choice("Through a trial, by", options, "walked")
    found = view.measures.walked_by(view.asked, dim)
    rows = _steps_by(found)
    st.table(
        [_row(view.names.of(dim, key), steps) for key, steps in rows], border="horizontal", hide_index=True
    )
    st.caption(
        "Shares are of those who signed up; of the youngest it is too early to tell the later steps. "
        + no_lots(dim)
    )


def _steps_by(found: Mapping[str, Sequence[Cell]]) -> list[tuple[str, list[Step]]]:
    """The groups' steps, the largest group first."""
    steps = [(key, funnel.steps(cells, "trial")) for key, cells in found.items()]
    return sorted(steps, key=lambda one: (-one[1][0].count, one[0]))


def _row(name: str, steps: Sequence[Step]) -> dict[str, str]:
    first = steps[0].count
    return {"Group": formats.plain(name), "Signed up": formats.count(first)} | {
        charts.state_word(step.name): formats.unbroken(formats.share(step.count, first)) for step in steps[1:]
    }
