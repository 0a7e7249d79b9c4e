"""Bulk runs: what was begun for many at once, how far it is, and what became of each row."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import address, bulk, formats, guard, navigation, problems, tables
from pages.components.tables import Column
from services import database
from services.desk import bulk_progress
from services.desk.bulk_progress import Run
from services.errors import NotFound
from services.staff.roles import Permission, Person

PAGE_KEY = "bulk_page"
_COLUMNS = (
    Column("title", "What", width=190),
    Column("state", "State", "status", width=110),
    Column("said", "How far", width=230),
    Column("staff_name", "Who", width=140),
    Column("at", "Begun", "moment"),
    Column("reason", "Why", width="medium"),
)
_NOTHING_YET = "Nothing was begun for several at once yet. Tick rows on Trials, or take all of its filters."


def main() -> None:
    """One run of the page."""
    person = guard.enter("bulk-runs")
    st.title("Bulk runs")
    if id := address.read("run").strip():
        if st.button("All bulk runs", icon=":material/arrow_back:", type="tertiary"):
            navigation.go("bulk-runs")
        _one(person, id)
    else:
        _list(person)


def _list(person: Person) -> None:
    whose = "What was" if person.may(Permission.SEE_ACTIVITY) else "What you have"
    st.caption(f"{whose} begun for several at once, newest first. Times are in {formats.zone_name()}.")
    with database.session() as session:
        total = bulk_progress.count(session, person)
        page = tables.page_of(total, key=PAGE_KEY)
        runs = bulk_progress.recent(session, person, offset=page.offset, limit=page.limit)
    picked = tables.show(
        [_cells(run) for run in runs], _COLUMNS, key="bulk-runs", alt="Bulk runs, newest first",
        empty=_NOTHING_YET, open_label="What",
    )  # fmt: skip
    if runs:
        tables.caption(total, page, "run")
    if picked.opened is not None:
        navigation.go("bulk-runs", run=runs[picked.opened].id)


def _one(person: Person, id: str) -> None:
    try:
        with database.session() as session:
            run = bulk_progress.find(session, person, id)
            page = tables.page_of(run.total, key=PAGE_KEY)
            rows = bulk_progress.rows(session, id, offset=page.offset, limit=page.limit)
    except NotFound as problem:
        problems.show(problem)
        return
    st.subheader(formats.plain(run.title), anchor=False)
    why = f" Why: {run.reason}" if run.reason else ""
    st.caption(formats.plain(f"Begun by {run.staff_name}, {formats.moment(run.created_at)}.{why}"))
    bulk.progress(id)
    bulk.table(rows, key=f"bulk-rows-{id}")
    tables.caption(run.total, page, "row")


def _cells(run: Run) -> dict[str, Any]:
    return {
        "title": run.title,
        "state": run.state,
        "said": run.said,
        "staff_name": run.staff_name,
        "at": run.created_at,
        "reason": run.reason,
    }


main()
