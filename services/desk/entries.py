"""How is each thing that staff did told? One entry for a row of any table that keeps such things."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlmodel import Session, col, select

from models import Action, AuditEntry, CallRequest, Customer, Message, Note, Task
from services.customers import audit, names
from services.customers.audit import Difference
from services.desk import results, snapshots, undone, words
from services.staff import people
from services.text import isolated

Found = tuple[str, str]  # a source, and the key of one of its rows
ACTIONS: Final = "actions"
CHANGES: Final = "changes"
SEND_MESSAGE, REQUEST_CALL, CALL_OUTCOME, ADD_NOTE, ADD_TASK, TASK_DONE = (
    "send_message", "request_call", "call_outcome", "add_note", "add_task", "task_done",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that somebody did, as it is shown.

    `source` says which table `token` is a key of. `detail` is what it was in one line; `charged` what an
    action charged and what became of that; `state` a code with a badge; `decider` the second person;
    `undone` who took it back, `takes_back` what it takes back itself.
    """

    source: str
    token: str
    kind: str
    title: str
    at: int
    state: str
    staff_name: str
    customer: str
    customer_name: str = ""
    role: str = ""
    reason: str = ""
    detail: str = ""
    charged: str = ""
    happens: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    result: Mapping[str, str] | None = None
    request_id: str = ""
    error: str = ""
    remedy: str = ""
    comment: str = ""
    decider: str = ""
    object_id: str = ""
    undone: str = ""
    takes_back: str = ""

    @property
    def who(self) -> str:
        """Who did it, and who allowed it."""
        return names.of_those(self.staff_name, self.state, self.decider)

    @property
    def change(self) -> str:
        """What became of it in one line."""
        if self.error:
            return self.error
        told = [self.charged] if self.charged else []
        told += [each.line for each in self.differences if not (self.charged and each.money)]
        said = "; ".join(told) or self.detail or (self.happens[0] if self.happens else "")
        return ". ".join(filter(None, (said[:1].upper() + said[1:], self.takes_back, self.undone)))


@dataclass(frozen=True, slots=True)
class _Known:
    """What rows are told with: names of staff by id, what actions charged, who took them back and what they
    take back by token, and what calls and tasks were at first, by id (services/customers/audit)."""

    staff: Mapping[int, str]
    charged: Mapping[str, str]
    undone: Mapping[str, str]
    takes_back: Mapping[str, str]
    first: Mapping[str, audit.Fields]

    def name(self, id: int | None) -> str:
        """A staff member's name; "" for nobody."""
        return self.staff.get(id, "") if id else ""


def told(session: Session, found: Sequence[Found]) -> list[Entry]:
    """The entries of these rows, in their order; a row that is gone by now is left out."""
    rows = {
        source: _rows(session, source, [key for each, key in found if each == source]) for source in _TOLD
    }
    asked = {**rows[REQUEST_CALL], **rows[ADD_TASK]}
    first = audit.at_first(session, {row.customer for row in asked.values()}, list(asked))
    actions = list(rows[ACTIONS].values())
    known = _Known(
        people.names(session), results.of(session, actions), undone.by_whom(session, actions),
        undone.taken_back(session, actions), first,
    )  # fmt: skip
    entries = [_TOLD[source].tell(rows[source][key], known) for source, key in found if key in rows[source]]
    return _named(session, entries)


def _rows(session: Session, source: str, keys: list[str]) -> dict[str, Any]:
    if not keys:
        return {}
    column = _TOLD[source].key
    wanted = [int(key) for key in keys] if _TOLD[source].numbered else keys
    rows = session.exec(select(_TOLD[source].table).where(col(column).in_(wanted)))
    return {str(getattr(row, column.key)): row for row in rows}


def _named(session: Session, entries: list[Entry]) -> list[Entry]:
    ids = {entry.customer for entry in entries}
    rows = session.exec(select(Customer.id, Customer.name, Customer.email).where(col(Customer.id).in_(ids)))
    called = {id: isolated(name or email or id) for id, name, email in rows}
    return [replace(entry, customer_name=called.get(entry.customer, entry.customer)) for entry in entries]


def _action(row: Action, known: _Known) -> Entry:
    return Entry(
        source=ACTIONS,
        token=row.token,
        kind=row.command,
        title=names.of_action(row.command, row.params),
        at=row.started_at or row.opened_at,
        state=row.end,
        staff_name=row.staff_name,
        customer=row.customer,
        role=row.role,
        reason=row.reason,
        detail=names.CAME_OF.get(row.command, "") if row.state == "done" else "",
        charged=known.charged.get(row.token, ""),
        happens=tuple(names.with_purpose(row.preview.get("happens", ()), row.params)),
        warnings=tuple(row.preview.get("warnings", ())),
        differences=tuple(snapshots.differences(row.before, row.after)) if row.after else (),
        result={name: str(value) for name, value in row.result.items()},
        request_id=row.request_id,
        error=row.error.get("message", ""),
        remedy=" ".join(filter(None, (row.error.get("left"), row.error.get("remedy")))),
        comment=row.comment,
        decider=row.decider_name,
        object_id=row.object_id,
        undone=known.undone.get(row.token, ""),
        takes_back=known.takes_back.get(row.token, ""),
    )


def _message(row: Message, known: _Known) -> Entry:
    del known
    wrong = row.error if row.state in ("failed", "unknown") else ""
    return Entry(
        SEND_MESSAGE, row.token, SEND_MESSAGE, names.SEND_MESSAGE, row.created_at, row.state, row.staff_name,
        row.customer, detail=f"“{isolated(row.subject)}” to {row.to_address}", error=wrong,
    )  # fmt: skip


def _call(row: CallRequest, known: _Known) -> Entry:
    return Entry(
        REQUEST_CALL, row.token, REQUEST_CALL, names.REQUEST_CALL, row.created_at, "done",
        row.requested_by_name, row.customer, reason=row.note, detail=_whose(row.token, row, known),
    )  # fmt: skip


def _outcome(row: CallRequest, known: _Known) -> Entry:
    del known
    return Entry(
        CALL_OUTCOME, row.token, CALL_OUTCOME, names.CALL_OUTCOME, row.closed_at or 0, row.state,
        row.closed_by_name, row.customer, reason=row.outcome_note,
        detail=names.of_outcome(row.state, row.outcome or ""),
    )  # fmt: skip


def _note(row: Note, known: _Known) -> Entry:
    del known
    return Entry(
        ADD_NOTE, str(row.id), ADD_NOTE, names.ADD_NOTE, row.created_at, "done", row.author_name,
        row.customer, detail=row.body,
    )  # fmt: skip


def _task(row: Task, known: _Known) -> Entry:
    return Entry(
        ADD_TASK, str(row.id), ADD_TASK, names.ADD_TASK, row.created_at, "done", known.name(row.created_by),
        row.customer, detail=f"{isolated(row.title)} ({_whose(str(row.id), row, known)})",
    )  # fmt: skip


def _task_done(row: Task, known: _Known) -> Entry:
    return Entry(
        TASK_DONE, str(row.id), TASK_DONE, names.TASK_DONE, row.done_at or 0, "done",
        known.name(row.done_by), row.customer, detail=row.title,
    )  # fmt: skip


def _change(row: AuditEntry, known: _Known) -> Entry:
    return Entry(
        CHANGES, str(row.id), row.kind, audit.TITLES.get(row.kind, row.kind), row.at, "done", row.staff_name,
        row.customer, reason=audit.reason(row),
        differences=audit.differences(row, known.staff, words.moment),
    )  # fmt: skip


def _whose(id: str, row: CallRequest | Task, known: _Known) -> str:
    """Whom it was for when it was asked for, and by when; what changed since has entries of its own."""
    first = known.first.get(id, {})
    assignee, due_at = first.get("assignee", row.assignee), first.get("due_at", row.due_at)
    due = f", due {words.day(due_at)}" if due_at else ""
    return f"for {known.name(assignee) or 'nobody yet'}{due}"


@dataclass(frozen=True, slots=True)
class _Teller:
    table: Any
    key: Any
    tell: Callable[[Any, _Known], Entry]
    numbered: bool = False


_TOLD: Final[dict[str, _Teller]] = {
    ACTIONS: _Teller(Action, Action.token, _action),
    SEND_MESSAGE: _Teller(Message, Message.token, _message),
    REQUEST_CALL: _Teller(CallRequest, CallRequest.token, _call),
    CALL_OUTCOME: _Teller(CallRequest, CallRequest.token, _outcome),
    ADD_NOTE: _Teller(Note, Note.id, _note, numbered=True),
    ADD_TASK: _Teller(Task, Task.id, _task, numbered=True),
    TASK_DONE: _Teller(Task, Task.id, _task_done, numbered=True),
    CHANGES: _Teller(AuditEntry, AuditEntry.id, _change, numbered=True),
}
