"""Requests to cancel: who wants to leave and why, the longest waiting first; approve, offer, or refuse."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.components import formats, guard, request_cards, statuses, tables, worklist
from services import database
from services.customers.names import FEEDBACK
from services.desk import requestboard
from services.desk.requestboard import STATES, TO_DECIDE, RequestFilter

PAGE_KEY = "requests_page"
_ALL, _ANY, _SIZE = "", "all", 10
_STATES = (TO_DECIDE, *STATES, _ALL)


def main() -> None:
    """One run of the page."""
    person = guard.enter("cancel-requests")
    st.title("Requests to cancel")
    wanted = _filters()
    where = requestboard.conditions(wanted)
    with database.session() as session:
        counts = requestboard.count_by_state(session, requestboard.conditions(replace(wanted, state=_ALL)))
        total = requestboard.count(session, where)
        st.caption(" · ".join(f"{statuses.label(state)} {formats.count(counts[state])}" for state in STATES))
        page = tables.page_of(total, key=PAGE_KEY, size=_SIZE)
        found = requestboard.page(session, where, offset=page.offset, limit=page.limit)
    for request in found:
        request_cards.card(person, request, of_many=True)
    if found:
        tables.caption(total, page, "request")
        st.caption(f"Times are in {formats.zone_name()}. What was paid is less refunds.")
    else:
        _nothing(wanted)


def _filters() -> RequestFilter:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        state = worklist.choice("State", _STATES, "request_state", PAGE_KEY, _state, width=170)
        reason = worklist.choice(
            "Why", (_ANY, *FEEDBACK), "request_reason", PAGE_KEY, lambda code: FEEDBACK.get(code, "All"),
            width=220,
        )  # fmt: skip
    return RequestFilter(state, None if reason == _ANY else reason)


def _state(state: str) -> str:
    return {TO_DECIDE: "To decide", _ALL: "All"}.get(state) or statuses.label(state)


def _nothing(wanted: RequestFilter) -> None:
    if wanted == RequestFilter():
        st.info(
            "Nobody waits for an answer. Where a customer writes or calls, record it on their page, at the "
            "subscription.",
            icon=":material/task_alt:",
        )
    else:
        st.caption("No request fits these filters.")


main()
