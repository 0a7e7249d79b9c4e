"""The Customers page: what is typed and chosen becomes the list, the address and the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from models import AuditEntry, Charge, CustomerTag, Invoice, SavedFilter
from pages.components.navigation import ROOT
from services import clock
from services.staff import people
from tests.customers.builders import customer, row

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # SQL has tests on both
VIEWER, ADMIN = "vera@trialdesk.test", "ada@trialdesk.test"


@pytest.fixture
def account(staffed: ModuleType) -> ModuleType:
    """Sixty customers: Ada (a trial that ends in five days), Grace (past due), many active ones."""
    now = clock.now()
    with staffed.transaction() as s:
        owner = next(id for id, name in people.names(s).items() if name == "Sam Okafor")
        money = {"currency": "usd", "mrr_micros": 4_900_000_000}
        customer(
            s,
            "cus_ada",
            name="*Ada* <b>",
            email="ada@x.com",
            status="trialing",
            plan="Pro",
            country="DE",
            trial_end=now + 5 * clock.DAY,
            created=now,
            owner=owner,
        )
        customer(
            s,
            "cus_grace",
            name="Grace",
            email="ada@x.com",
            status="past_due",
            plan="Team",
            failed_invoices=1,
            open_amount=4900,
            open_currency="jpy",
            created=now - 1,
            metadata_={"source": "ads"},
            **money,
        )
        open_ = {"status": "open", "attempted": True, "amount_remaining": 4900, "currency": "jpy"}
        row(s, Invoice, id="in_grace", customer="cus_grace", created=now - 1, **open_)
        s.add(CustomerTag(customer="cus_grace", tag="vip"))
        for n in range(58):
            customer(s, name=f"Jo {n:02d}", status="active", plan="Pro", created=now - 10 - n, **money)
    return staffed  # fmt: skip


def opened(query: Mapping[str, str | list[str]] | None = None, *, acting_as: str = ADMIN) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "customers.py"), default_timeout=60)
    app.session_state["as"] = acting_as
    for name, value in (query or {}).items():
        app.query_params[name] = value
    return ran(app)


def ran(changed: Any) -> AppTest:
    """Runs the page after a change of one of its elements."""
    app: AppTest = changed.run()
    assert not app.exception, app.exception
    return app


def names(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value["title"]) if app.dataframe else []


def told(app: AppTest) -> str:
    return " | ".join(caption.value for caption in app.caption)


def test_the_list_shows_one_page_with_the_facts_of_each(account: ModuleType) -> None:
    app = opened()
    assert "1–50 of 60 customers" in told(app)
    assert len(names(app)) == 50
    ada, grace = (app.dataframe[0].value.iloc[n] for n in (0, 1))
    assert (ada["title"], list(ada["status"]), ada["days_left"], ada["owner"]) == (
        "*Ada* <b>", ["Trialing"], "5 days", "Sam Okafor",
    )  # fmt: skip
    assert (grace["mrr"], grace["open_amount"], grace["same_email"]) == ("$49.00", "¥4,900", "1 more")


def test_typing_filters_the_list_and_says_what_it_looks_for(account: ModuleType) -> None:
    app = opened()
    ran(app.text_input(key="q").set_value("ada"))
    assert names(app) == ["*Ada* <b>", "Grace"]
    ran(app.text_input(key="q").set_value("4242"))
    assert "a card ending in 4242, an amount of 4242" in told(app)
    assert names(app) == []
    assert "No customer matches" in app.info[0].value
    ran(app.button(key="show_everybody").click())
    assert app.text_input(key="q").value == ""
    assert len(names(app)) == 50


def test_the_address_is_the_filter(account: ModuleType) -> None:
    for query, found in (
        ({"status": ["trialing", "past due"]}, ["*Ada* <b>", "Grace"]),
        ({"status": "trialing", "trial_days": "4"}, []),
        ({"status": "trialing", "trial_days": "5"}, ["*Ada* <b>"]),
        ({"only": "failed payment"}, ["Grace"]),
        ({"plan": "Team"}, ["Grace"]),
        ({"country": "Germany (DE)"}, ["*Ada* <b>"]),
        ({"owner": "Sam Okafor"}, ["*Ada* <b>"]),
        ({"tag": "vip"}, ["Grace"]),
        ({"tag": "nobody has this"}, []),
        ({"meta": "source=ads"}, ["Grace"]),
        ({"q": "cus_ada"}, ["*Ada* <b>"]),
        ({"created_to": "2020-01-01"}, []),
    ):
        assert names(opened(query)) == found, query


def test_a_filter_that_contradicts_itself_is_explained_and_kept(account: ModuleType) -> None:
    app = opened({"created_from": "2026-02-02", "created_to": "2026-02-01"})
    assert "later than" in app.error[0].value
    assert str(app.date_input(key="created_from").value) == "2026-02-02"
    app = opened({"meta": "=ads"})
    assert "not a metadata filter" in app.error[0].value
    ran(
        app.button[0].click()
        if app.button[0].label.startswith("Clear")
        else app.button(key="clear_filters").click()
    )
    assert len(names(app)) == 50


def test_pages_after_the_first_leave_out_who_came_since_and_a_new_filter_begins_anew(
    account: ModuleType,
) -> None:
    app = opened()
    first = names(app)
    with account.transaction() as s:
        customer(s, "cus_late", name="Late", status="active", created=clock.now() + 60)
    app.session_state["page"] = 2
    rest = names(ran(app))
    assert len(first) + len(rest) == 60
    assert len({*first, *rest}) == 60
    ran(app.text_input(key="q").set_value("late"))
    assert names(app) == ["Late"]
    assert app.session_state["page"] == 1


def test_a_filter_is_saved_shared_used_and_removed(account: ModuleType) -> None:
    app = opened({"status": "trialing"})
    app.text_input(key="view_name").set_value("Trials now")
    app.checkbox(key="view_shared").check()
    ran(next(button for button in app.button if button.label == "Save").click())
    with account.session() as s:
        (view,) = s.exec(select(SavedFilter)).all()
        assert (view.name, view.shared, view.query) == ("Trials now", True, {"status": ["trialing"]})
    other = opened(acting_as=VIEWER)
    assert f"view:{view.id}:remove" not in {button.key for button in other.button}
    ran(other.button(key=f"view:{view.id}").click())
    assert names(other) == ["*Ada* <b>"]
    assert other.multiselect(key="status").value == ["trialing"]
    ran(app.button(key=f"view:{view.id}:remove").click())
    with account.session() as s:
        assert s.exec(select(SavedFilter)).all() == []


def test_saving_without_a_name_says_so_and_keeps_what_was_typed(account: ModuleType) -> None:
    app = opened({"status": "trialing"})
    ran(next(button for button in app.button if button.label == "Save").click())
    assert "name has 1 to 60 characters" in app.error[0].value
    assert app.multiselect(key="status").value == ["trialing"]


def test_sharing_is_off_for_those_who_may_not(account: ModuleType) -> None:
    app = opened({"status": "trialing"}, acting_as=VIEWER)
    assert app.checkbox(key="view_shared").disabled
    assert not opened({"status": "trialing"}).checkbox(key="view_shared").disabled


def test_the_file_holds_all_rows_of_the_filter_for_those_who_may(
    account: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    import streamlit as st

    given: dict[str, object] = {}
    monkeypatch.setattr(
        st, "download_button", lambda label, data, **options: given.update(options, data=data)
    )
    opened({"status": "active"})
    assert given["disabled"] is False
    text = given["data"]().decode("utf-8-sig")  # type: ignore[operator]
    assert len(list(csv.DictReader(io.StringIO(text)))) == 58
    with account.session() as session:
        kept = session.exec(select(AuditEntry)).one()
    assert (kept.kind, kept.staff_name) == ("export", "Ada Berg")
    assert kept.after == {"file": "customers.csv", "rows": 58}
    opened(acting_as=VIEWER)
    assert given["disabled"] is True
    assert "may not export" in str(given["help"])


def test_an_empty_account_says_so(staffed: ModuleType) -> None:
    app = opened()
    assert "no customers yet" in app.info[0].value


def test_a_hit_says_what_it_was_found_by_where_its_row_does_not_show_it(account: ModuleType) -> None:
    with account.transaction() as s:
        customer(s, "cus_card", name="Cárd Owner", card_last4="0341")
        paid = {"customer": "cus_card", "currency": "usd"}
        row(s, Invoice, id="in_1", number="TD-0042", total=4_321, **paid)
        row(s, Charge, id="ch_1", amount=765, **paid)
    for typed, told in (
        ("0341", "card ends in 0341"),
        ("TD-0042", "invoice TD-0042"),
        ("43.21", "invoice TD-0042 of $43.21"),
        ("$7.65 owner", "payment of $7.65"),
        ("ch_1", "id ch_1"),
        ("in_1 0341", "id in_1, card ends in 0341"),
    ):
        assert list(opened({"q": typed}).dataframe[0].value["match"]) == [told], typed
    assert "match" not in opened({"q": "card"}).dataframe[0].value
