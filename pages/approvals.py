"""Approvals: what is above somebody's limit and waits for a second person, the oldest first."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.components import dialog, formats, guard, more, navigation, problems
from services import database
from services.desk import approvals, bulk_approvals, commands
from services.desk.approvals import Request
from services.desk.commands import Outcome
from services.errors import TrialdeskError
from services.staff.roles import Person

_MORE, _STEP = "more_requests", 20
_DONE = "approved"  # what came of the one that was approved last


def main() -> None:
    """One run of the page."""
    person = guard.enter("approvals")
    st.title("Approvals")
    st.caption(
        f"What is above the limit of whoever asked. It is carried out once a colleague who may do so much "
        f"allows it. Times are in {formats.zone_name()}."
    )
    _came_of_it()
    with database.session() as session:
        total, most = approvals.count(session), more.limit(_MORE, _STEP)
        requests = [
            *approvals.waiting(session, person, limit=most),
            *bulk_approvals.waiting(session, person, limit=most),
        ]
        requests = sorted(requests, key=lambda each: each.entry.at)[:most]
    if not requests:
        st.info("Nothing waits for approval.", icon=":material/task_alt:")
    for request in requests:
        with st.container(border=True, key=f"request-{request.entry.token}"):
            _request(person, request)
    more.below(len(requests), total, "requests", _MORE, _STEP)


def _came_of_it() -> None:
    """What came of the one that was approved last, until somebody has read it."""
    if reached := st.session_state.get(_DONE):
        dialog.say(reached)
        st.button("Read", key="read", icon=":material/done:", on_click=st.session_state.pop, args=(_DONE,))


def _request(person: Person, request: Request) -> None:
    entry = request.entry
    st.markdown(
        f"**{formats.plain(entry.title)}** for {formats.plain(entry.customer_name)}, asked for by "
        f"{formats.plain(entry.staff_name)} ({formats.plain(entry.role)}), {formats.moment(entry.at)}"
    )
    if entry.reason:
        st.markdown(f"Why: {formats.plain(entry.reason)}")
    if entry.happens:
        st.markdown("\n".join(f"- {formats.plain(sentence)}" for sentence in entry.happens))
    for sentence in dict.fromkeys((*entry.warnings, *request.over)):
        st.markdown(f":orange[:material/warning:] {formats.plain(sentence)}")
    if request.why_not and not request.is_own and request.why_not not in request.over:
        st.caption(formats.plain(request.why_not))
    with st.container(horizontal=True):
        if entry.source == bulk_approvals.RUNS:
            _buttons(person, request, bulk_approvals.allow, bulk_approvals.decline)
            if st.button("Open the run", key=f"run-{entry.token}", icon=":material/dynamic_feed:"):
                navigation.go("bulk-run", run=entry.token)
        else:
            _buttons(person, request, approvals.allow, approvals.decline)
            if st.button("Open customer", key=f"customer-{entry.token}", icon=":material/person:"):
                navigation.go("customer", id=entry.customer)


def _buttons(
    person: Person,
    request: Request,
    allow: Callable[[Person, str], Outcome],
    decline: Callable[[Person, str, str], Outcome],
) -> None:
    """What this person may say to it."""
    token = request.entry.token
    if request.is_own:
        if st.button("Take back", key=f"take-back-{token}", icon=":material/undo:"):
            _decide(lambda: decline(person, token, ""))
        return
    if not request.why_not and st.button(
        "Approve", key=f"approve-{token}", icon=":material/check:", type="primary"
    ):
        _decide(lambda: allow(person, token), _show)
    if request.may_decline:
        with st.popover("Say no", icon=":material/block:", key=f"decline-{token}"):
            note = st.text_input("Why not?", key=f"note-{token}", max_chars=commands.LONGEST_REASON) or ""
            if st.button("Decline", key=f"declined-{token}", width="stretch"):
                _decide(lambda: decline(person, token, note))


def _toast(reached: Outcome) -> None:
    st.toast(formats.plain(reached.message))


def _show(reached: Outcome) -> None:
    st.session_state[_DONE] = reached


def _decide(act: Callable[[], Outcome], tell: Callable[[Outcome], None] = _toast) -> None:
    try:
        with st.spinner("Working…"):
            reached = act()
    except TrialdeskError as error:
        problems.show(error)
        return
    tell(reached)
    st.rerun()


main()
