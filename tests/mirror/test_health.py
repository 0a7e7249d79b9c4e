"""Each part of the mirror is told as it stands, and whatever is wrong in a sentence."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from models import Customer, Event, InboxItem, SyncCursor, SyncWindow, Workspace
from services import clock, config
from services.mirror import cursors, health, inbox, trust


@pytest.fixture
def whole(database: ModuleType) -> ModuleType:
    """A database that has pulled its account, a moment ago."""
    now = clock.now()
    with database.transaction() as session:
        session.add(Workspace(account="acct_1", mode="sandbox", pulled_at=now - 500, checked_at=now - 1))
        for name in (*cursors.RESOURCES, cursors.DERIVED):
            session.add(SyncCursor(resource=name, state="complete", finished_at=now - 500))
        session.add(SyncCursor(resource=cursors.FEED, state="running", cursor=str(now - 1)))
    return database


def wrong(database: ModuleType) -> list[str]:
    with database.session() as session:
        return [one.message for one in trust.problems(session)]


def put(database: ModuleType, *rows: Any) -> None:
    with database.transaction() as session:
        for row in rows:
            session.merge(row)


def payload(id: str, **given: Any) -> InboxItem:
    now = clock.now()
    return InboxItem(**{"id": id, "source": "poll", "created": now, "received_at": now, **given})


def test_nothing_is_wrong_with_a_whole_and_fresh_database(whole: ModuleType) -> None:
    assert wrong(whole) == []


def test_rows_are_counted_without_what_was_deleted(whole: ModuleType) -> None:
    now = clock.now()
    put(whole, Customer(id="cus_1", created=now), Customer(id="cus_2", created=now, deleted=True))
    put(whole, Event(id="evt_1", created=now))
    with whole.session() as session:
        found = health.stored(session)
    assert (found["customers"], found["events"], found["invoices"]) == (1, 1, 0)


def test_a_listing_says_how_far_back_it_is(whole: ModuleType) -> None:
    put(
        whole,
        SyncCursor(resource="invoices", state="running"),
        SyncWindow(resource="invoices", number=1, reached=700, low=600),
        SyncWindow(resource="invoices", number=2, reached=500),
        SyncWindow(resource="invoices", number=3, reached=100, done=True),
    )
    with whole.session() as session:
        rows = {one.resource: one for one in health.resources(session, health.stored(session))}
    assert (rows["invoices"].back_to, rows["invoices"].parts) == (500, 2)
    assert (rows["charges"].state, rows["charges"].back_to) == ("complete", None)
    assert wrong(whole) == [
        f"The account has not been pulled to its end yet: 1 of {len(cursors.RESOURCES)} resources are left."
    ]


def test_the_feed_and_the_inbox_are_told(whole: ModuleType) -> None:
    now = clock.now()
    put(
        whole,
        Event(id="evt_1", created=now - 70, type="customer.created"),
        Event(id="evt_2", created=now - 60, type="invoice.paid"),
        payload("evt_1", source="webhook", state="applied", applied_at=now),
        payload("evt_2", state="applied", applied_at=now - 2 * health.HOUR),
        payload("evt_3", source="webhook", created=now - 2 * health.HOUR),
        payload("evt_4", state="ignored"),
    )
    with whole.session() as session:
        feed, payloads = health.feed(session), health.inbox(session)
    assert (feed.last_type, feed.last_at) == ("invoice.paid", now - 60)
    assert (feed.by_webhook, feed.by_poll) == (1, 2)
    assert (payloads.pending, payloads.applied, payloads.failed, payloads.ignored) == (1, 1, 0, 1)


def test_a_delivery_of_what_a_look_had_brought_before_counts_as_one(whole: ModuleType) -> None:
    now = clock.now()
    events = [{"id": f"evt_{number}", "created": now - number} for number in range(3)]
    with whole.transaction() as session:
        assert inbox.put(session, events, "poll") == 3
        assert health.deliveries(session).last is None
    clock.follow(clock.offset() + 2 * health.HOUR)
    later = [{"id": "evt_later", "created": clock.now()}]
    with whole.transaction() as session:
        assert inbox.put(session, later, "poll") == 1
        assert inbox.put(session, events[:2], "webhook") == 0
        assert inbox.put(session, [*events, *later], "poll") == 0
        told = health.deliveries(session)
        feed = health.feed(session)
    assert told.last is not None
    assert now + 2 * health.HOUR <= told.last <= clock.now()
    assert not told.ceased
    assert (feed.by_webhook, feed.by_poll) == (0, 1)
    with whole.transaction() as session:
        inbox.put(session, later, "webhook")
        feed = health.feed(session)
    assert (feed.by_webhook, feed.by_poll) == (1, 0)


def test_what_lies_aside_comes_page_by_page_the_last_tried_first(whole: ModuleType) -> None:
    now = clock.now()
    for number in range(5):
        put(whole, payload(f"evt_{number}", state="failed", error="Why", tried_at=now + number, attempts=2))
    put(whole, payload("evt_old", state="failed", received_at=now + 3))
    with whole.session() as session:
        first = health.set_aside(session, "failed", offset=0, limit=3)
        second = health.set_aside(session, "failed", offset=3, limit=3)
    assert [one.id for one in first + second] == ["evt_4", "evt_3", "evt_old", "evt_2", "evt_1", "evt_0"]
    assert (first[0].last_at, first[0].attempts, first[0].reason) == (now + 4, 2, "Why")


def test_whatever_is_wrong_is_said_the_gravest_first(whole: ModuleType) -> None:
    put(
        whole,
        SyncCursor(resource="invoices", state="failed", error="Stripe does not answer."),
        SyncCursor(resource="credit_notes", state="denied", error="It lacks a right."),
        payload("evt_1", state="failed"),
        payload("evt_2", received_at=clock.now() - 700),
    )
    assert wrong(whole) == [
        "Invoices could not be read: Stripe does not answer.",
        "The key may not read credit notes. It lacks a right.",
        "One object or event could not be stored and lies aside.",
        "1 payloads wait in the inbox, the oldest for 11 minutes.",
    ]


def test_events_that_are_not_read_are_a_problem_and_a_long_gap_another(
    whole: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "settings", lambda: config.Settings(_env_file=None))
    put(whole, SyncCursor(resource=cursors.FEED, state="running", cursor=str(clock.now() - 3600)))
    assert wrong(whole) == ["The events are not being read."]
    put(whole, SyncCursor(resource=cursors.FEED, state="running", cursor=str(clock.now() - 40 * clock.DAY)))
    [said] = wrong(whole)
    assert "last 40 days have not been read" in said


def test_an_error_that_a_resource_tells_is_said_once(whole: ModuleType) -> None:
    put(whole, SyncCursor(resource="invoices", state="failed", error="Stripe does not answer."))
    with whole.transaction() as session:
        session.get(Workspace, 1).last_error = "The key is wrong."
    assert wrong(whole) == ["Invoices could not be read: Stripe does not answer."]
