"""The Recovery page: what fails and what comes back, filters in the address, rows behind what was clicked."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import charts
from services import clock, config
from services.customers import export
from services.errors import NotAllowed
from services.metrics import periods
from services.metrics.recovery import dunning_rows
from services.metrics.recovery.dunning import Asked
from services.metrics.recovery.dunning_rows import Chosen
from services.staff.roles import Person, Role
from tests.metrics import count
from tests.metrics.build import HOUR
from tests.metrics.failing import OTHER, Failing, paying
from tests.pages.menu import open_in_menu
from tests.pages.work import captions, column

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # SQL has tests on both
DAY = clock.DAY


def months() -> list[periods.Period]:
    return periods.last("month", 12, until=clock.now(), zone=config.settings().zone)


def half_a_year_ago() -> Failing:
    """Half a year ago: Ada's 49.00 came back, Tom's 10.00 were lost, 41.00 passed. A month later: 30.00 are
    still out. Yuki pays in yen."""
    begun, later, told = months()[5].begins, months()[6].begins, Failing()
    ada, tom = paying(told, "ada", begun - 99 * DAY), paying(told, "tom", begun - 99 * DAY, plan="team")
    yuki = paying(told, "yuki", begun - 99 * DAY, currency="jpy")
    told.retried(told.failure(ada, begun + DAY), begun + DAY + HOUR + 4 * DAY, card=OTHER)
    told.failure(tom, begun + DAY, 1000, code="expired_card", status="void")
    told.invoice(ada, begun + DAY, 4100)
    told.failure(ada, later, 3000, code="<b>odd</b>")
    told.failure(yuki, begun + DAY, 5000)
    return told


@pytest.fixture
def account(staffed: ModuleType, ready: None) -> ModuleType:
    """What is told of half a year ago, counted."""
    half_a_year_ago().save(staffed)
    count.everybody(staffed, config.settings().zone)
    return staffed


def plots(app: AppTest) -> dict[str, Any]:
    """The charts by the start of their alternative text."""
    return {chart.proto.alt.split(":")[0]: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_before_anything_is_tried_the_page_says_so(staffed: ModuleType, ready: None) -> None:
    count.everybody(staffed, config.settings().zone)
    assert "No payment has been tried yet" in open_in_menu("recovery").info[0].value


def test_the_tiles_say_what_fails_and_what_comes_back(account: ModuleType) -> None:
    seen = metrics(open_in_menu("recovery"))
    assert seen["Failed at the first try"] == "39.0 %", "49, 10 and 30 failed; 49, 49 and 41 passed"
    assert seen["Recovered, by volume"] == "83.1 %", "of the month that is decided: 49 of 59"
    assert (seen["Days to recovery"], seen["Lost"]) == ("4", "$10.00")
    assert seen["Money at stake now"] == "$30.00"


def test_a_month_that_is_open_is_a_span_and_no_low_share(account: ModuleType) -> None:
    figure = plots(open_in_menu("recovery"))["Recovered, by volume"]
    by_count, volume, still = figure["data"]
    assert volume["x"] == by_count["x"] == [months()[5].key]
    assert volume["y"] == [pytest.approx(49 / 59)]
    assert (still["x"], still["base"], still["y"]) == ([months()[6].key], [0], [1])


def test_an_axis_of_money_is_written_as_everywhere(account: ModuleType) -> None:
    seen = plots(open_in_menu("recovery"))
    (axis,) = [one["layout"]["yaxis"] for alt, one in seen.items() if alt.startswith("Money that failed")]
    assert axis["ticktext"][0] == "$0"
    assert all(words.startswith("$") for words in axis["ticktext"])


def test_yen_have_a_page_of_their_own(account: ModuleType) -> None:
    app = open_in_menu("recovery", currency="JPY")
    assert metrics(app)["Money at stake now"] == "¥5,000"
    assert plots(app)["Recovered, by volume"]["data"][2]["customdata"] == [[f"cohort:{months()[5].key}"]]


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ({"show": "cohort:{month}"}, ["Ada", "Tom"]),
        ({"show": "cohort:{month}:lost"}, ["Tom"]),
        ({"show": "cohort:{month}", "plan": "Team"}, ["Tom"]),
        ({"show": "cohort:{month}", "currency": "JPY"}, ["Yuki"]),
        ({"show": "code:expired_card"}, ["Tom"]),
        ({"show": "code:insufficient_funds:recovered"}, ["Ada"]),
        ({"show": "code:insufficient_funds:lost"}, []),
        ({"show": "plan:prod_team"}, ["Tom"]),
        ({"show": "country:"}, ["Ada", "Ada", "Tom"]),
        ({"show": "by:new_card"}, ["Ada"]),
        ({"show": "number:failed"}, ["Ada", "Ada", "Tom"]),
        ({"show": "number:decided"}, ["Ada", "Tom"]),
        ({"show": "number:recovered"}, ["Ada"]),
        ({"show": "number:lost"}, ["Tom"]),
        ({"show": "number:nonsense"}, []),
        ({"show": "cohort:1999-01"}, []),
        ({"show": "cohort:{month}:nonsense"}, []),
        ({"show": "by:nonsense"}, []),
        ({"show": "plan:prod_team:nonsense"}, []),
        ({"show": "nonsense"}, []),
    ],
)
def test_an_address_shows_the_rows_behind_a_bar(
    account: ModuleType, address: dict[str, str], names: list[str]
) -> None:
    month = months()[5].key
    app = open_in_menu("recovery", **{key: value.format(month=month) for key, value in address.items()})
    assert sorted(column(app, "title")) == names


def test_each_number_leads_to_as_many_rows(account: ModuleType) -> None:
    app = open_in_menu("recovery")
    keys = [str(button.key) for button in app.button if str(button.key).startswith("rows:")]
    assert len(keys) == 4
    for key in keys:
        link = app.button(key=key)
        app = link.click().run()
        assert not app.exception
        assert f"{len(column(app, 'title'))} payment" in link.label


def test_the_rows_say_what_they_come_to_and_what_brought_them_back(account: ModuleType) -> None:
    app = open_in_menu("recovery", show="number:failed")
    assert "3 payments" in captions(app)
    assert "in all \\$89\\.00" in captions(app)
    assert "Retry of another card" in column(app, "by")


@pytest.mark.parametrize(("by", "bars"), [("Reason", 3), ("Plan", 2), ("Country", 1)])
def test_what_fails_is_split_by_reason_plan_or_country(account: ModuleType, by: str, bars: int) -> None:
    app = open_in_menu("recovery", view="Reasons and groups", by=by)
    figure = plots(app)[f"What failed, by {by.lower()}"]
    assert [len(trace["x"]) for trace in figure["data"]] == [bars] * 3
    assert "<b>" not in json.dumps(figure["layout"]["yaxis"])


def test_what_brought_it_back_and_how_soon(account: ModuleType) -> None:
    seen = plots(open_in_menu("recovery", view="The way back"))
    assert seen["What brought it back"]["data"][0]["customdata"] == [["by:new_card"]]
    line = seen["Recovered by day since the first failure"]["data"][-1]
    assert (line["y"][3], line["y"][4]) == (0, pytest.approx(1 / 3))


def test_a_file_holds_exactly_the_rows(account: ModuleType) -> None:
    chosen = Chosen(Asked("usd", tuple(months())), "recovered")
    asking = Person(1, "Sam", "sam@x.example", Role.SUPPORT)
    with account.session() as session:
        lines = list(export.payments_csv(asking, dunning_rows.read(session, chosen)))
    assert len(lines) == 2
    assert (
        ",ada@example.com,Pro,,USD,49.00,recovered,new_card,insufficient_funds,insufficient_funds,2,"
        in (lines[1])
    )
    with pytest.raises(NotAllowed):
        export.payments_csv(Person(1, "Vi", "vi@x.example", Role.VIEWER), [])


def test_the_page_names_its_months_in_words(account: ModuleType) -> None:
    app = open_in_menu("recovery")
    assert charts.month(months()[5].key) in [row["Month"] for row in app.table[0].value.to_dict("records")]
