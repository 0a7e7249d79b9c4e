"""The limits on the page Policy: a row for each measure, a field for each role; money in each currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.components import formats
from services import config, money
from services.desk import limits
from services.errors import InvalidInput
from services.staff.policy import DECIDED
from services.staff.roles import Limits, Measure, Policy, Role

Row = tuple[Measure, str]  # with the currency, "" where it is no money
Typed = Mapping[tuple[Role, Row], str]
_WIDTHS = [3, *[1] * len(DECIDED)]


def rows(currencies: Sequence[str]) -> list[Row]:
    """What can be limited."""
    return [(one, currency) for one in Measure for currency in (currencies if one.is_money else ("",))]


def draw(held: Policy, currencies: Sequence[str], seen: int) -> Typed:
    """The fields with what holds now; returns what is typed in them."""
    st.subheader("How much", anchor=False)
    st.caption(
        "Empty: no limit. Days and accounts are whole numbers; amounts as you write them, e.g. 500.00. Who "
        "is limited in one currency may ask for nothing alone in those without a number."
    )
    typed = {}
    for row in rows(currencies):
        cells = st.columns(_WIDTHS, vertical_alignment="bottom")
        cells[0].markdown(formats.plain(_called(row)))
        for role, cell in zip(DECIDED, cells[1:], strict=True):
            key = f"{row[0].name}-{row[1]}-{role}-{seen}"
            typed[role, row] = (
                cell.text_input(role.capitalize(), value=_shown(held, role, row), key=key) or ""
            )
    return typed


def read(typed: Typed) -> dict[Role, Limits]:
    """What was typed as limits. Raises InvalidInput that names the field."""
    found: dict[Role, dict[Row, int]] = {}
    for (role, row), text in typed.items():
        if text.strip():
            found.setdefault(role, {})[row] = _number(role, row, text.strip())
    return dict(found)


def _number(role: Role, row: Row, text: str) -> int:
    measure, currency = row
    try:
        if measure.is_money:
            return money.parse(text, currency, locale=config.settings().workspace_locale)
        return limits.typed(text)
    except InvalidInput as problem:
        where = f"{role.capitalize()}, {_called(row)}: “{text[:40]}”."
        raise InvalidInput(f"{where} {problem.message}", remedy=problem.remedy) from problem


def _called(row: Row) -> str:
    measure, currency = row
    return f"{measure.capitalize()}{f', {currency.upper()}' if currency else ''}"


def _shown(held: Policy, role: Role, row: Row) -> str:
    most = held.most(role, *row)
    if most is None:
        return ""
    measure, currency = row
    return (
        money.typed(most, currency, locale=config.settings().workspace_locale)
        if measure.is_money
        else str(most)
    )
