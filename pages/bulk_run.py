"""One bulk run: how far it is, the buttons to stop it or to go on, and what became of each row."""

from __future__ import annotations

import streamlit as st

from models.ledger import DECLINED
from pages.components import address, bulk, formats, guard, navigation, problems, tables
from services import database
from services.customers import names
from services.desk import bulk_progress
from services.errors import NotFound
from services.staff.roles import Person

PAGE_KEY = "bulk_row_page"


def main() -> None:
    """One run of the page."""
    person = guard.enter("bulk-run")
    st.title("Bulk run")
    if id := address.read("run").strip():
        try:
            _draw(person, id)
        except NotFound as problem:
            problems.show(problem)
    else:
        st.info("No run is chosen. Open one from the list.")
    if st.button("All bulk runs", icon=":material/arrow_back:"):
        navigation.go("bulk-runs")


def _draw(person: Person, id: str) -> None:
    with database.session() as session:
        run = bulk_progress.find(session, person, id)
        page = tables.page_of(run.total, key=PAGE_KEY)
        rows = bulk_progress.rows(session, id, offset=page.offset, limit=page.limit)
    st.subheader(formats.plain(run.title), anchor=False)
    why = f" Why: {run.reason}" if run.reason else ""
    who = names.of_those(run.staff_name, run.state, run.decider_name)
    did = "Asked for" if run.state in ("asked", DECLINED) else "Begun"
    st.caption(formats.plain(f"{did} by {who}, {formats.moment(run.created_at)}.{why}"))
    bulk.progress(id)
    bulk.table(rows, key=f"bulk-rows-{id}")
    tables.caption(run.total, page, "row")
    st.caption(f"Times are in {formats.zone_name()}.")


main()
