"""The inputs of commands about a subscription's life and about the customer."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta

import streamlit as st

from pages.components import formats
from services import clock, config, money
from services.customers.names import FEEDBACK
from services.desk import starts, words
from services.desk.cancellations import LONGEST_COMMENT
from services.desk.command import Form
from services.desk.credit import WAYS
from services.desk.endings import PRORATED
from services.desk.pauses import BEHAVIORS
from services.desk.subject import Subject
from services.errors import InvalidInput

_ENDS = {"period_end": "At the end of the period", "date": "On a date", "now": "Now"}
_TRIAL_DAYS = "14"
_TYPED = "A typed date counts once its calendar is closed: press Esc, or click beside it."
# Streamlit keeps a day outside its limits to itself and goes on with the one before: so they lie far off, but
# not farther, because its calendar draws every year between them.
_ANY_DAY = (date(1900, 1, 1), date(2199, 12, 31))


def cancel(subject: Subject, key: str, asked: Form | None = None) -> Form:
    """When a subscription ends, how that is billed, and why; at first as the customer `asked` for it."""
    assert subject.subscription is not None
    asked = asked or {}
    usual = None if subject.subscription.cancel_at else "period_end"
    first = "now" if asked.get("when") == "now" else usual
    when = st.radio(
        "When", list(_ENDS), index=list(_ENDS).index(first) if first else None, key=f"{key}:when",
        horizontal=True, format_func=_ENDS.__getitem__,
    )  # fmt: skip
    form = {"when": when or ""}
    if when == "date":
        form["date"] = day("Last day", _next_month(), f"{key}:date")
    if when in ("date", "now") and subject.subscription.status in PRORATED:
        form["prorate"] = _yes("Credit the time that was billed and is not used", f"{key}:prorate")
    if when == "now" and subject.subscription.status in PRORATED:
        form["invoice_now"] = _yes("Make a final invoice now of what is still unbilled", f"{key}:invoice")
    return {**form, **_why_they_leave(key, asked)}


def at_period_end(key: str) -> Form:
    """Why subscriptions end with their period; when is said already."""
    return {"when": "period_end", **_why_they_leave(key, {})}


def _why_they_leave(key: str, asked: Form) -> Form:
    feedback = feedback_field(key, asked.get("feedback", ""))
    comment = st.text_input(
        "What the customer said (kept in Stripe)", value=asked.get("comment", ""), key=f"{key}:comment",
        max_chars=LONGEST_COMMENT,
    )  # fmt: skip
    return {"feedback": feedback, "comment": comment}


def feedback_field(key: str, first: str = "") -> str:
    """Why a customer leaves, one of Stripe's codes."""
    codes = list(FEEDBACK)
    return st.selectbox(
        "Why the customer leaves", codes, index=codes.index(first), key=f"{key}:feedback",
        format_func=FEEDBACK.__getitem__,
    )  # fmt: skip


def pause(subject: Subject, key: str) -> Form:
    """What becomes of invoices in a pause of collection, and when it ends."""
    del subject
    behavior = st.radio(
        "Until then", list(BEHAVIORS), key=f"{key}:behavior", format_func=BEHAVIORS.__getitem__,
    )  # fmt: skip
    until = st.radio(
        "How long", ["", "day"], key=f"{key}:until", horizontal=True,
        format_func={"": "Until it is resumed by hand", "day": "Until a day"}.__getitem__,
    )  # fmt: skip
    form = {"behavior": behavior or "", "until": until or ""}
    if until == "day":
        form["date"] = day("Collected again from", _next_month(), f"{key}:date")
    return form


def start_trial(subject: Subject, key: str) -> Form:
    """What is tried, how many of it, for how long, and what happens without a card."""
    prices = {plan.price.id: words.ordered(plan.product.name, plan.price, 1) for plan in subject.plans}
    price = st.selectbox(
        "Plan", list(prices), index=None, key=f"{key}:price", placeholder="Type to search",
        format_func=lambda id: prices.get(id, id),
    )  # fmt: skip
    left, right = st.columns(2)
    quantity = left.text_input("Quantity", value="1", key=f"{key}:quantity")
    days = right.text_input("Days", value=_TRIAL_DAYS, key=f"{key}:days")
    at_end = st.radio(
        "Without a card at its end", list(starts.AT_END), key=f"{key}:at-end", horizontal=True,
        format_func=starts.AT_END.__getitem__,
    )  # fmt: skip
    typed = {"quantity": quantity or "", "days": days or ""}
    return {"price": price or "", **typed, "at_end": at_end or ""}


def credit(subject: Subject, key: str) -> Form:
    """Whether credit is given or taken, how much, and what for."""
    way = st.radio(
        "What", list(WAYS), key=f"{key}:way", horizontal=True, format_func=WAYS.__getitem__,
    )  # fmt: skip
    sum_ = amount(subject.currency, key)
    description = st.text_input(
        "Description", key=f"{key}:description", max_chars=350,
        placeholder="What it is for; Stripe keeps it with the credit.",
    )  # fmt: skip
    return {"way": way or "", **sum_, "description": description}


def contact(subject: Subject, key: str) -> Form:
    """The customer's email and name, as they are at first."""
    customer = subject.customer
    email = st.text_input("Email", value=customer.email or "", key=f"{key}:email", max_chars=512)
    name = st.text_input("Name", value=customer.name or "", key=f"{key}:name", max_chars=256)
    return {"email": email, "name": name}


def amount(known: str, key: str) -> Form:
    """An amount with its currency, which is only asked for where it is not known."""
    left, right = st.columns([2, 1])
    typed = left.text_input("Amount", key=f"{key}:amount", placeholder="49.00")
    currency = right.text_input(
        "Currency", value=known.upper(), key=f"{key}:currency", disabled=bool(known), max_chars=3
    )
    with contextlib.suppress(InvalidInput):  # what is wrong is said where the preview stands
        left.caption(f"Read as {formats.plain(_amount_read(typed or '', known or currency or ''))}")
    return {"amount": typed, "currency": currency or ""}


def _amount_read(typed: str, currency: str) -> str:
    """An amount as it is understood while it is typed. Raises InvalidInput."""
    minor = money.parse(typed, currency, locale=config.settings().workspace_locale)
    return formats.money(minor, currency)


def _yes(label: str, key: str) -> str:
    return "yes" if st.checkbox(label, key=key) else ""


def day(label: str, first: date, key: str) -> str:
    """A day as it is chosen (ISO), at first `first`; "" where it was emptied."""
    chosen = st.date_input(
        label, value=first, min_value=_ANY_DAY[0], max_value=_ANY_DAY[1], key=key, help=_TYPED
    )
    return chosen.isoformat() if chosen else ""


def _next_month() -> date:
    return clock.local(clock.now(), config.settings().zone).date() + timedelta(days=30)
