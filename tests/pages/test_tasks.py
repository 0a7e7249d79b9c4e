"""The Tasks page: mine first, due first, ticked off from the rows; the Overview counts what is due."""

from __future__ import annotations

from types import ModuleType

import pytest

from models import Task
from services import clock
from services.staff import people
from tests.pages.menu import open_in_menu
from tests.pages.test_overview import links
from tests.pages.work import add_trial, captions, column, open_page

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # SQL has tests on both


@pytest.fixture
def board(pulled: ModuleType, ready: None) -> ModuleType:
    """An overdue task of Sam, one without a date, one that is done, and one of Pia's."""
    now = clock.now()
    add_trial(pulled, "Jo", 2.5)
    with pulled.transaction() as session:
        staff = {person.name: person.id for person in people.active(session)}
        for title, who, due, done in (
            ("late", "Sam Okafor", now - clock.DAY, None),
            ("someday", "Sam Okafor", None, None),
            ("over", "Sam Okafor", now, now),
            ("hers", "Pia Novak", now + 9 * clock.DAY, None),
        ):
            session.add(
                Task(
                    customer="cus_jo", title=title, assignee=staff[who], due_at=due, done_at=done,
                    created_at=now,
                )
            )  # fmt: skip
    return pulled


def test_mine_stand_due_first(board: ModuleType) -> None:
    app = open_page("tasks")
    assert column(app, "title") == ["late", "someday"]
    assert column(app, "customer") == ["Jo", "Jo"]
    assert column(app, "due")[0].startswith("Overdue: ")
    assert column(app, "due")[1] == "No date"
    assert "2 tasks" in captions(app)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ({"tasks_of": "All"}, ["late", "hers", "someday"]),
        ({"tasks_of": "All", "task_state": "All"}, ["late", "hers", "someday", "over"]),
        ({"task_state": "Done"}, ["over"]),
        ({"tasks_of": "All", "tasks_due": "Overdue"}, ["late"]),
        ({"tasks_due": "By today"}, ["late"]),
        ({"task_state": "Done", "tasks_due": "Overdue"}, []),
    ],
)
def test_an_address_shows_the_same_view(board: ModuleType, address: dict[str, str], found: list[str]) -> None:
    app = open_page("tasks", **address)
    assert column(app, "title") == found
    if not found:
        assert any(caption.startswith("No task fits this view.") for caption in captions(app))


def test_a_viewer_sees_tasks_and_why_the_buttons_are_closed(board: ModuleType) -> None:
    app = open_page("tasks", acting_as="vera@trialdesk.test", tasks_of="All")
    assert column(app, "title") == ["late", "hers", "someday"]
    help = {button.label: button.help or "" for button in app.button}
    assert all("may not write notes, tags and tasks" in help[each] for each in ("Mark as done", "Open again"))
    assert not any("Tick" in caption for caption in captions(app))


def test_the_overview_counts_what_is_due_for_whoever_looks(board: ModuleType) -> None:
    found = links(open_in_menu("overview"))
    assert found["1 task due"] == ["tasks?tasks_of=Mine&tasks_due=By+today"]
    assert not any(
        "due" in label for label in links(open_in_menu("overview", acting_as="pia@trialdesk.test"))
    )
