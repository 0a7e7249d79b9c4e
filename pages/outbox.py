"""Outbox: every message that was written here, what it says, and what became of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import formats, guard, message_dialogs, statuses, tables, worklist
from pages.components.tables import Column
from services import database
from services.outreach import messages, monthly, outbox
from services.outreach.defaults import TEMPLATES
from services.outreach.outbox import OutboxFilter, OutboxRow
from services.staff import people

PAGE_KEY = "outbox_page"
_STATES = ("queued", "sending", "accepted", "failed", "unknown", "outbox")
_NOTHING_YET = "Nobody has written yet. Send a message from a customer's page, Trials or Failed payments."
_COLUMNS = (
    Column("subject", "Subject", width=280, pinned=True),
    Column("state", "State", "status", width=125),
    Column("customer", "Customer", width=170),
    Column("to_address", "To", width=230),
    Column("template", "Text"),
    Column("author", "Written by", width="small"),
    Column("created_at", "Written", "moment"),
    Column("sent_at", "Sent", "moment"),
)


def main() -> None:
    """One run of the page."""
    guard.enter("outbox")
    st.title("Outbox")
    if not messages.has_mail_server():
        st.info(
            "No mail server is set up, so nothing leaves this machine: messages are kept here. Set SMTP_HOST "
            "and MAIL_FROM to send them by email.",
            icon=":material/outbox:",
        )
    with database.session() as session:
        unknown = outbox.count_by_state(session, outbox.conditions(OutboxFilter(state="unknown")))
    names = {text.slug: text.name for text in TEMPLATES} | {monthly.TEMPLATE: "Monthly report"}
    if waiting := unknown.get("unknown", 0):
        st.warning(
            f"{formats.plural(waiting, 'message')} may or may not have gone out. Open each and decide.",
            icon=":material/help:",
        )
    wanted = _filters()
    where = outbox.conditions(wanted)
    with database.session() as session:
        total = sum(outbox.count_by_state(session, where).values())
        page = tables.page_of(total, key=PAGE_KEY)
        rows = outbox.page(session, where, offset=page.offset, limit=page.limit)
    picked = tables.show(
        [_cells(row, names) for row in rows], _COLUMNS, key="outbox", alt="Messages, newest first",
        empty="No message fits these filters." if wanted != OutboxFilter() else _NOTHING_YET,
        open_label="Subject",
    )  # fmt: skip
    if rows:
        tables.caption(total, page, "message")
    st.caption(f"Times are in {formats.zone_name()}.")
    if picked.opened is not None:
        message_dialogs.message(rows[picked.opened].token)


def _filters() -> OutboxFilter:
    with database.session() as session:
        staff = people.active(session)
    bound = worklist.bound(PAGE_KEY)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search", key="message_q", type="search", live=True, width=280,
            placeholder="Customer, address or subject", **bound,
        )  # fmt: skip
        state = worklist.choice(
            "State", ["", *_STATES], "message_state", PAGE_KEY,
            lambda state: statuses.label(state) if state else "All", width=170,
        )  # fmt: skip
        author = worklist.person_filter("Written by", "message_by", PAGE_KEY, staff, nobody="")
        customer = st.text_input(
            "Customer id", key="message_to", width=200, placeholder="cus_…", **bound
        )  # fmt: skip
    return OutboxFilter(state or "", author, (customer or "").strip(), (text or "").strip())


def _cells(row: OutboxRow, names: dict[str, str]) -> dict[str, Any]:
    return {
        "subject": row.subject,
        "state": row.state,
        "customer": worklist.called(row.name, row.to_address, row.customer),
        "to_address": row.to_address,
        "template": names.get(row.template, row.template),
        "author": row.author,
        "created_at": row.created_at,
        "sent_at": row.sent_at,
    }


main()
