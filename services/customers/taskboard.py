"""Which follow-ups are still to be done, by whom and by when, and which are done? Due first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Customer, Staff, Task

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks. `done`: None for both; `assignee` a staff id; `due_before` keeps open tasks with a date
    before this instant."""

    done: bool | None = False
    assignee: int | None = None
    due_before: int | None = None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task and whose it is. `overdue`: open, and its date has passed."""

    id: int
    title: str
    customer: str
    name: str
    email: str
    assignee_name: str
    created_at: int
    due_at: int | None
    done_at: int | None
    overdue: bool


def conditions(wanted: TaskFilter) -> list[Condition]:
    """The filter as conditions on tasks."""
    found: list[Condition] = []
    done_at = col(Task.done_at)
    if wanted.done is not None:
        found.append(done_at.is_not(None) if wanted.done else done_at.is_(None))
    if wanted.assignee is not None:
        found.append(col(Task.assignee) == wanted.assignee)
    if wanted.due_before is not None:
        found += [done_at.is_(None), col(Task.due_at) < wanted.due_before]
    return found


def count(session: Session, where: Sequence[Condition]) -> int:
    """How many tasks match."""
    return session.scalar(sa.select(sa.func.count()).select_from(Task).where(*where)) or 0


def page(session: Session, where: Sequence[Condition], now: int, *, offset: int, limit: int) -> list[TaskRow]:
    """One page of the tasks that match `conditions`: open before done, due first, done last first."""
    order = (
        col(Task.done_at).is_not(None),
        col(Task.done_at).desc(),
        col(Task.due_at).is_(None),
        col(Task.due_at),
        col(Task.id),
    )
    wanted: Any = (
        sa.select(Task, Customer, col(Staff.name))
        .outerjoin(Customer, col(Customer.id) == col(Task.customer))
        .outerjoin(Staff, col(Staff.id) == col(Task.assignee))
        .where(*where)
    )
    found = session.execute(wanted.order_by(*order).offset(offset).limit(limit))
    return [_row(now, *parts) for parts in found]


def _row(now: int, task: Task, customer: Customer | None, assignee: str | None) -> TaskRow:
    assert task.id is not None
    return TaskRow(
        id=task.id,
        title=task.title,
        customer=task.customer,
        name=(customer.name if customer else None) or "",
        email=(customer.email if customer else None) or "",
        assignee_name=assignee or "",
        created_at=task.created_at,
        due_at=task.due_at,
        done_at=task.done_at,
        overdue=task.done_at is None and task.due_at is not None and task.due_at < now,
    )
