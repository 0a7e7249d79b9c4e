"""A reconciliation finds what differs, says why and puts it right; what is on its way is no fault."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from models import Customer, CustomerFacts, Drift, Subscription, SubscriptionItem
from services.mirror import reconcile
from tests.mirror import truth
from tests.mirror.conftest import sqlite_only
from tests.support.sandbox import Sandbox


def drifts(database: ModuleType) -> list[tuple[str, str, str, list[str]]]:
    with database.session() as session:
        found = session.exec(select(Drift)).all()
    return sorted((one.resource, one.object_id, one.what, sorted(one.fields)) for one in found)


def damage(database: ModuleType, statement: str, **values: Any) -> None:
    with database.transaction() as session:
        assert session.connection().execute(sa.text(statement), values).rowcount == 1, statement


def first(database: ModuleType, model: type[Any], **like: Any) -> Any:
    with database.session() as session:
        return session.exec(select(model).filter_by(deleted=False, **like).order_by(model.id)).first()


def test_tables_that_agree_have_no_drift(pulled: ModuleType, sandbox: Sandbox) -> None:
    told = reconcile.run()
    assert (told["complete"], told["drifts"], told["skipped"]) == (True, 0, {})
    assert told["objects"] > 200
    assert drifts(pulled) == []


def test_what_differs_is_named_and_put_right(pulled: ModuleType, sandbox: Sandbox) -> None:
    customer, running = first(pulled, Customer), first(pulled, Subscription, status="active")
    item = first(pulled, SubscriptionItem, subscription=running.id)
    lost = first(pulled, Subscription, status="canceled")
    damage(pulled, "UPDATE customers SET name = 'Wrong', country = 'XX' WHERE id = :id", id=customer.id)
    damage(pulled, "UPDATE subscriptions SET status = 'past_due' WHERE id = :id", id=running.id)
    damage(pulled, "UPDATE customer_facts SET status = 'past_due' WHERE customer = :id", id=running.customer)
    damage(pulled, "UPDATE subscription_items SET quantity = 77 WHERE id = :id", id=item.id)
    damage(pulled, "DELETE FROM subscriptions WHERE id = :id", id=lost.id)
    told = reconcile.run()
    assert told["drifts"] == 4
    assert drifts(pulled) == sorted(
        [
            ("customers", customer.id, "changed", ["country", "name"]),
            ("subscriptions", running.id, "changed", ["status"]),
            ("subscription_items", item.id, "changed", ["quantity"]),
            ("subscriptions", lost.id, "missing", []),
        ]
    )
    assert truth.differences(sandbox) == []
    with pulled.session() as session:
        facts = session.get(CustomerFacts, running.customer)
        assert facts is not None and facts.status == "active"
    assert reconcile.run()["drifts"] == 0


def test_what_was_deleted_in_silence_becomes_a_tombstone(pulled: ModuleType, sandbox: Sandbox) -> None:
    someone = first(pulled, Customer)
    damage(pulled, "UPDATE customers SET id = 'cus_ghost', as_of = as_of - 9 WHERE id = :id", id=someone.id)
    told = reconcile.run()
    assert told["complete"]
    assert [(one[1], one[2]) for one in drifts(pulled) if one[0] == "customers"] == sorted(
        [("cus_ghost", "gone"), (someone.id, "missing")]
    )
    with pulled.session() as session:
        ghost = session.get(Customer, "cus_ghost")
        assert ghost is not None and ghost.deleted


def test_changes_that_are_on_their_way_are_no_drift(pulled: ModuleType, sandbox: Sandbox) -> None:
    listed = 0

    def change_meanwhile() -> bool:
        nonlocal listed
        listed += 1
        if listed == 3:
            for one in _some(sandbox, 8):
                sandbox.client().v1.customers.update(one, {"name": "Meanwhile"})
        return False

    assert reconcile.run(change_meanwhile)["drifts"] == 0
    assert listed > 3
    assert truth.differences(sandbox) == []


def _some(sandbox: Sandbox, number: int) -> Iterable[str]:
    return [one["id"] for one in truth.every(sandbox, "/v1/customers")[:number]]


@sqlite_only
def test_before_the_first_pull_there_is_nothing_to_compare(claimed: ModuleType, sandbox: Sandbox) -> None:
    with pytest.raises(reconcile.NotPulledYet):
        reconcile.run()


@sqlite_only
def test_a_list_that_cannot_be_read_is_named_and_the_others_are_compared(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    customer = first(pulled, Customer)
    damage(pulled, "UPDATE customers SET name = 'Wrong' WHERE id = :id", id=customer.id)
    sandbox.fault("500_before", path="/v1/disputes")
    told = reconcile.run()
    sandbox.heal()
    assert (told["complete"], list(told["skipped"]), told["drifts"]) == (False, ["disputes"], 1)
    assert reconcile.run()["complete"]
