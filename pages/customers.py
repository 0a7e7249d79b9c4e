"""Who are our customers? Search, filter, sort, open, export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.components import (
    bulk_menus,
    customer_filters,
    download,
    formats,
    guard,
    navigation,
    problems,
    saved_views,
    statuses,
    tables,
    worklist,
)
from pages.components.measures import Measures
from pages.components.tables import Column
from services import clock, config, database
from services.customers import conditions, export, matches, recognise, search
from services.customers.conditions import Condition
from services.customers.filters import CustomerFilter
from services.customers.matches import Match
from services.customers.search import Row
from services.errors import TrialdeskError
from services.money import MICROS
from services.staff.roles import Person

COLUMNS = (
    Column("title", "Customer", width=190, pinned=True),
    Column("email", "Email", width=210),
    Column("match", "Found by", width=200, help="What matches the search and is not in the name or email."),
    Column("status", "Status", "status", width=125),
    Column("plan", "Plan", width=130),
    Column(
        "mrr", "MRR", "micros", width=95, help="What the customer pays in a month, after lasting discounts."
    ),
    Column("days_left", "Trial", "days_left", width=80, help="How long a running trial has left."),
    Column(
        "open_amount",
        "Failed",
        "money",
        width=95,
        currency="open_currency",
        help="What failed invoices still ask for, those of ended subscriptions too.",
    ),
    Column("country", "Country", width=65),
    Column("owner", "Owner", width=105),
    Column("last_contact", "Last contact", "relative", width=120),
    Column("created", "Created", "day"),
    Column("same_email", "Same email", help="How many other customers have this email address."),
)
_AT_NEED = ("match", "same_email")  # columns that most lists do without
UNTIL = "customers_until"
_FOR_MANY = ("extend_trial", "cancel", "undo_cancel", "apply_coupon")


def main() -> None:
    """One run of the page."""
    person = guard.enter("customers")
    head = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    head.title("Customers", width="content")
    try:
        wanted = customer_filters.draw()
        where = _where(wanted)
    except TrialdeskError as problem:
        problems.show(problem)
        st.button("Clear all filters", on_click=customer_filters.clear)
        return
    with head.container(horizontal=True, width="content"):
        saved_views.menu(person, "customers", wanted.to_params(), customer_filters.apply)
        download.csv(
            person,
            lambda session, asking: export.customers_csv(
                session, asking, where, sort=wanted.sort, label=statuses.label
            ),
            name="customers", key="customers_csv",
            help="All customers of this filter, not only this page.",
        )  # fmt: skip
    _list(person, where, wanted)


def _where(wanted: CustomerFilter) -> list[Condition]:
    settings = config.settings()
    return conditions.conditions(
        wanted, now=clock.now(), zone=settings.zone, locale=settings.workspace_locale
    )


def _list(person: Person, where: list[Condition], wanted: CustomerFilter) -> None:
    with database.session() as session:
        until = _until(search.newest(session))
        total = search.count(session, where, until=until)
        bar = st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="bar"
        )
        tools = bar.container(horizontal=True, vertical_alignment="center", width="content")
        with bar.container(width=tables.PAGER):
            page = tables.page_of(total)
        rows = search.page(
            session, where, sort=wanted.sort, offset=page.offset, limit=page.limit, until=until
        )
        words = recognise.terms(wanted.q, locale=config.settings().workspace_locale)
        why = matches.unseen(session, words, rows)
    if not rows:
        _nobody(filtered=bool(wanted.to_params()))
        return
    cells = [_cells(row, why.get(row.facts.customer, ())) for row in rows]
    shown = tuple(c for c in COLUMNS if c.field not in _AT_NEED or any(cell[c.field] for cell in cells))
    picked = tables.show(
        cells, shown, key=worklist.table_key("customers", (row.facts.customer for row in rows)),
        alt="Customers that match the filter", empty="", open_label="Customer",
        select=not bulk_menus.why_none(person, _FOR_MANY),
    )  # fmt: skip
    with tools:
        with st.container(width="content"):
            tables.caption(total, page, "customer", sums=_in_all(person, wanted, where, until))
        bulk_menus.for_ticked(
            person, _FOR_MANY, [rows[position].facts.customer for position in picked.ticked],
            key="customers-ticked", of_customers=True,
        )  # fmt: skip
        bulk_menus.for_all(
            person, _FOR_MANY, formats.plural(total, "customer"), total,
            lambda session: search.ids(session, where, sort=wanted.sort, until=until),
            key="customers-all", of_customers=True,
        )  # fmt: skip
    if picked.opened is not None:
        navigation.go("customer", id=rows[picked.opened].facts.customer)


def _in_all(person: Person, wanted: CustomerFilter, where: list[Condition], until: int | None) -> str:
    """What all customers of the filter come to."""
    measures = Measures(person)
    sums = [formats.in_all("MRR", measures.mrr_of(wanted, where, until))]
    if "open dispute" in wanted.only:
        disputed = measures.disputed_by(wanted, where, until)
        sums.insert(0, formats.in_all("Disputed", {code: each * MICROS for code, each in disputed.items()}))
    return " · ".join(filter(None, sums))


def _told(found: Match) -> str:
    amount = "" if found.amount is None else formats.money(found.amount, found.currency)
    match found.kind:
        case "id":
            return f"id {found.text}"
        case "card":
            return f"card ends in {found.text}"
        case "phone":
            return f"phone {found.text}"
        case "invoice" if amount:
            return f"invoice {found.text} of {amount}"
        case "invoice":
            return f"invoice {found.text}"
    return f"payment of {amount}"


def _until(newest: int) -> int | None:
    """The first page shows everybody (None); the pages after it leave out who came since."""
    if st.session_state.get(customer_filters.PAGE_KEY, 1) == 1:
        st.session_state[UNTIL] = newest
        return None
    return int(st.session_state.setdefault(UNTIL, newest))


def _nobody(*, filtered: bool) -> None:
    if not filtered:
        st.info("There are no customers yet. They appear here as soon as the account has some.")
        return
    st.info("No customer matches this search and these filters.", icon=":material/search_off:")
    st.button("Clear all and show everybody", on_click=customer_filters.clear, key="show_everybody")


def _cells(row: Row, why: Sequence[Match]) -> dict[str, Any]:
    facts = row.facts
    return {
        "title": row.name or row.email or facts.customer,
        "email": row.email,
        "match": ", ".join(map(_told, why)),
        "status": "deleted" if facts.deleted else facts.status,
        "plan": facts.plan,
        "mrr": facts.mrr_micros or None,
        "currency": facts.currency,
        "days_left": facts.trial_end if facts.status == "trialing" else None,
        "open_amount": facts.open_amount or None,
        "open_currency": facts.open_currency,
        "country": facts.country,
        "owner": row.owner,
        "last_contact": facts.last_contact_at,
        "created": facts.created,
        "same_email": f"{row.shares_email} more" if row.shares_email else "",
    }


main()
