"""Activity: every action of the staff, with who, when, why, what was before and what is after."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.components import (
    address,
    formats,
    freshness,
    guard,
    links,
    more,
    navigation,
    problems,
    statuses,
    tables,
    worklist,
)
from pages.components.tables import Column
from services import clock, config, database
from services.desk import activity, catalog, commands
from services.desk.activity import ActivityFilter, Entry
from services.desk.commands import Outcome
from services.errors import TrialdeskError
from services.staff.roles import Permission, Person

PAGE_KEY = "activity_page"
_OPEN_ENDS, _STEP = "open_ends", 20
_STATES = ("done", "failed", "unknown", "running", "open")
_COLUMNS = [
    Column("at", "When", "moment"),
    Column("staff_name", "Who"),
    Column("title", "What"),
    Column("customer_name", "Customer"),
    Column("state", "State", "status"),
    Column("change", "Change", width="large"),
    Column("reason", "Why", width="medium"),
]


def main() -> None:
    """Draws the page."""
    person = guard.enter("activity")
    st.title("Activity")
    sees_all = person.may(Permission.SEE_ACTIVITY)
    st.caption(
        f"{'Every action of the staff' if sees_all else 'Your own actions'}, newest first. "
        f"Times are in {formats.zone_name()}."
    )
    with database.session() as session:
        people = activity.people(session, person)
        all_open = activity.count(session, person, ActivityFilter(state="unknown"))
        open_ends = activity.unknown(session, person, limit=more.limit(_OPEN_ENDS, _STEP))
    _open_ends(person, open_ends)
    more.below(len(open_ends), all_open, "actions with an unknown end", _OPEN_ENDS, _STEP)
    wanted = _filters(people if sees_all else {})
    _list(person, wanted)


def _open_ends(person: Person, entries: list[Entry]) -> None:
    """The actions that nobody knows the end of, with what to check."""
    for entry in entries:
        with st.container(border=True, key=f"unknown-{entry.token}"):
            st.badge("Unknown", color="orange", icon=":material/help:")
            st.markdown(
                f"**{formats.plain(entry.title)}** for {formats.plain(entry.customer_name)}, by "
                f"{formats.plain(entry.staff_name)}, {formats.moment(entry.at)}: {formats.plain(entry.error)}"
            )
            st.markdown(formats.plain(entry.remedy))
            with st.container(horizontal=True):
                if st.button("Check again", key=f"check-{entry.token}", icon=":material/refresh:"):
                    _tell(lambda token=entry.token: commands.try_again(person, token))
                with st.popover("Say how it ended", icon=":material/gavel:", key=f"end-{entry.token}"):
                    _settle(person, entry.token)
                _links(entry, "open-end")


def _settle(person: Person, token: str) -> None:
    """What a person found who looked in Stripe: the row keeps who said so, and how they know."""
    note = st.text_input("How do you know?", key=f"note-{token}", max_chars=commands.LONGEST_REASON) or ""
    for label, done in (("It was done", True), ("It was not done", False)):
        if st.button(label, key=f"{'done' if done else 'not-done'}-{token}", width="stretch"):
            _tell(lambda done=done: commands.settle(person, token, done=done, note=note))


def _tell(act: Callable[[], Outcome]) -> None:
    try:
        with st.spinner("Asking Stripe…"):
            reached = act()
    except TrialdeskError as error:
        problems.show(error)
        return
    st.toast(formats.plain(f"{reached.message} {reached.remedy}".strip()))
    st.rerun()


def _filters(people: dict[int, str]) -> ActivityFilter:
    names = {str(id): name for id, name in people.items()}
    titles = {name: command.title for name, command in catalog.COMMANDS.items()}
    columns = st.columns([3, 2, 2, 2, 2, 2])
    customer = columns[0].text_input(
        "Customer", key="account", placeholder="Name, email or id", type="search", bind="query-params"
    )
    with columns[1]:
        command = worklist.choice(
            "Action", ["", *titles], "command", PAGE_KEY, lambda name: titles.get(name, "All")
        )
    with columns[2]:
        staff = worklist.choice(
            "Person", ["", *names], "by", PAGE_KEY, lambda id: names.get(id, "Everyone"), disabled=not names
        )
    with columns[3]:
        state = worklist.choice("State", ["", *_STATES], "result", PAGE_KEY, _state)
    for name in ("since", "until"):
        address.expect(name, address.day)
    first = columns[4].date_input("From", value=None, key="since", bind="query-params")
    last = columns[5].date_input("To", value=None, key="until", bind="query-params")
    zone = config.settings().zone
    return ActivityFilter(
        command=command or "",
        staff=int(staff) if staff else None,
        state=state or "",
        customer=customer or "",
        since=clock.date_start(first, zone) if first else None,
        until=clock.date_start(last, zone, plus_days=1) if last else None,
    )


def _state(state: str) -> str:
    return {"": "All", "open": "Not confirmed"}.get(state) or statuses.label(state)


def _list(person: Person, wanted: ActivityFilter) -> None:
    with database.session() as session:
        total = activity.count(session, person, wanted)
        page = tables.page_of(total, key=PAGE_KEY)
        entries = activity.search(session, person, wanted, offset=page.offset, limit=page.limit)
    empty = "No action fits these filters." if wanted != ActivityFilter() else "Nobody has done anything yet."
    picked = tables.show(
        [_row(entry) for entry in entries],
        _COLUMNS,
        key="activity",
        alt="Actions of the staff, newest first",
        empty=empty,
        open_label="What",
    )
    tables.caption(total, page, "action")
    if picked.opened is not None:
        _details(entries[picked.opened])


def _row(entry: Entry) -> dict[str, object]:
    return {
        "at": entry.at,
        "staff_name": entry.staff_name,
        "title": entry.title,
        "customer_name": entry.customer_name,
        "state": entry.state,
        "change": _change(entry),
        "reason": entry.reason,
    }


def _change(entry: Entry) -> str:
    if entry.error:
        return entry.error
    if entry.differences:
        return "; ".join(f"{d.label}: {d.before} → {d.after}" for d in entry.differences)
    return entry.happens[0] if entry.happens else ""


def _details(entry: Entry) -> None:
    @st.dialog(
        entry.title, width="large", icon=catalog.find(entry.command).icon, on_dismiss=freshness.dialog_closed
    )
    def body() -> None:
        statuses.badge(entry.state)
        st.text(f"{entry.staff_name} ({entry.role}) for {entry.customer_name}, {formats.moment(entry.at)}")
        if entry.reason:
            st.text(f"Why: {entry.reason}")
        if entry.comment:
            st.text(entry.comment)
        if entry.error:
            st.error(formats.plain(f"{entry.error} {entry.remedy}".strip()), icon=":material/error:")
        _told(entry)
        if entry.request_id:
            st.caption(f"Stripe request {formats.plain(entry.request_id)}")
        with st.container(horizontal=True):
            _links(entry, "details")

    body()


def _told(entry: Entry) -> None:
    if entry.happens:
        st.markdown("**What was announced**")
        for sentence in entry.happens:
            st.markdown(f"- {formats.plain(sentence)}")
    if entry.differences:
        st.markdown("**Before and after**")
        rows = [
            f"| {formats.plain(d.label)} | {formats.plain(d.before)} | {formats.plain(d.after)} |"
            for d in entry.differences
        ]
        st.markdown("\n".join(["| | Before | After |", "|---|---|---|", *rows]))
    for name, made in entry.result.items():
        st.caption(formats.plain(f"{name.replace('_', ' ').capitalize()}: {made}"))


def _links(entry: Entry, place: str) -> None:
    if st.button("Open customer", key=f"{place}-{entry.token}", icon=":material/person:"):
        navigation.go("customer", id=entry.customer)
    links.external("Request in Stripe", links.request_url(entry.request_id))


main()
