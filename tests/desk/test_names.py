"""One name for each thing: what a button says is what Activity and the timeline say of it afterwards."""

from __future__ import annotations

from types import ModuleType

import pytest

from models import Action, Subscription
from pages.components import formats
from services.customers import names, timeline
from services.desk import activity, catalog, loading
from services.desk.activity import ActivityFilter
from services.staff.roles import Person, Role
from tests.customers import builders

ANA = Person(1, "Ana", "ana@example.com", Role.SUPPORT)


def test_every_command_is_called_by_its_name() -> None:
    assert {name: command.title for name, command in catalog.COMMANDS.items()} == names.ACTIONS


@pytest.mark.parametrize(
    ("standing", "way", "called"),
    [
        ({"status": "paused"}, "resume", "Reactivate"),
        ({"status": "canceled"}, "anew", "Reactivate"),
        ({"status": "active", "pause_collection": "void"}, "collect", "Resume collection"),
    ],
)
def test_reactivating_is_told_by_the_words_on_its_button(
    database: ModuleType, standing: dict[str, object], way: str, called: str
) -> None:
    with database.transaction() as session:
        builders.customer(session, "cus_1", name="Jo")
        builders.row(
            session, Subscription, id="sub_1", customer="cus_1", currency="usd", plan_micros=0, **standing
        )
        session.add(
            Action(
                token="a", command="reactivate", state="done", staff=1, customer="cus_1", object_id="sub_1",
                opened_at=1, params={"way": way},
            )
        )  # fmt: skip
    with database.session() as session:
        button = catalog.find("reactivate").label(loading.load(session, "cus_1", "sub_1"))
        [entry] = activity.search(session, ANA, ActivityFilter())
        [told] = timeline.latest(session, ANA, "cus_1", ["Actions"], formats, limit=5).entries
    assert button == entry.title == told.title == called
