"""An object that Stripe fails with holds up nobody else's events; where it fails with all, they wait."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any

import pytest
from sqlmodel import select

from models import Customer, InboxItem, Invoice, Product
from services import clock
from services.mirror import again, complete, health, inbox, pull, reconcile, trust
from services.stripe_api import failures
from tests.mirror import truth
from tests.mirror.conftest import sqlite_only
from tests.mirror.test_reconcile import damage, first
from tests.support.sandbox import Sandbox


def take_in(database: ModuleType, sandbox: Sandbox) -> str:
    """Takes in that something odd happened to an invoice, which has to be read, and that a product was
    renamed; the invoice's id."""
    invoice, product = (truth.every(sandbox, f"/v1/{name}")[0] for name in ("invoices", "products"))
    now = sandbox.now()
    odd = {"object": "invoice", "id": invoice["id"], "state": "odd"}
    told: list[dict[str, Any]] = [
        {"id": "evt_odd", "created": now, "type": "invoice.updated", "data": {"object": odd}},
        {
            "id": "evt_fine",
            "created": now + 1,
            "type": "product.updated",
            "data": {"object": {**product, "name": "Squad"}},
        },
    ]
    with database.transaction() as session:
        inbox.put(session, told, "poll")
    return str(invoice["id"])


def item(database: ModuleType, id: str) -> InboxItem:
    with database.session() as session:
        return session.exec(select(InboxItem).where(InboxItem.id == id)).one()


def wait(sandbox: Sandbox, seconds: int) -> None:
    sandbox.advance(seconds=seconds)
    clock.follow(clock.offset() + seconds)


def test_one_object_that_stripe_fails_with_holds_up_nobody_else(
    pulled: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_PAUSE", 1000)  # seconds; the machine may be slow
    id = take_in(pulled, sandbox)
    sandbox.fault("500_before", path=f"/v1/invoices/{id}")
    assert inbox.drain() == inbox.Drained(applied=1, unread=1)
    with pulled.session() as session:
        assert session.exec(select(Product).where(Product.name == "Squad")).one()
        [problem] = [one for one in trust.problems(session) if id in one.message]
        assert (health.inbox(session).pending, health.inbox(session).oldest) == (1, None)
    assert problem.message == (
        f"One event waits for an object that Stripe fails with: The invoice “{id}” cannot be read. "
        "Stripe answered with an error of its own (500)."
    )
    assert (inbox.is_waiting(), inbox.drain()) == (False, inbox.Drained()), "not yet again"
    wait(sandbox, 1000)
    assert (inbox.is_waiting(), inbox.drain()) == (True, inbox.Drained(unread=1))
    wait(sandbox, 1000)
    assert inbox.drain() == inbox.Drained(), "the pause has grown"
    sandbox.heal()
    wait(sandbox, 3000)
    assert inbox.drain() == inbox.Drained(applied=1)
    assert (item(pulled, "evt_odd").state, item(pulled, "evt_odd").error) == ("applied", "")
    with pulled.session() as session:
        assert session.get_one(Invoice, id).as_of > sandbox.now() - 1000
        assert not any(id in one.message for one in trust.problems(session))


@sqlite_only
def test_one_object_that_stripe_is_silent_about_costs_a_moment(
    pulled: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(complete, "LONGEST", 0.5)
    id = take_in(pulled, sandbox)
    sandbox.fault("slow", path=f"/v1/invoices/{id}", seconds=20)
    began = time.monotonic()
    assert inbox.drain() == inbox.Drained(applied=1, unread=1)
    assert time.monotonic() - began < 15, "it was not waited for"


@sqlite_only
def test_what_stripe_fails_with_for_good_is_left_to_people(
    pulled: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_LAST_TRY", 1)
    monkeypatch.setattr(inbox, "_PAUSE", 1)
    sandbox.fault("500_before", path=f"/v1/invoices/{take_in(pulled, sandbox)}")
    inbox.drain()
    assert item(pulled, "evt_odd").state == "pending"
    wait(sandbox, 10)
    inbox.drain()
    assert item(pulled, "evt_odd").state == "failed"
    with pulled.transaction() as session:
        assert [row.id for row in again.ignore(session, ["evt_odd"])] == ["evt_odd"]


@sqlite_only
@pytest.mark.parametrize("kind", ["500_before", "timeout_before"])
def test_a_fault_that_hits_everything_marks_nothing(pulled: ModuleType, sandbox: Sandbox, kind: str) -> None:
    take_in(pulled, sandbox)
    sandbox.fault(kind, path="/v1/")
    with pytest.raises(failures.StripeUnavailable):
        inbox.drain()
    odd = item(pulled, "evt_odd")
    assert (odd.state, odd.attempts, odd.error) == ("pending", 0, "")


@sqlite_only
def test_a_comparison_goes_on_past_an_object_that_stripe_fails_with(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    someone = first(pulled, Customer)
    damage(pulled, "UPDATE customers SET id = 'cus_odd', as_of = as_of - 9 WHERE id = :id", id=someone.id)
    sandbox.fault("500_before", path="/v1/customers/cus_odd")
    told = reconcile.run()
    assert (told["complete"], list(told["skipped"])) == (False, ["customers"])
    assert told["drifts"] == 1, "the one that is missing"


@sqlite_only
def test_a_pull_ends_without_a_customer_that_stripe_fails_with_and_reads_it_later(
    claimed: ModuleType, sandbox: Sandbox
) -> None:
    """A deleted customer is in no list."""
    gone = next(one for one in truth.every(sandbox, "/v1/subscriptions") if one["status"] == "active")[
        "customer"
    ]
    sandbox.client().v1.customers.delete(gone)
    sandbox.fault("500_before", path=f"/v1/customers/{gone}")
    pull.whole_account()
    with claimed.session() as session:
        assert session.get(Customer, gone) is None
    sandbox.heal()
    assert inbox.drain().applied == 1
    with claimed.session() as session:
        assert session.get_one(Customer, gone).deleted
