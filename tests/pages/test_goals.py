"""The Goals page: the way to each goal, and who may set them."""

from __future__ import annotations

import json
from datetime import timedelta
from types import ModuleType

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from models import Goal
from services import clock, config
from services.desk import goals
from services.desk.goals import Draft
from services.money import MICROS
from services.staff.roles import Role
from tests.customers.builders import person
from tests.metrics import count
from tests.metrics.build import Account
from tests.pages.menu import open_in_menu

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # SQL has tests on both
DAY = clock.DAY
FOUNDER, SUPPORT = "ada@trialdesk.test", "sam@trialdesk.test"


@pytest.fixture
def earning(staffed: ModuleType, ready: None) -> ModuleType:
    """MRR is 49.00 USD."""
    told = Account()
    told.subscription(told.customer("ada", clock.now() - 9 * DAY), clock.now() - 9 * DAY)
    told.save(staffed)
    count.see(staffed, clock.now() - 8 * DAY)
    count.everybody(staffed, config.settings().zone)
    return staffed


def soon() -> Draft:
    by = clock.local(clock.now(), config.settings().zone).date() + timedelta(days=70)
    return Draft("mrr", 9_800 * MICROS, by, "usd")


def set_goal(database: ModuleType) -> None:
    with database.transaction() as session:
        goals.add(session, person(Role.FOUNDER), soon(), config.settings().zone)


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_without_a_goal_the_page_says_what_one_is(earning: ModuleType) -> None:
    assert "No goal is set yet" in open_in_menu("goals").info[0].value


def test_a_goal_shows_its_way(earning: ModuleType) -> None:
    set_goal(earning)
    app = open_in_menu("goals")
    assert metrics(app) == {
        "At the start": "$49.00", "Now": "$49.00", "The line is at": "$49.00", "Target": "$98.00",
    }  # fmt: skip
    assert any("It takes \\$4\\." in one.value and "every week" in one.value for one in app.markdown)
    [chart] = app.get("plotly_chart")
    line = json.loads(chart.proto.spec)["data"][0]
    assert line["y"] == [49, 98]
    assert chart.proto.alt.startswith("The way to the goal: at the start $49.00")


def test_who_may_not_set_goals_sees_them_and_why(earning: ModuleType) -> None:
    set_goal(earning)
    app = open_in_menu("goals", acting_as=SUPPORT)
    assert not app.text_input
    assert any("set goals" in caption.value for caption in app.caption)


def test_a_founder_sets_a_goal_changes_it_and_takes_it_back(earning: ModuleType) -> None:
    app = open_in_menu("goals", acting_as=FOUNDER)
    app.text_input[0].set_value("98")
    app = next(one for one in app.button if one.label == "Set").click().run()
    assert not app.exception
    assert metrics(app)["Target"] == "$98.00"
    edited = next(one for one in app.text_input if one.value == "98.00")
    edited.set_value("196")
    app = next(one for one in app.button if one.label == "Save").click().run()
    assert metrics(app)["Target"] == "$196.00"
    app = next(one for one in app.button if one.label == "Take back").click().run()
    with earning.session() as session:
        assert session.exec(select(Goal)).all() == []


@pytest.mark.parametrize("typed", ["0.4", "0.99", "0.5 %"])
def test_a_share_below_one_per_cent_is_taken_for_one_that_is_not_in_per_cent(
    earning: ModuleType, typed: str
) -> None:
    app = open_in_menu("goals", acting_as=FOUNDER)
    app = app.selectbox[0].set_value("conversion").run()
    app.text_input[0].set_value(typed)
    app = next(one for one in app.button if one.label == "Set").click().run()
    assert [one.value.replace("\\", "") for one in app.error] == [
        f"“{typed}” is read in per cent: that is less than 1 %."
    ]
    assert any("Type 40 for 40 %" in one.value for one in app.caption)


@pytest.mark.parametrize(("typed", "why"), [("12", "already"), ("much", "not an amount")])
def test_a_target_that_makes_no_sense_is_refused_in_words(earning: ModuleType, typed: str, why: str) -> None:
    app = open_in_menu("goals", acting_as=FOUNDER)
    app.text_input[0].set_value(typed)
    app = next(one for one in app.button if one.label == "Set").click().run()
    assert any(why in one.value for one in app.error), [one.value for one in app.error]
