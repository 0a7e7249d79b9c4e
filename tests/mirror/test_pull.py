"""The pull against an account with a history: equal field by field, whatever interrupts it."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from sqlmodel import select

from models import Customer, CustomerFacts, Event, InboxItem, Subscription, SyncCursor, SyncWindow, Workspace
from services import config, locks
from services.errors import ConfigurationError, WrongAccount
from services.mirror import cursors, identity, poll, progress, pull, shapes
from services.mirror.readers import ReadPage
from services.stripe_api import client, failures
from tests.mirror import truth
from tests.mirror.conftest import sqlite_only
from tests.support import lost_locks
from tests.support.sandbox import Sandbox, start_sandbox


def read_progress(database: ModuleType) -> progress.Progress:
    with database.session() as session:
        return progress.read(session)


def after_pages(sandbox: Sandbox, path: str, pages: int) -> Callable[[], bool]:
    """Says stop once so many pages of a list were asked for."""
    return lambda: len(sandbox.requests(path=path)) >= pages


def test_the_tables_equal_the_account(pulled: ModuleType, sandbox: Sandbox) -> None:
    assert truth.differences(sandbox) == []
    assert len(truth.rows(Customer)) > 20


@sqlite_only
def test_it_is_complete_only_when_all_is(claimed: ModuleType, sandbox: Sandbox) -> None:
    assert not read_progress(claimed).complete
    pull.begin()
    for resource in cursors.unfinished():
        assert read_progress(claimed).share < 1
        pull.resources([resource])
        assert not read_progress(claimed).complete
    pull.finish()
    done = read_progress(claimed)
    assert done.complete
    assert done.share == 1
    assert done.age is not None
    assert done.age < 60
    assert {one.state for one in done.resources} == {"complete"}
    assert done.objects == sum(one.fetched for one in done.resources) > 500


@sqlite_only
def test_a_second_pull_asks_for_nothing(pulled: ModuleType, sandbox: Sandbox) -> None:
    before = len(sandbox.requests())
    pull.whole_account()
    assert len(sandbox.requests()) - before == 1


def test_it_goes_on_where_it_was_stopped(
    claimed: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.stripe_api.client.PAGE_SIZE", 20)
    pull.begin()
    pull.resources(["invoices"], after_pages(sandbox, "/v1/invoices", 2))
    with claimed.session() as session:
        row = cursors.of(session, "invoices")
        assert (row.state, row.fetched) == ("running", 40)
    sandbox.fault("500_before", path="/v1/invoices")
    with pytest.raises(failures.StripeUnavailable):
        pull.whole_account()
    half = read_progress(claimed)
    assert not half.complete
    assert "error of its own" in half.last_error
    assert {one.resource for one in half.resources if one.state != "complete"} == {"invoices"}
    sandbox.heal()
    before = len(sandbox.requests(path="/v1/invoices"))
    pull.whole_account()
    with claimed.session() as session:
        row = cursors.of(session, "invoices")
        assert row.fetched == len(truth.rows(truth.Invoice))
        assert len(sandbox.requests(path="/v1/invoices")) - before == -(-(row.fetched - 40) // 20)
        assert session.exec(select(SyncWindow)).all() == []
    assert truth.differences(sandbox) == []


@sqlite_only
def test_the_object_where_it_stopped_may_be_deleted_meanwhile(
    claimed: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.stripe_api.client.PAGE_SIZE", 10)
    pull.begin()
    pull.resources(["customers"], after_pages(sandbox, "/v1/customers", 1))
    with claimed.transaction() as session:
        (window,) = session.exec(select(SyncWindow)).all()
        window.cursor = "cus_gone"
    with pytest.raises(failures.ObjectMissing):
        client.account().page("/v1/customers", {"starting_after": "cus_gone"})
    pull.whole_account()
    poll.once()
    assert read_progress(claimed).complete
    assert truth.differences(sandbox) == []


class AlteredAccount(client.StripeAccount):
    """An account whose lists show other values of some objects."""

    struck: frozenset[str] = frozenset()
    values: ClassVar[dict[str, dict[str, Any]]] = {}

    def page(self, path: str, params: client.Params | None = None) -> client.Page:
        found = super().page(path, params)
        return replace(found, objects=[self._altered(path, one) for one in found.objects])

    def _altered(self, path: str, one: dict[str, Any]) -> dict[str, Any]:
        return one | self.values.get(path, {}) if one["id"] in self.struck else one


class OddAccount(AlteredAccount):
    """An account with a subscription of a shape that nobody knows."""

    values: ClassVar[dict[str, dict[str, Any]]] = {"/v1/subscriptions": {"items": {"data": [{}]}}}


@sqlite_only
def test_one_object_of_an_unknown_shape_is_kept_aside_and_the_rest_is_pulled(
    claimed: ModuleType, sandbox: Sandbox
) -> None:
    account = OddAccount(sandbox.key, sandbox.url)
    odd = truth.every(sandbox, "/v1/subscriptions")[1]
    account.struck = frozenset([odd["id"]])
    left_out = {odd["id"], *(item["id"] for item in odd["items"]["data"])}
    client.configure(account)
    for _ in range(2):
        pull.whole_account()
        assert read_progress(claimed).complete
        assert [one for one in truth.differences(sandbox) if not any(id in one for id in left_out)] == []
        with claimed.session() as session:
            assert session.get(Subscription, odd["id"]) is None
            [aside] = session.exec(select(InboxItem).where(InboxItem.state == "failed")).all()
            assert (aside.id, aside.type, aside.source) == (odd["id"], "subscription", "pull")
            assert "a shape that the desk does not know" in aside.error
            assert json.loads(aside.payload)["id"] == odd["id"]
        with claimed.transaction() as session:
            cursors.start_over(session, sandbox.now())


def test_while_another_process_pulls_nothing_is_asked(claimed: ModuleType, sandbox: Sandbox) -> None:
    before = len(sandbox.requests())
    with locks.alone("pull") as mine:
        assert mine
        pull.whole_account()
    assert len(sandbox.requests()) == before
    pull.whole_account()
    assert read_progress(claimed).complete


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("during", ["_store", "finish"])
def test_a_pull_whose_lock_was_given_away_stops_and_the_next_one_goes_on(
    claimed: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, during: str
) -> None:
    monkeypatch.setattr("services.stripe_api.client.PAGE_SIZE", 5)
    calls, whole, before = itertools.count(), getattr(pull, during), list[object]()

    def lose_the_lock_first(*of: Any) -> Any:
        if during == "finish" or next(calls) == 1:
            assert lost_locks.drop(claimed.engine()) == 1
            with locks.alone("pull") as another:
                assert another, "a second puller gets in"
            before.append(written(claimed))
        return whole(*of)

    with monkeypatch.context() as losing:
        losing.setattr(pull, during, lose_the_lock_first)
        with pytest.raises(locks.LockLost, match="dropped the connection"):
            pull.whole_account()
    assert [written(claimed)] == before
    assert not read_progress(claimed).complete
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pull-")]
    pull.whole_account()
    assert read_progress(claimed).complete
    assert truth.differences(sandbox) == []


def written(database: ModuleType) -> list[list[Any]]:
    """What a pull writes: how far it is, and the tables' newest state by id."""
    models = (SyncCursor, SyncWindow, CustomerFacts, InboxItem)
    progressed = [sa.select(*model.__table__.c) for model in models]
    stored = [sa.select(kind.model.id, kind.model.as_of) for kind in shapes.KINDS.values()]
    with database.session() as session:
        return [sorted(map(tuple, session.connection().execute(one))) for one in (*progressed, *stored)]


class PoisonedAccount(AlteredAccount):
    """An account with objects that no database can hold, and an event that is none."""

    values: ClassVar[dict[str, dict[str, Any]]] = {
        "/v1/products": {"created": 2**70},
        "/v1/prices": {"unit_amount": 2**63},
        "/v1/subscriptions": {"collection_method": {"an": "object"}},
        "/v1/events": {"data": {}},
    }


def test_what_cannot_be_stored_holds_up_nothing_else(
    claimed: ModuleType, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    account = PoisonedAccount(sandbox.key, sandbox.url)
    last = {path: truth.every(sandbox, path)[-1]["id"] for path in account.values}
    account.struck = frozenset(last.values())
    client.configure(account)
    pull.whole_account()
    done = read_progress(claimed)
    assert (done.complete, done.last_error) == (True, "")
    with claimed.session() as session:
        aside = {one.id: one for one in session.exec(select(InboxItem).where(InboxItem.state == "failed"))}
        facts = set(session.exec(select(CustomerFacts.customer)))
    assert aside.keys() == account.struck
    assert facts == truth.rows(Customer).keys()
    assert {line.split(":")[0] for line in truth.differences(sandbox)} <= {
        "products", "prices", "subscriptions", "subscription_items", "discounts",
    }  # fmt: skip
    product = aside[last["/v1/products"]].error
    assert product.startswith(f"The product “{last['/v1/products']}” holds something that the database")
    assert not any(said in one.error for one in aside.values() for said in ("INSERT", "sqlalche.me", "\n"))
    assert last["/v1/products"] in caplog.text
    client.configure(client.connect(sandbox.key, sandbox.url))
    with claimed.transaction() as session:
        cursors.start_over(session, sandbox.now())
    pull.whole_account()
    now_stored = read_progress(claimed)
    assert (now_stored.complete, now_stored.put_aside) == (True, 0)
    assert truth.differences(sandbox) == []


class TimelessAccount(AlteredAccount):
    """An account with an event whose time no database can hold."""

    values: ClassVar[dict[str, dict[str, Any]]] = {"/v1/events": {"created": 2**63}}


def test_an_event_that_cannot_be_stored_is_put_aside_and_the_others_are_told(
    claimed: ModuleType, sandbox: Sandbox
) -> None:
    account = TimelessAccount(sandbox.key, sandbox.url)
    in_account = {one["id"] for one in truth.every(sandbox, "/v1/events")}
    account.struck = frozenset([max(in_account)])
    client.configure(account)
    pull.whole_account()
    assert read_progress(claimed).complete
    with claimed.session() as session:
        aside = session.exec(select(InboxItem)).all()
        told = set(session.exec(select(Event.id)))
    assert [(one.id, one.type, one.state) for one in aside] == [(max(in_account), "event", "failed")]
    assert told == in_account - account.struck


class HidingAccount(client.StripeAccount):
    """An account with a customer that no list has, and that no database can hold."""

    hidden = ""

    def page(self, path: str, params: client.Params | None = None) -> client.Page:
        found = super().page(path, params)
        return replace(found, objects=[one for one in found.objects if one["id"] != self.hidden])

    def read(self, path: str, params: client.Params | None = None) -> client.Answer:
        found = super().read(path, params)
        if path.endswith(self.hidden):
            found.object["created"] = 2**63
        return found


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("room", "during"), [(pull, "_stored_row_by_row"), (pull.orphans, "adopt"), (pull.vanished, "read_again")]
)
def test_what_is_written_beside_the_pages_is_not_written_either_once_the_lock_is_given_away(
    claimed: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, room: ModuleType, during: str
) -> None:
    if during == "read_again":
        pull.whole_account()
        sandbox.client().v1.customers.delete(truth.every(sandbox, "/v1/subscriptions")[0]["customer"])
        sandbox.advance(days=40)
        poll.once()
    if during == "adopt":
        hiding = HidingAccount(sandbox.key, sandbox.url)
        hiding.hidden = truth.every(sandbox, "/v1/subscriptions")[0]["customer"]
        client.configure(hiding)
    if during == "_stored_row_by_row":
        poisoned = PoisonedAccount(sandbox.key, sandbox.url)
        poisoned.struck = frozenset([truth.every(sandbox, "/v1/prices")[-1]["id"]])
        client.configure(poisoned)
    whole, before = getattr(room, during), list[object]()

    def lose_the_lock_first(*of: Any) -> Any:
        assert lost_locks.drop(claimed.engine()) == 1
        before.append(written(claimed))
        return whole(*of)

    monkeypatch.setattr(room, during, lose_the_lock_first)
    with pytest.raises(locks.LockLost):
        pull.whole_account()
    assert [written(claimed)] == before


def test_a_customer_that_only_others_name_and_that_cannot_be_stored_holds_up_no_facts(
    claimed: ModuleType, sandbox: Sandbox
) -> None:
    account = HidingAccount(sandbox.key, sandbox.url)
    account.hidden = truth.every(sandbox, "/v1/subscriptions")[0]["customer"]
    client.configure(account)
    pull.whole_account()
    assert read_progress(claimed).complete
    with claimed.session() as session:
        aside = session.get(InboxItem, account.hidden)
        facts = set(session.exec(select(CustomerFacts.customer)))
    assert aside is not None
    assert (aside.state, aside.type) == ("failed", "customer")
    assert facts >= truth.rows(Customer).keys()


def test_a_text_that_no_database_holds_is_stored_without_what_is_not_text(
    claimed: ModuleType, sandbox: Sandbox
) -> None:
    person = truth.every(sandbox, "/v1/customers")[0]["id"]
    sandbox.client().v1.customers.update(person, {"name": "Ann\x00", "metadata": {"a\x00": "b"}})
    pull.whole_account()
    assert read_progress(claimed).complete
    with claimed.session() as session:
        row = session.get(Customer, person)
    assert row is not None
    assert (row.name, row.metadata_["a\ufffd"]) == ("Ann\ufffd", "b")
    sandbox.client().v1.customers.update(person, {"name": "\x00Bob"})
    assert poll.once().drained.failed == 0
    with claimed.session() as session:
        row = session.get(Customer, person)
    assert row is not None
    assert row.name == "\ufffdBob"


@sqlite_only
def test_windows_of_a_resource_that_is_to_be_listed_anew_are_not_saved(
    claimed: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = pull._store

    def start_over_first(pages: list[ReadPage], confirm: locks.Confirm) -> set[str]:
        if pages[0].resource == "charges":
            with claimed.transaction() as session:
                cursors.start_over(session, sandbox.now())
        return store(pages, confirm)

    monkeypatch.setattr(pull, "_store", start_over_first)
    pull.begin()
    pull.resources(["charges"])
    with claimed.session() as session:
        assert cursors.of(session, "charges").state == "waiting"
        assert session.exec(select(SyncWindow)).all() == []


@pytest.mark.parametrize("after", [0, 3])
def test_what_nobody_foresaw_while_writing_ends_the_pull_and_the_next_one_completes(
    claimed: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr("services.stripe_api.client.PAGE_SIZE", 5)  # more pages than there is room for
    stores, store = itertools.count(), pull._store

    def fail(pages: list[ReadPage], confirm: locks.Confirm) -> set[str]:
        if next(stores) >= after:
            raise ZeroDivisionError
        return store(pages, confirm)

    with monkeypatch.context() as broken:
        broken.setattr(pull, "_store", fail)
        with pytest.raises(ZeroDivisionError):
            pull.whole_account()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pull-")]
    assert next(stores) == after + 1
    assert not read_progress(claimed).complete
    with locks.alone("pull") as free:
        assert free
    pull.whole_account()
    assert read_progress(claimed).complete
    assert truth.differences(sandbox) == []


@sqlite_only
def test_what_changes_during_the_pull_comes_with_the_events(claimed: ModuleType, sandbox: Sandbox) -> None:
    pull.begin()
    pull.resources(["customers", "subscriptions", "invoices"])
    sandbox.advance(days=25)
    pull.whole_account()
    poll.once()
    assert truth.differences(sandbox) == []


@sqlite_only
def test_a_gap_longer_than_stripe_keeps_events_is_listed_again(pulled: ModuleType, sandbox: Sandbox) -> None:
    subscribed = truth.every(sandbox, "/v1/subscriptions")[0]
    sandbox.client().v1.customers.delete(subscribed["customer"])
    sandbox.advance(days=40)
    poll.once()
    assert not read_progress(pulled).complete
    pull.whole_account()
    with pulled.session() as session:
        gone = session.get(Customer, subscribed["customer"])
        assert gone is not None
        assert gone.deleted
    before = len(sandbox.requests())
    pull.finish()
    assert len(sandbox.requests()) == before
    poll.once()
    assert read_progress(pulled).complete
    assert truth.differences(sandbox) == []


def test_a_customer_that_is_gone_stays_as_a_tombstone_with_its_history(
    claimed: ModuleType, sandbox: Sandbox
) -> None:
    subscribed = truth.every(sandbox, "/v1/subscriptions")[0]
    sandbox.client().v1.customers.delete(subscribed["customer"])
    pull.whole_account()
    with claimed.session() as session:
        gone = session.get(Customer, subscribed["customer"])
        facts = session.get(CustomerFacts, subscribed["customer"])
        kept = session.get(Subscription, subscribed["id"])
    assert gone is not None
    assert gone.deleted
    assert 0 < gone.created <= subscribed["created"]
    assert facts is not None
    assert (facts.deleted, facts.status, facts.mrr_micros) == (True, "canceled", 0)
    assert kept is not None
    assert kept.status == "canceled"


def test_the_timeline_has_the_events_that_stripe_still_keeps(pulled: ModuleType, sandbox: Sandbox) -> None:
    in_account = {one["id"]: one for one in truth.every(sandbox, "/v1/events")}
    with pulled.session() as session:
        kept = {row.id: row for row in session.exec(select(Event))}
    assert kept.keys() == in_account.keys()
    assert all(row.type == in_account[id]["type"] for id, row in kept.items())
    disputes = [row for row in kept.values() if row.object_type in ("dispute", "refund")]
    assert all(row.customer for row in disputes)
    told = json.dumps([row.facts for row in kept.values()])
    people = truth.rows(Customer).values()
    assert not any(person[name] and person[name] in told for person in people for name in ("name", "email"))
    moved = [row for row in kept.values() if "status" in row.facts.get("was", {})]
    assert moved
    assert all(row.facts["status"] != row.facts["was"]["status"] for row in moved)


@sqlite_only
def test_a_resource_that_the_key_may_not_read_is_named_and_the_rest_is_pulled(
    claimed: ModuleType, sandbox: Sandbox
) -> None:
    rights = {kind.path.split("/")[2]: "read" for kind in shapes.KINDS.values() if kind.path}
    sandbox.restrict("rk_test_most", **{**rights, "disputes": "none", "events": "read"})
    client.configure(client.connect("rk_test_most", sandbox.url))
    pull.whole_account()
    done = read_progress(claimed)
    assert done.complete
    assert done.denied == ("disputes",)
    assert "disputes read" in next(one.error for one in done.resources if one.resource == "disputes")
    sandbox.restrict("rk_test_most", **{**rights, "account": "read", "events": "read"})
    with claimed.transaction() as session:
        identity.claim(session, identity.ask(config.Settings(_env_file=None)))
    pull.whole_account()
    assert read_progress(claimed).denied == ()
    assert truth.differences(sandbox) == []


@sqlite_only
def test_a_key_that_may_not_read_customers_stops_nothing_else(claimed: ModuleType, sandbox: Sandbox) -> None:
    rights = {kind.path.split("/")[2]: "read" for kind in shapes.KINDS.values() if kind.path}
    sandbox.restrict("rk_test_nobody", **{**rights, "customers": "none", "events": "read"})
    client.configure(client.connect("rk_test_nobody", sandbox.url))
    pull.whole_account()
    done = read_progress(claimed)
    assert done.complete
    assert done.denied == ("customers",)
    subscription = truth.every(sandbox, "/v1/subscriptions")[0]["id"]
    sandbox.client().v1.subscriptions.update(subscription, {"metadata": {"seen": "yes"}})
    assert poll.once().drained.failed == 0
    with claimed.session() as session:
        row = session.get(Subscription, subscription)
        assert row is not None
        assert row.metadata_["seen"] == "yes"


@sqlite_only
def test_a_key_that_may_not_read_events_pulls_the_rest_and_says_so(
    claimed: ModuleType, sandbox: Sandbox
) -> None:
    rights = {kind.path.split("/")[2]: "read" for kind in shapes.KINDS.values() if kind.path}
    sandbox.restrict("rk_test_blind", **rights)
    client.configure(client.connect("rk_test_blind", sandbox.url))
    pull.whole_account()
    done = read_progress(claimed)
    assert done.complete
    assert done.denied == ("events",)
    assert len(truth.rows(Customer)) > 20
    assert abs(cursors.feed() - sandbox.now()) < 60
    with pytest.raises(failures.RightMissing):
        poll.once()
    assert "events read" in read_progress(claimed).last_error


@sqlite_only
def test_why_a_pull_cannot_even_begin_is_said(claimed: ModuleType, sandbox: Sandbox) -> None:
    sandbox.fault("500_before", path="/v1/events")
    with pytest.raises(failures.StripeUnavailable):
        pull.whole_account()
    assert not cursors.begun()
    assert "error of its own" in read_progress(claimed).last_error


@sqlite_only
def test_a_pull_under_a_rate_limit_waits_and_is_whole(claimed: ModuleType, sandbox: Sandbox) -> None:
    sandbox.fault("429", path="/v1/charges", count=3, reason="endpoint-rate")
    sandbox.fault("429", path="/v1/invoices", count=2, reason="global-rate")
    sandbox.fault("500_before", probability=0.1, seed=3, count=2)  # whoever is struck is tried three times
    pull.whole_account()
    sandbox.heal()
    assert truth.differences(sandbox) == []


def test_older_shapes_make_the_same_rows(claimed: ModuleType, sandbox: Sandbox) -> None:
    sandbox.fault("shape_old")
    pull.whole_account()
    sandbox.heal()
    assert truth.differences(sandbox) == []


@sqlite_only
def test_whose_account_it_is(claimed: ModuleType, sandbox: Sandbox) -> None:
    with claimed.session() as session:
        workspace = session.get(Workspace, 1)
        assert workspace is not None
        assert (workspace.account, workspace.mode) == (sandbox.state()["account"], "sandbox")


@sqlite_only
def test_another_account_or_mode_is_refused_by_name(claimed: ModuleType, sandbox: Sandbox) -> None:
    mine = identity.ask(config.Settings(_env_file=None))
    for other in (
        identity.Identity("acct_other", "", "sandbox"),
        identity.Identity(mine.account, "", "live"),
    ):
        with pytest.raises(WrongAccount) as caught, claimed.transaction() as session:
            identity.claim(session, other)
        assert mine.account in caught.value.held
        assert str(other) == caught.value.given


@sqlite_only
def test_a_key_that_may_not_say_whose_it_is_needs_a_setting(claimed: ModuleType, sandbox: Sandbox) -> None:
    sandbox.restrict("rk_test_silent", customers="read")
    client.configure(client.connect("rk_test_silent", sandbox.url))
    with pytest.raises(ConfigurationError, match=r"lacks the right “account read”\. Set STRIPE_ACC"):
        identity.ask(config.Settings(_env_file=None))
    told = config.Settings(_env_file=None, stripe_account_id="acct_told")
    assert identity.ask(told).account == "acct_told"


@sqlite_only
def test_a_setting_that_contradicts_the_key_is_refused(claimed: ModuleType, sandbox: Sandbox) -> None:
    told = config.Settings(_env_file=None, stripe_account_id="acct_other")
    with pytest.raises(ConfigurationError, match="acct_other"):
        identity.ask(told)


@sqlite_only
def test_the_desk_follows_the_sandboxes_clock(database: ModuleType, sandbox: Sandbox) -> None:
    sandbox.advance(days=100)
    identity.ask(config.Settings(_env_file=None))
    assert abs(identity.clock.now() - sandbox.now()) <= 3


def test_an_empty_account_is_complete_too(database: ModuleType, tmp_path: pytest.TempPathFactory) -> None:
    with start_sandbox(tmp_path) as empty:  # type: ignore[arg-type]
        client.configure(client.connect(empty.key, empty.url))
        pull.whole_account()
        done = read_progress(database)
        assert done.complete
        assert done.objects == 0
        with database.session() as session:
            assert len(session.exec(select(SyncCursor)).all()) == len(cursors.RESOURCES) + 2
    client.configure(None)
