"""Which changes did staff make that no other table keeps, and what stood there before and after?

What is made (a message, a call, a note, a task) is its own record, and so is the end of a call or a task.
What is changed or taken away is kept here, and that a file was exported. The text of a note or of
a task that was changed or removed is not: who wrote it may take it back for good. Nor are the addresses
of customers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session

from models import AuditEntry
from services import clock
from services.mirror import changes
from services.staff.roles import Person
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
}
_PEOPLE: Final = frozenset(("owner", "assignee"))


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that changed, in words. `money`: it says what is paid and owed, as the amounts charged do."""

    label: str
    before: str
    after: str
    money: bool = False


def record(
    session: Session,
    person: Person,
    kind: str,
    customer: str = "",
    *,
    object_id: str = "",
    before: Fields | None = None,
    after: Fields | None = None,
) -> None:
    """Keeps who did it, when, and the fields that it changed (plain values; instants, staff ids)."""
    changes.note(session)
    session.add(
        AuditEntry(
            at=clock.now(),
            kind=kind,
            staff=person.id,
            staff_name=person.name,
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
) -> None:
    """Keeps what differs between the two; nothing where nothing does."""
    moved = [name for name in after if before.get(name) != after[name]]
    if moved:
        old, new = ({name: each[name] for name in moved if name in each} for each in (before, after))
        record(session, person, kind, customer, object_id=object_id, before=old, after=new)


def differences(
    entry: AuditEntry, staff: Mapping[int, str], moment: Callable[[int], str]
) -> tuple[Difference, ...]:
    """The fields that changed, in words; `staff` are names by id."""
    fields = [name for name in _LABELS if name in entry.before or name in entry.after]
    old, new = (
        {name: _said(name, each[name], staff, moment) for name in each}
        for each in (entry.before, entry.after)
    )
    return tuple(Difference(_LABELS[name], old.get(name, ""), new.get(name, "")) for name in fields)


def sentence(differences: tuple[Difference, ...]) -> str:
    """All of them in one line, e.g. `Owner nobody → Ann; tags – → vip`."""
    said = "; ".join(
        f"{each.label.lower()} {' → '.join(filter(None, (each.before, each.after)))}" for each in differences
    )
    return said[:1].upper() + said[1:]


def _said(name: str, value: Any, staff: Mapping[int, str], moment: Callable[[int], str]) -> str:
    if name in _PEOPLE:
        return staff.get(value, f"person {value}") if value else "nobody"
    if value is None or value == []:
        return "–"
    if name == "due_at":
        return moment(value)
    return ", ".join(map(isolated, value)) if isinstance(value, list) else str(value).replace("_", " ")
