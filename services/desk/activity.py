"""What have people done here? Everything that any table keeps of it, filtered and cut in SQL, newest first.

Each table is asked for no more of its newest rows than the page can need. A person without the permission to
see all activity sees what they did themselves. Dialogs that were opened and never confirmed are left out
unless they are asked for (`state` open). An action stands at the instant when it was confirmed. Instants are
UTC seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Action, AuditEntry, CallRequest, CustomerFacts, Message, Note, Task
from services.customers import audit, names
from services.desk import entries, ledger
from services.desk.entries import Entry, Found
from services.staff import people as staff
from services.staff.roles import Permission, Person
from services.text import folded

KINDS: Final[dict[str, str]] = {
    **names.ACTIONS,
    "reactivate": f"{names.ACTIONS['reactivate']}, {names.RESUME_COLLECTION.lower()}",
    entries.SEND_MESSAGE: names.SEND_MESSAGE,
    entries.REQUEST_CALL: names.REQUEST_CALL,
    entries.CALL_OUTCOME: names.CALL_OUTCOME,
    entries.ADD_NOTE: names.ADD_NOTE,
    entries.ADD_TASK: names.ADD_TASK,
    entries.TASK_DONE: names.TASK_DONE,
    **audit.TITLES,
}
_MESSAGES: Final = {
    "done": ("accepted", "outbox"),
    "failed": ("failed",),
    "unknown": ("unknown",),
    "running": ("queued", "sending"),
}


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """What to show. `kind` is one of KINDS; `state` done, failed, overtaken, declined, unknown, waiting,
    running or open; `words` stand in a reason, a comment, a note, a task or a subject.

    `since` is the first instant that counts, `until` the first that does not any more.
    """

    kind: str = ""
    staff: int | None = None
    state: str = ""
    customer: str = ""
    words: str = ""
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    """A table's columns by what they mean here. `kinds` are those of its `kind`, where it has several;
    `written` are those that hold words of the staff's own."""

    key: Any
    at: Any
    staff: Any
    customer: Any
    object_id: Any = None
    kind: Any = None
    kinds: tuple[str, ...] = ()
    state: Any = None
    needs: Any = None
    written: tuple[Any, ...] = ()


_BEGUN: Final = sa.func.coalesce(col(Action.started_at), col(Action.opened_at))
_SOURCES: Final[dict[str, _Source]] = {
    entries.ACTIONS: _Source(
        col(Action.token), _BEGUN, col(Action.staff), col(Action.customer),
        col(Action.object_id), col(Action.command), tuple(names.ACTIONS), col(Action.state),
        written=(col(Action.reason), col(Action.comment)),
    ),
    entries.SEND_MESSAGE: _Source(
        col(Message.token), col(Message.created_at), col(Message.staff), col(Message.customer),
        state=col(Message.state), needs=col(Message.report) == "", written=(col(Message.subject),),
    ),
    entries.REQUEST_CALL: _Source(
        col(CallRequest.token), col(CallRequest.created_at), col(CallRequest.requested_by),
        col(CallRequest.customer), written=(col(CallRequest.note),),
    ),
    entries.CALL_OUTCOME: _Source(
        col(CallRequest.token), col(CallRequest.closed_at), col(CallRequest.closed_by),
        col(CallRequest.customer), needs=col(CallRequest.closed_at).is_not(None),
        written=(col(CallRequest.outcome_note),),
    ),
    entries.ADD_NOTE: _Source(
        col(Note.id), col(Note.created_at), col(Note.author), col(Note.customer), written=(col(Note.body),)
    ),
    entries.ADD_TASK: _Source(
        col(Task.id), col(Task.created_at), col(Task.created_by), col(Task.customer),
        written=(col(Task.title),),
    ),
    entries.TASK_DONE: _Source(
        col(Task.id), col(Task.done_at), col(Task.done_by), col(Task.customer),
        needs=col(Task.done_at).is_not(None), written=(col(Task.title),),
    ),
    entries.CHANGES: _Source(
        col(AuditEntry.id), col(AuditEntry.at), col(AuditEntry.staff), col(AuditEntry.customer),
        col(AuditEntry.object_id), col(AuditEntry.kind), tuple(audit.TITLES),
    ),
}  # fmt: skip


def count(session: Session, person: Person, wanted: ActivityFilter) -> int:
    """How many things the filter finds for this person."""
    counts = [
        sa.select(sa.func.count()).select_from(source.key.class_).where(*where).scalar_subquery()
        for source, where in _asked(person, wanted).values()
    ]
    return int(session.scalar(sa.select(sum(counts[1:], start=counts[0]))) or 0) if counts else 0


def search(
    session: Session, person: Person, wanted: ActivityFilter, *, offset: int = 0, limit: int = 50
) -> list[Entry]:
    """One page of what the filter finds, newest first."""
    return entries.told(session, _found(session, person, wanted, offset, limit))


def every(session: Session, person: Person, wanted: ActivityFilter, *, batch: int) -> Iterator[Entry]:
    """All that the filter finds, newest first, told `batch` rows at a time."""
    found = _found(session, person, wanted, 0, None)
    for start in range(0, len(found), batch):
        yield from entries.told(session, found[start : start + batch])


def _found(
    session: Session, person: Person, wanted: ActivityFilter, offset: int, limit: int | None
) -> list[Found]:
    most = None if limit is None else offset + limit
    newest = [
        sa.select(_newest(name, source, where, most).subquery())
        for name, (source, where) in _asked(person, wanted).items()
    ]
    if not newest:
        return []
    all_of_them = sa.union_all(*newest).subquery()
    columns = all_of_them.c
    order = (columns.at.desc(), columns.source, columns.key)
    page = sa.select(columns.source, columns.key).order_by(*order).offset(offset).limit(limit)
    return [(source, key) for source, key in session.execute(page)]


def unknown(session: Session, person: Person, *, limit: int = 20) -> list[Entry]:
    """The actions whose outcome nobody knows yet, oldest first."""
    oldest = (
        sa.select(col(Action.token)).where(*_unknown(person)).order_by(_BEGUN, col(Action.token)).limit(limit)
    )
    return entries.told(session, [(entries.ACTIONS, token) for token in session.scalars(oldest)])


def count_unknown(session: Session, person: Person) -> int:
    """How many actions have an outcome that nobody knows."""
    return session.scalar(sa.select(sa.func.count()).select_from(Action).where(*_unknown(person))) or 0


def people(session: Session, person: Person) -> dict[int, str]:
    """Whose activity this person may see: id -> name, by name."""
    if not person.may(Permission.SEE_ACTIVITY):
        return {person.id: person.name}
    return dict(sorted(staff.names(session).items(), key=lambda named: named[1].lower()))


def _newest(name: str, source: _Source, where: list[Any], limit: int | None) -> Any:
    key = sa.cast(source.key, sa.String).label("key")
    wanted = sa.select(sa.literal(name).label("source"), key, source.at.label("at")).where(*where)
    return wanted.order_by(source.at.desc(), key).limit(limit)


def _unknown(person: Person) -> list[Any]:
    wanted = ActivityFilter(state="unknown")
    return _asked(person, wanted)[entries.ACTIONS][1]


def _asked(person: Person, wanted: ActivityFilter) -> dict[str, tuple[_Source, list[Any]]]:
    """The sources that can have what is wanted, each with its conditions."""
    found = {}
    for name, source in _SOURCES.items():
        kind, state = _of_kind(name, source, wanted.kind), _in_state(source, wanted.state)
        written = _says(source, wanted.words.strip())
        if kind is not None and state is not None and written is not None:
            found[name] = (source, [*kind, *state, *written, *_conditions(source, person, wanted)])
    return found


def _of_kind(name: str, source: _Source, kind: str) -> list[Any] | None:
    """The condition of a kind; None where the source has none of it."""
    if not kind or kind == name:
        return []
    return [source.kind == kind] if kind in source.kinds else None


def _in_state(source: _Source, state: str) -> list[Any] | None:
    """The condition of a state; what has none was done."""
    if source.state is None:
        return [] if state in ("", "done") else None
    if source is _SOURCES[entries.ACTIONS]:
        return _of_action(source.state, state)
    if not state:
        return []
    return [source.state.in_(_MESSAGES[state])] if state in _MESSAGES else None


def _of_action(column: Any, state: str) -> list[Any]:
    """The condition of an action's state as people are told it (`Action.end`)."""
    if not state:
        return [column != "open"]
    if state in ledger.REFUSED:
        return [column == "failed", ledger.REFUSED[state]]
    return [column == state, *([~each for each in ledger.REFUSED.values()] if state == "failed" else [])]


def _says(source: _Source, words: str) -> list[Any] | None:
    """The condition of words that were written; None where the source keeps none."""
    if not words:
        return []
    found = [column.icontains(words, autoescape=True) for column in source.written]
    return [sa.or_(*found)] if found else None


def _conditions(source: _Source, person: Person, wanted: ActivityFilter) -> list[Any]:
    found: list[Any] = [] if source.needs is None else [source.needs]
    if not person.may(Permission.SEE_ACTIVITY):
        found.append(source.staff == person.id)
    if wanted.staff is not None:
        found.append(source.staff == wanted.staff)
    if wanted.since is not None:
        found.append(source.at >= wanted.since)
    if wanted.until is not None:
        found.append(source.at < wanted.until)
    return found + _about(source, wanted.customer.strip())


def _about(source: _Source, text: str) -> list[Any]:
    """Those about the customers whom the text names, or about the object with this id."""
    if not text:
        return []
    named = sa.select(col(CustomerFacts.customer)).where(
        col(CustomerFacts.search_key).contains(folded(text), autoescape=True)
    )
    either = [source.customer == text, source.customer.in_(named)]
    return [sa.or_(*either, *([source.object_id == text] if source.object_id is not None else []))]
