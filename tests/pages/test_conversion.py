"""The Conversion page: charts that count right, filters in the address, rows behind what was clicked."""

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
from services.metrics import members, periods
from services.metrics.trials import STATES
from services.staff.roles import Person, Role
from tests.metrics.build import Account
from tests.pages.menu import open_in_menu
from tests.pages.work import captions, column

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # SQL has tests on both
DAY = clock.DAY
MARKUP = "<a href=x>ads</a>"


def months() -> list[periods.Period]:
    return periods.last("month", 12, until=clock.now(), zone=config.settings().zone)


def half_a_year_ago() -> Account:
    """Half a year ago two converted (one from ads) and one expired; one runs now; one is old and free."""
    begun, told = months()[5].begins, Account()
    for name, source in (("ada", "ads"), ("**bob**", MARKUP)):
        sub = told.trial(told.customer(name, begun, source=source, card=True), begun, status="active")
        first = begun + 14 * DAY
        told.line(told.invoice(sub, first), first, first + 180 * DAY)
    gone = told.customer("cem", begun)
    over = begun + 14 * DAY
    told.trial(gone, begun, status="canceled", canceled_at=over, ended_at=over, plan="team")
    told.trial(told.customer("dan", clock.now() - DAY, source="ads"), clock.now() - DAY)
    told.trial(told.customer("old", 1, source="fax"), months()[0].begins - 90 * DAY, status="active")
    return told


@pytest.fixture
def account(staffed: ModuleType, ready: None) -> ModuleType:
    """What is told of half a year ago."""
    half_a_year_ago().save(staffed)
    return staffed


def plots(app: AppTest) -> dict[str, Any]:
    """The charts by the start of their alternative text."""
    return {chart.proto.alt.split(":")[0]: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_the_last_closed_month_stands_beside_stripes_rate(account: ModuleType) -> None:
    seen = metrics(open_in_menu("conversion"))
    assert seen[f"Converted, {charts.month(months()[5].key)}"] == "66.7 %"
    assert seen["30-day rate"] == "No data"
    assert (seen["Trials started"], seen["Still running"]) == ("4", "1")
    assert seen["Days to convert"] == "15"


def test_open_months_carry_no_share(account: ModuleType) -> None:
    figure = plots(open_in_menu("conversion"))["Share of trials converted, by month of their start"]
    points = figure["data"][0]
    assert points["x"] == [charts.month(months()[5].key).replace(" ", "<br>")]  # "May 26" reads as a day
    assert points["y"] == [pytest.approx(2 / 3)]
    notes = [note["text"] for note in figure["layout"]["annotations"]]
    assert notes.count("still open") >= 1
    assert notes.count("no data") == 12 - 1 - notes.count("still open")


def test_the_funnel_counts_everybody_who_signed_up(account: ModuleType) -> None:
    bars = plots(open_in_menu("conversion"))["Everybody who signed up, through a trial"]["data"][0]
    assert bars["x"] == [4, 4, 2, 2, 2, 2, 2]
    assert bars["customdata"][4] == ["funnel:trial:paid"]


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ({"show": "cohort:{month}"}, ["Ada", "Cem", "**Bob**"]),
        ({"show": "cohort:{month}:converted"}, ["Ada", "**Bob**"]),
        ({"show": "cohort:{month}:converted", "source": "ads"}, ["Ada"]),
        ({"show": "cohort:{month}", "plan": "Team"}, ["Cem"]),
        ({"show": "plan:prod_pro"}, ["Ada", "**Bob**"]),
        ({"show": "source:ads"}, ["Ada"]),
        ({"show": "source:"}, ["Cem"]),
        ({"show": "funnel:trial:paid"}, ["Ada", "**Bob**"]),
        ({"show": "number:started"}, ["Ada", "Cem", "Dan", "**Bob**"]),
        ({"show": "number:converted"}, ["Ada", "**Bob**"]),
        ({"show": "number:converted", "source": "ads"}, ["Ada"]),
        ({"show": "number:running"}, ["Dan"]),
        ({"show": "number:recent"}, []),
        ({"show": "number:nonsense"}, []),
        ({"show": "cohort:1999-01"}, []),
        ({"show": "cohort:{month}:nonsense"}, []),
        ({"show": "nonsense"}, []),
        ({"show": "funnel:trial:nonsense"}, []),
    ],
)
def test_an_address_shows_the_rows_behind_a_bar(
    account: ModuleType, address: dict[str, str], names: list[str]
) -> None:
    month = months()[5].key
    app = open_in_menu("conversion", **{key: value.format(month=month) for key, value in address.items()})
    assert sorted(column(app, "title")) == sorted(names)


def test_each_number_leads_to_its_rows(staffed: ModuleType, ready: None) -> None:
    told = half_a_year_ago()
    begun, ended = clock.now() - 30 * DAY, clock.now() - 16 * DAY
    for name in ("eva", "fay"):
        gone = told.customer(name, begun)
        told.trial(gone, begun, status="canceled", canceled_at=ended, ended_at=ended)
    told.save(staffed)
    app = open_in_menu("conversion")
    keys = [str(button.key) for button in app.button if str(button.key).startswith("rows:")]
    assert len(keys) == 5
    for key in keys:
        link = app.button(key=key)
        app = link.click().run()
        assert not app.exception
        assert f"{len(column(app, 'title'))} trial" in link.label
    assert sorted(column(app.button(key="rows:number:recent").click().run(), "title")) == ["Eva", "Fay"]


ODD = ("All", "R&D #1, “a”=b;c/d?e%41+", "🎉 Ünï  code", "(not given)", "<b>a:b</b>")


@pytest.mark.parametrize("odd", ODD)
def test_names_of_any_kind_can_be_filtered_by(staffed: ModuleType, ready: None, odd: str) -> None:
    begun, told = months()[5].begins, Account()
    told.rows[0].name = odd  # the plan Pro
    for name, source, plan in (("ada", odd, "pro"), ("bob", "ads", "team"), ("cem", "", "team")):
        told.trial(told.customer(name, begun, source=source), begun, plan=plan)
    told.save(staffed)
    app = open_in_menu("conversion")
    assert metrics(app)["Trials started"] == "3"
    for label, key in (("Plan", "prod_pro"), ("Source", odd)):
        choice = next(box for box in app.selectbox if box.label == label)
        shown = next(option for option in choice.options[1:] if option.startswith(odd))
        again = open_in_menu("conversion", **{label.lower(): shown}, show="number:started")
        assert metrics(again)["Trials started"] == "1"
        assert list(column(again, "title")) == ["Ada"]
        there = open_in_menu("conversion", show=f"{label.lower()}:{key}")
        assert list(column(there, "title")) == ["Ada"]
    assert list(column(open_in_menu("conversion", show="number:started", source="ads"), "title")) == ["Bob"]


def test_a_currency_without_trials_shows_none_of_another(account: ModuleType) -> None:
    seen = metrics(open_in_menu("conversion", currency="JPY"))
    assert (seen["Trials started"], seen["Still running"]) == ("0", "0")


def test_filters_that_nobody_can_read_fall_back(account: ModuleType) -> None:
    seen = metrics(open_in_menu("conversion", period="9 years", within="-1", plan="no such", currency="XYZ"))
    assert seen["Trials started"] == "4"


def test_a_source_that_holds_tags_is_shown_as_text(account: ModuleType) -> None:
    labels = plots(open_in_menu("conversion"))["By source"]["data"][0]["y"]
    assert any("&lt;a href=x&gt;" in label for label in labels)
    assert not any("<a" in label for label in labels)


def test_a_selection_without_trials_has_no_data(account: ModuleType) -> None:
    app = open_in_menu("conversion", source="fax")
    assert metrics(app)["Trial conversion"] == "No data"
    assert "No data: no such trial started in these months." in captions(app)
    assert "No data: no month is old enough yet." in captions(app)


def test_before_the_first_trial_it_says_so(staffed: ModuleType, ready: None) -> None:
    app = open_in_menu("conversion")
    assert "No trial has started yet" in app.info[0].value
    assert not app.get("plotly_chart")


def test_the_table_says_what_the_charts_say(account: ModuleType) -> None:
    table = open_in_menu("conversion").table[0].value
    row = table[table["Month"] == charts.month(months()[5].key)].iloc[0]
    assert (row["Started"], row["Converted in time"], row["Share"]) == ("3", "2", "66.7 %")
    assert table.iloc[0]["Share"] == "still open"
    assert sum(int(row[charts.state_word(state)]) for state in STATES) == 3


def test_only_who_may_export_gets_the_file(account: ModuleType) -> None:
    with account.session() as session:
        rows = members.read(session, members.Trials(tuple(months())), as_of=clock.now())
    text = "".join(export.members_csv(Person(1, "Ada", "a@x", Role.ADMIN), rows))
    assert len(text.splitlines()) == 1 + len(rows) == 5
    with pytest.raises(NotAllowed):
        export.members_csv(Person(2, "Vera", "v@x", Role.VIEWER), rows)


def test_months_and_zone_are_named(account: ModuleType) -> None:
    assert any("Months are cut in UTC" in said for said in captions(open_in_menu("conversion")))
