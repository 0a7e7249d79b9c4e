"""What was put aside is stored once it can be, from Stripe or as it lies there; else its reason is kept."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from sqlmodel import select

from models import Customer, Event, InboxItem
from services import clock, database
from services.mirror import again, aside, health, inbox, poll
from services.mirror.shapes import UnreadableObject
from tests.mirror import truth
from tests.support.sandbox import Sandbox


def lay_aside(kind: str, id: str, **source: Any) -> None:
    with database.transaction() as session:
        error = UnreadableObject(kind, id, "no 'name'")
        aside.keep(session, {"id": id, "object": kind, **source}, error, clock.now() - 50)
        session.connection().execute(sa.text("UPDATE inbox SET received_at = received_at - 900"))


def queue(*ids: str) -> again.Queued:
    with database.transaction() as session:
        return again.queue(session, ids)


def item(id: str) -> InboxItem:
    with database.session() as session:
        return session.exec(select(InboxItem).where(InboxItem.id == id)).one()


def test_an_object_is_read_again_from_stripe(pulled: ModuleType, sandbox: Sandbox) -> None:
    made = sandbox.client().v1.customers.create({"name": "Late"}).id
    lay_aside("customer", made)
    queued = queue(made)
    assert ([row.id for row in queued.again], queued.not_readable) == ([made], ())
    assert item(made).state == "pending"
    with pulled.session() as session:
        waits_since = health.inbox(session).oldest
        assert waits_since is not None and clock.now() - waits_since < 30, "it waits from now on"
    assert inbox.drain().failed == 0
    with pulled.session() as session:
        customer = session.get(Customer, made)
        assert customer is not None and customer.name == "Late"
        assert session.get(Event, made) is None, "a request of ours is no event of Stripe's"


def test_an_event_is_tried_as_it_lies_there(pulled: ModuleType, sandbox: Sandbox) -> None:
    sandbox.client().v1.customers.create({"name": "Told"})
    event = truth.every(sandbox, "/v1/events")[0]
    broken = {"id": event["id"], "created": event["created"], "type": event["type"]}
    with pulled.transaction() as session:
        inbox.put(session, [broken], "replay")
    assert inbox.drain().failed == 1
    first = item(event["id"])
    assert first.tried_at is not None and first.attempts == 1
    queue(event["id"])
    assert inbox.drain().failed == 1, "it is no better than before"
    assert item(event["id"]).attempts == 2
    with pulled.transaction() as session:
        session.merge(InboxItem(**{**item(event["id"]).model_dump(), "payload": json.dumps(event)}))
    queue(event["id"])
    assert inbox.drain().failed == 0
    assert item(event["id"]).state == "applied"


def test_what_nothing_can_read_alone_stays_with_its_reason(pulled: ModuleType, sandbox: Sandbox) -> None:
    lay_aside("discount", "di_1")
    queued = queue("di_1", "di_unknown")
    assert (queued.again, [row.id for row in queued.not_readable]) == ((), ["di_1"])
    assert (item("di_1").state, "di_1" in item("di_1").error) == ("failed", True)


def test_what_is_ignored_is_no_longer_counted_and_can_still_be_tried(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    made = sandbox.client().v1.customers.create({"name": "Late"}).id
    lay_aside("customer", made)
    with pulled.transaction() as session:
        assert [row.id for row in again.ignore(session, [made, "cus_none"])] == [made]
    lay_aside("customer", made)
    with pulled.session() as session:
        found = health.inbox(session)
        assert (found.failed, found.ignored) == (0, 1), "seen again it stays ignored"
        assert aside.told(session)[0] == 0
    queue(made)
    inbox.drain()
    with pulled.session() as session:
        assert session.get(Customer, made) is not None
        assert health.inbox(session).ignored == 0


def test_what_fails_once_more_after_it_was_stored_lies_aside_again(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    made = sandbox.client().v1.customers.create({"name": "Late"}).id
    lay_aside("customer", made)
    queue(made)
    lay_aside("customer", made)
    assert item(made).state == "failed", "what it asked for was replaced by what came in"
    queue(made)
    assert poll.settle() == inbox.Drained(applied=1)
    assert item(made).state == "applied"
    lay_aside("customer", made)
    assert item(made).state == "failed"
