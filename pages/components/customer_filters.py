"""Which customers does the person at the Customers page want to see? The widgets of the filter.

Each widget is bound to the address under the name of its field in `CustomerFilter`, so that a link, a
saved filter and the page agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import streamlit as st

from pages.components import address, formats
from services import config, database
from services.customers import choices, recognise
from services.customers.filters import (
    LONGEST_TRIAL_DAYS,
    ONLY,
    SORTS,
    STATUSES,
    CustomerFilter,
    is_country,
)

PAGE_KEY = "page"
_EMPTY: dict[str, Any] = {
    "q": "", "status": [], "plan": [], "only": [], "trial_days": None, "country": [], "currency": [],
    "owner": [], "tag": [], "meta": "", "created_from": None, "created_to": None, "sort": SORTS[0],
}  # fmt: skip
_MORE = {
    "plan": "plan", "country": "country", "currency": "currency", "owner": "owner", "tag": "tag",
    "meta": "metadata",
    "trial_days": "trial ends within days", "created_from": "created from", "created_to": "created to",
}  # fmt: skip


def draw() -> CustomerFilter:
    """Draws the filter and returns what it says. Raises InvalidInput for what contradicts itself."""
    with database.session() as session:
        offered = choices.read(session, locale=config.settings().workspace_locale)
    text = st.text_input(
        "Search", key="q", bind="query-params", type="search", live=True, on_change=_first_page,
        label_visibility="collapsed",
        placeholder="Name, email, phone, Stripe id, invoice number, card ending or amount",
    )  # fmt: skip
    _expect()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        status = _several("status", "Status", list(STATUSES), width=260)
        only = _several("only", "Only", list(ONLY), width=240)
        sort = st.selectbox(
            "Sort by", SORTS, key="sort", bind="query-params", on_change=_first_page, width=160,
            help="Amounts of different currencies are not compared: rows stand currency by currency.",
        )  # fmt: skip
        more = _more(offered)
    wanted = CustomerFilter(q=text, status=tuple(status), only=tuple(only), sort=sort or SORTS[0], **more)
    _told(wanted)
    return wanted


def _expect() -> None:
    address.expect("sort", SORTS)
    address.expect("trial_days", address.whole(0, LONGEST_TRIAL_DAYS))
    for name in ("created_from", "created_to"):
        address.expect(name, address.day)


def _more(offered: choices.Choices) -> dict[str, Any]:
    with st.popover("More filters", icon=":material/tune:", width="content"):
        left, right = st.columns(2)
        with left:
            plan = _several("plan", "Plan", offered.plans)
            country = _several("country", "Country", offered.countries, also=is_country)
            currency = _several("currency", "Currency", offered.currencies, also=_is_currency)
            owner = _several("owner", "Owner", offered.owners)
            tag = _several("tag", "Tags (all of them)", offered.tags, also=bool)
        with right:
            days = st.number_input(
                "Trial ends within days", min_value=0, max_value=LONGEST_TRIAL_DAYS, value=None, step=1,
                key="trial_days", bind="query-params", on_change=_first_page, placeholder="Any",
            )  # fmt: skip
            meta = st.text_input(
                "Metadata", key="meta", bind="query-params", on_change=_first_page, placeholder="key=value",
                help="A key and its value as they stand in Stripe; only the key for any value.",
            )  # fmt: skip
            created_from = _day("created_from", "Created from")
            created_to = _day("created_to", "Created to")
    return {
        "plan": tuple(plan), "country": tuple(country), "currency": tuple(currency), "owner": tuple(owner),
        "tag": tuple(tag),
        "trial_days": days, "meta": meta.strip(), "created_from": created_from, "created_to": created_to,
    }  # fmt: skip


def _several(
    key: str,
    label: str,
    options: Sequence[str],
    *,
    also: Callable[[str], bool] = lambda _: False,
    width: int | None = None,
) -> list[str]:
    """A choice of several. Beside the options it takes what the address asks for and `also` knows, and
    what a saved filter asks for: that nobody has it any more is no reason to show everybody."""
    asked = [value for value in st.query_params.get_all(key) if also(value)]
    known = list(dict.fromkeys([*options, *st.session_state.get(key, ()), *asked]))
    address.expect(key, known)
    return st.multiselect(
        label, known, key=key, bind="query-params", on_change=_first_page, width=width or "stretch",
        placeholder="Any",
    )  # fmt: skip


def _is_currency(code: str) -> bool:
    return code.lower() in recognise.CURRENCIES


def _day(key: str, label: str) -> date | None:
    return st.date_input(
        label, value=None, key=key, bind="query-params", on_change=_first_page,
        min_value=date(2010, 1, 1), max_value=date(2100, 1, 1),
    )  # fmt: skip


def _first_page() -> None:
    st.session_state[PAGE_KEY] = 1


def _told(wanted: CustomerFilter) -> None:
    """Says what the search looks for, and what is set behind “More filters”; offers to clear all."""
    found = recognise.described(recognise.terms(wanted.q, locale=config.settings().workspace_locale))
    hidden = [
        f"{label}: {', '.join(values)}"
        for name, label in _MORE.items()
        if (values := wanted.to_params().get(name))
    ]
    told = [*([f"Also looking for {found}"] if found else []), *hidden]
    if not wanted.to_params():
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if told:
            st.caption(formats.plain(" · ".join(told)), width="content")
        st.button("Clear all", type="tertiary", icon=":material/close:", on_click=clear, key="clear_filters")


def clear() -> None:
    """Empties every widget of the filter; for a button's `on_click`."""
    for name, value in _EMPTY.items():
        st.session_state[name] = list(value) if isinstance(value, list) else value
    _first_page()


def apply(query: dict[str, list[str]]) -> None:
    """Sets the widgets to a saved filter; for a button's `on_click`."""
    clear()
    wanted = CustomerFilter.from_params(query)
    for name in _EMPTY:
        value = getattr(wanted, name)
        st.session_state[name] = list(value) if isinstance(value, tuple) else value
