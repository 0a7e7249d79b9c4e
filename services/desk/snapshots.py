"""What stood there before an action and after it, in few plain values, and what differs?

A snapshot holds fields of the subscription, the invoice or the customer; instants are UTC seconds, amounts
minor units of the snapshot's own `currency`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.customers.audit import Difference
from services.desk import words
from services.desk.subject import Subject
from services.mirror import shapes

Snapshot = dict[str, Any]
_LABELS = {
    "status": "Status",
    "items": "Plan",
    "discounts": "Discounts",
    "trial_end": "Trial ends",
    "cancel_at": "Set to end",
    "cancel_at_period_end": "Set to end with its period",
    "pause_collection": "Collection paused",
    "pause_resumes_at": "Collected again from",
    "ended_at": "Ended",
    "current_period_end": "Period ends",
    "amount_remaining": "Still to pay",
    "amount_paid": "Paid",
    "attempt_count": "Attempts",
    "balance": "Balance",
    "amount_refunded": "Refunded",
    "amount": "Amount",
}
_SUBSCRIPTION = (
    "status", "trial_end", "cancel_at", "cancel_at_period_end", "pause_collection", "pause_resumes_at",
    "ended_at", "current_period_end", "discounts",
)  # fmt: skip
_INVOICE = ("status", "amount_remaining", "amount_paid", "attempt_count")
_CUSTOMER = ("balance", "currency")
_FIELDS = {
    "subscription": _SUBSCRIPTION,
    "invoice": (*_INVOICE, "currency"),
    "customer": _CUSTOMER,
    "charge": ("status", "amount_refunded", "currency"),
    "invoiceitem": ("amount", "currency"),
}
_KIND = {"payment": "charge", "pending charge": "invoiceitem"}  # of Stripe's objects
_INSTANTS = frozenset(("trial_end", "cancel_at", "pause_resumes_at", "ended_at", "current_period_end"))
_AMOUNTS = frozenset(("amount_remaining", "amount_paid", "amount_refunded", "amount"))
_UNSET = {"cancel_at": "no", "pause_collection": "no", "ended_at": "no"}
_MONEY = _AMOUNTS | {"attempt_count", "balance"}


def of(subject: Subject) -> Snapshot:
    """The fields of what the command is about.

    Of an invoice also the last charge that failed: to a payment by hand Stripe's count of attempts is blind
    once there was one.
    """
    fields = _FIELDS.get(_KIND.get(subject.kind, subject.kind), ())
    found = {name: getattr(subject.object, name) for name in fields}
    if subject.kind == "invoice":
        return {**found, "failed_charge": subject.last_failure.charge if subject.last_failure else None}
    return {**found, "items": _items(subject)} if subject.kind == "subscription" else found


def _items(subject: Subject) -> dict[str, list[Any]]:
    """Of each item its price, its quantity, and both in words."""
    return {
        item.row.id: [item.row.price, item.row.quantity, item.said(subject.currency)]
        for item in subject.items
    }


def of_object(source: dict[str, Any], id: str) -> Snapshot:
    """The same fields of the object `id`, where Stripe just returned it, by itself or within another one,
    without its items: it does not name products. {} where it did not, or said that it is gone."""
    within = (each for each in source.values() if isinstance(each, dict))
    found = next((each for each in (source, *within) if each.get("id") == id), {})
    kind = shapes.kind_of(found)
    if kind not in _FIELDS or found.get("deleted"):
        return {}
    row = shapes.row_of(kind, found)
    return {name: row[name] for name in _FIELDS[kind]}


def differences(before: Snapshot, after: Snapshot) -> list[Difference]:
    """What changed between two snapshots of one object, in words. A trial's end is its period's end too, and
    an end that is set says more than that it is the period's."""
    changed = [name for name in _LABELS if name in before and name in after and before[name] != after[name]]
    if "trial_end" in changed and after.get("trial_end") == after.get("current_period_end"):
        changed = [name for name in changed if name != "current_period_end"]
    if "pause_resumes_at" in changed and not after.get("pause_collection"):
        changed.remove("pause_resumes_at")
    if {"cancel_at", "cancel_at_period_end"} <= set(changed):
        changed.remove("cancel_at_period_end")
    return [_difference(name, before, after) for name in changed]


def _difference(name: str, before: Snapshot, after: Snapshot) -> Difference:
    """Days are enough for instants, unless both lie on one day."""
    days = [words.day(each[name]) for each in (before, after) if name in _INSTANTS and each[name]]
    write = words.day if len(set(days)) == len(days) else words.moment
    return Difference(_LABELS[name], _said(name, before, write), _said(name, after, write), name in _MONEY)


def _said(name: str, snapshot: Snapshot, write: Callable[[int], str]) -> str:
    value = snapshot[name]
    if value is None:
        return _UNSET.get(name, "–")
    if name in _INSTANTS:
        return write(value)
    if name == "balance":
        return words.balance(value, snapshot["currency"]) if value else words.balance(0, "")
    if name in _AMOUNTS:
        return words.money(value, snapshot["currency"])
    if name == "items":
        return words.listing([said for _, _, said in value.values()])
    if name == "discounts":
        return str(len(value)) if value else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace("_", " ")
