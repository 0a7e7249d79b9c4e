"""The inbox: kept once, applied in any order, and what cannot be applied stays with its reason."""

from __future__ import annotations

import json
import random
from types import ModuleType
from typing import Any

import pytest
from sqlmodel import select

from models import (
    Customer,
    CustomerFacts,
    Event,
    InboxItem,
    Invoice,
    Product,
    Subscription,
)
from services.mirror import aside, inbox, poll
from services.stripe_api import client, failures
from tests.mirror import truth
from tests.mirror.conftest import sqlite_only
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.both_databases


def active(sandbox: Sandbox) -> dict[str, Any]:
    return next(one for one in truth.every(sandbox, "/v1/subscriptions") if one["status"] == "active")


def test_shuffled_and_doubled_events_make_no_difference(pulled: ModuleType, sandbox: Sandbox) -> None:
    since = sandbox.now()
    sandbox.advance(days=12)
    found = truth.every(sandbox, "/v1/events", {"created": {"gte": since - 200}})
    assert len(found) > 20
    for seed in range(2):
        some = [*found, *found[:40]]
        random.Random(seed).shuffle(some)
        for at in range(0, len(some), 20):
            with pulled.transaction() as session:
                inbox.put(session, _once_each(some[at : at + 20]), "replay")
            if at % 60 == 0:
                inbox.drain(batch=15)
    settled = poll.settle()
    assert (settled.failed, settled.deferred) == (0, 0)
    poll.once()
    assert truth.differences(sandbox) == []


@sqlite_only
def test_a_customer_that_could_not_be_read_is_read_at_the_next_look(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    """A test clock's customer is in no list and no event; and a plan was renamed in the same look."""
    paying = active(sandbox)
    product = paying["items"]["data"][0]["price"]["product"]
    with pulled.transaction() as session:
        for model in (Customer, CustomerFacts):
            session.delete(session.get(model, paying["customer"]))
    stripe = sandbox.client().v1
    stripe.products.update(product, {"name": "Squad"})
    stripe.subscriptions.update(paying["id"], {"metadata": {"a": "b"}})
    sandbox.fault("500_before", path="/v1/customers")
    assert poll.once().drained.unread == 1
    with pulled.session() as session:
        plans = session.exec(select(CustomerFacts.plan).where(CustomerFacts.product == product)).all()
    assert plans
    assert all(plan.startswith("Squad, ") for plan in plans)
    sandbox.heal()
    sandbox.advance(seconds=20)
    assert poll.once().received == 0
    with pulled.session() as session:
        facts = session.get(CustomerFacts, paying["customer"])
    assert facts is not None
    assert facts.status == "active"
    assert truth.differences(sandbox) == []


def test_what_cannot_be_understood_is_kept_with_its_reason(pulled: ModuleType, sandbox: Sandbox) -> None:
    now = sandbox.now()
    odd = {"object": "discount", "id": "di_odd", "start": "yesterday?", "source": 5}
    payloads = [
        {"id": "evt_1", "created": now, "type": "customer.updated"},
        {
            "id": "evt_2",
            "created": now,
            "type": "customer.discount.updated",
            "data": {"object": {**odd, "start": None}},
        },
        {
            "id": "evt_3",
            "created": now,
            "type": "something.new",
            "data": {"object": {"object": "novelty", "id": "n_1"}},
        },
    ]
    del payloads[1]["data"]["object"]["start"]  # type: ignore[index]
    with pulled.transaction() as session:
        assert inbox.put(session, payloads, "replay") == 3
    assert inbox.drain() == inbox.Drained(applied=1, failed=2)
    with pulled.session() as session:
        kept = {row.id: row for row in session.exec(select(InboxItem))}
    assert [kept[f"evt_{n}"].state for n in (1, 2, 3)] == ["failed", "failed", "applied"]
    assert kept["evt_1"].error == "This is not an event as Stripe sends them: it has no “data”."
    assert "di_odd" in kept["evt_2"].error
    assert json.loads(kept["evt_2"].payload)["id"] == "evt_2"


def test_what_the_database_refuses_is_marked_and_the_rest_is_applied(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    now = sandbox.now()
    source = {**truth.every(sandbox, "/v1/products")[0], "id": "prod_1"}

    def told(number: int, **fields: object) -> dict[str, Any]:
        event = {"id": f"evt_{number}", "created": now + number, "type": "product.updated"}
        return {**event, "data": {"object": {**source, "id": f"prod_{number}", **fields}}}

    with pulled.transaction() as session:
        found = [
            told(1),
            told(2, created=2**63),
            told(3, name="\x00"),
            told(4),
            told(5) | {"created": -(2**70)},
        ]
        assert inbox.put(session, found, "replay") == 5
    assert inbox.drain() == inbox.Drained(applied=3, failed=2)
    assert inbox.drain() == inbox.Drained()
    with pulled.session() as session:
        kept = {row.id: row for row in session.exec(select(InboxItem))}
        names = {number: session.get(Product, f"prod_{number}") for number in (1, 2, 3, 4)}
        assert session.get(Product, "prod_5") is None
    states = [kept[f"evt_{n}"].state for n in (1, 2, 3, 4, 5)]
    assert states == ["applied", "failed", "applied", "applied", "failed"]
    for id in ("evt_2", "evt_5"):
        assert kept[id].error.startswith(f"The event “{id}” holds something that the database cannot store.")
    assert [row and row.name for row in names.values()] == [source["name"], None, "\ufffd", source["name"]]


@sqlite_only
def test_a_snapshot_that_fits_no_version_is_read_again(pulled: ModuleType, sandbox: Sandbox) -> None:
    paying = active(sandbox)
    sandbox.client().v1.subscriptions.update(paying["id"], {"metadata": {"seen": "yes"}})
    strange = {"object": "subscription", "id": paying["id"], "state": "active"}
    event = {"id": "evt_strange", "created": sandbox.now(), "type": "customer.subscription.updated"}
    with pulled.transaction() as session:
        inbox.put(session, [{**event, "data": {"object": strange}}], "replay")
    assert poll.settle().failed == 0
    with pulled.session() as session:
        row = session.get(Subscription, paying["id"])
        assert row is not None
        assert row.metadata_ == {**paying["metadata"], "seen": "yes"}


def test_a_second_that_does_not_come_ends_the_wait_and_makes_no_row_newer_than_its_answer(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    paying = active(sandbox)
    sandbox.client().v1.subscriptions.update(paying["id"], {"metadata": {"seen": "yes"}})
    strange = {"object": "subscription", "id": paying["id"], "state": "active"}
    event = {"id": "evt_ahead", "created": sandbox.now() + 120, "type": "customer.subscription.updated"}
    with pulled.transaction() as session:
        inbox.put(session, [{**event, "data": {"object": strange}}], "replay")
    drained = [inbox.drain() for _ in range(21)]
    assert drained == [inbox.Drained(deferred=1)] * 20 + [inbox.Drained(applied=1)]
    with pulled.session() as session:
        row = session.get(Subscription, paying["id"])
    assert row is not None and row.as_of <= sandbox.now()
    assert row.metadata_ == {**paying["metadata"], "seen": "yes"}


@sqlite_only
def test_where_nothing_can_be_read_events_stay_pending(pulled: ModuleType, sandbox: Sandbox) -> None:
    sandbox.advance(days=9)
    poll.fetch()
    sandbox.fault("500_before", path="/v1/")
    with pytest.raises(failures.StripeUnavailable):
        poll.settle()
    with pulled.session() as session:
        assert session.exec(select(InboxItem).where(InboxItem.state == "pending")).first() is not None
    sandbox.heal()
    assert poll.settle().failed == 0
    assert truth.differences(sandbox) == []


@sqlite_only
def test_the_forecast_of_an_invoice_is_no_invoice(pulled: ModuleType, sandbox: Sandbox) -> None:
    invoice = truth.every(sandbox, "/v1/invoices")[0]
    forecast = {**invoice, "id": "upcoming_in_1"}
    event = {"id": "evt_forecast", "created": sandbox.now(), "type": "invoice.upcoming"}
    with pulled.transaction() as session:
        inbox.put(session, [{**event, "data": {"object": forecast}}], "replay")
    inbox.drain()
    with pulled.session() as session:
        assert session.get(Invoice, "upcoming_in_1") is None
        assert session.get(Event, "evt_forecast") is not None


def test_payloads_that_wait_for_nothing_are_forgotten_and_rows_stay(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    sandbox.client().v1.customers.create({"name": "Short memory"})
    poll.once()
    with pulled.transaction() as session:
        aside.keep(session, {"id": "cus_odd", "object": "customer"}, ValueError(), sandbox.now())
        assert inbox.put(session, [{"id": "evt_odd", "created": sandbox.now()}], "poll") == 1
    assert inbox.drain().failed == 1
    with pulled.transaction() as session:
        assert inbox.put(session, [{"id": "evt_new", "created": sandbox.now()}], "poll") == 1
    with pulled.session() as session:
        assert session.exec(select(InboxItem)).first() is not None
        events = len(session.exec(select(Event)).all())
    inbox.forget(sandbox.now() + 10)
    with pulled.session() as session:
        assert session.exec(select(InboxItem.id)).all() == ["evt_new"]
        assert len(session.exec(select(Event)).all()) == events


@sqlite_only
def test_a_key_that_may_not_read_one_object_does_not_hold_up_the_rest(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    sandbox.advance(days=8)
    rights = dict.fromkeys(("events", "customers", "subscriptions", "charges", "payment_intents"), "read")
    sandbox.restrict("rk_test_few", **rights)
    client.configure(client.connect("rk_test_few", sandbox.url))
    looked = poll.once()
    assert looked.drained.failed > 0
    assert looked.drained.applied > looked.drained.failed
    with pulled.session() as session:
        failed = session.exec(select(InboxItem).where(InboxItem.state == "failed")).all()
    assert all("invoices read" in row.error for row in failed)


def _once_each(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({one["id"]: one for one in events}.values())
