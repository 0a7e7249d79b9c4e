"""The System page: the verdict, each part as it stands, and what lies aside with what to do about it."""

from __future__ import annotations

from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from models import Drift, InboxItem, Reconciliation, StripeReads, SyncCursor, Workspace
from services import clock, config, schedules
from services.mirror import cursors
from services.mirror.poll import Pace
from services.staff import people
from services.stripe_api import client
from tests.pages.work import captions, open_page

ADA = "ada@trialdesk.test"


@pytest.fixture
def whole(pulled: ModuleType, ready: None) -> ModuleType:
    """A pulled, fresh database with nothing aside; no account is connected, so that a call would fail."""
    client.configure(None)
    now = clock.now()
    with pulled.transaction() as session:
        session.add(Workspace(account="acct_1", mode="sandbox", pulled_at=now - 9, checked_at=now - 1))
        session.add(SyncCursor(resource=cursors.FEED, state="running", cursor=str(now - 1)))
    return pulled


def lay_aside(database: ModuleType, count: int) -> None:
    now = clock.now()
    with database.transaction() as session:
        for number in range(count):
            session.add(
                InboxItem(
                    id=f"cus_{number:02d}", source="pull", type="customer", state="failed", attempts=1,
                    created=now, received_at=now - 60, tried_at=now - number, error="*Too* large.",
                )
            )  # fmt: skip


def aside(app: AppTest) -> list[str]:
    return [str(id) for frame in app.dataframe if "reason" in frame.value for id in frame.value["id"]]


def states(database: ModuleType) -> set[str]:
    with database.session() as session:
        return {row.state for row in session.query(InboxItem)}


def test_all_is_well(whole: ModuleType) -> None:
    app = open_page("system", acting_as=ADA)
    [said] = [one.value for one in app.success]
    assert said.startswith("Nothing is known to be wrong") and "not compared with all of it yet" in said
    assert not app.error and not app.warning
    table = app.dataframe[0].value
    assert len(table) == len(cursors.RESOURCES) + 1
    assert set(map(tuple, table["state"])) == {("Complete",)}
    assert "Nothing is put aside." in captions(app)
    text = " ".join(one.value for one in app.markdown)
    assert "**Gap:** None" in text
    assert "**Processes alive:** none does background work" in text


def test_what_is_wrong_is_said_and_where(whole: ModuleType) -> None:
    with whole.transaction() as session:
        row = session.get(SyncCursor, "invoices")
        row.state, row.error = "failed", "Stripe does *not* answer."
    lay_aside(whole, 1)
    app = open_page("system", acting_as=ADA)
    assert not app.success
    said = [one.value.replace("\\", "") for one in app.error]
    assert said[0].startswith("Invoices could not be read: Stripe does *not* answer.")
    assert said[1].startswith("One object or event could not be stored")
    assert aside(app) == ["cus_00"]


def test_what_lies_aside_comes_in_pages(whole: ModuleType) -> None:
    lay_aside(whole, 27)
    assert len(aside(open_page("system", acting_as=ADA))) == 25
    assert aside(open_page("system", acting_as=ADA, aside_page="2")) == ["cus_25", "cus_26"]
    app = open_page("system", acting_as=ADA, aside="Ignored")
    assert "Nothing is ignored." in captions(app)


def test_without_a_choice_nothing_can_be_done(whole: ModuleType) -> None:
    lay_aside(whole, 1)
    app = open_page("system", acting_as=ADA)
    assert [app.button(key=f"aside-{name}").disabled for name in ("again", "ignore")] == [True, True]


def test_reads_stand_against_the_allowance(whole: ModuleType) -> None:
    today = clock.now() // clock.DAY * clock.DAY
    with whole.transaction() as session:
        session.add(StripeReads(day=today, purpose="poll", reads=5_000))
        session.add(StripeReads(day=today, purpose="sync", reads=40))
    app = open_page("system", acting_as=ADA)
    assert app.get("progress")[0].proto.text == "5,040 of 10,000 this month (50.4 %)"
    [table] = [frame.value for frame in app.dataframe if "purpose" in frame.value]
    assert list(table["purpose"]) == ["Looking for events", "“Sync now” on a customer"]
    assert list(table["month"]) == ["5,000", "40"]


@pytest.mark.parametrize(
    ("pace", "said"),
    [
        (None, "every 5 minutes (8,640 reads in 30 days), as no webhooks are set up."),
        (Pace(900, "they come"), "every 15 minutes (2,880 reads in 30 days), as they come."),
    ],
)
def test_how_often_the_desk_looks_is_said_with_its_reads_and_why(
    whole: ModuleType, monkeypatch: pytest.MonkeyPatch, pace: Pace | None, said: str
) -> None:
    real(whole, monkeypatch)
    schedules._Process.desk.pace = pace
    app = open_page("system")
    assert f"The desk looks for events {said}" in "\n".join(captions(app))
    often = said.partition(" (")[0]
    assert f"**Looked for:** {often}" in [one.value for one in app.markdown]


def test_refused_deliveries_and_another_server_are_told(
    whole: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    real(whole, monkeypatch, STRIPE_API_BASE="http://127.0.0.1:9")
    now = clock.now()
    with whole.transaction() as session:
        session.add(
            SyncCursor(
                resource=cursors.REFUSED, state="refused", fetched=1, started_at=now - 130,
                finished_at=now - 130, error="It is *not* signed. Sign it.",
            )
        )  # fmt: skip
    app = open_page("system")
    said = [one.value.replace("\\", "") for one in app.warning]
    assert said == ["A delivery of an event was refused for this reason: It is *not* signed. Sign it."]
    text = "\n".join(one.value.replace("\\", "").replace("\u2060", "") for one in app.markdown)
    assert "**Refused:** 1 delivery was refused on" in text and "(2 minutes ago)." in text
    assert "**Server:** http://127.0.0.1:9, by STRIPE_API_BASE: this is not Stripe" in text


def real(database: ModuleType, monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    """From now on it is a real account's desk, without webhooks."""
    for name, value in {"STRIPE_API_KEY": "rk_test_secretly_1234", **settings}.items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()
    with database.transaction() as session:
        people.prepare(session, "test")


def test_comparisons_say_how_they_ended(whole: ModuleType) -> None:
    at = clock.now() - 7300
    with whole.transaction() as session:
        session.add(Reconciliation(started_at=at, finished_at=at + 90, state="complete", objects=5, drifts=3))
    app = open_page("system", acting_as=ADA)
    assert "compared 2 hours ago: 3 differences, put right" in app.success[0].value.replace("\\", "")
    with whole.transaction() as session:
        skipped = {"invoice_items": "Stripe does *not* answer."}
        session.add(Reconciliation(started_at=at + 99, state="incomplete", skipped=skipped))
    app = open_page("system", acting_as=ADA)
    assert not app.success
    assert "invoice items: Stripe does *not* answer." in app.error[0].value.replace("\\", "")
    [table] = [frame.value for frame in app.dataframe if "took" in frame.value]
    assert list(table["state"]) == [["Incomplete"], ["Complete"]]
    assert list(table["took"]) == ["", "2 minutes"]
    assert "does *not* answer" in table["wrong"][0]


def test_differences_come_with_their_cause_the_newest_first(whole: ModuleType) -> None:
    with whole.transaction() as session:
        for number in range(27):
            session.add(
                Drift(
                    found_at=clock.now() + number, resource="invoice_items", object_id=f"ii_{number}",
                    what="changed", fields=["amount", "currency"], as_of=clock.now(), cause="It was lost.",
                )
            )  # fmt: skip
    frame = open_page("system", acting_as=ADA).dataframe[-1].value
    assert len(frame) == 25
    first = dict(frame.iloc[0])
    assert (first["object"], first["resource"], first["what"]) == ("ii_26", "Invoice items", "Differed")
    assert (first["fields"], first["cause"]) == ("amount, currency", "It was lost.")
    rest = open_page("system", acting_as=ADA, drift_page="2").dataframe[-1].value
    assert list(rest["object"]) == ["ii_1", "ii_0"]


@pytest.mark.parametrize("person", ["sam@trialdesk.test", "vera@trialdesk.test"])
def test_others_are_told_why_not(whole: ModuleType, person: str) -> None:
    app = open_page("system", acting_as=person)
    assert "may not see how the desk runs" in app.info[0].value
    assert not app.dataframe
