"""When must the account look at an object again by itself?

Derived from the object alone, so that nothing can be forgotten: after each change of an object its next due
time is worked out anew (seconds since 1970 UTC), and None where nothing will happen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.sandbox.billing.periods import DAY, HOUR

Body = dict[str, Any]

ENDED = frozenset({"canceled", "incomplete_expired"})
BILLED = frozenset({"active", "past_due", "unpaid"})
INCOMPLETE_FOR = 23 * HOUR
WARN_OF_TRIAL_END = 3 * DAY
WARN_OF_INVOICE = 7 * DAY
OVERDUE_FOR = 30 * DAY


def period_end(subscription: Body) -> int:
    """When the first of the items' periods ends."""
    items = subscription["items"]["data"]
    if len(items) == 1:
        return int(items[0]["current_period_end"])
    return min(int(item["current_period_end"]) for item in items)


def served_until(subscription: Body) -> int:
    """When the running period ends, or the subscription in the middle of it."""
    ends = period_end(subscription)
    return min(ends, int(subscription["cancel_at"] or ends))


def _subscription(body: Body, notes: Body) -> int | None:
    status = body["status"]
    if status in ENDED:
        return None
    times = [time for time in (body["cancel_at"], (body["pause_collection"] or {}).get("resumes_at")) if time]
    if status == "incomplete":
        times.append(body["created"] + INCOMPLETE_FOR)
    elif status == "trialing":
        times.append(body["trial_end"])
        if notes.get("warned_of") != body["trial_end"]:
            times.append(body["trial_end"] - WARN_OF_TRIAL_END)
    elif status in BILLED:
        end = period_end(body)
        times.append(end if notes.get("announced") == end else end - WARN_OF_INVOICE)
    return min(times, default=None)


def _invoice(body: Body, notes: Body) -> int | None:
    if body["status"] == "draft":
        finalizes: int | None = body["automatically_finalizes_at"] if body["auto_advance"] else None
        return finalizes
    if body["status"] != "open":
        return None
    if body["collection_method"] == "send_invoice":
        if notes.get("given_up") or body["due_date"] is None:
            return None
        due: int = body["due_date"]
        return due + OVERDUE_FOR if notes.get("overdue") else due
    attempt: int | None = body["next_payment_attempt"]
    return attempt if body["attempted"] or attempt else notes.get("expires")


def _dispute(body: Body, _notes: Body) -> int | None:
    waiting = body["status"] in ("needs_response", "warning_needs_response")
    due: int | None = body["evidence_details"]["due_by"]
    return due if waiting else None


def _checkout(body: Body, _notes: Body) -> int | None:
    expires: int = body["expires_at"]
    return expires if body["status"] == "open" else None


def _intent(body: Body, _notes: Body) -> int | None:
    due: int = body["due"]
    return due


_RULES: dict[str, Callable[[Body, Body], int | None]] = {
    "subscription": _subscription,
    "invoice": _invoice,
    "dispute": _dispute,
    "checkout.session": _checkout,
    "intent": _intent,
}


def due_time(body: Body, notes: Body) -> int | None:
    """The object's next due time, or None."""
    rule = _RULES.get(body["object"])
    return rule(body, notes) if rule else None
