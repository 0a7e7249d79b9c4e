"""What is somebody still to do for a customer, and by when?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session, col, select

from models import Task
from services import changes, clock
from services.customers import audit, due
from services.customers.notes import must_exist, must_work_here
from services.errors import Conflict, InvalidInput, NotFound
from services.staff.roles import Permission, Person
from services.text import with_usable_links

LONGEST_TITLE: Final = 200
_FAR: Final = 2**62


def on(session: Session, customer: str) -> list[Task]:
    """The customer's tasks: open ones first, the most urgent before, then those done, latest before."""
    rows = session.exec(select(Task).where(col(Task.customer) == customer))
    return sorted(rows, key=_urgency)


def _urgency(task: Task) -> tuple[bool, int, int]:
    if task.done_at is None:
        return (False, task.due_at if task.due_at is not None else _FAR, task.id or 0)
    return (True, -task.done_at, task.id or 0)


def add(
    session: Session,
    person: Person,
    customer: str,
    title: str,
    *,
    due_at: int | None = None,
    assignee: int | None = None,
) -> Task:
    """Adds a task; the assignee defaults to whoever asks. `due_at` is an instant that lies ahead.

    Raises InvalidInput, NotAllowed, NotFound.
    """
    person.require(Permission.ANNOTATE)
    must_exist(session, customer)
    if assignee is not None:
        must_work_here(session, assignee, field="assignee")
    task = Task(
        customer=customer,
        title=_title(title),
        assignee=person.id if assignee is None else assignee,
        created_by=person.id,
        created_at=clock.now(),
        due_at=due.ahead(due_at),
    )
    session.add(task)
    session.flush()
    changes.note(session)
    return task


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, by when (an instant) and by whom (a staff id)."""

    title: str
    due_at: int | None
    assignee: int | None


def plan(task: Task) -> Plan:
    """The plan that a task is."""
    return Plan(task.title, task.due_at, task.assignee)


def edit(
    session: Session,
    person: Person,
    task: int,
    *,
    title: str,
    due_at: int | None,
    assignee: int,
    seen: Plan,
) -> Task:
    """Changes what is to be done, by when and by whom; `seen` is what the author saw. Only another date than
    it has must lie ahead.

    Raises Conflict where the task changed meanwhile (not where it is as wanted already: a second click),
    InvalidInput, NotAllowed, NotFound.
    """
    row = _task(session, person, task)
    before, wanted = plan(row), Plan(_title(title), due_at, assignee)
    if before not in (wanted, seen):
        raise Conflict(
            "Somebody else has changed this task meanwhile; nothing was saved.",
            remedy="Look at what it says now, then change it.",
        )
    if due_at != row.due_at:
        due.ahead(due_at)
    if assignee != row.assignee:
        must_work_here(session, assignee, field="assignee")
    terms, text = _terms(row), {} if wanted.title == row.title else {"text": "changed"}
    row.title, row.due_at, row.assignee = wanted.title, due_at, assignee
    after = {**text, **_terms(row)}
    audit.changed(
        session, person, "task_edited", row.customer, object_id=str(task), before=terms, after=after
    )
    return row


def _terms(task: Task) -> dict[str, Any]:
    return {"due_at": task.due_at, "assignee": task.assignee}


def set_done(session: Session, person: Person, task: int, done: bool) -> Task:
    """Ticks a task off, or opens it again; ticking twice keeps the first instant and who ticked it."""
    row = _task(session, person, task)
    if done and row.done_at is None:
        row.done_at, row.done_by = clock.now(), person.id
        changes.note(session)
    if not done and row.done_at is not None:
        row.done_at = row.done_by = None
        audit.record(session, person, "task_reopened", row.customer, object_id=str(task), after=_terms(row))
    return row


def set_all_done(session: Session, person: Person, tasks: Iterable[int], done: bool) -> None:
    """Ticks off, or opens again, all of them; in the order of their ids, so that two who do it with lists
    that overlap wait for each other rather than both for ever. Raises NotAllowed, NotFound."""
    for task in sorted(tasks):
        set_done(session, person, task, done)


def delete(session: Session, person: Person, task: int) -> None:
    """Removes a task. Raises NotAllowed, NotFound."""
    row = _task(session, person, task)
    session.delete(row)
    audit.record(session, person, "task_removed", row.customer, object_id=str(task), before=_terms(row))


def _task(session: Session, person: Person, id: int) -> Task:
    person.require(Permission.ANNOTATE)
    row = session.get(Task, id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("task", str(id), remedy="Somebody may have removed it; open the customer again.")
    return row


def _title(text: str) -> str:
    title = with_usable_links(" ".join(text.split()))
    if not 0 < len(title) <= LONGEST_TITLE:
        raise InvalidInput(
            f"A task says what to do in 1 to {LONGEST_TITLE} characters.", field="title", remedy="Change it."
        )
    return title
