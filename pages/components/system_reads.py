"""The reads on the page System: how many Stripe allows, how many are used up, and what for."""

from __future__ import annotations

import streamlit as st

from pages.components import formats, tables
from pages.components.tables import Column
from services import clock, database, schedules
from services.metrics import kept, version
from services.mirror import budget
from services.mirror.budget import EACH, LEAST, Budget
from services.stripe_api import errands

_WORDS = {
    errands.POLL: "Looking for events",
    errands.EVENTS: "Reading what an event leaves open",
    errands.BACKFILL: "Listing the account",
    errands.RECONCILE: "Comparing with the account",
    errands.SYNC: "“Sync now” on a customer",
    errands.ACTION: "Actions of the staff",
    errands.START: "Starting the desk",
    errands.CONNECT: "Checking the key and the endpoint (Connect)",
}
_COLUMNS = (
    Column("purpose", "What for", width="medium"),
    Column("today", "Today", "count"),
    Column("month", "This month", "count"),
)


def draw() -> None:
    """The month to date against the allowance, and each purpose's part of it."""
    st.subheader("Reads from Stripe", anchor=False)
    paid = payments()
    with database.session() as session:
        found = budget.read(session, paid)
    used, allowed = formats.count(found.used), formats.count(found.allowance)
    share = formats.share(found.used, found.allowance)
    st.progress(min(found.share, 1.0), text=f"{used} of {allowed} this month ({share})")
    tables.show(
        [_cells(found, purpose) for purpose in found.month], _COLUMNS, key="reads",
        alt="Reads of this month by purpose", empty="Nothing has been read this month.",
    )  # fmt: skip
    st.caption(
        f"Stripe allows {EACH} reads for each payment of the last 30 days, and at least "
        f"{formats.count(LEAST)} a month. Days and months are UTC."
    )
    st.caption(_looking())


def payments() -> int:
    """How many payments of the last 30 days came through, counted anew when the data has changed."""
    with database.session() as session:
        at = version.data_version(session)
    return kept.ask((str(database.engine().url), "payments"), at, budget.payments)


def _looking() -> str:
    """How often the desk looks by now, what that comes to, and why."""
    pace = schedules.pace()
    cost = f"{formats.count(30 * clock.DAY // pace.seconds)} reads in 30 days"
    return f"The desk looks for events every {formats.duration(pace.seconds)} ({cost}), as {pace.reason}."


def _cells(found: Budget, purpose: str) -> dict[str, object]:
    return {
        "purpose": _WORDS.get(purpose, purpose),
        "today": found.today.get(purpose, 0),
        "month": found.month[purpose],
    }
