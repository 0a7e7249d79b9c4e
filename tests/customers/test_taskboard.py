"""The list of tasks: due first, mine and all, what is overdue and what is done."""

from __future__ import annotations

from types import ModuleType

import pytest

from models import Task
from services.clock import DAY
from services.customers import taskboard
from services.customers.taskboard import TaskFilter
from tests.customers import builders

NOW = builders.NOW


@pytest.fixture
def board(database: ModuleType) -> ModuleType:
    """Tasks of Ann (1) and Bob (2), seen from NOW."""
    with database.transaction() as session:
        ann, bob = builders.staff(session, "Ann"), builders.staff(session, "Bob")
        builders.customer(session, "cus_jo", name="Jo", email="jo@x.example")
        for title, assignee, due, done in (
            ("someday", ann, None, None),
            ("soon", ann, NOW + DAY, None),
            ("late", bob, NOW - DAY, None),
            ("old", ann, NOW - 9 * DAY, NOW - 8 * DAY),
            ("new", bob, None, NOW - DAY),
        ):
            session.add(
                Task(
                    customer="cus_jo", title=title, assignee=assignee, due_at=due, done_at=done,
                    created_at=NOW,
                )
            )  # fmt: skip
        session.add(Task(customer="cus_gone", title="last", assignee=99, created_at=NOW))
    return database


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TaskFilter(), ["late", "soon", "someday", "last"]),
        (TaskFilter(assignee=1), ["soon", "someday"]),
        (TaskFilter(done=True), ["new", "old"]),
        (TaskFilter(done=None), ["late", "soon", "someday", "last", "new", "old"]),
        (TaskFilter(done=None, assignee=1), ["soon", "someday", "old"]),
        (TaskFilter(due_before=NOW), ["late"]),
        (TaskFilter(done=None, due_before=NOW + 2 * DAY), ["late", "soon"]),
        (TaskFilter(assignee=1, due_before=NOW), []),
    ],
)
def test_tasks_are_listed_due_first(board: ModuleType, wanted: TaskFilter, found: list[str]) -> None:
    where = taskboard.conditions(wanted)
    with board.session() as session:
        rows = taskboard.page(session, where, NOW, offset=0, limit=10)
        assert taskboard.count(session, where) == len(rows)
        second = taskboard.page(session, where, NOW, offset=1, limit=1)
    assert [row.title for row in rows] == found
    assert [row.title for row in second] == found[1:2]
    assert [row.title for row in rows if row.overdue] == [title for title in found if title == "late"]


def test_a_row_says_whose_it_is(board: ModuleType) -> None:
    with board.session() as session:
        rows = taskboard.page(session, [], NOW, offset=0, limit=10)
    assert (rows[0].name, rows[0].email, rows[0].assignee_name) == ("Jo", "jo@x.example", "Bob")
    last = next(row for row in rows if row.title == "last")
    assert (last.customer, last.name, last.assignee_name) == ("cus_gone", "", "")
