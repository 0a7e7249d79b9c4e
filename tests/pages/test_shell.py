"""The shell around the pages: start, problems, acting people, read-only, banner."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from models import InboxItem, Reconciliation, StripeReads, SyncCursor, Workspace
from pages.components import navigation
from services import clock, config, schedules
from services.errors import ConfigurationError
from services.metrics import kept
from services.mirror import aside, cursors
from services.schedules import Startup
from services.staff import people
from services.staff.roles import GRANTS, Permission, Role


def guarded() -> None:
    import streamlit as st

    from pages.components import banner, guard, sign_in, starting

    starting.wait()
    with st.sidebar:
        sign_in.switch()
    person = guard.enter("customers")
    with st.sidebar:
        sign_in.corner(person)
    banner.show(person)
    st.title("Customers")
    st.text(f"{person.email} {person.role} {person.read_only}")


@dataclass
class WrittenDesk:
    """Stands where the process's desk stands, with a start that the test has written."""

    startup: Startup
    retried: list[bool] = field(default_factory=list)

    def retry(self) -> None:
        self.retried.append(True)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[WrittenDesk]:
    written = WrittenDesk(Startup())
    monkeypatch.setattr(schedules._Process, "desk", written)
    yield written


def run(app: AppTest | None = None) -> AppTest:
    app = (AppTest.from_function(guarded, default_timeout=60) if app is None else app).run()
    assert not app.exception
    return app


def titles(app: AppTest) -> list[str]:
    return [title.value for title in app.title]


def test_until_the_desk_is_ready_a_page_shows_how_far_it_is(desk: WrittenDesk) -> None:
    desk.startup = Startup(step="Preparing the sandbox account", share=0.4)
    app = run()
    assert titles(app) == ["Trialdesk"]
    progress = app.get("progress")[0].proto
    assert (progress.value, progress.text) == (40, "Preparing the sandbox account (40.0 %)")


def test_a_start_that_failed_says_why_and_can_be_tried_again(desk: WrittenDesk) -> None:
    desk.startup = Startup(problem=ConfigurationError("The key is *wrong*.", remedy="Copy it again."))
    app = run()
    assert [error.value for error in app.error] == [r"The key is \*wrong\*\."]
    assert [caption.value for caption in app.caption] == [r"Copy it again\."]
    app.button[0].click().run()
    assert desk.retried == [True]


def test_the_sandbox_switches_between_people(staffed: ModuleType) -> None:
    app = run()
    assert app.text[0].value.startswith("ada@trialdesk.test admin")
    assert len(app.selectbox[0].options) == 10
    app.selectbox[0].select("vera@trialdesk.test").run()
    assert app.text[0].value.startswith("vera@trialdesk.test viewer")
    assert "Sandbox" in app.markdown[0].value


def test_a_person_who_is_shut_out_is_no_longer_offered(staffed: ModuleType) -> None:
    app = run()
    app.selectbox[0].select("vera@trialdesk.test").run()
    with staffed.transaction() as session:
        people.deactivate(session, "vera@trialdesk.test")
    app.run()
    assert app.text[0].value.startswith("ada@trialdesk.test admin")


def test_the_address_says_whose_part_a_tab_plays(staffed: ModuleType) -> None:
    app = AppTest.from_function(guarded, default_timeout=60)
    app.query_params["as"] = "Vera Lind · viewer"
    run(app)
    assert app.text[0].value.startswith("vera@trialdesk.test viewer")
    stranger = AppTest.from_function(guarded, default_timeout=60)
    stranger.query_params["as"] = "Mallory · admin"
    run(stranger)
    assert stranger.text[0].value.startswith("ada@trialdesk.test admin")


def test_a_role_without_the_permission_sees_why(staffed: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GRANTS, Role.VIEWER, frozenset())
    app = AppTest.from_function(guarded, default_timeout=60)
    app.session_state["as"] = "vera@trialdesk.test"
    run(app)
    assert "Your role (viewer) may not see customers" in app.info[0].value
    assert not app.text


@pytest.mark.parametrize(
    ("key", "word", "read_only"),
    [("sk_test_1", "Test mode", False), ("sk_live_1", "Live, read-only", True)],
)
def test_a_real_account_without_sign_in_offers_no_switch(
    database: ModuleType, monkeypatch: pytest.MonkeyPatch, key: str, word: str, read_only: bool
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", key)
    config.settings.cache_clear()
    with database.transaction() as session:
        people.prepare(session, config.settings().mode)
        people.prepare(session, "sandbox")
    app = AppTest.from_function(guarded, default_timeout=60)
    app.query_params["as"] = "Sam Okafor · support"
    run(app)
    assert not app.selectbox
    assert app.text[0].value.startswith("admin@localhost admin")
    assert ("only reads" in app.text[0].value) is read_only
    assert word in app.markdown[0].value


def test_presence_is_noted(staffed: ModuleType) -> None:
    run()
    with staffed.session() as session:
        rows = {row.email: row.last_seen_at for row in people.everyone(session)}
    assert rows["ada@trialdesk.test"] is not None
    assert rows["vera@trialdesk.test"] is None


def test_the_first_pull_shows_how_far_it_is(staffed: ModuleType) -> None:
    with staffed.transaction() as session:
        session.add(Workspace(account="acct_1", mode="sandbox"))
        session.add(SyncCursor(resource="customers", state="complete", fetched=1500))
        session.add(SyncCursor(resource="payment_intents", state="running", fetched=3400))
    text = run().get("progress")[0].proto.text
    assert text.startswith("Getting your account: ")
    assert "3,400 payment intents" in text


def test_the_first_pull_says_when_only_our_own_work_is_left(pulled: ModuleType) -> None:
    with pulled.transaction() as session:
        session.get(SyncCursor, cursors.DERIVED).state = "running"
        session.get(SyncCursor, "customers").fetched = 1500
    assert run().get("progress")[0].proto.text.startswith("1,500 objects are here; working out")


def test_the_banner_says_how_old_the_data_is_and_why(pulled: ModuleType) -> None:
    with pulled.transaction() as session:
        at = clock.now() - 40
        session.add(Workspace(account="acct_1", mode="sandbox", pulled_at=at, checked_at=at))
    app = run()
    assert "Data from just now" in [caption.value for caption in app.caption]
    assert not app.get("progress")
    with pulled.transaction() as session:
        workspace = session.get(Workspace, 1)
        workspace.pulled_at = workspace.checked_at = clock.now() - 7300
        workspace.last_error = "Stripe cannot be reached."
    kept.forget()
    [stale] = [caption for caption in run().caption if "Not up to date" in caption.value]
    assert "2 hours ago" in stale.value
    assert stale.help == r"Stripe cannot be reached\."


@pytest.mark.parametrize(
    ("waiting", "age", "said"),
    [
        (200, 5, []),
        (1201, 5, ["1,201 events to go · Data from just now"]),
        (0, 24 * clock.DAY, ["Data from 3 weeks ago"]),
        (1201, 24 * clock.DAY, ["1,201 events to go · Data from 3 weeks ago"]),
    ],
)
def test_the_banner_says_when_the_desk_catches_up(
    pulled: ModuleType, waiting: int, age: int, said: list[str]
) -> None:
    with pulled.transaction() as session:
        at = clock.now() - age
        session.add(Workspace(account="acct_1", mode="sandbox", pulled_at=at, checked_at=at))
        session.add_all(InboxItem(id=f"evt_{one}", source="poll", created=at) for one in range(waiting))
        session.add(InboxItem(id="evt_applied", source="poll", created=at, state="applied"))
    told = [one.value for one in run().markdown if "Catching up" in one.value]
    assert told == [f":orange-background[**Catching up** · {what}]" for what in said]


def test_who_looks_after_the_desk_is_told_what_was_put_aside(
    pulled: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)  # all in one second, of which the first ones are named
    with pulled.transaction() as session:
        for number in range(7):
            problem = aside.refused("customer", f"cus_{number}", ValueError())
            aside.keep(session, {"id": f"cus_{number}", "object": "customer"}, problem, clock.now())
    [told] = [caption for caption in run().caption if "put aside" in caption.value]
    assert told.value == ":orange[7 objects and events put aside]"
    assert "cus_0” holds something" in told.help.replace("\\", "")
    assert told.help.count("holds something") == 5
    viewer = AppTest.from_function(guarded, default_timeout=60)
    viewer.session_state["as"] = "vera@trialdesk.test"
    assert not [caption for caption in run(viewer).caption if "put aside" in caption.value]


def test_who_looks_after_the_desk_is_warned_before_the_reads_are_used_up(
    pulled: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_1")
    config.settings.cache_clear()
    with pulled.transaction() as session:
        people.prepare(session, "test")
        session.add(StripeReads(day=clock.now() // clock.DAY * clock.DAY, purpose="poll", reads=7_999))
    assert not [one for one in run().caption if "reads from Stripe" in one.value]
    with pulled.transaction() as session:
        session.add(StripeReads(day=clock.now() // clock.DAY * clock.DAY, purpose="sync", reads=1))
    kept.forget()
    [told] = [one for one in run().caption if "reads from Stripe" in one.value]
    assert "80.0 % of this month’s reads from Stripe used" in told.value
    assert told.help == "8,000 of 10,000 reads. See System."


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"state": "failed", "error": "*It* broke."}, "Comparison with the account failed"),
        ({"state": "incomplete", "skipped": {"refunds": "No."}}, "Not all could be compared"),
        ({"state": "complete", "drifts": 9}, ""),
    ],
)
def test_who_looks_after_the_desk_is_told_how_the_last_comparison_ended(
    pulled: ModuleType, given: dict[str, object], said: str
) -> None:
    with pulled.transaction() as session:
        session.add(Reconciliation(started_at=5, state="complete"))
        session.add(Reconciliation(started_at=7, **given))
        session.add(Reconciliation(started_at=9, state="running"))
    told = [one for one in run().caption if "ompar" in one.value]
    assert [one.value for one in told] == ([f":orange[{said}]"] if said else [])
    assert all("See System" in one.help for one in told)


def failing(kind: str) -> None:
    from pages.components import problems
    from services.errors import InvalidInput

    error = InvalidInput("The *amount* is 0.", remedy="Type more.") if kind == "ours" else KeyError("x")
    assert problems.on_script_error(error)


def test_our_errors_are_shown_as_sentences() -> None:
    app = AppTest.from_function(failing, default_timeout=60, kwargs={"kind": "ours"}).run()
    assert [error.value for error in app.error] == [r"The \*amount\* is 0\."]
    assert [caption.value for caption in app.caption] == [r"Type more\."]


def test_any_other_error_leaves_a_reference_and_a_traceback_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, logger="trialdesk.pages"):
        app = AppTest.from_function(failing, default_timeout=60, kwargs={"kind": "other"}).run()
    [record] = [record for record in caplog.records if record.name == "trialdesk.pages"]
    assert record.exc_info is not None
    reference = record.getMessage().rpartition("reference ")[2].rstrip(").")
    assert reference in app.caption[0].value
    assert "KeyError" not in app.error[0].value


def test_every_page_asks_the_guard_first() -> None:
    for page in navigation.PAGES.values():
        script = (navigation.ROOT / page.file).read_text()
        assert f'guard.enter("{page.key}")' in script, f"{page.file} has no guard"


def test_no_page_writes_html_of_its_own() -> None:
    scripts = [navigation.ROOT / "dashboard.py", *(navigation.ROOT / "pages").rglob("*.py")]
    banned = re.compile(r"unsafe_allow_html|unsafe_allow_javascript|st\.html\(|components\.v1")
    assert [script.name for script in scripts if banned.search(script.read_text())] == []


def test_every_role_may_open_something() -> None:
    for role in Role:
        assert {Permission.SEE_CUSTOMERS, Permission.SEE_METRICS} <= GRANTS[role]
