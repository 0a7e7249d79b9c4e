"""Bulk runs: what was begun for many at once, and how far it is, newest first."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import formats, guard, navigation, tables
from pages.components.tables import Column
from services import database
from services.desk import bulk_progress
from services.desk.bulk_progress import Run
from services.staff.roles import Permission

PAGE_KEY = "bulk_page"
_COLUMNS = (
    Column("title", "What", width=190),
    Column("state", "State", "status", width=150),
    Column("said", "How far", width=230),
    Column("staff_name", "Who", width=140),
    Column("at", "Begun", "moment"),
    Column("reason", "Why", width="medium"),
)
_NOTHING_YET = (
    "Nothing was begun for several at once yet. Tick rows on Customers, Trials or Failed payments, or take "
    "all of their filters."
)


def main() -> None:
    """One run of the page."""
    person = guard.enter("bulk-runs")
    st.title("Bulk runs")
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
        navigation.go("bulk-run", run=runs[picked.opened].id)


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
