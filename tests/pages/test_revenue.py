"""The Revenue page: numbers that add up, filters in the address, rows behind what was clicked, rates."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from models import MetricsState
from pages.components import charts
from services import clock, config, money
from services.customers import export_revenue
from services.desk import exchange
from services.metrics import periods
from services.metrics.periods import Period
from services.metrics.revenue import revenue_history, revenue_rows
from services.metrics.revenue.exchange import Rate
from services.metrics.revenue.movements import KINDS
from services.metrics.revenue.revenue_history import View
from services.metrics.revenue.revenue_rows import Moves
from services.staff.roles import Person, Role
from tests.metrics import count
from tests.metrics.build import Account
from tests.pages.menu import open_in_menu
from tests.pages.work import captions, column, whoever

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # SQL has tests on both
DAY = clock.DAY
MARKUP = "<a href=x>**bob**</a>"


def months() -> list[Period]:
    return periods.last("month", 12, until=clock.now(), zone=config.settings().zone)


def a_year() -> Account:
    """Eight months ago three began to pay 49.00, one of them euros; one of them left two months ago. One
    tries the product now."""
    begun, told = months()[3].begins + DAY, Account()
    left = months()[9].begins + 5 * DAY
    told.plan("eu", 4900, "month", "eur")
    for name, fields in {
        "ada": {},
        MARKUP: {},
        "eva": {"currency": "eur", "plan": "eu", "plan_micros": 4_900_000_000},
        "gil": {"status": "canceled", "ended_at": left, "canceled_at": left},
    }.items():
        code = fields.get("currency", "usd")
        who = told.customer(name, begun, country="DE", currency=code)
        sub = told.subscription(who, begun, **fields)
        until = left if name == "gil" else clock.now() + DAY
        told.line(told.invoice(sub, begun), begun, until)
    told.trial(told.customer("dan", clock.now() - DAY), clock.now() - DAY)
    return told


@pytest.fixture
def account(staffed: ModuleType, ready: None) -> ModuleType:
    """What is told of a year, counted."""
    a_year().save(staffed)
    count.see(staffed, clock.now())
    count.everybody(staffed)
    return staffed


def open_page(*, acting_as: str = "ada@trialdesk.test", **address: str) -> AppTest:
    return open_in_menu("revenue", acting_as=acting_as, **address)


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def plots(app: AppTest) -> dict[str, Any]:
    """The charts by the start of their alternative text."""
    return {chart.proto.alt.split(":")[0]: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}


def enter_rate(database: ModuleType, rate: str = "1.10") -> None:
    today = clock.local(clock.now(), config.settings().zone).date()
    founder = Person(1, "Ada", "ada@trialdesk.test", Role.FOUNDER)
    with database.transaction() as session:
        exchange.choose(session, founder, "usd")
        day = (today - timedelta(days=3)).isoformat()
        exchange.put(session, founder, Rate("eur", "usd", day, rate, "ECB"), today=today)


def test_the_numbers_are_of_the_currency_that_most_customers_pay(account: ModuleType) -> None:
    app = open_page()
    seen = metrics(app)
    assert (seen["MRR"], seen["ARR"], seen["Active customers"]) == ("$98.00", "$1,176.00", "2")
    assert (seen["ARPA"], seen["Committed MRR"], seen["Trial MRR"]) == ("$49.00", "$98.00", "$49.00")
    assert (seen["Net new MRR"], seen["Customer churn"], seen["Gross churn"]) == ("$0.00", "0.0 %", "0.0 %")
    assert any("EUR \\(1 customer, €49\\.00\\)" in text for text in captions(app))


def test_without_anybody_there_is_nothing_to_look_at(staffed: ModuleType, ready: None) -> None:
    count.everybody(staffed)
    app = open_page()
    assert not app.metric
    assert "Nobody has subscribed yet" in app.info[0].value


def test_until_all_is_counted_no_number_is_shown(staffed: ModuleType, ready: None) -> None:
    a_year().save(staffed)
    app = open_page()
    assert not app.metric
    assert not app.get("plotly_chart")


def test_movements_stand_in_the_table_and_add_up(account: ModuleType) -> None:
    table = open_page().table[0].value
    rows = table.set_index("Month") if "Month" in table else table
    begun, left = charts.month(months()[3].key), charts.month(months()[9].key)
    assert (rows["New"][begun], rows["MRR at its end"][begun], rows["Customers"][begun]) == (
        "+$147.00", "$147.00", "3",
    )  # fmt: skip
    assert (rows["Churn"][left], rows["Net"][left], rows["MRR at its end"][left]) == (
        "-$49.00", "-$49.00", "$98.00",
    )  # fmt: skip


def test_the_bars_of_a_month_add_up_to_its_change(account: ModuleType) -> None:
    *bars, _words = plots(open_page())["Change of MRR"]["data"]
    sums = [sum(bar["y"][at] for bar in bars) for at in range(12)]
    assert (sums[3], sums[9]) == (14_700, -4_900)
    assert sum(sums) == 9_800
    (churn,) = [bar for bar in bars if bar["name"] == "Churn"]
    assert churn["customdata"][9] == [f"moves:{months()[9].key}:churn"]


def test_what_was_before_the_first_reading_is_shaded_and_named(account: ModuleType) -> None:
    with account.transaction() as session:
        state = session.get(MetricsState, 1)
        assert state is not None
        state.exact_since = months()[6].begins
    figure = plots(open_page())["MRR day by day"]
    (ground,) = figure["layout"]["shapes"]
    assert (ground["x0"], ground["x1"]) == (-0.5, 5.5)
    assert "reconstructed" in [note["text"] for note in figure["layout"]["annotations"]]


def test_committed_and_trial_mrr_stand_beside_the_line_when_asked_for(account: ModuleType) -> None:
    assert len(plots(open_page())["MRR day by day"]["data"]) == 1
    app = open_page(beside="Trial MRR")
    lines = plots(app)["MRR day by day"]["data"]
    assert [line["name"] for line in lines] == ["MRR", "Trial MRR"]
    assert lines[1]["y"][-1] == 4_900


def test_the_address_filters_by_plan_country_and_currency(account: ModuleType) -> None:
    assert metrics(open_page(currency="EUR"))["MRR"] == "€49.00"
    assert metrics(open_page(country="Germany (DE)"))["Active customers"] == "2"
    assert metrics(open_page(plan="Pro"))["MRR"] == "$98.00"
    app = open_page(plan="Gone", currency="XXX")
    assert "ignored" in app.info[0].value


@pytest.mark.parametrize(
    ("show", "who"),
    [
        ("paying:mrr", ["Ada", "<A Href=X>**Bob**</A>"]),
        ("paying:trial", ["Dan"]),
        ("plan:prod_pro", ["Ada", "<A Href=X>**Bob**</A>"]),
        ("country:DE", ["Ada", "<A Href=X>**Bob**</A>"]),
        ("moves:{left}:churn", ["Gil"]),
        ("moves:{left}:churn:voluntary", ["Gil"]),
        ("moves:{left}:churn:unpaid", []),
        ("moves:{left}", ["Gil"]),
        ("moves:{begun}:new", ["<A Href=X>**Bob**</A>", "Ada", "Gil"]),
        ("kept:{begun}:0", ["<A Href=X>**Bob**</A>", "Ada", "Gil"]),
        ("kept:{begun}:8", ["<A Href=X>**Bob**</A>", "Ada"]),
        ("canceled:{left}", ["Gil"]),
    ],
)
def test_the_address_opens_the_rows_of_a_number(account: ModuleType, show: str, who: list[str]) -> None:
    address = show.format(left=months()[9].key, begun=months()[3].key)
    app = open_page(show=address)
    assert sorted(column(app, "title")) == sorted(who)
    assert not app.info


@pytest.mark.parametrize(
    ("show", "sum"),
    [
        ("paying:mrr", "MRR $98.00"),
        ("paying:trial", "Trial MRR $49.00"),
        ("moves:{left}:churn", "Change -$49.00"),
        ("canceled:{left}", "MRR $49.00"),
        ("moves:{left}:churn:unpaid", ""),
    ],
)
def test_rows_say_what_they_add_up_to(account: ModuleType, show: str, sum: str) -> None:
    app = open_page(show=show.format(left=months()[9].key))
    said = next(at for at, one in enumerate(captions(app)) if re.match(r"[0-9]+ rows?$", one))
    after = captions(app)[said + 1 :]
    assert [one.replace("\\", "") for one in after[:1]] == ([sum] if sum else ["Nobody."])


def test_rows_of_all_currencies_say_what_they_come_to_in_one(account: ModuleType) -> None:
    enter_rate(account)
    app = open_page(currency="All in USD", show="paying:mrr")
    assert "MRR $98.00, €49.00; in all $151.90" in [one.replace("\\", "") for one in captions(app)]


@pytest.mark.parametrize(
    "show",
    ["paying:gold", "moves:1999-01", "moves:{left}:gone", "moves:{left}:churn:weather", "kept:{left}:9",
     "kept:{left}:-1", "country:", "canceled:soon", "nothing"],
)  # fmt: skip
def test_what_the_address_asks_for_and_is_not_there_is_ignored(account: ModuleType, show: str) -> None:
    app = open_page(show=show.format(left=months()[9].key))
    assert "ignored" in app.info[0].value
    assert not app.dataframe


def test_every_chart_leads_to_rows_that_there_are(account: ModuleType) -> None:
    for view in ("MRR", "Churn", "Retention", "Plans and countries"):
        found = plots(open_page(view=view))
        assert found
        leads = {data[0] for figure in found.values() for trace in figure["data"]
                 for data in trace.get("customdata", ())}  # fmt: skip
        some = sorted(leads - {""})[-1]
        assert not open_page(view=view, show=some).info, some


def test_a_cohort_keeps_those_who_stay(account: ModuleType) -> None:
    app = open_page(view="Retention")
    cells = plots(app)["Share of customers who stayed, by now"]["data"][0]
    assert cells["z"] == [[1, 1, 1, 1, 1, 1, *[pytest.approx(2 / 3)] * 3]]
    assert cells["text"][0][-1] == "67"


def test_churn_is_told_by_cause_and_beside_it_when_it_was_decided(account: ModuleType) -> None:
    app = open_page(view="Churn")
    bars = plots(app)["Customers who left"]["data"]
    assert [(bar["name"], bar["y"][9]) for bar in bars] == [("By choice", 1), ("Canceled", 1)]
    assert bars[1]["customdata"][9] == [f"canceled:{months()[9].key}"]


def test_weeks_are_as_good_as_months(account: ModuleType) -> None:
    app = open_page(grain="Weeks")
    *bars, words = plots(app)["Change of MRR"]["data"]
    assert len(bars[0]["y"]) == len(words["text"]) == 52
    assert sum(sum(bar["y"]) for bar in bars) == 9_800


def test_all_in_one_currency_names_its_rate_and_its_day(account: ModuleType) -> None:
    enter_rate(account)
    app = open_page(currency="All in USD")
    assert metrics(app)["MRR"] == "$151.90"  # 98.00 and 49.00 euros at 1.10
    assert any("1 EUR \\= 1\\.10 USD" in text and "ECB" in text for text in captions(app))
    assert not any("Left out" in text for text in captions(app))


def test_what_has_no_rate_is_left_out_and_named(account: ModuleType) -> None:
    founder = whoever(account, "ada@trialdesk.test")
    with account.transaction() as session:
        exchange.choose(session, founder, "gbp")
    app = open_page(currency="All in GBP")
    assert metrics(app)["MRR"] == "£0.00"
    assert any("no rate" in text and "USD" in text and "EUR" in text for text in captions(app))


def test_without_a_reporting_currency_nothing_is_converted(account: ModuleType) -> None:
    assert "ignored" in open_page(currency="All in USD").info[0].value


def test_a_rate_is_entered_on_the_page_and_wrong_ones_are_explained(account: ModuleType) -> None:
    enter_rate(account)
    app = open_page()
    form = next(box.key for box in app.text_input if box.label == "Is in USD").removesuffix(":rate")
    app.selectbox(f"{form}:currency").set_value("gbp")
    app.text_input(f"{form}:rate").set_value("1,3")
    next(button for button in app.button if button.label == "Add" and form in button.proto.form_id).click()
    app.run()
    assert "above zero" in app.error[0].value
    app.text_input(f"{form}:rate").set_value("1.3")
    next(button for button in app.button if button.label == "Add" and form in button.proto.form_id).click()
    app.run()
    assert not app.error
    assert any("1 GBP \\= 1\\.3 USD" in text.value for text in app.markdown)


def test_who_may_not_enter_rates_sees_them_and_no_form(account: ModuleType) -> None:
    enter_rate(account)
    app = open_page(acting_as="sam@trialdesk.test")
    assert any("1 EUR \\= 1\\.10 USD" in text.value for text in app.markdown)
    assert not [box for box in app.text_input if box.label == "Is in USD"]
    assert any("enter exchange rates" in text for text in captions(app))


def test_the_file_of_rows_adds_up_to_the_number_and_holds_no_formula(account: ModuleType) -> None:
    begun = months()[3]
    chosen = Moves(View("usd"), begun.begins, begun.ends, KINDS)
    founder = whoever(account, "ada@trialdesk.test")
    with account.session() as session:
        (found,) = revenue_history.movements(session, View("usd"), [begun])
        lines = list(export_revenue.moved_csv(founder, revenue_rows.moved(session, chosen)))
    header, *rows = [line.strip().split(",") for line in lines]
    change = header.index("change")
    assert sum(float(row[change]) for row in rows) == float(money.units(money.whole(found.net), "usd"))
    assert all(row[header.index("exact")] in ("0", "1") for row in rows)
