"""System: can the tables be trusted, and if not, what is wrong? For those who look after the desk."""

from __future__ import annotations

import streamlit as st

from models import Reconciliation
from pages.components import formats, guard, system_drift, system_inbox, system_parts, system_reads
from services import database
from services.metrics import kept, version
from services.mirror import comparisons, health, trust

_NARROWEST = 360  # pixels of half the page; where there is no room the second half goes below


def main() -> None:
    """One run of the page."""
    person = guard.enter("system")
    st.title("System")
    system_parts.verdict(_standing)
    with database.session() as session:
        at = version.data_version(session)
    stored = kept.ask((str(database.engine().url), "stored"), at, health.stored)
    with database.session() as session:
        resources, inbox = health.resources(session, stored), health.inbox(session)
        feed, came = health.feed(session), health.deliveries(session)
    system_parts.resources(resources)
    grid = st.grid(2, gap="large", min_column_width=_NARROWEST)
    with grid.cell():
        system_parts.feed(feed, came)
    with grid.cell():
        system_reads.draw()
    system_inbox.draw(person, inbox)
    system_drift.draw()
    system_parts.this_desk()
    st.caption(f"Times are in {formats.zone_name()}.")


def _standing() -> tuple[list[trust.Problem], Reconciliation | None]:
    paid = system_reads.payments()
    with database.session() as session:
        return trust.problems(session, paid), comparisons.last_ended(session)


main()
