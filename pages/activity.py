"""Activity: everything that the staff did, with who, when, why, what was before and what is after."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from models.ledger import DECLINED, OVERTAKEN
from pages.components import (
    address,
    download,
    formats,
    freshness,
    guard,
    handover,
    links,
    more,
    navigation,
    problems,
    statuses,
    tables,
    worklist,
)
from pages.components.actions import undo_dialog
from pages.components.tables import Column
from services import clock, config, database
from services.desk import activity, activity_file, catalog, commands, entries, undo, unknown
from services.desk.activity import KINDS, ActivityFilter
from services.desk.commands import Outcome
from services.desk.entries import Entry
from services.errors import TrialdeskError
from services.staff.roles import Permission, Person

PAGE_KEY = "activity_page"
_OPEN_ENDS, _STEP = "open_ends", 20
_STATES = ("done", "failed", OVERTAKEN, DECLINED, "unknown", "waiting", "running", "open")
_NOTHING_YET = "Nobody has done anything yet. What is done on a customer's page or a work list stands here."
_ICONS = {
    entries.SEND_MESSAGE: ":material/mail:",
    entries.REQUEST_CALL: ":material/call:",
    entries.CALL_OUTCOME: ":material/call:",
    entries.ADD_NOTE: ":material/sticky_note_2:",
    entries.ADD_TASK: ":material/checklist:",
    entries.TASK_DONE: ":material/checklist:",
    entries.CHANGES: ":material/edit:",
}
_COLUMNS = [
    Column("at", "When", "moment"),
    Column("who", "Who"),
    Column("title", "What", width=140),
    Column("customer_name", "Customer", width=135),
    Column("state", "State", "status", width=150),
    Column("change", "Change", width=330),
    Column("reason", "Why", width="medium"),
]


def main() -> None:
    """Draws the page."""
    person = guard.enter("activity")
    head = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    head.title("Activity", width="content")
    sees_all = person.may(Permission.SEE_ACTIVITY)
    st.caption(
        f"{'What everybody did' if sees_all else 'What you did'} here, newest first. "
        f"Times are in {formats.zone_name()}."
    )
    with database.session() as session:
        people = activity.people(session, person)
        all_open = activity.count_unknown(session, person)
        open_ends = activity.unknown(session, person, limit=more.limit(_OPEN_ENDS, _STEP))
    _open_ends(person, open_ends)
    more.below(len(open_ends), all_open, "actions with an unknown end", _OPEN_ENDS, _STEP)
    wanted = _filters(worklist.distinct({str(id): name for id, name in people.items()}) if sees_all else {})
    with head.container(width="content"):
        download.csv(
            person, lambda session, asking: activity_file.lines(session, asking, wanted),
            name="activity", key="activity_csv", help="All entries of these filters, not only this page.",
        )  # fmt: skip
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
                    _tell(lambda token=entry.token: unknown.try_again(person, token))
                with st.popover("Say how it ended", icon=":material/gavel:", key=f"end-{entry.token}"):
                    _settle(person, entry.token)
                _links(entry, "open-end")


def _settle(person: Person, token: str) -> None:
    """What a person found who looked in Stripe: the row keeps who said so, and how they know."""
    note = st.text_input("How do you know?", key=f"note-{token}", max_chars=commands.LONGEST_REASON) or ""
    for label, done in (("It was done", True), ("It was not done", False)):
        if st.button(label, key=f"{'done' if done else 'not-done'}-{token}", width="stretch"):
            _tell(lambda done=done: unknown.settle(person, token, done=done, note=note))


def _tell(act: Callable[[], Outcome]) -> None:
    try:
        with st.spinner("Asking Stripe…"):
            reached = act()
    except TrialdeskError as error:
        problems.show(error)
        return
    st.toast(formats.plain(f"{reached.message} {reached.remedy}".strip()))
    st.rerun()


def _filters(names: dict[str, str]) -> ActivityFilter:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        customer = st.text_input(
            "Customer", key="account", placeholder="Name, email or id", type="search", bind="query-params",
            width=190,
        )  # fmt: skip
        kind = worklist.choice(
            "What", ["", *KINDS], "did", PAGE_KEY, lambda kind: KINDS.get(kind, "All"), width=180
        )
        staff = worklist.choice(
            "Person", ["", *names], "by", PAGE_KEY, lambda id: names.get(id, "Everyone"), width=150,
            disabled=not names,
        )  # fmt: skip
        state = worklist.choice("State", ["", *_STATES], "result", PAGE_KEY, _state, width=170)
        words = st.text_input(
            "Words", key="words", placeholder="In reasons, notes, tasks", type="search", bind="query-params",
            width=190,
        )  # fmt: skip
        for name in ("since", "until"):
            address.expect(name, address.day)
        first = st.date_input("From", value=None, key="since", bind="query-params", width=140)
        last = st.date_input("To", value=None, key="until", bind="query-params", width=140)
    zone = config.settings().zone
    return ActivityFilter(
        kind=kind or "",
        staff=int(staff) if staff else None,
        state=state or "",
        customer=customer or "",
        words=words or "",
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
    empty = "Nothing fits these filters." if wanted != ActivityFilter() else _NOTHING_YET
    picked = tables.show(
        [_row(entry) for entry in entries],
        _COLUMNS,
        key="activity",
        alt="What the staff did, newest first",
        empty=empty,
        open_label="What",
    )
    if entries:
        tables.caption(total, page, "entry", "entries")
    if picked.opened is not None:
        _details(person, entries[picked.opened])


def _row(entry: Entry) -> dict[str, object]:
    return {
        "at": entry.at,
        "who": entry.who,
        "title": entry.title,
        "customer_name": entry.customer_name,
        "state": entry.state,
        "change": entry.change,
        "reason": entry.reason,
    }


def _details(person: Person, entry: Entry) -> None:
    icon = _ICONS.get(entry.source) or catalog.find(entry.kind).icon

    @st.dialog(entry.title, width="large", icon=icon, on_dismiss=freshness.dialog_closed)
    def body() -> None:
        statuses.badge(entry.state)
        st.text(_who(entry))
        if entry.detail:
            st.text(entry.detail)
        if entry.reason:
            st.text(f"Why: {entry.reason}")
        if entry.decider:
            st.text(f"Decided by {entry.decider}")
        if entry.comment:
            st.text(entry.comment)
        for said in filter(None, (entry.takes_back, entry.undone)):
            st.text(said)
        if entry.error:
            _wrong(entry)
        _told(entry)
        if entry.request_id:
            st.caption(f"Stripe request {formats.plain(entry.request_id)}")
        _ways_on(person, entry)

    body()


def _ways_on(person: Person, entry: Entry) -> None:
    """The way to take an action back, or why there is none, and where its row leads."""
    found = None
    if entry.source == entries.ACTIONS and not entry.undone:
        with database.session() as session:
            found = undo.of(session, person, entry.token)
    if found and found.why_not:
        st.caption(f"No undo: {formats.plain(found.why_not)}")
    with st.container(horizontal=True):
        if (
            found
            and not found.why_not
            and st.button("Undo", key=f"undo-{entry.token}", icon=":material/undo:")
        ):
            handover.to(lambda: undo_dialog(guard.current(), entry.token, found.command))
        _links(entry, "details")


def _wrong(entry: Entry) -> None:
    text = formats.plain(f"{entry.error} {entry.remedy}".strip())
    if entry.state in (OVERTAKEN, DECLINED):
        st.info(text, icon=":material/block:" if entry.state == DECLINED else ":material/sync_problem:")
    else:
        st.error(text, icon=":material/error:")


def _who(entry: Entry) -> str:
    role = f" ({entry.role})" if entry.role else ""
    about = f" for {entry.customer_name}" if entry.customer_name else ""
    return f"{entry.staff_name or 'Somebody'}{role}{about}, {formats.moment(entry.at)}"


def _told(entry: Entry) -> None:
    if entry.charged:
        st.text(entry.charged[:1].upper() + entry.charged[1:])
    if entry.happens:
        st.markdown("**What was announced**")
        for sentence in (*entry.happens, *entry.warnings):
            st.markdown(f"- {formats.plain(sentence)}")
    if entry.differences:
        st.markdown("**Before and after**")
        rows = [
            f"| {formats.plain(d.label)} | {formats.plain(d.before)} | {formats.plain(d.after)} |"
            for d in entry.differences
        ]
        st.markdown("\n".join(["| | Before | After |", "|---|---|---|", *rows]))
    for name, made in (entry.result or {}).items():
        st.caption(formats.plain(f"{name.replace('_', ' ').capitalize()}: {made}"))


def _links(entry: Entry, place: str) -> None:
    if entry.customer and st.button("Open customer", key=f"{place}-{entry.token}", icon=":material/person:"):
        navigation.go("customer", id=entry.customer)
    links.external(*links.object_url(entry.object_id))
    links.external("Request in Stripe", links.request_url(entry.request_id))


main()
