"""What happened, as the timeline tells it? An event of Stripe's as a row of `events`.

`facts` holds the values of the object that a sentence needs (amounts in minor units, instants in UTC
seconds), under `was` those that the event changed, and under `changed` the names of all changed fields.
No names, addresses or other personal data.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, partial
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import Charge, Event
from services import changes, database
from services.database import chunks
from services.mirror import bulk, leftovers
from services.mirror.shapes import catalog
from services.mirror.shapes.reading import Object, Row, dig, ident, listed
from services.mirror.tables import table
from services.stripe_api import payload

_KEPT: dict[str, tuple[str, ...]] = {
    "subscription": (
        "status", "trial_start", "trial_end", "cancel_at", "cancel_at_period_end", "canceled_at", "ended_at",
    ),
    "invoice": (
        "number", "status", "currency", "total", "amount_due", "amount_paid", "amount_remaining",
        "attempt_count", "next_payment_attempt", "billing_reason", "due_date",
    ),
    "invoiceitem": ("amount", "currency"),
    "invoice_payment": ("amount_paid", "amount_requested", "currency", "status"),
    "payment_intent": ("amount", "amount_received", "currency", "status"),
    "charge": ("amount", "amount_refunded", "currency", "status", "failure_code"),
    "refund": ("amount", "currency", "status", "reason"),
    "dispute": ("amount", "currency", "status", "reason"),
    "credit_note": ("number", "total", "currency", "status", "reason"),
    "payment_method": ("type",),
    "product": ("name", "active"),
    "price": ("active", "currency", "unit_amount"),
    "coupon": ("valid", "percent_off", "amount_off", "currency"),
    "promotion_code": ("active",),
}  # fmt: skip


def row(event: Object) -> Row:
    """The event as a row of `events`, and the `charge` that knows its customer. Raises KeyError or TypeError
    where it is no event.
    """
    source: Object = event["data"]["object"]
    return {
        "id": event["id"],
        "created": event["created"],
        "type": event["type"],
        "object_type": source["object"],
        "object_id": ident(source) or "",
        "customer": _customer(source),
        "charge": ident(source.get("charge")),
        "request_id": ident(event.get("request")),
        "api_version": event.get("api_version"),
        "facts": _facts(source, event["data"].get("previous_attributes") or {}),
    }


def problem(written: str) -> str:
    """Why a payload is no event as Stripe sends them, in a sentence."""
    try:
        why = lacking(payload.parse(written))
    except ValueError:
        why = "it cannot be read as JSON"
    return f"This is not an event as Stripe sends them: {why}."


def lacking(found: Any) -> str:
    """What keeps `row` from understanding a value, in words."""
    if not isinstance(found, dict):
        return "it is no object with names and values"
    if "data" in found and not isinstance(dig(found, "data", "object"), dict):
        return "its “data” holds no “object” that it tells of"
    if missing := [name for name in ("id", "created", "type", "data") if name not in found]:
        return f"it has no {', '.join(f'“{name}”' for name in missing)}"
    source = found["data"]["object"]
    if type(found["created"]) is not int:
        return "its time (“created”) is not a whole number of seconds"
    if not source.get("object"):
        return "its object does not say of which kind it is (“object” is missing)"
    return f"the {source['object']} that it tells of has a shape that the desk does not know"


def save(session: Session, found: Iterable[Row]) -> None:
    """Adds those rows (as `row` makes them) that are new; finds the customer of refunds and disputes."""
    rows = [dict(one) for one in sorted(found, key=itemgetter("id"))]
    if not rows:
        return
    changes.note(session)
    owners = _customers_of(session, {one["charge"] for one in rows if one["charge"] and not one["customer"]})
    for one in rows:
        charge = one.pop("charge")
        one["customer"] = one["customer"] or owners.get(charge)
    connection = session.connection()
    bulk.upsert(connection, table(Event), partial(_add, connection.dialect.name), rows)
    leftovers.clear(session, dict.fromkeys(one["id"] for one in rows))


@cache
def _add(dialect: str, names: bulk.Names) -> Any:
    insert = database.insert(Event, dialect).from_select(names, bulk.select(names))
    return insert.on_conflict_do_nothing(index_elements=["id"]).returning(table(Event).c.id)


def _customer(source: Object) -> str | None:
    return ident(source) if source["object"] == "customer" else ident(source.get("customer"))


def _facts(source: Object, previous: Object) -> dict[str, Any]:
    kept = _KEPT.get(source["object"], ())
    facts = {name: source[name] for name in kept if source.get(name) is not None}
    facts |= {name: value for name, value in _deeper(source).items() if value is not None}
    if previous:
        facts["changed"] = sorted(previous)
        facts["was"] = {name: previous[name] for name in kept if name in previous}
        facts["was"] |= _contents_before(facts, previous)
    return facts


def _contents_before(facts: Row, previous: Object) -> Row:
    """The prices and the quantity that a subscription had, where it has others now: its items are told as
    changed with each new period too."""
    before = listed(previous.get("items"))
    had = {"prices": [ident(item.get("price")) for item in before], "quantity": _quantity(before)}
    return {name: value for name, value in had.items() if before and value != facts.get(name)}


def _quantity(items: list[Any]) -> int:
    return sum(item.get("quantity") or 0 for item in items)


def _deeper(source: Object) -> dict[str, Any]:
    """What the sentence needs and is not a plain field."""
    match source["object"]:
        case "subscription":
            items = listed(source.get("items"))
            return {
                "prices": [ident(item.get("price")) for item in items],
                "quantity": _quantity(items),
                "feedback": dig(source, "cancellation_details", "feedback"),
                "cancel_reason": dig(source, "cancellation_details", "reason"),
                "pause_collection": dig(source, "pause_collection", "behavior"),
            }
        case "invoiceitem":
            return {"invoice": ident(source.get("invoice"))}
        case "charge":
            return {"decline_code": dig(source, "outcome", "reason") if source.get("failure_code") else None}
        case "payment_intent":
            return {"decline_code": dig(source, "last_payment_error", "decline_code")}
        case "dispute":
            return {"due_by": dig(source, "evidence_details", "due_by")}
        case "discount":
            return {"coupon": ident(catalog.coupon_of(source))}
        case "payment_method":
            return {"brand": dig(source, "card", "brand")}
    return {}


def _customers_of(session: Session, charges: set[str]) -> dict[str, str]:
    columns: Any = table(Charge).c
    found: dict[str, str] = {}
    for some in chunks(charges):
        rows = session.connection().execute(
            sa.select(columns.id, columns.customer).where(columns.id.in_(some))
        )
        found |= {row.id: row.customer for row in rows if row.customer}
    return found
