"""The inbox on the page System: what waits, and what lies aside until somebody decides about it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components import clicks, formats, guard, tables, worklist
from pages.components.tables import Column
from services import database, schedules
from services.desk import put_aside
from services.mirror import health
from services.mirror.health import Inbox, SetAside
from services.staff.roles import Permission, Person

PAGE_KEY = "aside_page"
_PLACE, _SIZE = "aside", 25
_TOLD = 5  # reasons in full, of the rows that are ticked
_STATES = {"Put aside": "failed", "Ignored": "ignored"}
_COLUMNS = (
    Column("kind", "What", width="medium", pinned=True),
    Column("id", "Object", width="medium"),
    Column("reason", "Why it is not stored", width="large"),
    Column("first", "First try", "moment"),
    Column("last", "Last try", "moment"),
    Column("attempts", "Tries", "count"),
)


def draw(person: Person, found: Inbox) -> None:
    """Counts, then one page of what lies aside with the two things that one can do about it."""
    st.subheader("Inbox", anchor=False)
    st.markdown(
        f"Waiting: {formats.count(found.pending)} · applied in the last hour: {formats.count(found.applied)} "
        f"· put aside: {formats.count(found.failed)} · ignored: {formats.count(found.ignored)}"
    )
    wanted = worklist.segments("Which", list(_STATES), "Put aside", "aside", PAGE_KEY)
    state = _STATES[wanted]
    tools = st.container(horizontal=True, vertical_alignment="center")
    clicks.show_problem(_PLACE)
    total = found.failed if state == "failed" else found.ignored
    page = tables.page_of(total, key=PAGE_KEY, size=_SIZE)
    with database.session() as session:
        rows = health.set_aside(session, state, offset=page.offset, limit=page.limit)
    picked = tables.show(
        [_cells(row) for row in rows], _COLUMNS,
        key=worklist.table_key("aside", (f"{row.id}{row.last_at}" for row in rows)),
        alt="What could not be stored, the last tried first", select=True,
        empty="Nothing is put aside." if state == "failed" else "Nothing is ignored.",
    )  # fmt: skip
    if not rows:
        return
    tables.caption(total, page, "row")
    ticked = [rows[position] for position in picked.ticked]
    for row in ticked[:_TOLD]:
        st.text(f"{row.id}: {row.reason}")
    with tools:
        _tools(person, state, [row.id for row in ticked])


def _tools(person: Person, state: str, ids: Sequence[str]) -> None:
    why_not = person.why_not(Permission.TEND_INBOX)
    locked = not ids or bool(why_not)
    help = formats.plain(why_not) or None
    st.button(
        "Try again", icon=":material/refresh:", key="aside-again", disabled=locked, help=help,
        on_click=clicks.attempt, args=(_PLACE, _try_again, ids),
    )  # fmt: skip
    if state == "failed":
        st.button(
            "Ignore", icon=":material/visibility_off:", key="aside-ignore", disabled=locked, help=help,
            on_click=clicks.attempt, args=(_PLACE, _ignore, ids),
        )  # fmt: skip
    st.caption(f"{formats.plural(len(ids), 'row')} chosen." if ids else "Tick one or several rows.")


def _try_again(ids: Sequence[str]) -> None:
    queued = put_aside.try_again(guard.current(), ids)
    schedules.ring()
    said = [f"{formats.plural(len(queued.again), 'row')} will be tried again now."] if queued.again else []
    if queued.not_readable:
        said.append(
            f"{formats.plural(len(queued.not_readable), 'row')} cannot be read alone in Stripe; the next "
            "comparison with the account brings what belongs to it."
        )
    st.toast(" ".join(said) or "Nothing of it lies aside any more.")


def _ignore(ids: Sequence[str]) -> None:
    ignored = put_aside.ignore(guard.current(), ids)
    st.toast(f"{formats.plural(ignored, 'row')} ignored. It is no longer counted as missing.")


def _cells(row: SetAside) -> dict[str, object]:
    return {
        "kind": row.kind.replace("_", " ") or "not an event",
        "id": row.id,
        "reason": row.reason,
        "first": row.first_at,
        "last": row.last_at,
        "attempts": row.attempts,
    }
