"""Events into tables: after every look the tables equal the account, in whatever order things came."""

from __future__ import annotations

import itertools
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from models import (
    Customer,
    CustomerFacts,
    InboxItem,
    InvoiceLine,
    Subscription,
    SubscriptionItem,
    Workspace,
)
from services import clock, config
from services.mirror import answers, cursors, inbox, poll, progress, pull
from services.mirror.health import Deliveries
from services.stripe_api import client, failures
from tests.mirror import objects as o
from tests.mirror import truth
from tests.mirror.conftest import sqlite_only
from tests.support.sandbox import Sandbox

REAL = {"stripe_api_key": "sk_live_1"}
SECRET = {"stripe_webhook_secret": "whsec_1"}


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
    assert answers.apply(answer) == {trial["customer"]}
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
    answers.apply(again)
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
        o.store(session, [before], sandbox.now() + 100)
        row = session.get(Customer, customer)
        assert row is not None
        assert row.deleted
    facts = facts_of(pulled, customer)
    assert (facts.deleted, facts.status, facts.mrr_micros) == (True, "canceled", 0)


@sqlite_only
def test_events_in_an_older_shape_are_understood(pulled: ModuleType, sandbox: Sandbox) -> None:
    sandbox.advance(days=10)
    sandbox.fault("shape_old", path="/v1/events")
    looked = poll.once()
    assert looked.received > 10
    assert looked.drained.failed == 0
    sandbox.heal()
    assert truth.differences(sandbox) == []


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


@pytest.mark.parametrize(
    ("given", "last", "missed", "seconds", "reason"),
    [
        ({}, None, 0, 2, "the sandbox"),
        ({"poll_interval": 300}, None, 0, 2, "the sandbox"),
        (REAL, 0, 0, 300, "no webhooks are set up"),
        (REAL | SECRET, None, 0, 300, "no webhook has brought"),
        (REAL | SECRET, clock.DAY + 9, 0, 300, "no webhook has brought"),
        (REAL | SECRET, clock.DAY - 99, 0, 900, "webhooks bring what happens"),
        (REAL | SECRET, 0, 1, 300, "the last look found one event"),
        (REAL | SECRET, 0, 1200, 300, "the last look found 1,200 events"),
        (REAL | SECRET | {"poll_interval": 1}, 0, 1, 1, "POLL_INTERVAL"),
    ],
)
def test_looks_are_as_far_apart_as_reads_cost_and_accepted_deliveries_allow(
    given: dict[str, Any], last: int | None, missed: int, seconds: int, reason: str
) -> None:
    came = Deliveries(None if last is None else clock.now() - last)
    pace = poll.pace(config.Settings(_env_file=None, **given), came, missed)
    assert (pace.seconds, pace.reason.startswith(reason)) == (seconds, True), pace


def test_where_deliveries_have_ceased_looks_are_close_again() -> None:
    settings = config.Settings(_env_file=None, **REAL, **SECRET)
    assert poll.pace(settings, Deliveries(clock.now() - 7200, ceased=True)).seconds == 300


@sqlite_only
def test_a_delivery_that_may_still_come_is_not_missed(pulled: ModuleType, sandbox: Sandbox) -> None:
    poll.once()
    sandbox.client().v1.customers.create({"email": "ana@example.com"})
    looked = poll.once()
    assert (looked.received, looked.missed) == (1, 0)
    with pulled.transaction() as session:
        session.execute(sa.delete(InboxItem))
    sandbox.advance(seconds=90)
    again = poll.once()
    assert again.missed > 0 and again.missed == again.received


@sqlite_only
def test_the_datas_age_counts_what_stripe_delivers_by_itself(pulled: ModuleType, sandbox: Sandbox) -> None:
    with pulled.transaction() as session:
        session.execute(sa.update(Workspace).values(pulled_at=clock.now() - 5000, checked_at=None))
    assert age(pulled) >= 5000
    sandbox.client().v1.customers.create({"email": "ana@example.com"})
    for sources in (["poll"], ["webhook"], ["poll", "webhook"]):
        with pulled.transaction() as session:
            events = truth.every(sandbox, "/v1/events", {"created": {"gte": sandbox.now() - 60}})
            session.execute(sa.delete(InboxItem))
            new = [inbox.put(session, events, source) for source in sources]
            assert new[0] and not any(new[1:])
        poll.settle()
        assert (age(pulled) < 100) is ("webhook" in sources)


def age(database: ModuleType) -> int:
    with database.session() as session:
        found = progress.read(session).age
    assert found is not None
    return found


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


def test_a_gap_has_all_pulled_anew(pulled: ModuleType, sandbox: Sandbox) -> None:
    sandbox.advance(days=40)
    poll.once()
    assert not cursors.complete()
    with pulled.session() as session:
        assert not progress.read(session).complete
    pull.whole_account()
    poll.once()
    assert cursors.complete()
    assert truth.differences(sandbox) == []


@pytest.mark.parametrize("dies", [False, True], ids=["pulls on", "dies"])
def test_a_gap_found_during_a_pull_has_all_pulled_anew_once_by_the_next_one(
    claimed: ModuleType, sandbox: Sandbox, dies: bool
) -> None:
    pages = itertools.count(1)

    def look_meanwhile() -> bool:
        if (page := next(pages)) == 4:
            sandbox.advance(days=40)
            poll.fetch()
        return dies and page > 8

    pull.begin()
    assert pull.whole_account(look_meanwhile)
    assert not cursors.complete()
    pull.whole_account()
    listed = len(sandbox.requests(path="/v1/customers"))
    assert listed > 1
    poll.once()
    assert cursors.complete()
    pull.whole_account()
    assert len(sandbox.requests(path="/v1/customers")) == listed
    assert truth.differences(sandbox) == []


@sqlite_only
def test_what_happens_between_two_pages_comes_with_the_next_look(
    pulled: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.advance(days=6)
    monkeypatch.setattr("services.stripe_api.client.PAGE_SIZE", 20)
    put, pages = inbox.put, []

    def put_while_the_account_lives(*given: Any) -> int:
        pages.append(given)
        if len(pages) == 1:
            sandbox.client().v1.customers.update(active(sandbox)["customer"], {"name": "Between"})
            sandbox.advance(hours=2)
        return put(*given)

    monkeypatch.setattr(inbox, "put", put_while_the_account_lives)
    poll.once()
    assert len(pages) > 1
    poll.once()
    assert truth.differences(sandbox) == []


@sqlite_only
def test_events_that_expire_while_they_are_read_are_a_gap(
    pulled: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next page would begin after an event that Stripe no longer has."""
    sandbox.advance(days=6)
    monkeypatch.setattr("services.stripe_api.client.PAGE_SIZE", 20)
    put, pages = inbox.put, []

    def put_while_a_month_passes(*given: Any) -> int:
        pages.append(given)
        if len(pages) == 2:
            sandbox.advance(days=31)
        return put(*given)

    monkeypatch.setattr(inbox, "put", put_while_a_month_passes)
    poll.once()
    assert len(pages) == 2
    assert not cursors.complete()
    pull.whole_account()
    poll.once()
    assert truth.differences(sandbox) == []
