"""What is filled in for actions on invoices, charges and payments?"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import streamlit as st

from pages.components import formats, number_fields
from services import config, money
from services.desk.charges import has_next_invoice
from services.desk.command import Form
from services.desk.refunds import CODES, refundable
from services.desk.subject import Subject
from services.errors import InvalidInput

_WHEN = {"next": "On the next invoice", "now": "Now", "sent": "Now, as a sent invoice"}
_DAYS = 30


def add_charge(subject: Subject, key: str) -> Form:
    """The amount, what it is for, and when it is asked for."""
    known = subject.currency
    left, right = st.columns([2, 1])
    amount = left.text_input("Amount", key=f"{key}:amount", placeholder="49.00")
    currency = right.text_input(
        "Currency", value=known.upper(), key=f"{key}:currency", disabled=bool(known), max_chars=3
    )
    with contextlib.suppress(InvalidInput):  # what is wrong is said where the preview stands
        left.caption(f"Read as {formats.plain(_amount_read(amount or '', known or currency or ''))}")
    description = st.text_input(
        "Description", key=f"{key}:description", placeholder="What it is for; it is on the invoice.",
        max_chars=500,
    )  # fmt: skip
    by_mail = not subject.payment_method and bool(subject.customer.email)
    when = st.radio(
        "When", list(_WHEN), index=0 if has_next_invoice(subject) else 2 if by_mail else 1,
        key=f"{key}:when", horizontal=True, format_func=_WHEN.__getitem__,
    )  # fmt: skip
    form = {"amount": amount, "currency": currency or "", "description": description, "when": when or ""}
    return {**form, "days": _days(subject, key)} if when == "sent" else form


def _days(subject: Subject, key: str) -> str:
    """In how many days the invoice is due, as typed, and where it goes."""
    days = number_fields.whole("Days to pay", _DAYS, f"{key}:due")
    if subject.customer.email:
        st.caption(f"It goes to {formats.plain(subject.customer.email)}.")
    return days


def _amount_read(typed: str, currency: str, least: int | None = None) -> str:
    """An amount as it is understood while it is typed. Raises InvalidInput."""
    minor = money.parse(typed, currency, locale=config.settings().workspace_locale, least=least)
    return formats.money(minor, currency)


def refund(subject: Subject, key: str) -> Form:
    """How much goes back, and Stripe's reason for it."""
    assert subject.payment is not None
    currency = subject.payment.currency
    whole = formats.money(refundable(subject), currency)
    part = st.radio(
        "How much", ["all", "part"], key=f"{key}:part", horizontal=True,
        format_func={"all": f"All that is left, {formats.plain(whole)}", "part": "A part"}.__getitem__,
    )  # fmt: skip
    amount = st.text_input("Amount to refund", key=f"{key}:amount") if part == "part" else ""
    if amount:
        with contextlib.suppress(InvalidInput):
            st.caption(f"Read as {formats.plain(_amount_read(amount, currency, least=1))}")
    code = st.selectbox(
        "Why, for Stripe", list(CODES), key=f"{key}:code", format_func=CODES.__getitem__,
    )  # fmt: skip
    return {"part": part or "", "amount": amount or "", "code": code or ""}


FIELDS: dict[str, Callable[[Subject, str], Form]] = {
    "add_charge": add_charge,
    "refund": refund,
}
