"""Comparisons with the account on the page System: how they ended, and what differed and why."""

from __future__ import annotations

import streamlit as st

from models import Drift, Reconciliation
from pages.components import formats, tables
from pages.components.tables import Column
from services import clock, config, database
from services.mirror import comparisons, drift

PAGE_KEY = "drift_page"
_SIZE = 25
_WHAT = {"missing": "Was missing here", "changed": "Differed", "gone": "Was gone there"}
_LATEST = 7
_RUNS = (
    Column("started", "Started", "moment"),
    Column("state", "State", "status", width=110),
    Column("took", "Took", width=110),
    Column("objects", "Objects", "count"),
    Column("requests", "Requests", "count"),
    Column("drifts", "Differences", "count"),
)
_WRONG = Column("wrong", "What is wrong", width="large")
_COLUMNS = (
    Column("found", "Found", "moment"),
    Column("resource", "Resource", width=150),
    Column("object", "Object", width="medium"),
    Column("what", "What", width=140),
    Column("fields", "Fields", width="medium"),
    Column("true_at", "Row was of", "moment"),
    Column("cause", "Cause", width="large"),
)


def draw() -> None:
    """The last comparisons, and one page of the differences that they found."""
    st.subheader("Comparisons with the account", anchor=False)
    st.caption(_when())
    with database.session() as session:
        runs = comparisons.latest(session, _LATEST)
    rows = [_run(row) for row in runs]
    columns = [*_RUNS, _WRONG] if any(row["wrong"] for row in rows) else _RUNS
    tables.show(
        rows, columns, key="comparisons", alt="The last comparisons, the newest first",
        empty="The tables have not been compared with the account yet.",
    )  # fmt: skip
    _differences()


def _when() -> str:
    settings = config.settings()
    if settings.reconcile_time is None:
        return "RECONCILE_AT is off: nothing is compared by itself."
    return (
        f"Everything is compared and put right every day at {settings.reconcile_at} ({formats.zone_name()}), "
        "slowly, behind all other requests."
    )


def _run(row: Reconciliation) -> dict[str, object]:
    return {
        "started": row.started_at,
        "state": row.state,
        "took": formats.duration(max(1, row.finished_at - row.started_at)) if row.finished_at else "",
        "objects": row.objects,
        "requests": row.requests,
        "drifts": row.drifts,
        "wrong": row.error or comparisons.trouble(row),
    }


def _differences() -> None:
    st.markdown("**Differences that no event explains**")
    with database.session() as session:
        total = drift.count(session)
        page = tables.page_of(total, key=PAGE_KEY, size=_SIZE)
        rows = drift.page(session, offset=page.offset, limit=page.limit)
    days = drift.KEPT // clock.DAY
    tables.show(
        [_cells(row) for row in rows], _COLUMNS, key="drifts", alt="Differences, the newest first",
        empty=f"No comparison with the account has found a difference in {days} days.",
    )  # fmt: skip
    if rows:
        tables.caption(total, page, "difference")
        st.caption(f"Each was put right when it was found, and is kept for {days} days.")


def _cells(row: Drift) -> dict[str, object]:
    return {
        "found": row.found_at,
        "resource": formats.resource(row.resource),
        "object": row.object_id,
        "what": _WHAT.get(row.what, row.what),
        "fields": ", ".join(row.fields),
        "true_at": row.as_of,
        "cause": row.cause,
    }
