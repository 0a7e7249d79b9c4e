"""Groups: which trials convert better, by plan, by country, by what staff did?"""

from __future__ import annotations

import streamlit as st

from pages.components import charts, charts_groups, formats, plotted
from pages.components.charts_groups import Dot
from pages.components.conversion_view import View, choice
from pages.components.conversion_words import DIMS, no_lots
from pages.components.plotted import Sheet
from services.metrics.definitions import DEFINITIONS
from services.metrics.trials.conversion import Group
from services.metrics.trials.trials import STATES

_MOST = 12


def draw(view: View) -> None:
    """The share converted of each group, with its interval."""
    dim = choice("Split by", DIMS, "by")
    found = view.measures.breakdown(view.asked, dim, view.window)
    header = (dim, "name", *plotted.RATE, *STATES)
    sheet = Sheet(header, [(one.key, view.names.of(dim, one.key), *plotted.rate(one.rate),
                            *(one.states[s] for s in STATES)) for one in found])  # fmt: skip
    more = f" The {_MOST} largest of {formats.count(len(found))}." * (len(found) > _MOST)
    plotted.head(
        view.person, f"Converted by {DIMS[dim].lower()}", sheet, f"conversion_by_{dim}",
        help=DEFINITIONS["groups"].short,
        note=f"Converted {view.within}, of the {view.one}s that are no longer open, taken together; trials "
        f"in brackets.{more}",
    )  # fmt: skip
    if not found:
        st.caption(f"No data: no {view.one} is old enough yet.")
        return
    shown = found[:_MOST]
    dots = [Dot(view.names.of(dim, one.key), one.rate, f"group:{dim}:{one.key}") for one in shown]
    said = (f"{dot.name} {formats.share(dot.rate.part, dot.rate.whole)}" for dot in dots)
    plotted.chart(charts_groups.dots(dots), "groups", f"By {DIMS[dim].lower()}: {', '.join(said)}")
    st.caption(no_lots(dim))
    with st.expander("What became of them"):
        st.table([_row(view, dim, one) for one in found], border="horizontal", hide_index=True)


def _row(view: View, dim: str, group: Group) -> dict[str, str]:
    held = group.rate.interval
    return {
        DIMS[dim]: formats.plain(view.names.of(dim, group.key)),
        "Trials": formats.count(group.rate.whole),
        "In time": formats.share(group.rate.part, group.rate.whole),
        "95 % interval": charts.between(held) if held else formats.NOTHING,
        **{words: formats.count(group.states[state]) for state, words in charts.STATE_WORDS.items()},
    }
