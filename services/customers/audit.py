"""Which changes did staff make that no other table keeps, and what stood there before and after?

What is made (a message, a call, a note, a task) is its own record, and so is the end of a call or a task.
What is changed or taken away is kept here, and that a file was exported. The text of a note or of
a task that was changed or removed is not: who wrote it may take it back for good. Nor are the addresses
of customers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session, col, select

from models import AuditEntry
from services import changes, clock
from services.customers import names
from services.staff.roles import Person, Role
from services.text import isolated

Fields = Mapping[str, Any]
TITLES: Final[dict[str, str]] = {
    "owner": "Change owner",
    "tags": "Change tags",
    "note_edited": "Edit note",
    "note_removed": "Remove note",
    "task_edited": "Edit task",
    "task_reopened": "Open task again",
    "task_removed": "Remove task",
    "call_scheduled": "Schedule call",
    "call_reassigned": "Reassign call",
    "message_again": "Send message again",
    "message_marked": "Mark message as sent",
    "export": "Export CSV",
    "report": "Download monthly report",
    "aside_again": "Try again what was put aside",
    "aside_ignored": "Ignore what was put aside",
    "endpoint_begun": "Ask for a webhook endpoint",
    "endpoint_made": "Make a webhook endpoint",
    "endpoint_refused": "Webhook endpoint refused",
    "endpoint_unknown": "Webhook endpoint not confirmed",
    "policy": "Change policy",
    "report_mailing": "Change who gets the monthly report",
    "annotation_edited": "Edit annotation",
    "annotation_removed": "Remove annotation",
    "goal_set": "Set goal",
    "goal_changed": "Change goal",
    "goal_removed": "Remove goal",
    "rate_set": "Enter exchange rate",
    "rate_removed": "Remove exchange rate",
    "rates_imported": "Import exchange rates",
    "reporting_currency": "Choose reporting currency",
    "cancel_asked": "Request to cancel",
    "cancel_asked_again": "Request to cancel, again",
    "cancel_offered": "Offer something else",
    "cancel_refused": "Refuse to cancel",
    "cancel_withdrawn": "Customer stays",
    "cancel_elsewhere": "Close request to cancel",
}
_LABELS: Final[dict[str, str]] = {
    "owner": "Owner",
    "tags": "Tags",
    "text": "Text",
    "assignee": "For",
    "due_at": "Due",
    "state": "State",
    "to_address": "To",
    "file": "File",
    "rows": "Rows",
    "object": "Object",
    "address": "Address",
    "key": "Idempotency key",
    "refusal": "Why",
    "approvals": "Approvals",
    "recipients": "Recipients",
    "sent_at": "Sent",
    "annotation": "Annotation",
    "annotation_kind": "Kind",
    "day": "Day",
    "goal": "Goal",
    "goal_target": "To reach",
    "goal_by": "By",
    "pair": "From and into",
    "rate": "Rate",
    "rate_source": "Source",
    "reporting": "Reporting currency",
    "wish": "To end",
    "feedback": "Because",
    "offer": "Offered",
    "said": "Note",
    **{f"{role}_may": f"{role.capitalize()} may" for role in Role},
    **{f"{role}_limits": f"{role.capitalize()} up to" for role in Role},
}
_AS_IT_IS: Final = frozenset(("object", "address", "key", "refusal", "said", "annotation", "rate_source"))
REASONS: Final = frozenset(("said",))  # why somebody did it: not for everybody
_EXPLAINED: Final = frozenset(("cancel_refused", "cancel_withdrawn"))  # whose `said` is why
_CODES: Final[dict[str, Mapping[str, str]]] = {
    "wish": names.WISHES,
    "feedback": names.FEEDBACK,
    "offer": names.OFFERS,
}
_CUSTOMER: Final = "The customer"
_PEOPLE: Final = frozenset(("owner", "assignee"))
_MOVES: Final = ("call_scheduled", "call_reassigned", "task_edited")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that changed, in words. `money`: it says what is paid and owed, as the amounts charged do."""

    label: str
    before: str
    after: str
    money: bool = False

    @property
    def line(self) -> str:
        """All of it in one line, e.g. `owner nobody → Ann`; of what is as before only what it is."""
        values = dict.fromkeys(filter(None, (self.before, self.after)))
        return f"{self.label.lower()} {' → '.join(values)}"


def record(
    session: Session,
    person: Person | None,
    kind: str,
    customer: str = "",
    *,
    object_id: str = "",
    before: Fields | None = None,
    after: Fields | None = None,
) -> None:
    """Keeps who did it, when, and the fields that it changed (plain values; instants, staff ids); without a
    person it was the customer."""
    changes.note(session)
    session.add(
        AuditEntry(
            at=clock.now(),
            kind=kind,
            staff=person.id if person else None,
            staff_name=person.name if person else _CUSTOMER,
            customer=customer,
            object_id=object_id,
            before=dict(before or {}),
            after=dict(after or {}),
        )
    )


def changed(
    session: Session,
    person: Person,
    kind: str,
    customer: str,
    *,
    before: Fields,
    after: Fields,
    object_id: str = "",
    always: Collection[str] = (),
) -> None:
    """Keeps what differs between the two, and `always` with it; nothing where nothing differs."""
    moved = {name for name in after if before.get(name) != after[name]}
    if moved:
        kept = [name for name in after if name in moved.union(always)]
        old, new = ({name: each[name] for name in kept if name in each} for each in (before, after))
        record(session, person, kind, customer, object_id=object_id, before=old, after=new)


def at_first(session: Session, customers: Collection[str], objects: Collection[str]) -> dict[str, Fields]:
    """Of calls and tasks (ids) of these customers that were changed since: whom each was for and by when as
    it was asked for, as far as that is another by now or was in between."""
    if not objects:
        return {}
    entry, found = AuditEntry, defaultdict[str, dict[str, Any]](dict)
    wanted = select(entry).where(
        col(entry.customer).in_(customers), col(entry.object_id).in_(objects), col(entry.kind).in_(_MOVES)
    )
    for row in session.exec(wanted.order_by(col(entry.at).desc(), col(entry.id).desc())):
        found[row.object_id] |= row.before
    return dict(found)


def differences(
    entry: AuditEntry,
    staff: Mapping[int, str],
    moment: Callable[[int], str],
    *,
    but: Collection[str] = (),
) -> tuple[Difference, ...]:
    """The fields that changed, in words, without some (`but`) and without the `reason`; `staff` are names by
    id."""
    but = REASONS.union(but) if entry.kind in _EXPLAINED else but
    fields = [name for name in _LABELS if name not in but and (name in entry.before or name in entry.after)]
    old, new = (
        {name: _said(name, each[name], staff, moment) for name in each}
        for each in (entry.before, entry.after)
    )
    return tuple(Difference(_LABELS[name], old.get(name, ""), new.get(name, "")) for name in fields)


def reason(entry: AuditEntry) -> str:
    """Why somebody decided so, in their own words; "" where nobody says why."""
    return str(entry.after.get("said", "")) if entry.kind in _EXPLAINED else ""


def sentence(differences: tuple[Difference, ...]) -> str:
    """All of them in one line, e.g. `Owner nobody → Ann; tags – → vip`."""
    said = "; ".join(each.line for each in differences)
    return said[:1].upper() + said[1:]


def _said(name: str, value: Any, staff: Mapping[int, str], moment: Callable[[int], str]) -> str:
    if name in _PEOPLE:
        return staff.get(value, f"person {value}") if value else "nobody"
    if value is None or value == []:
        return "–"
    if name in _CODES:
        return _CODES[name].get(value, str(value)).lower()
    if name in _AS_IT_IS:
        return isolated(value)
    if name == "due_at":
        return moment(value)
    return ", ".join(map(isolated, value)) if isinstance(value, list) else str(value).replace("_", " ")
