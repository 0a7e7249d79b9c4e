"""Groups: for which reasons, in which plans and countries do payments fail, and what comes back?"""

from __future__ import annotations

import streamlit as st

from pages.components import charts_recovery, formats, plotted
from pages.components.charts_recovery import Bar
from pages.components.conversion_view import choice
from pages.components.plotted import Sheet
from pages.components.recovery_view import View
from pages.components.recovery_words import PARTS, STATES, called, explained
from services import money
from services.metrics.definitions import DEFINITIONS
from services.metrics.recovery.dunning import Group, Part
from services.metrics.recovery.recovery import CAME_TO

_MOST = 15
_HEADER = (
    "key", "name", "passed", "failed", "failed_amount",
    *(f"{state}{unit}" for state in CAME_TO for unit in ("", "_amount")), "currency",
)  # fmt: skip


def draw(view: View) -> None:
    """What became of the money that failed in each group."""
    chosen = choice("Split by", {str(part): words for part, words in PARTS.items()}, "by")
    part = next(one for one in PARTS if one == chosen)
    found = [one for one in view.numbers.by(part) if one.failed.count]
    more = f" The {_MOST} largest of {formats.count(len(found))}." * (len(found) > _MOST)
    plotted.head(
        view.person, f"What failed, by {PARTS[part].lower()}", Sheet(_HEADER, _lines(view, part, found)),
        f"recovery_by_{part}", help=DEFINITIONS["failure_code" if part == "code" else "lost"].short,
        note=f"The invoices' totals in {view.currency.upper()}, and the share of each that is back by now."
        f"{more}",
    )  # fmt: skip
    if not found:
        st.caption("No data: no such payment failed in these months.")
        return
    bars = [
        Bar(called(part, one.key, view.plans), one, f"{part}:{one.key}", explained(part, one.key))
        for one in found[:_MOST]
    ]
    said = (f"{bar.name} {formats.money(bar.group.failed.amount, view.currency)}" for bar in bars)
    plotted.chart(
        charts_recovery.groups(bars, view.currency), "groups",
        f"What failed, by {PARTS[part].lower()}: {', '.join(said)}",
    )  # fmt: skip
    in_words = ", reasons in words" * (part == "code")
    with st.expander(f"The same as a table{in_words}"):
        st.table([_row(view, part, one) for one in found], border="horizontal", hide_index=True)


def _lines(view: View, part: Part, found: list[Group]) -> list[tuple[object, ...]]:
    def cells(one: Group) -> list[object]:
        sums = (one.failed, *(one.states[state] for state in CAME_TO))
        return [cell for each in sums for cell in (each.count, money.units(each.amount, view.currency))]

    return [
        (one.key, called(part, one.key, view.plans), one.passed.count, *cells(one), view.currency.upper())
        for one in found
    ]


def _row(view: View, part: Part, one: Group) -> dict[str, str]:
    name = formats.plain(called(part, one.key, view.plans))
    fails = {"Failed at the first try": formats.share(one.failure_volume.part, one.failure_volume.whole)}
    why = {"In words": formats.plain(explained(part, one.key))}
    return {
        PARTS[part]: name,
        **({} if part == "code" else fails),
        "Failed": formats.money(one.failed.amount, view.currency),
        "Payments": formats.count(one.failed.count),
        **{words: formats.money(one.states[state].amount, view.currency) for state, words in STATES.items()},
        "Back by now": formats.share(one.recovery_volume.part, one.recovery_volume.whole),
        **(why if part == "code" else {}),
    }
