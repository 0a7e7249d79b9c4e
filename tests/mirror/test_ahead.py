"""Nothing is of a time that has not come by Stripe's clock: what claims to be keeps nothing out."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from sqlmodel import select

from models import Customer, Discount, Drift, Event, InboxItem, Subscription, SubscriptionItem
from services import clock
from services.mirror import inbox, one_customer, poll, pull, reconcile
from tests.mirror import truth
from tests.mirror.conftest import sqlite_only
from tests.mirror.test_reconcile import damage, first
from tests.support.sandbox import Sandbox

YEAR = 366 * clock.DAY
Told = dict[str, Any]


def event(id: str, type: str, about: Told, created: int) -> Told:
    return {"id": id, "object": "event", "type": type, "created": created, "data": {"object": about}}


def take_in(database: ModuleType, *found: Told) -> None:
    with database.transaction() as session:
        assert inbox.put(session, found, "webhook") == len(found)


def test_an_event_from_the_future_has_its_object_read_and_freezes_no_row(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    renamed, alive, *_ = truth.every(sandbox, "/v1/customers")
    later = sandbox.now() + YEAR
    take_in(
        pulled,
        event("evt_1", "customer.updated", {**renamed, "name": "Of next year"}, later),
        event("evt_2", "customer.deleted", alive, later),
    )
    assert inbox.drain() == inbox.Drained(applied=2)
    with pulled.session() as session:
        row = session.get_one(Customer, renamed["id"])
        assert (row.name, row.as_of <= sandbox.now()) == (renamed["name"], True)
        assert session.get(Event, "evt_1") is None, "the timeline tells nothing of next year"
    sandbox.client().v1.customers.update(renamed["id"], {"name": "Of today"})
    poll.once()
    assert truth.differences(sandbox) == []
    inbox.forget(sandbox.now() + clock.DAY)
    with pulled.session() as session:
        assert session.get(InboxItem, "evt_1") is None, "its payload is not kept for longer than others"


def test_an_event_from_the_future_about_what_cannot_be_read_lies_aside(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    later = sandbox.now() + YEAR
    discount = {"object": "discount", "id": "di_1", "start": 1, "source": {"coupon": "HALF"}}
    take_in(
        pulled,
        event("evt_1", "customer.discount.created", discount, later),
        event("evt_2", "payout.paid", {"object": "payout", "id": "po_1"}, later),
    )
    assert inbox.drain() == inbox.Drained(failed=2)
    with pulled.session() as session:
        assert session.get(Discount, "di_1") is None
        reasons = session.exec(select(InboxItem.error)).all()
    assert all("dated later than it is by Stripe's clock" in why for why in reasons)


@sqlite_only
def test_events_that_come_before_we_know_that_the_clock_was_moved_are_taken_as_they_are(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    sandbox.advance(days=2)
    made = sandbox.client().v1.products.create({"name": "Late"}).id
    [told] = [one for one in truth.every(sandbox, "/v1/events") if one["data"]["object"]["id"] == made]
    take_in(pulled, told)
    before = len(sandbox.requests(method="GET"))
    assert inbox.drain() == inbox.Drained(applied=1)
    asked = [one["path"] for one in sandbox.requests(method="GET")[before:]]
    assert asked == ["/v1/events"], "what time it is"
    with pulled.session() as session:
        assert session.get(Event, told["id"]) is not None


def freeze(database: ModuleType, sandbox: Sandbox, running: Subscription) -> None:
    """A subscription and its customer are wrong, as of next year."""
    values = {"later": sandbox.now() + YEAR, "id": running.id, "customer": running.customer}
    damage(database, "UPDATE customers SET as_of = :later, name = 'Odd' WHERE id = :customer", **values)
    damage(database, "UPDATE subscriptions SET as_of = :later, status = 'unpaid' WHERE id = :id", **values)
    items = "UPDATE subscription_items SET as_of = :later, quantity = 77 WHERE subscription = :id"
    damage(database, items, **values)


def running_of_one_item(database: ModuleType) -> Subscription:
    with database.session() as session:
        found = session.exec(select(Subscription).where(Subscription.status == "active")).all()
        items = session.exec(select(SubscriptionItem.subscription)).all()
    return next(one for one in found if items.count(one.id) == 1)


@pytest.mark.parametrize("way", ["sync", "reconcile", "listing", "event"])
def test_a_row_from_the_future_is_won_back(pulled: ModuleType, sandbox: Sandbox, way: str) -> None:
    running = running_of_one_item(pulled)
    freeze(pulled, sandbox, running)
    resources = {"customers", "subscriptions", "subscription_items"}
    if way == "sync":
        assert resources <= {one.resource for one in one_customer.read(running.customer).changes}
    elif way == "reconcile":
        assert reconcile.run()["drifts"] == 3
        with pulled.session() as session:
            found = session.exec(select(Drift)).all()
        assert {one.resource for one in found} == resources
        assert all("dated later than Stripe’s clock" in one.cause for one in found)
    elif way == "listing":
        pull.whole_account(anew=True)
    else:
        stripe = sandbox.client().v1
        stripe.customers.update(running.customer, {"description": "known"})
        stripe.subscriptions.update(running.id, {"metadata": {"a": "b"}})
        poll.once()
    assert truth.differences(sandbox) == []


@sqlite_only
def test_a_row_from_the_future_that_no_list_holds_is_read(pulled: ModuleType, sandbox: Sandbox) -> None:
    lost = "UPDATE customers SET id = 'cus_ghost', as_of = as_of + :year WHERE id = :id"
    damage(pulled, lost, id=first(pulled, Customer).id, year=YEAR)
    assert reconcile.run()["complete"]
    with pulled.session() as session:
        assert session.get_one(Customer, "cus_ghost").deleted
