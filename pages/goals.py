"""Goals: what is to be reached, by when, and is it on its way?"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components import charts, charts_goal, counted, formats, goal_menus, guard, navigation, tiles
from pages.components.measures import Measures
from services import config, database
from services.desk import goals
from services.desk.goals import TITLES, Kept, said
from services.metrics.definitions import DEFINITIONS
from services.metrics.goals import WHOLE, Mark, Standing, Walked, Way
from services.staff.roles import Permission

_STANDING: dict[Standing, tuple[str, str, str]] = {
    "reached": ("Reached", "green", ":material/check_circle:"),
    "on_track": ("On track", "green", ":material/trending_up:"),
    "behind": ("Behind", "orange", ":material/trending_down:"),
    "missed": ("Missed", "gray", ":material/event_busy:"),
}
_PAGES = {"conversion": "conversion", "recovery": "recovery", "mrr": "revenue"}


def main() -> None:
    """One run of the page."""
    person = guard.enter("goals")
    head = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    head.title("Goals", width="content")
    if not counted.ready():
        return
    with database.session() as session:
        found = goals.every(session, person, config.settings().zone)
    measures, why_not = Measures(person), person.why_not(Permission.SET_GOALS)
    with head.container(width="content"):
        if not why_not:
            goal_menus.new(measures.mrr_currencies())
    if not found:
        st.info("No goal is set yet. A goal is a number to reach by a day: MRR, conversion, or recovery.")
    for goal in found:
        _draw(goal, measures.on_the_way(goal), bool(why_not))
    if why_not:
        st.caption(formats.plain(why_not))
    tiles.definitions_link()


def _draw(goal: Kept, walked: Walked, locked: bool) -> None:
    of = f" in {goal.currency.upper()}" if goal.currency else ""
    with st.container(border=True):
        head = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
        with head.container(horizontal=True, vertical_alignment="center", width="content"):
            definition = DEFINITIONS["goal"]
            st.subheader(f"{TITLES[goal.measure]}{of}", anchor=False, width="content",
                         help=formats.plain(f"{definition.short} {definition.more}"))  # fmt: skip
            if walked.now is not None:
                words, colour, icon = _STANDING[goal.way(walked.now).standing]
                st.badge(words, color=colour, icon=icon)  # type: ignore[arg-type]
        if not locked:
            with head.container(width="content"):
                goal_menus.edit(goal)
        if walked.now is None:
            st.caption(f"{formats.NO_DATA}: no month is decided.")
        else:
            _way(goal, goal.way(walked.now), walked.marks)


def _way(goal: Kept, way: Way, marks: Sequence[Mark]) -> None:
    numbers = {
        "At the start": way.start, "Now": way.now.value, "The line is at": way.planned, "Target": way.target,
    }  # fmt: skip
    with tiles.row():
        for label, value in numbers.items():
            st.metric(label, said(goal.measure, value, goal.currency))
    words = _sentence(goal, way)
    st.write(formats.plain(words))
    told = ", ".join(f"{label.lower()} {said(goal.measure, value, goal.currency)}"
                     for label, value in numbers.items())  # fmt: skip
    made, key = charts_goal.way(goal, way, marks), f"goal:{goal.id}:way"
    charts.draw(made, key=key, alt=f"The way to the goal: {told}")
    of = {"currency": goal.currency.upper()} if goal.currency else {}
    navigation.link(
        _PAGES[goal.measure], "What it is made of", icon=":material/chevron_right:", last=True, **of
    )


def _sentence(goal: Kept, way: Way) -> str:
    until = f"by the end of {formats.day(way.ends - 1)}"
    begun = f"Set on {formats.day(way.begins)}, to be reached {until}."
    if way.a_week is None:
        return begun
    points = formats.points(way.a_week / WHOLE).removeprefix("+")
    mrr = f"{said(goal.measure, way.a_week, goal.currency)} of MRR"
    return f"{begun} It takes {mrr if goal.measure == 'mrr' else points} more every week from now on."


main()
