"""The Connect page: whose account, what the key may do, how events arrive, what is still to set up."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from models import AuditEntry, InboxItem, Reconciliation, SyncCursor, Workspace
from pages.components import formats
from services import clock, config
from services.mirror import cursors
from services.staff import people
from services.stripe_api import client
from tests.pages.work import open_page
from tests.support.sandbox import Sandbox, start_sandbox

ADA = "ada@trialdesk.test"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An empty sandbox account."""
    with start_sandbox(tmp_path_factory.mktemp("account")) as started:
        yield started


@pytest.fixture
def desk(pulled: ModuleType, ready: None, account: Sandbox) -> Iterator[ModuleType]:
    """A pulled database of the account, which has no endpoints."""
    for id in endpoints(account):
        account.client().v1.webhook_endpoints.delete(id)
    client.configure(client.connect(account.key, account.url))
    at = clock.now() - 7300
    with pulled.transaction() as session:
        session.add(
            Workspace(account="acct_1", account_name="*Acme*", mode="sandbox", pulled_at=at, checked_at=at)
        )
        session.get(SyncCursor, "customers").fetched = 1500
    yield pulled
    client.configure(None)


@pytest.fixture
def real(desk: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The same with a restricted key of a test account, and without sign-in."""
    monkeypatch.setenv("STRIPE_API_KEY", "rk_test_secretly_1234")
    config.settings.cache_clear()
    with desk.transaction() as session:
        people.prepare(session, "test")
    return desk


def text(app: AppTest) -> str:
    """All that the page says, without the signs that keep it from being read as Markdown."""
    kinds = ("markdown", "caption", "info", "success", "warning", "error", "code", "text")
    said = "\n".join(one.value for kind in kinds for one in app.get(kind))
    return said.replace("\\", "").replace("\u2060", "")


def rows(app: AppTest, key: str) -> list[dict[str, Any]]:
    """The rows of the table with this column."""
    return [row for frame in app.dataframe if key in frame.value for row in frame.value.to_dict("records")]


def endpoints(account: Sandbox) -> list[str]:
    return [one.id for one in account.client().v1.webhook_endpoints.list().data]


def test_the_account_is_told_and_how_far_it_is_pulled(desk: ModuleType) -> None:
    said = text(open_page("connect", acting_as=ADA))
    assert "**Account:** *Acme* (acct_1)" in said
    assert "**Mode:** Sandbox" in said
    assert "**Key:** None: an account on this machine" in said
    assert "(2 hours ago)" in said
    assert "**Here:** 0 products" in said and "1,500 customers" in said
    assert "The sandbox is asked for events every 2 seconds" in said


def test_of_the_key_only_the_last_characters_are_seen(real: ModuleType) -> None:
    said = text(open_page("connect"))
    assert "**Key:** A restricted key that ends in 1234" in said
    assert "secretly" not in said


def test_a_pull_under_way_says_what_is_here_and_what_is_not(desk: ModuleType) -> None:
    with desk.transaction() as session:
        for name, state, error in (
            ("charges", "running", ""),
            ("refunds", "waiting", ""),
            ("disputes", "denied", "The key lacks it."),
            ("coupons", "failed", "Stripe is away."),
        ):
            row = session.get(SyncCursor, name)
            row.state, row.error, row.fetched = state, error, 12
        session.get(SyncCursor, cursors.DERIVED).state = "waiting"
    said = text(open_page("connect", acting_as=ADA))
    assert "**Under way:** 12 charges" in said
    assert "**Still to come:** refunds" in said
    assert "**Not allowed:** disputes" in said
    assert "**Failed:** coupons (Stripe is away.)" in said
    assert "**Ended:**" not in said


def test_the_key_is_checked_at_a_click_and_not_before(desk: ModuleType, account: Sandbox) -> None:
    account.restrict("rk_test_some", **dict.fromkeys(("customers", "subscriptions"), "write"))
    client.configure(client.connect("rk_test_some", account.url))
    asked = len(account.requests())
    app = open_page("connect", acting_as=ADA)
    assert len(account.requests()) == asked and rows(app, "lost") == []
    _press(app, "Check the key")
    found = {row["right"]: row for row in rows(app, "lost")}
    assert set(map(tuple, (row["state"] for row in found.values()))) == {("There",), ("Missing",)}
    assert found["Customers, read"]["state"] == found["Subscriptions, write"]["state"] == ["There"]
    assert found["Customer portal, write"]["lost"] == "Card link"
    assert found["Customer portal, write"]["said"] == "Lacks “billing portal write”"
    assert "The key lacks 16 rights that the desk uses." in text(app)
    asked = len(account.requests())
    app.run()
    assert len(account.requests()) == asked and rows(app, "lost")


@pytest.mark.parametrize("level", ["write", "read"])
def test_beside_the_verdict_stands_how_sure_it_is_of_rights_to_write(
    desk: ModuleType, account: Sandbox, level: str
) -> None:
    account.restrict("rk_test_sure", subscriptions=level)
    client.configure(client.connect("rk_test_sure", account.url))
    app = open_page("connect", acting_as=ADA)
    _press(app, "Check the key")
    doubt = "does not promise to"
    assert (doubt in text(app)) == (level == "write")
    assert not [one for folded in app.expander for one in folded.caption if doubt in one.value]


def test_a_key_that_stripe_does_not_know_is_a_sentence(desk: ModuleType, account: Sandbox) -> None:
    client.configure(client.connect("rk_test_gone", account.url))
    app = open_page("connect", acting_as=ADA)
    _press(app, "Check the key")
    assert "Stripe does not accept the key." in text(app)
    assert rows(app, "lost") == []


def test_an_endpoint_is_made_and_its_secret_shown_once(desk: ModuleType, account: Sandbox) -> None:
    app = open_page("connect", acting_as=ADA)
    app.text_input(key="endpoint_address").input("http://127.0.0.1:9")
    _press(app, "Make the endpoint")
    assert len(endpoints(account)) == 1
    [line] = [one.value for one in app.code if one.value.startswith("STRIPE_WEBHOOK_SECRET=whsec_")]
    secret = line.partition("=")[2]
    assert "endpoint_made" not in app.session_state
    app.run()
    assert secret not in text(app)
    with desk.session() as session:
        assert [row.staff_name for row in session.exec(select(AuditEntry))] == ["Ada Berg"] * 2


def test_an_address_of_no_use_is_a_sentence(desk: ModuleType, account: Sandbox) -> None:
    there = endpoints(account)
    app = open_page("connect", acting_as=ADA)
    app.text_input(key="endpoint_address").input("desk.company.com")
    _press(app, "Make the endpoint")
    assert "is not an address that begins with https://" in text(app)
    assert endpoints(account) == there


def test_without_sign_in_a_real_account_makes_none(real: ModuleType) -> None:
    app = open_page("connect")
    assert _button(app, "Make the endpoint").disabled
    said = text(app)
    assert "Without sign-in a real account's desk answers on its own machine only." in said
    assert "stripe listen --forward-to http://localhost:" in said
    assert "Stripe is asked for events every 5 minutes" in said


def test_the_page_waits_for_the_first_event_and_says_when_it_came(
    desk: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_1")
    config.settings.cache_clear()
    now = clock.now()
    with desk.transaction() as session:
        session.add(InboxItem(id="evt_1", source="poll", created=now, received_at=now))
    app = open_page("connect", acting_as=ADA)
    assert "Waiting for an event to be delivered." in text(app)
    with desk.transaction() as session:
        session.add(InboxItem(id="evt_2", source="webhook", created=now - 9, received_at=now - 3))
    app.run()
    assert "Stripe delivers events." in text(app) and "(just now)" in text(app)


def test_a_delivery_of_long_ago_does_not_say_that_events_are_delivered(
    desk: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = clock.now() - 3 * clock.DAY
    with desk.transaction() as session:
        session.add(InboxItem(id="evt_1", source="webhook", created=then, received_at=then))
    assert "none are delivered" in text(open_page("connect", acting_as=ADA))
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_1")
    config.settings.cache_clear()
    app = open_page("connect", acting_as=ADA)
    assert "Stripe delivers events." in text(app) and "(3 days ago)" in text(app)
    with desk.transaction() as session:
        session.add(InboxItem(id="evt_2", source="poll", created=then + 3601, received_at=clock.now()))
    app.run()
    assert "Stripe delivers events." not in text(app)
    assert "There were later ones" in text(app) and "(3 days ago)" in text(app)


def test_while_deliveries_fail_connect_says_that_it_looks_more_often(
    real: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_1")
    config.settings.cache_clear()
    now = clock.now()
    with real.transaction() as session:
        session.add(InboxItem(id="evt_1", source="webhook", created=now - 7300, received_at=now - 7300))
        session.add(InboxItem(id="evt_2", source="poll", created=now - 90, received_at=now))
    said = text(open_page("connect"))
    assert "found by asking only; the account is asked every 5 minutes. See whether the endpoint" in said


@pytest.mark.parametrize("secret", ["whsec_1", ""])
def test_refused_deliveries_are_told_with_the_last_reason_and_what_to_do(
    real: ModuleType, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", secret)
    config.settings.cache_clear()
    now = clock.now()
    with real.transaction() as session:
        session.add(
            SyncCursor(
                resource=cursors.REFUSED, state="refused", fetched=1200, started_at=now - 7300,
                finished_at=now - 130, error="It is *not* signed. Sign it.",
            )
        )  # fmt: skip
    said = text(open_page("connect"))
    assert "1,200 deliveries were refused since" in said
    assert "the last 2 minutes ago, for this reason: It is *not* signed. Sign it." in said
    waits = (
        "Waiting for an event" if secret else "Stripe is asked for events every 5 minutes; none are taken."
    )
    assert waits in said


@pytest.mark.parametrize(
    ("base", "told"), [("http://127.0.0.1:9", True), ("https://api.stripe.com", False), ("", False)]
)
def test_another_server_than_stripes_is_told(
    real: ModuleType, monkeypatch: pytest.MonkeyPatch, base: str, told: bool
) -> None:
    monkeypatch.setenv("STRIPE_API_BASE", base)
    config.settings.cache_clear()
    said = text(open_page("connect"))
    assert ("**Server:** http://127.0.0.1:9, by STRIPE_API_BASE: this is not Stripe" in said) == told
    assert ("**Server:**" in said) == told


def test_what_is_not_set_up_is_named_with_its_setting(
    desk: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERCOM_APP_ID", "abc")
    config.settings.cache_clear()
    found = {row["setting"]: row["state"] for row in rows(open_page("connect", acting_as=ADA), "setting")}
    assert found["INTERCOM_APP_ID"] == ["Done"]
    assert found["STRIPE_API_KEY"] == found["SMTP_HOST"] == ["Not set"]
    known = {name.upper() for name in config.Settings.model_fields} | {"STREAMLIT_SERVER_ADDRESS"}
    assert {name for name in found if name.isupper()} <= known


def test_the_nightly_comparison_is_done_once_one_has_compared(
    desk: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = clock.day_start(clock.now(), config.settings().zone) + clock.DAY // 2
    monkeypatch.setattr(clock, "now", lambda: noon)
    with desk.transaction() as session:
        session.get_one(Workspace, 1).pulled_at = noon - 60
    assert _nightly()["state"] == ["Scheduled"]
    first = formats.moment(noon + clock.DAY // 2 + 3 * 3600 + 1800)  # RECONCILE_AT is 03:30
    assert _nightly()["gives"].startswith(f"First on {first}. The tables are put right")
    with desk.transaction() as session:
        session.get_one(Workspace, 1).pulled_at = noon - 2 * clock.DAY
    assert _nightly()["gives"].startswith(f"First on {formats.moment(noon)}."), "this night's is due"
    for state, shown in (("failed", ["Scheduled"]), ("incomplete", ["Done"]), ("failed", ["Done"])):
        with desk.transaction() as session:
            session.add(Reconciliation(started_at=noon, finished_at=noon, state=state))
        assert _nightly()["state"] == shown
    assert _nightly()["gives"].startswith("The tables are put right")
    monkeypatch.setenv("RECONCILE_AT", "off")
    config.settings.cache_clear()
    assert _nightly()["state"] == ["Not set"]


def _nightly() -> dict[str, Any]:
    found = rows(open_page("connect", acting_as=ADA), "setting")
    return next(row for row in found if row["setting"] == "RECONCILE_AT")


@pytest.mark.parametrize("person", ["sam@trialdesk.test", "frida@trialdesk.test"])
def test_others_are_told_why_not(desk: ModuleType, person: str) -> None:
    app = open_page("connect", acting_as=person)
    assert "may not see how the desk runs" in app.info[0].value
    assert not app.button and not app.dataframe


def _button(app: AppTest, label: str) -> Any:
    return next(one for one in app.button if one.label == label)


def _press(app: AppTest, label: str) -> None:
    _button(app, label).click().run()
    assert not app.exception
