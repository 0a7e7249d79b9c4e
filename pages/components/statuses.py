"""What colour and word does a state have, everywhere the same?

Blue waits, green is well, orange and red need somebody, violet rests, grey is over.
"""

from __future__ import annotations

from typing import Literal

import streamlit as st

from pages.components import formats

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray"]

_WORDS: dict[str, tuple[str, Colour]] = {
    # subscriptions
    "trialing": ("Trialing", "blue"),
    "active": ("Active", "green"),
    "past_due": ("Past due", "orange"),
    "unpaid": ("Unpaid", "red"),
    "incomplete": ("Incomplete", "orange"),
    "incomplete_expired": ("Incomplete, expired", "gray"),
    "paused": ("Paused", "violet"),
    "canceled": ("Canceled", "gray"),
    "none": ("No subscription", "gray"),
    "deleted": ("Deleted", "gray"),
    # invoices and payments
    "draft": ("Draft", "gray"),
    "open": ("Open", "blue"),
    "overdue": ("Overdue", "orange"),
    "paid": ("Paid", "green"),
    "void": ("Void", "gray"),
    "uncollectible": ("Uncollectible", "red"),
    "succeeded": ("Succeeded", "green"),
    "processing": ("Processing", "blue"),
    "requires_payment_method": ("Needs a payment method", "orange"),
    "requires_confirmation": ("Needs confirmation", "orange"),
    "requires_action": ("Needs the customer", "orange"),
    "requires_capture": ("Needs capture", "orange"),
    "refunded": ("Refunded", "gray"),
    "partially_refunded": ("Partly refunded", "gray"),
    # disputes
    "needs_response": ("Needs a response", "red"),
    "warning_needs_response": ("Inquiry, needs a response", "orange"),
    "under_review": ("Under review", "blue"),
    "warning_under_review": ("Inquiry, under review", "blue"),
    "warning_closed": ("Inquiry, closed", "gray"),
    "won": ("Won", "green"),
    "lost": ("Lost", "red"),
    # the desk's own work: actions, messages, calls, tasks
    "pending": ("Pending", "blue"),
    "queued": ("Queued", "blue"),
    "running": ("Running", "blue"),
    "waiting": ("Waiting", "blue"),
    "done": ("Done", "green"),
    "complete": ("Complete", "green"),
    "accepted": ("Accepted", "green"),
    "delivered": ("Delivered", "green"),
    "sending": ("Sending", "blue"),
    "outbox": ("In the outbox", "gray"),
    "requested": ("Requested", "blue"),
    "scheduled": ("Scheduled", "blue"),
    "no_show": ("No-show", "orange"),
    "declined": ("Declined", "gray"),
    "failed": ("Failed", "red"),
    "refused": ("Refused", "orange"),
    "overtaken": ("Refused: had changed", "gray"),
    "bounced": ("Bounced", "red"),
    "suppressed": ("Not sent", "gray"),
    "unknown": ("Unknown", "orange"),
    "cancelled": ("Cancelled", "gray"),
    # the mirror: pulls, what was put aside, reconciliations
    "denied": ("Not allowed", "orange"),
    "ignored": ("Ignored", "gray"),
    "stopped": ("Stopped", "gray"),
    # rows of bulk runs
    "asked": ("Waits for approval", "blue"),
    "skipped": ("Left out", "gray"),
    "stopping": ("Stopping", "orange"),
    # requests to cancel
    "offered": ("Offered", "violet"),
    "approved": ("Approved", "green"),
    "withdrawn": ("Withdrawn", "gray"),
    "elsewhere": ("Ends anyway", "gray"),
    # connecting: rights of the key, what is set up
    "there": ("There", "green"),
    "missing": ("Missing", "red"),
    "unclear": ("Not known", "orange"),
    "not_set": ("Not set", "gray"),
}
LABELS: list[str] = list(dict.fromkeys(word for word, _ in _WORDS.values()))
_BY_LABEL: dict[str, Colour] = dict(_WORDS.values())
COLOURS: list[Colour] = [_BY_LABEL[word] for word in LABELS]


def label(status: str) -> str:
    """The state in words; one that Stripe adds later is shown as it is."""
    return _WORDS[status][0] if status in _WORDS else status


def colour(status: str) -> Colour:
    """The colour of the state; grey for one we do not know."""
    return _WORDS[status][1] if status in _WORDS else "gray"


def inline(status: str) -> str:
    """The state as a badge within Markdown."""
    return f":{colour(status)}-badge[{formats.plain(label(status))}]"


def badge(status: str, *, help: str | None = None) -> None:
    """Draws the state as a badge."""
    st.badge(label(status), color=colour(status), help=help)
