"""The Overview: each number with its change, per currency, and the way to its rows."""

from __future__ import annotations

from types import ModuleType
from urllib.parse import parse_qs

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from models import Invoice, SyncCursor, Workspace
from pages.components.navigation import PAGES
from services import clock
from services.metrics import kept, version
from services.mirror import cursors
from tests.metrics import count
from tests.metrics.build import Account
from tests.pages.menu import open_in_menu
from tests.pages.work import captions

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # SQL has tests on both
DAY = clock.DAY


@pytest.fixture
def account(pulled: ModuleType, ready: None) -> ModuleType:
    """Two customers who pay dollars, one of them failing; one in yen; a trial that ends in three days."""
    now, told = clock.now(), Account()
    told.plan("yen", 5000, "month", "jpy")
    for name, begun, status in (("ada", now - 50 * DAY, "active"), ("bob", now - 20 * DAY, "past_due")):
        sub = told.subscription(told.customer(name, begun), begun, status)
        for start in range(begun, now, 30 * DAY):
            told.line(told.invoice(sub, start), start, start + 30 * DAY)
    told.invoice(sub, now - DAY, 1900, paid_at=None)
    told.subscription(
        told.customer("cem", now, currency="jpy"), now, plan="yen", currency="jpy", plan_micros=5_000_000_000
    )
    told.trial(told.customer("dan", now - 11 * DAY), now - 11 * DAY)
    told.dispute(now - DAY, 700)
    told.save(pulled)
    count.see(pulled, now)
    count.everybody(pulled)
    return pulled


def tiles(app: AppTest) -> list[tuple[str, str, str]]:
    return [(metric.label, metric.value, metric.delta) for metric in app.metric]


def links(app: AppTest) -> dict[str, list[str]]:
    """The addresses of the page's links by their label, as `page?query`."""
    found: dict[str, list[str]] = {}
    for link in app.get("page_link"):
        found.setdefault(link.proto.label, []).append(f"{link.proto.page}?{link.proto.query_string}")
    return found


def test_each_currency_stands_by_itself_with_its_change(account: ModuleType) -> None:
    seen = tiles(open_in_menu("overview"))
    assert [heading for heading, _, _ in seen[:5]] == [
        "Active customers", "Trials running", "Trial conversion", "Failed payments", "Open disputes",
    ]  # fmt: skip
    assert ("Active customers", "3", "+2") in seen
    assert ("MRR", "$98.00", "+$49.00") in seen
    assert ("MRR", "¥5,000", "+¥5,000") in seen
    assert ("Money at stake", "$19.00", "+$19.00") in seen
    assert ("Money at stake", "¥0", "0") in seen
    assert not [value for _, value, _ in seen if value == "$5,098.00"]


def test_no_month_old_enough_is_no_data_and_not_zero(account: ModuleType) -> None:
    assert [value for label, value, _ in tiles(open_in_menu("overview")) if label == "Trial conversion"] == [
        "No data"
    ] * 3


def test_smaller_numbers_stand_in_a_line(account: ModuleType) -> None:
    found = [label.replace("\\", "") for label in links(open_in_menu("overview"))]
    assert "Ending within 7 days: 1" in found  # what ended early since was not to end within a week then
    assert "Trial MRR: $49.00 (+$49.00)" in found
    assert "Disputed: $7.00 (+$7.00)" in found


def test_every_number_leads_to_rows_of_a_page_that_exists(account: ModuleType) -> None:
    app = open_in_menu("overview")
    for label, addresses in links(app).items():
        for address in addresses:
            page, _, query = address.partition("?")
            assert page in {spec.key for spec in PAGES.values()} | {""}, label
            assert page != "failed-payments" or set(parse_qs(query)) <= {"currency", "show", "subscription"}
    assert "customers?only=paying&sort=MRR&currency=USD" in links(app)["Customers"]


def test_what_an_ended_subscription_left_stands_beside_the_money_at_stake(account: ModuleType) -> None:
    told = Account(first=500)
    told.rows.clear()  # the plans are there
    eve = told.customer("eve", 0)
    gone = told.subscription(eve, 0, "canceled", ended_at=clock.now() - DAY)
    told.invoice(gone, clock.now() - 2 * DAY, 700, paid_at=None)
    told.save(account)
    count.everybody(account)
    app = open_in_menu("overview")
    assert ("Money at stake", "$19.00", "+$19.00") in tiles(app)
    found = {label.replace("\\", ""): to for label, to in links(app).items()}
    assert found["Left open by ended subscriptions: $7.00 (+$7.00)"] == [
        "failed-payments?subscription=Ended&currency=USD"
    ]
    assert found["1 invoice"] == ["failed-payments?subscription=Not+ended&currency=USD"]
    app = open_in_menu("failed_payments", subscription="Not ended", currency="USD")
    assert [(one.label, one.value) for one in app.metric] == [("At stake in USD", "$19.00")]
    assert list(app.dataframe[0].value["amount"]) == ["$19.00"]


def test_recovered_says_its_money_and_leads_to_its_payments(account: ModuleType) -> None:
    found = {label.replace("\\", ""): to for label, to in links(open_in_menu("overview")).items()}
    assert found["Recovered: 0.0 % (0 of 1 payment; $0.00 of $19.00)"] == [
        "failed-payments?show=recovered%3Ausd"
    ]
    app = open_in_menu("failed_payments", show="recovered:usd")
    assert "Payments in USD that first failed in the last 30 days" in app.markdown[0].value
    rows = app.dataframe[0].value
    assert (list(rows["customer"]), list(rows["amount"]), list(rows["came_to"])) == (
        ["Bob"],
        ["$19.00"],
        ["In recovery"],
    )


def test_help_says_what_the_number_means_and_since_when_it_changed(account: ModuleType) -> None:
    helps = {metric.label: metric.help for metric in open_in_menu("overview").metric}
    assert "after discounts that last forever" in helps["MRR"]
    assert "since 30 days ago" in helps["MRR"]


def test_before_the_first_pull_is_done_no_number_is_shown(account: ModuleType) -> None:
    with account.transaction() as session:
        session.get(SyncCursor, cursors.DERIVED).state = "running"
    app = open_in_menu("overview")
    assert not app.metric
    assert "once the whole account has been read" in app.info[0].value
    assert "Search customers" in links(app)


def test_before_all_is_counted_no_number_is_shown(pulled: ModuleType, ready: None) -> None:
    told = Account()
    told.subscription(told.customer("ada", 0), 0)
    told.save(pulled)
    app = open_in_menu("overview")
    assert not app.metric and not app.subheader


def test_an_empty_account_says_so(pulled: ModuleType, ready: None) -> None:
    count.everybody(pulled)
    app = open_in_menu("overview")
    assert not app.metric
    assert "No subscription" in app.info[0].value


def test_with_one_currency_there_is_no_sum_of_currencies(pulled: ModuleType, ready: None) -> None:
    told = Account()
    told.subscription(told.customer("ada", 0), 0)
    told.save(pulled)
    count.see(pulled, 1)
    count.everybody(pulled)
    app = open_in_menu("overview")
    assert [heading.value for heading in app.subheader] == ["USD"]


def test_a_change_of_the_data_is_seen_at_the_next_run(
    account: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "QUICK", 60.0)  # however busy the machine is
    monkeypatch.setattr(version, "AT_MOST_EVERY", 0.0)
    assert ("Failed payments", "1", "+1") in tiles(open_in_menu("overview"))
    with account.transaction() as session:
        invoice = session.exec(select(Invoice).where(Invoice.status == "open")).one()
        invoice.status, invoice.amount_remaining, invoice.paid_at = "paid", 0, clock.now()
        session.add(Workspace(account="acct_1", mode="sandbox", changes=1))
    assert ("Failed payments", "0", "0") in tiles(open_in_menu("overview"))


def test_viewers_see_it_too(account: ModuleType) -> None:
    assert captions(open_in_menu("overview", acting_as="vera@trialdesk.test"))
