"""The Conversion page: charts that count right, filters in the address, rows behind what was clicked."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import charts, conversion_words
from pages.components.formats import unbroken
from services import clock, config
from services.customers import export
from services.desk import annotating
from services.desk.annotating import Draft
from services.errors import NotAllowed
from services.metrics import periods
from services.metrics.trials import members
from services.metrics.trials.slices import TRIAL_DIMS, Slice
from services.metrics.trials.trials import STATES
from services.staff.roles import Person, Role
from tests.metrics import count
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
    return counted(staffed, half_a_year_ago())


def counted(database: ModuleType, told: Account) -> ModuleType:
    told.save(database)
    count.everybody(database)
    return database


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
    assert (seen["Days to convert"], seen["Nine of ten within"]) == ("15", "15")


def test_open_months_carry_no_share(account: ModuleType) -> None:
    figure = plots(open_in_menu("conversion"))["Share of trials converted, by month of their start"]
    points = figure["data"][0]
    assert points["x"] == [months()[5].key]
    assert points["y"] == [pytest.approx(2 / 3)]
    notes = [note["text"] for note in figure["layout"]["annotations"]]
    assert notes.count("still open") == 1
    grounds = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "rect"]
    assert [(ground["x0"], ground["x1"]) for ground in grounds] == [(9.5, 11.5)]
    assert notes.count("no data") == 12 - 1 - 2


def test_a_day_that_is_to_come_is_blank_and_not_zero(account: ModuleType) -> None:
    figure = plots(open_in_menu("conversion"))["Share converted by day since the start"]
    cells, over = figure["data"]
    assert cells["z"][0] == [0, 0, 0, 0, *[pytest.approx(2 / 3)] * 6]  # by day 3, 7, 10, 14, 17 and later
    assert cells["z"][1] == [None] * 10
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["not yet"]
    assert len(over["x"]) == 10
    assert over["customdata"][4] == [f"by:{months()[5].key}:17"]


def test_the_funnel_counts_everybody_who_signed_up(account: ModuleType) -> None:
    app = open_in_menu("conversion", view="Funnel")
    made = plots(app)["Everybody who signed up, through a trial"]
    bars, early = made["data"]
    assert made["layout"]["showlegend"]
    assert (bars["name"], early["name"]) == ("Reached the step", "Too early to tell")
    assert bars["x"] == [4, 4, 2, 2, 2, 2, 2]
    assert bars["customdata"][4] == ["funnel:trial:paid"]
    assert app.table[0].value["Group"].tolist() == ["Pro", "Team"]
    assert app.table[0].value["Signed up"].tolist() == ["3", "1"]


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ({"show": "cohort:{month}"}, ["Ada", "Cem", "**Bob**"]),
        ({"show": "cohort:{month}:converted"}, ["Ada", "**Bob**"]),
        ({"show": "cohort:{month}:converted", "source": "ads"}, ["Ada"]),
        ({"show": "cohort:{month}", "plan": "Team"}, ["Cem"]),
        ({"show": "group:plan:prod_pro"}, ["Ada", "**Bob**"]),
        ({"show": "group:source:ads"}, ["Ada"]),
        ({"show": "group:source:"}, ["Cem"]),
        ({"show": "group:trial_days:14"}, ["Ada", "Cem", "**Bob**"]),
        ({"show": "by:{month}:14"}, []),
        ({"show": "by:{month}:17"}, ["Ada", "**Bob**"]),
        ({"show": "span:{month}:{month}"}, ["Ada", "Cem", "**Bob**"]),
        ({"show": "lost:{month}:expired"}, ["Cem"]),
        ({"show": "lost:{month}:expired:"}, ["Cem"]),
        ({"show": "lost:{month}:expired:too_expensive"}, []),
        ({"show": "lost_plan:expired:prod_team"}, ["Cem"]),
        ({"show": "lost_plan:expired:prod_pro"}, []),
        ({"show": "by:{month}:-1"}, []),
        ({"show": "by:{month}:"}, []),
        ({"show": "group:nonsense:1"}, []),
        ({"show": "span:{month}:1999-01"}, []),
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
    counted(staffed, told)
    app = open_in_menu("conversion")
    keys = [str(button.key) for button in app.button if str(button.key).startswith("rows:")]
    assert len(keys) == 6
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
    counted(staffed, told)
    app = open_in_menu("conversion")
    assert metrics(app)["Trials started"] == "3"
    for label, key in (("Plan", "prod_pro"), ("Source", odd)):
        choice = next(box for box in app.selectbox if box.label == label)
        shown = next(option for option in choice.options[1:] if option.startswith(odd))
        again = open_in_menu("conversion", **{label.lower(): shown}, show="number:started")
        assert metrics(again)["Trials started"] == "1"
        assert list(column(again, "title")) == ["Ada"]
        there = open_in_menu("conversion", show=f"group:{label.lower()}:{key}")
        assert list(column(there, "title")) == ["Ada"]
    assert list(column(open_in_menu("conversion", show="number:started", source="ads"), "title")) == ["Bob"]


def test_a_currency_without_trials_shows_none_of_another(account: ModuleType) -> None:
    seen = metrics(open_in_menu("conversion", currency="JPY"))
    assert (seen["Trials started"], seen["Still running"]) == ("0", "0")


def test_filters_that_nobody_can_read_fall_back(account: ModuleType) -> None:
    seen = metrics(open_in_menu("conversion", period="9 years", within="-1", plan="no such", currency="XYZ"))
    assert seen["Trials started"] == "4"


def test_a_source_that_holds_tags_is_shown_as_text(account: ModuleType) -> None:
    figure = plots(open_in_menu("conversion", view="Groups", by="Source"))["By source"]
    labels = figure["layout"]["yaxis"]["ticktext"]
    assert any("&lt;a href=x&gt;" in label for label in labels)
    assert not any("<a" in label for label in labels)


@pytest.mark.parametrize("view", ["Cohorts", "Curves", "Why not", "Groups", "Compare", "Funnel"])
def test_a_selection_without_trials_has_no_data(account: ModuleType, view: str) -> None:
    app = open_in_menu("conversion", source="fax", view=view)
    assert metrics(app)["Trial conversion"] == "No data"
    assert any(said.startswith(("No data", "Nobody signed up")) for said in captions(app))


@pytest.mark.parametrize("dim", TRIAL_DIMS)
def test_trials_are_split_by_all_that_is_known_of_them(account: ModuleType, dim: str) -> None:
    words = conversion_words.DIMS[dim]
    (figure,) = plots(open_in_menu("conversion", view="Groups", by=words)).values()
    shown = figure["data"][0]
    assert sum(int(label.rpartition("(")[2][:-1]) for label in figure["layout"]["yaxis"]["ticktext"]) == 3
    rows = [open_in_menu("conversion", show=data[0]) for data in shown["customdata"]]
    assert sum(len(column(app, "title")) for app in rows) == 3


def test_curves_stand_for_each_group(account: ModuleType) -> None:
    app = open_in_menu("conversion", view="Curves", curves="Plan")
    table = app.table[0].value
    assert table["Curve"].tolist() == ["Pro", "Team"]
    assert table["Trials"].tolist() == ["3", "1"]
    assert table[unbroken("By day 90")].str.split().str[0].tolist() == [
        "100.0",
        "0.0",
    ]  # Dan, of Pro, is young


def test_two_groups_are_compared_with_doubt(account: ModuleType) -> None:
    app = open_in_menu("conversion", view="Compare", of="Plan")
    (said,) = [text.value for text in app.markdown if "against" in text.value]
    assert "\\+100\\.0 points" in said
    assert "It may be chance" in said
    assert any("Nobody drew lots" in info.value for info in app.info)
    swapped = open_in_menu("conversion", view="Compare", of="Plan", first_plan="Team", second_plan="Pro")
    (said,) = [text.value for text in swapped.markdown if "against" in text.value]
    assert "\\-100\\.0 points" in said


def test_what_staff_did_is_compared_with_double_care(account: ModuleType) -> None:
    app = open_in_menu("conversion", view="Groups", by="Messaged in the trial")
    assert any("double care" in said for said in captions(app))


def test_two_periods_are_compared(staffed: ModuleType, ready: None) -> None:
    told = Account()
    for name, month, paid in (("ada", 3, True), ("bob", 4, False)):
        begun = months()[month].begins
        over = begun + 14 * DAY
        ended = {"status": "canceled", "canceled_at": over, "ended_at": over}
        sub = told.trial(told.customer(name, begun), begun, **({"status": "active"} if paid else ended))
        if paid:
            told.invoice(sub, over)
    counted(staffed, told)
    app = open_in_menu("conversion", view="Compare", compare="Two periods")
    dots = plots(app)["Share converted"]["data"][0]
    assert dots["customdata"] == [[f"span:{months()[at].key}:{months()[at].key}"] for at in (4, 3)]
    assert dots["x"] == [0, 1]


def test_reasons_say_how_trials_ended_and_what_was_at_stake(staffed: ModuleType, ready: None) -> None:
    begun, told = months()[5].begins, Account()
    end = begun + 9 * DAY
    why = {"cancellation_feedback": "too_expensive", "cancellation_comment": "**Far** too <b>dear</b>"}
    told.trial(told.customer("ada", begun), begun, status="canceled", canceled_at=end, ended_at=end, **why)
    counted(staffed, told)
    app = open_in_menu("conversion", view="Why not", split="Reasons")
    table = app.table[0].value
    assert table.iloc[0].tolist() == ["Too expensive", "1", unbroken("100.0 %"), r"\$49\.00"]
    assert column(app, "comment") == ["**Far** too <b>dear</b>"]
    bars = plots(app)["Trials that brought nothing, by month"]["data"][0]
    assert (bars["name"], sum(bars["y"])) == ("Too expensive", 1)
    assert bars["customdata"][5] == [f"lost:{months()[5].key}:cancelled_in_trial:too_expensive"]


def test_weeks_add_up_to_the_same_trials(account: ModuleType) -> None:
    seen = metrics(open_in_menu("conversion", grain="Weeks"))
    assert (seen["Trials started"], seen["Days to convert"]) == ("4", "15")


def test_annotations_stand_on_the_time_axes(account: ModuleType) -> None:
    month, zone = months()[5], config.settings().zone
    day = clock.local(month.begins, zone).date()
    with account.transaction() as session:
        founder = Person(1, "Fay", "f@x", Role.FOUNDER)
        annotating.add(session, founder, Draft(day, "launch", "<b>2.0</b>"), zone)
    for view, name in (("Cohorts", "Share of trials converted"), ("Why not", "Trials that brought nothing")):
        found = plots(open_in_menu("conversion", view=view))
        layout = next(plot["layout"] for alt, plot in found.items() if alt.startswith(name))
        lines = [shape["x0"] for shape in layout["shapes"] if shape["line"].get("dash") == "dash"]
        words = [note["text"] for note in layout["annotations"] if "2.0" in note["text"]]
        assert (lines, words) == ([4.5], ["&lt;b&gt;2.0&lt;/b&gt;"])


def test_founders_write_annotations_and_others_read_them(account: ModuleType) -> None:
    app = open_in_menu("conversion", acting_as="fay@trialdesk.test")
    text = next(field for field in app.text_input if field.label == "What happened")
    text.input("New price")
    app = next(button for button in app.button if button.label == "Add").click().run()
    assert not app.exception
    assert any("New price" in said.value for said in app.markdown)
    reader = open_in_menu("conversion", acting_as="sam@trialdesk.test")
    assert any("New price" in said.value for said in reader.markdown)
    assert not [field for field in reader.text_input if field.label == "What happened"]


def test_every_chart_says_what_it_shows_and_has_its_numbers_as_a_file(account: ModuleType) -> None:
    for view in ("Cohorts", "Curves", "Why not", "Groups", "Compare", "Funnel"):
        app = open_in_menu("conversion", view=view)
        assert app.get("plotly_chart"), view
        assert all(len(chart.proto.alt) > 20 for chart in app.get("plotly_chart")), view
        assert app.get("download_button"), view


def test_numbers_are_written_as_in_the_workspaces_country(
    account: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSPACE_LOCALE", "de_DE")
    config.settings.cache_clear()
    app = open_in_menu("conversion", view="Groups")
    assert metrics(app)[f"Converted, {charts.month(months()[5].key)}"] == "66,7 %"
    assert plots(app)["By plan"]["data"][0]["text"] == ["100,0 %", "0,0 %"]


def test_before_the_first_trial_it_says_so(staffed: ModuleType, ready: None) -> None:
    count.everybody(staffed)
    app = open_in_menu("conversion")
    assert "No trial has started yet" in app.info[0].value
    assert not app.get("plotly_chart")


def test_the_table_says_what_the_charts_say(account: ModuleType) -> None:
    table = open_in_menu("conversion").table[0].value
    row = table[table["Started in"] == charts.month(months()[5].key)].iloc[0]
    assert (row["Started"], row["Converted in time"], row["Share"]) == ("3", "2", "66.7 %")
    assert table.iloc[0]["Share"] == "still open"
    assert sum(int(row[charts.state_word(state)]) for state in STATES) == 3


def test_only_who_may_export_gets_the_file(account: ModuleType) -> None:
    with account.session() as session:
        rows = members.read(session, members.Trials(Slice("month", tuple(months()))), as_of=clock.now())
    text = "".join(export.members_csv(Person(1, "Ada", "a@x", Role.ADMIN), rows))
    assert len(text.splitlines()) == 1 + len(rows) == 5
    with pytest.raises(NotAllowed):
        export.members_csv(Person(2, "Vera", "v@x", Role.VIEWER), rows)


def test_months_and_zone_are_named(account: ModuleType) -> None:
    assert any("Months and weeks are cut in UTC" in said for said in captions(open_in_menu("conversion")))
