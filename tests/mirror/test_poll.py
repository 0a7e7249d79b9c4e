"""Events into tables: after every look the tables equal the account, in whatever order things came."""

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
    InvoiceLine,
    Subscription,
    SubscriptionItem,
    Workspace,
)
from services import clock
from services.mirror import inbox, poll, writer
from services.stripe_api import client, failures
from tests.mirror import truth
from tests.mirror.conftest import sqlite_only
from tests.support.sandbox import Sandbox


def trialing(sandbox: Sandbox) -> dict[str, Any]:
    return next(one for one in truth.every(sandbox, "/v1/subscriptions") if one["status"] == "trialing")


def active(sandbox: Sandbox) -> dict[str, Any]:
    return next(one for one in truth.every(sandbox, "/v1/subscriptions") if one["status"] == "active")


def facts_of(database: ModuleType, customer: str) -> CustomerFacts:
    with database.session() as session:
        found = session.get(CustomerFacts, customer)
    assert found is not None
    return found


@sqlite_only
def test_a_quiet_account_brings_nothing(pulled: ModuleType, sandbox: Sandbox) -> None:
    poll.once()
    again = poll.once()
    assert (again.received, again.drained) == (0, inbox.Drained())


def test_writes_of_every_kind_arrive(pulled: ModuleType, sandbox: Sandbox) -> None:
    stripe, trial, paying = sandbox.client().v1, trialing(sandbox), active(sandbox)
    made = stripe.customers.create({"name": "New", "email": "new@new.example", "metadata": {"source": "ads"}})
    stripe.subscriptions.update(
        trial["id"], {"trial_end": trial["trial_end"] + 86_400 * 5, "proration_behavior": "none"}
    )
    stripe.subscriptions.update(paying["id"], {"cancel_at_period_end": True})
    stripe.subscriptions.update(paying["id"], {"metadata": {"a": "b"}})
    stripe.invoice_items.create({"customer": paying["customer"], "amount": 1200, "currency": "usd"})
    coupon = stripe.coupons.create({"percent_off": 50, "duration": "forever"})
    other = truth.every(sandbox, "/v1/subscriptions")[-1]
    stripe.subscriptions.update(other["id"], {"discounts": [{"coupon": coupon.id}]})
    poll.once()
    assert truth.differences(sandbox) == []
    assert facts_of(pulled, made.id).source == "ads"
    assert facts_of(pulled, trial["customer"]).trial_end == trial["trial_end"] + 86_400 * 5
    assert facts_of(pulled, paying["customer"]).cancel_at == paying["items"]["data"][0]["current_period_end"]


@pytest.mark.parametrize("days", [1, 28])
def test_the_account_lives_on_and_the_tables_follow(pulled: ModuleType, sandbox: Sandbox, days: int) -> None:
    for _ in range(3):
        sandbox.advance(days=days / 3)
        looked = poll.once()
        assert looked.drained.failed == 0
    assert truth.differences(sandbox) == []
    assert abs(clock.now() - sandbox.now()) <= 4
    with pulled.session() as session:
        workspace = session.get(Workspace, 1)
        assert workspace is not None
        assert workspace.checked_at is not None
        assert abs(workspace.checked_at - sandbox.now()) <= 4
        assert workspace.last_error == ""


@sqlite_only
def test_a_trial_that_was_moved_remembers_its_first_end(pulled: ModuleType, sandbox: Sandbox) -> None:
    trial = trialing(sandbox)
    with pulled.session() as session:
        first = session.get(Subscription, trial["id"])
        assert first is not None
        before = first.first_trial_end
    for days in (3, 7):
        moved = {"trial_end": trial["trial_end"] + 86_400 * days, "proration_behavior": "none"}
        sandbox.client().v1.subscriptions.update(trial["id"], moved)
    poll.once()
    with pulled.session() as session:
        after = session.get(Subscription, trial["id"])
        assert after is not None
        assert (after.trial_end, after.first_trial_end) == (trial["trial_end"] + 86_400 * 7, before)


@sqlite_only
def test_what_a_write_returned_is_there_at_once_and_stays(pulled: ModuleType, sandbox: Sandbox) -> None:
    trial = trialing(sandbox)
    wanted = trial["trial_end"] + 86_400
    params = {"trial_end": wanted, "proration_behavior": "none"}
    answer = client.account().write(lambda v1, o: v1.subscriptions.update(trial["id"], params, o), "extend-1")
    assert writer.apply_answer(answer) == {trial["customer"]}
    assert facts_of(pulled, trial["customer"]).trial_end == wanted
    poll.once()
    assert facts_of(pulled, trial["customer"]).trial_end == wanted
    assert truth.differences(sandbox) == []


@sqlite_only
def test_a_replayed_answer_is_not_believed(pulled: ModuleType, sandbox: Sandbox) -> None:
    """An attempt repeated under its key gives the old answer; meanwhile somebody else has canceled."""
    trial = trialing(sandbox)
    params = {"trial_end": trial["trial_end"] + 86_400, "proration_behavior": "none"}
    account = client.account()
    account.write(lambda v1, o: v1.subscriptions.update(trial["id"], params, o), "extend-2")
    sandbox.client().v1.subscriptions.cancel(trial["id"])
    again = account.write(lambda v1, o: v1.subscriptions.update(trial["id"], params, o), "extend-2")
    assert again.object["status"] == "trialing"
    writer.apply_answer(again)
    with pulled.session() as session:
        row = session.get(Subscription, trial["id"])
        assert row is not None
        assert row.status == "canceled"


@sqlite_only
def test_two_writes_in_one_second_end_as_the_account_has_them(pulled: ModuleType, sandbox: Sandbox) -> None:
    paying = active(sandbox)
    for n in range(6):
        sandbox.client().v1.subscriptions.update(paying["id"], {"metadata": {"n": str(n)}})
    poll.once()
    with pulled.session() as session:
        row = session.get(Subscription, paying["id"])
        assert row is not None
        assert row.metadata_["n"] == "5"


def test_a_customer_deleted_meanwhile_is_a_tombstone_for_good(pulled: ModuleType, sandbox: Sandbox) -> None:
    customer = active(sandbox)["customer"]
    before = sandbox.client().raw_request("get", f"/v1/customers/{customer}").data
    sandbox.client().v1.customers.delete(customer)
    poll.once()
    assert truth.differences(sandbox) == []
    with pulled.transaction() as session:
        writer.store(session, [before], sandbox.now() + 100, exact=True)
        row = session.get(Customer, customer)
        assert row is not None
        assert row.deleted
    facts = facts_of(pulled, customer)
    assert (facts.deleted, facts.status, facts.mrr_micros) == (True, "canceled", 0)


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
def test_events_in_an_older_shape_are_understood(pulled: ModuleType, sandbox: Sandbox) -> None:
    sandbox.advance(days=10)
    sandbox.fault("shape_old", path="/v1/events")
    looked = poll.once()
    assert looked.received > 10
    assert looked.drained.failed == 0
    sandbox.heal()
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
    assert "not an event" in kept["evt_1"].error
    assert "di_odd" in kept["evt_2"].error
    assert json.loads(kept["evt_2"].payload)["id"] == "evt_2"


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


@sqlite_only
def test_an_account_that_is_away_loses_nothing(pulled: ModuleType, sandbox: Sandbox) -> None:
    sandbox.advance(days=5)
    sandbox.fault("500_before")
    with pytest.raises(failures.StripeUnavailable):
        poll.once()
    with pulled.session() as session:
        workspace = session.get(Workspace, 1)
        assert workspace is not None
        assert "error of its own" in workspace.last_error
    sandbox.heal()
    poll.once()
    assert truth.differences(sandbox) == []
    with pulled.session() as session:
        workspace = session.get(Workspace, 1)
        assert workspace is not None
        assert workspace.last_error == ""


@sqlite_only
def test_reads_that_fail_leave_their_events_pending(pulled: ModuleType, sandbox: Sandbox) -> None:
    sandbox.advance(days=9)
    poll.fetch()
    sandbox.fault("500_before", path="/v1/invoices/")
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


def test_applied_payloads_are_forgotten_and_rows_stay(pulled: ModuleType, sandbox: Sandbox) -> None:
    sandbox.client().v1.customers.create({"name": "Short memory"})
    poll.once()
    with pulled.session() as session:
        assert session.exec(select(InboxItem)).first() is not None
        events = len(session.exec(select(Event)).all())
    inbox.forget(sandbox.now() + 10)
    with pulled.session() as session:
        assert session.exec(select(InboxItem)).first() is None
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


def test_the_interval_is_short_where_reads_are_free() -> None:
    assert (poll.interval("sandbox", 300), poll.interval("live", 300), poll.interval("test", 1)) == (
        2,
        300,
        1,
    )


@sqlite_only
def test_a_plan_that_is_renamed_is_renamed_everywhere(pulled: ModuleType, sandbox: Sandbox) -> None:
    paying = active(sandbox)
    product = paying["items"]["data"][0]["price"]["product"]
    sandbox.client().v1.products.update(product, {"name": "Squad"})
    poll.once()
    assert facts_of(pulled, paying["customer"]).plan.startswith("Squad, ")


@sqlite_only
def test_more_items_and_lines_than_one_page_are_all_there(pulled: ModuleType, sandbox: Sandbox) -> None:
    stripe, paying = sandbox.client().v1, active(sandbox)
    price = {"currency": "usd", "product": paying["items"]["data"][0]["price"]["product"]}
    items = [
        {"price_data": {**price, "unit_amount": 100 + n, "recurring": {"interval": "month"}}}
        for n in range(15)
    ]
    customer = stripe.customers.create({"name": "Wide"}).id
    method = sandbox.add_card(customer)["id"]
    made = stripe.subscriptions.create(
        {"customer": customer, "items": items, "default_payment_method": method}
    )
    for n in range(14):
        stripe.invoice_items.create({"customer": customer, "amount": 100 + n, "currency": "usd"})
    invoice = stripe.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})
    assert len(made.items.data) == 15 or made.items.has_more
    poll.once()
    with pulled.session() as session:
        kept = session.exec(select(SubscriptionItem).where(SubscriptionItem.subscription == made.id)).all()
        lines = session.exec(select(InvoiceLine).where(InvoiceLine.invoice == invoice.id)).all()
        row = session.get(Subscription, made.id)
    assert (len(kept), len(lines)) == (15, 14)
    assert sandbox.requests(path="/v1/subscription_items")
    assert sandbox.requests(path=f"/v1/invoices/{invoice.id}/lines")
    assert row is not None
    assert row.mrr_micros == sum(100 + n for n in range(15)) * 1_000_000


def _once_each(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({one["id"]: one for one in events}.values())
