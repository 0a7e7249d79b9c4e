"""What was asked for and what was paid: the lists of invoices and payments, the cards."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import customer_words, formats, statuses, tables, worklist
from pages.components.actions import action_buttons
from pages.components.tables import Column
from services import clock, config, database
from services.customers import billing
from services.customers.billing import Card, Demand, Payment
from services.desk import loading
from services.desk.subject import Subject
from services.staff.roles import Person
from services.stripe_api import declines

PAGE = 25
INVOICES = (
    Column("number", "Invoice", pinned=True),
    Column("created", "Date", "day"),
    Column("status", "Status", "status"),
    Column("total", "Total", "money"),
    Column("amount_remaining", "Open", "money"),
    Column("due", "Due", "day", help="By when the customer should pay an invoice that was sent to them."),
    Column("next", "Next try", "moment"),
    Column("why", "Why it failed", width="medium"),
    Column("page", "Page", "link"),
    Column("pdf", "PDF", "link"),
)
PAYMENTS = (
    Column("created", "When", "moment", pinned=True),
    Column("status", "Status", "status"),
    Column("amount", "Amount", "money"),
    Column("refunded", "Refunded", "money"),
    Column("card", "Card"),
    Column("invoice", "Invoice"),
    Column("why", "Why it failed", width="large"),
    Column("receipt", "Receipt", "link"),
)


def invoices(person: Person, customer: str, now: int) -> None:
    """The customer's invoices, newest first, and what can be done about those that are ticked."""
    with database.session() as session:
        total = billing.count_invoices(session, customer)
        page = tables.page_of(total, key="invoices_page", size=PAGE)
        rows = billing.invoices(session, customer, offset=page.offset, limit=page.limit)
    if rows:
        tables.caption(total, page, "invoice")
    picked = tables.show(
        [_invoice(row, now) for row in rows], INVOICES,
        key=worklist.table_key("invoices", (row.row.id for row in rows)), alt="Invoices of this customer",
        empty="No invoice yet.", select=True,
    )  # fmt: skip
    if rows:
        _act(person, customer, [rows[position].row.id for position in picked.ticked], "an invoice")


def _act(person: Person, customer: str, ids: list[str], one: str) -> None:
    """The buttons of what is ticked, and of an invoice also those of what paid it."""
    if not ids:
        st.caption(f"Tick {one} to act on it.")
        return
    with database.session() as session:
        paid = billing.paid_by(session, ids)
        found = [loading.load(session, customer, each) for id in ids for each in (id, *paid.get(id, ()))]
    for each in found:
        with st.container(border=True):
            st.markdown(f"**{formats.plain(_called(each))}**")
            action_buttons(person, each, place=":list")


def _called(about: Subject) -> str:
    if about.payment:
        taken = about.payment
        how = customer_words.card(taken.card_brand, taken.card_last4)
        paid = f"Payment of {formats.money(taken.amount, taken.currency)} on {formats.day(taken.created)}"
        return f"{paid}, {how}" if how else paid
    assert about.invoice is not None
    return customer_words.invoice(about.invoice)


def _invoice(demand: Demand, now: int) -> dict[str, Any]:
    row, failed = demand.row, demand.failed
    return {
        "number": row.number or row.id,
        "created": row.created,
        "status": "overdue" if demand.overdue(now) else row.status or "",
        "total": row.total,
        "amount_remaining": row.amount_remaining if row.status == "open" else None,
        "currency": row.currency,
        "due": row.due_date,
        "next": row.next_payment_attempt if row.status == "open" else None,
        "why": _why(failed.code) if failed else "",
        "page": row.hosted_invoice_url,
        "pdf": row.invoice_pdf,
    }


def _why(code: str | None) -> str:
    return declines.explain(code).words if code else ""


def payments(person: Person, customer: str) -> None:
    """The customer's payments, failed ones included, newest first, and what can be done about the ticked."""
    with database.session() as session:
        total = billing.count_payments(session, customer)
        page = tables.page_of(total, key="payments_page", size=PAGE)
        rows = billing.payments(session, customer, offset=page.offset, limit=page.limit)
    if rows:
        tables.caption(total, page, "payment")
    picked = tables.show(
        [_payment(row) for row in rows], PAYMENTS,
        key=worklist.table_key("payments", (row.row.id for row in rows)), alt="Payments of this customer",
        empty="No payment was tried yet.", select=True,
    )  # fmt: skip
    if rows:
        _act(person, customer, [rows[position].row.id for position in picked.ticked], "a payment")


def _payment(payment: Payment) -> dict[str, Any]:
    row = payment.row
    return {
        "created": row.created,
        "status": customer_words.charge_state(row),
        "amount": row.amount,
        "refunded": row.amount_refunded or None,
        "currency": row.currency,
        "card": customer_words.card(row.card_brand, row.card_last4),
        "invoice": (payment.invoice.number or payment.invoice.id) if payment.invoice else "",
        "why": _why(row.decline_code or row.failure_code) if row.status == "failed" else "",
        "receipt": row.receipt_url,
    }


def cards(found: list[Card], default: str | None, now: int) -> None:
    """The ways to pay that we have seen; `default` (an id) is what the next invoice is charged to."""
    st.subheader("Cards", anchor=False)
    if default and not any(card.default for card in found):
        st.caption("A payment method is on file; its brand and digits show once it was charged.")
    elif not found:
        st.caption("No payment method on file.")
    today = clock.local(now, config.settings().zone)
    for card in found:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.text(customer_words.payment_method(card.row), width="content")
            if card.default:
                st.badge("Default", color="blue")
            if card.expired(year=today.year, month=today.month):
                st.badge("Expired", color="red")


def disputes(found: list[Any]) -> None:
    """The disputes that are over or under review; open ones stand on top of the page."""
    closed = [row for row in found if not billing.needs_response(row)]
    if not closed:
        return
    st.subheader("Disputes", anchor=False)
    for row in closed:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.text(
                f"{formats.money(row.amount, row.currency)}, {row.reason.replace('_', ' ')}, "
                f"{formats.day(row.created)}",
                width="content",
            )
            statuses.badge(row.status)
