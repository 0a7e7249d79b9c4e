"""Trials: the running ones as a work list; extend, write or call from one row or from several."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import (
    address,
    bulk,
    bulk_menus,
    download,
    formats,
    guard,
    navigation,
    several,
    tables,
    worklist,
)
from pages.components.actions import action_dialog
from pages.components.outreach import call_dialog, calls_dialog, message_dialog
from pages.components.tables import Column
from services import clock, database
from services.customers import export, names, worklists
from services.customers.worklists import TRIAL_SORTS, TrialFilter, TrialRow
from services.staff import people
from services.staff.roles import Permission, Person

PAGE_KEY = "trials_page"
_MOST_DAYS = 730
_CARD = {"": None, "on file": True, "not on file": False}
_OTHERS = ("cancel", "undo_cancel", "apply_coupon")
_ACTS = (Permission.EXTEND_TRIAL, Permission.SEND_MESSAGE, Permission.REQUEST_CALL)
_COLUMNS = (
    Column("customer", "Customer", width=170, pinned=True),
    Column("days_left", "Days left", "days_left", width="small", help="Rounded up; “over” waits for Stripe."),
    Column("ends", "Ends", "moment"),
    Column("plan", "Plan", width=150),
    Column(
        "value",
        "Plan value / month",
        "micros",
        help="What the trial would add to MRR if it converted: after lasting discounts, of a yearly price a "
        "twelfth.",
    ),
    Column("card", "Card", width=65, help="Whether a payment method is on file."),
    Column("contact", "Last contact", width=125),
    Column("owner", "Owner", width="small"),
    Column("note", "Note", width=100, help="Whether it is set to cancel when the trial ends."),
)


def main() -> None:
    """One run of the page."""
    person = guard.enter("trials")
    head = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    head.title("Trials", width="content")
    wanted, sort = _filters()
    now = clock.now()
    where = worklists.trial_conditions(wanted, now)
    with head.container(width="content"):
        download.csv(
            person, lambda session, asking: export.trials_csv(session, asking, where, sort=sort),
            name="trials", key="trials_csv", help="All trials of these filters, not only this page.",
        )  # fmt: skip
    with database.session() as session:
        total = worklists.count_trials(session, where)
        worth = worklists.worth(session, where)
        tools = st.container(horizontal=True, vertical_alignment="center")
        page = tables.page_of(total, key=PAGE_KEY)
        rows = worklists.trials(session, where, sort=sort, offset=page.offset, limit=page.limit)
    empty = "No trial is running." if wanted == TrialFilter() else "No running trial fits these filters."
    picked = tables.show(
        [_cells(row) for row in rows], _COLUMNS, 
        key=worklist.table_key("trials", (row.subscription for row in rows)),
        alt="Running trials", empty=empty, open_label="Customer", select=not person.why_none(*_ACTS),
    )  # fmt: skip
    if rows:
        tables.caption(total, page, "running trial", sums=formats.in_all("Trial MRR", worth))
    st.caption(f"Times are in {formats.zone_name()}.")
    with tools:
        ticked = [rows[position] for position in picked.ticked]
        _tools(person, ticked)
        bulk_menus.for_ticked(person, _OTHERS, [row.subscription for row in ticked], key="trials-ticked")
        bulk_menus.for_all(
            person, ("extend_trial", *_OTHERS), formats.plural(total, "trial"), total,
            lambda session: worklists.trial_ids(session, where, sort=sort), key="trials-all",
        )  # fmt: skip
        chosen = (
            formats.plural(len(ticked), "trial") + " chosen" if ticked else "Tick one or several rows to act."
        )
        worklist.hint(person, _ACTS, chosen)
    if picked.opened is not None:
        navigation.go("customer", id=rows[picked.opened].customer)


def _filters() -> tuple[TrialFilter, str]:
    with database.session() as session:
        products = worklist.distinct(worklists.trial_products(session), worklist.ALL)
        staff = people.active(session)
        currencies = worklists.trial_currencies(session)
    address.expect("days", address.whole(0, _MOST_DAYS))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = st.number_input(
            "Ends within days", min_value=0, max_value=_MOST_DAYS, value=None, step=1, key="days",
            placeholder="Any", width=135, **worklist.bound(PAGE_KEY),
        )  # fmt: skip
        product = worklist.choice(
            "Plan",
            ["", *products],
            "trial_plan",
            PAGE_KEY,
            lambda id: products.get(id, worklist.ALL),
            width=180,
        )
        card = worklist.choice(
            "Card", list(_CARD), "trial_card", PAGE_KEY, lambda card: card.capitalize() or "All", width=120
        )
        currency = worklist.choice(
            "Currency", worklist.currencies(currencies, "trial_currency"), "trial_currency", PAGE_KEY,
            lambda code: code.upper() or "All", width=120,
        )  # fmt: skip
        contact = worklist.contact_filter("trial_contact", PAGE_KEY)
        owner = worklist.person_filter("Owner", "trial_owner", PAGE_KEY, staff)
        sort = worklist.choice(
            "Sort by", list(TRIAL_SORTS), "trial_sort", PAGE_KEY, width=140,
            help=worklist.CURRENCY_BY_CURRENCY,
        )  # fmt: skip
    wanted = TrialFilter(days, product or "", _CARD[card or ""], contact, owner, currency or "")
    return wanted, sort or "Days left"


def _tools(person: Person, rows: list[TrialRow]) -> None:
    """The buttons for the ticked rows."""
    buttons = (
        (names.ACTIONS["extend_trial"], ":material/more_time:", _extend),
        (names.SEND_MESSAGE, ":material/mail:", _write),
        (names.REQUEST_CALL, ":material/call:", _call),
    )
    for permission, (label, icon, act) in zip(_ACTS, buttons, strict=True):
        why_not = person.why_not(permission)
        if st.button(
            label, icon=icon, key=f"trials-{label.lower()}", disabled=not rows or bool(why_not),
            help=formats.plain(why_not) or None,
        ):  # fmt: skip
            act(person, rows)


def _extend(person: Person, rows: list[TrialRow]) -> None:
    if len(rows) == 1:
        action_dialog(person, "extend_trial", rows[0].customer, rows[0].subscription)
        return
    bulk.dialog(person, "extend_trial", [row.subscription for row in rows])


def _write(person: Person, rows: list[TrialRow]) -> None:
    if len(rows) == 1:
        message_dialog(person, rows[0].customer, template="trial_ending")
        return
    several.messages_dialog(person, {row.customer: _called(row) for row in rows}, template="trial_ending")


def _call(person: Person, rows: list[TrialRow]) -> None:
    if len(rows) == 1:
        call_dialog(person, rows[0].customer)
        return
    calls_dialog(person, [row.customer for row in rows])


def _called(row: TrialRow) -> str:
    return worklist.called(row.name, row.email, row.customer)


def _cells(row: TrialRow) -> dict[str, Any]:
    return {
        "customer": _called(row),
        "days_left": row.trial_end,
        "ends": row.trial_end,
        "plan": row.plan,
        "value": row.plan_micros,
        "currency": row.currency,
        "card": "On file" if row.card else "None",
        "contact": worklist.last_contact(row.last_contact_at, row.last_contact_kind),
        "owner": row.owner,
        "note": "Set to cancel" if row.canceling else "",
    }


main()
