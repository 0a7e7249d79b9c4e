"""How does Activity leave the desk? The rows of a filter as a CSV file; for the form see customers/export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlmodel import Session

from services.customers.export import line, time
from services.desk import activity
from services.desk.activity import ActivityFilter
from services.desk.entries import Entry
from services.staff.roles import Permission, Person
from services.text import seen

HEADER: Final = (
    "time", "person", "role", "action", "customer", "customer_name", "object", "state", "change", "reason",
    "comment", "decided_by", "stripe_request",
)  # fmt: skip
_BATCH: Final = 1_000


def lines(session: Session, person: Person, wanted: ActivityFilter) -> Iterator[str]:
    """The lines of the file, header first, newest first: of what the person may see on the page.

    Raises NotAllowed before the first line where the person may not export.
    """
    person.require(Permission.EXPORT)
    return _lines(session, person, wanted)


def _lines(session: Session, person: Person, wanted: ActivityFilter) -> Iterator[str]:
    yield line(HEADER)
    for entry in activity.every(session, person, wanted, batch=_BATCH):
        yield line(_cells(entry))


def _cells(entry: Entry) -> tuple[Any, ...]:
    return (
        time(entry.at), entry.staff_name, entry.role, entry.title, entry.customer, seen(entry.customer_name),
        entry.object_id, entry.state, seen(entry.change), entry.reason, entry.comment, entry.decider,
        entry.request_id,
    )  # fmt: skip
