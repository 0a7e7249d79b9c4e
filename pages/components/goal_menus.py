"""Goals: where founders and admins set, change and take them back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import blank, clicks, guard
from services import clock, config, database, money
from services.customers import once
from services.desk import goals
from services.desk.goals import TITLES, Draft, Kept
from services.errors import InvalidInput
from services.metrics.goals import MEASURES, Measure
from services.money import MICROS

PLACE = "goals"
_NEW = "new_goal"
_USUAL_DAYS = 90
_LEAST = 100  # basis points: less is a share that was not typed in per cent, like 0.4 for 40 %
_LIKE = "Type 40 for 40 %."


def new(currencies: Sequence[str]) -> None:
    """A menu with the fields of a new goal; `currencies` are those that MRR is in."""
    key = blank.key(_NEW)
    with st.popover("Set a goal", icon=":material/add:"):
        measure: Measure = st.selectbox(
            "Of", [one for one in MEASURES if one != "mrr" or currencies], key=f"{key}:measure",
            format_func=TITLES.__getitem__,
        )  # fmt: skip
        currency = ""
        if measure == "mrr":
            currency = st.selectbox("Currency", currencies, key=f"{key}:currency", format_func=str.upper)
        usual = _today() + timedelta(days=_USUAL_DAYS)
        with st.form(key, border=False), _fields(key, measure, currency, "", usual):
            st.form_submit_button(
                "Set", type="primary", on_click=clicks.attempt, args=(PLACE, _add, key, measure, currency)
            )
        clicks.show_problem(PLACE)


def edit(goal: Kept) -> None:
    """A menu with the fields of a goal that is set."""
    key = f"goal:{goal.id}"
    with st.popover("Change", icon=":material/edit:"):
        with st.form(key, border=False), _fields(key, goal.measure, goal.currency, _typed(goal), goal.by):
            st.form_submit_button("Save", on_click=clicks.attempt, args=(key, _change, key, goal))
        with st.expander("Take it back", icon=":material/delete:"):
            st.caption("The goal and its line go, for everybody. Activity keeps that it was set.")
            st.button("Take back", key=f"{key}:gone", on_click=clicks.attempt, args=(key, _remove, goal.id))
        clicks.show_problem(key)


def _fields(key: str, measure: Measure, currency: str, target: str, by: date) -> DeltaGenerator:
    """The fields; gives the place for the button, which is beside the date: its calendar opens below both."""
    label = f"MRR to reach, in {currency.upper()}" if measure == "mrr" else "Share to reach, in %"
    st.text_input(label, value=target, key=f"{key}:target")
    last = st.container(horizontal=True, vertical_alignment="bottom")
    last.date_input("By the end of", value=by, key=f"{key}:by")
    return last.container(width="content")


def _add(key: str, measure: Measure, currency: str) -> None:
    target = _target(st.session_state[f"{key}:target"], measure, currency)
    draft = Draft(measure, target, st.session_state[f"{key}:by"], currency)
    with database.transaction() as session:
        if once.first(session, key, draft):
            goals.add(session, guard.current(), draft, config.settings().zone)
    blank.clear(_NEW)


def _change(key: str, goal: Kept) -> None:
    target = _target(st.session_state[f"{key}:target"], goal.measure, goal.currency)
    by, zone = st.session_state[f"{key}:by"], config.settings().zone
    with database.transaction() as session:
        goals.change(session, guard.current(), goal.id, target, by, zone)


def _remove(id: int) -> None:
    with database.transaction() as session:
        goals.remove(session, guard.current(), id, config.settings().zone)


def _target(text: str, measure: Measure, currency: str) -> int:
    """What was typed as micros of MRR, or basis points. Raises InvalidInput."""
    locale = config.settings().workspace_locale
    if measure == "mrr":
        return money.read(text, currency, locale=locale) * MICROS
    try:
        share = money.read(text.replace("%", ""), _HUNDREDTHS, locale=locale)
    except InvalidInput:
        raise InvalidInput(f"“{text[:40]}” is not a share.", field="target", remedy=_LIKE) from None
    if share < _LEAST:
        raise InvalidInput(
            f"“{text[:40]}” is read in per cent: that is less than 1 %.", field="target", remedy=_LIKE
        )
    return share


_HUNDREDTHS = "xxx"  # no currency: a number with two decimals, as 42.5 % has 4,250 basis points


def _typed(goal: Kept) -> str:
    locale = config.settings().workspace_locale
    if goal.measure == "mrr":
        return money.typed(money.whole(goal.target), goal.currency, locale=locale)
    return money.typed(goal.target, _HUNDREDTHS, locale=locale)


def _today() -> date:
    return clock.local(clock.now(), config.settings().zone).date()
