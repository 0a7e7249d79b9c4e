"""A reconciliation finds what differs, says why and puts it right; what is on its way is no fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from models import (
    Customer,
    CustomerFacts,
    Discount,
    Drift,
    Event,
    InboxItem,
    PaymentMethod,
    Subscription,
    SubscriptionItem,
    SyncCursor,
)
from services import clock
from services import database as desk
from services.mirror import complete, cursors, drift, one_customer, poll, reconcile, repair, trust
from services.mirror.batch import Batch
from services.mirror.drift import Found
from services.mirror.repair import Repaired
from services.stripe_api import client
from services.stripe_api.client import Answer
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


def test_each_object_that_stripe_refuses_to_show_is_named_and_left_as_it_is(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    for number in range(5):
        someone, odd = first(pulled, Customer), f"zzz_odd/{number}"  # Stripe knows no such address
        lose = "UPDATE customers SET id = :odd, as_of = as_of - 9 WHERE id = :id"
        damage(pulled, lose, id=someone.id, odd=odd)
    told = reconcile.run()
    assert (told["complete"], list(told["skipped"])) == (False, ["customers"])
    assert [why.partition(": ")[0] for why in told["skipped"]["customers"]] == [
        f"zzz_odd/{number}" for number in range(5)
    ]
    with pulled.session() as session:
        assert not session.get_one(Customer, "zzz_odd/0").deleted
        [problem] = [one for one in trust.problems(session) if "zzz_odd" in one.message]
    assert problem.grave
    assert all(f"zzz_odd/{number}: Stripe refused" in problem.message for number in range(3))
    assert problem.message.endswith("And 2 more.")


def seconds_pass(sandbox: Sandbox) -> None:
    """What was applied before is then older than what is found: within one second nothing tells."""
    sandbox.advance(seconds=5)
    clock.follow(clock.offset() + 5)


def discounted(sandbox: Sandbox, subscription: Subscription) -> list[str]:
    """The ids of a subscription's discounts once it has a new one."""
    stripe = sandbox.client().v1
    coupon = stripe.coupons.create({"percent_off": 10, "duration": "forever"}).id
    stripe.subscriptions.update(subscription.id, {"discounts": [{"coupon": coupon}]})
    poll.once()
    seconds_pass(sandbox)
    with desk.session() as session:
        return session.get_one(Subscription, subscription.id).discounts


def test_discounts_are_compared(pulled: ModuleType, sandbox: Sandbox) -> None:
    running = first(pulled, Subscription, status="active")
    [changed] = discounted(sandbox, running)
    [missing] = discounted(sandbox, first(pulled, Subscription, status="trialing"))
    damage(pulled, "UPDATE discounts SET coupon = 'OTHER' WHERE id = :id", id=changed)
    damage(pulled, "DELETE FROM discounts WHERE id = :id", id=missing)
    assert reconcile.run()["drifts"] == 2
    assert drifts(pulled) == sorted(
        [("discounts", changed, "changed", ["coupon"]), ("discounts", missing, "missing", [])]
    )
    assert truth.differences(sandbox) == []
    assert reconcile.run()["drifts"] == 0


def test_a_discount_that_its_subscriptions_event_took_away_is_no_drift(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    """The account tells of the subscription's change only."""
    running = first(pulled, Subscription, status="active")
    [gone] = discounted(sandbox, running)
    sandbox.client().v1.subscriptions.update(running.id, {"discounts": ""})
    poll.once()
    seconds_pass(sandbox)
    assert reconcile.run()["drifts"] == 0
    with pulled.session() as session:
        assert session.get_one(Discount, gone).deleted


def test_discounts_that_went_in_silence_become_tombstones(pulled: ModuleType, sandbox: Sandbox) -> None:
    running, customer = first(pulled, Subscription, status="active"), first(pulled, Customer)
    seconds_pass(sandbox)
    with pulled.transaction() as session:
        for id, owner in (("di_own", {"customer": customer.id}), ("di_its", {"subscription": running.id})):
            session.add(Discount(id=id, as_of=9, created=9, coupon="HALF", start=9, **owner))
    damage(pulled, "UPDATE customers SET discount = 'di_own' WHERE id = :id", id=customer.id)
    damage(pulled, "UPDATE subscriptions SET discounts = '[\"di_its\"]' WHERE id = :id", id=running.id)
    assert reconcile.run()["drifts"] == 4
    assert drifts(pulled) == sorted(
        [
            ("customers", customer.id, "changed", ["discount"]),
            ("discounts", "di_its", "gone", []),
            ("discounts", "di_own", "gone", []),
            ("subscriptions", running.id, "changed", ["discounts"]),
        ]
    )
    with pulled.session() as session:
        assert all(session.get_one(Discount, id).deleted for id in ("di_own", "di_its"))
    assert reconcile.run()["drifts"] == 0


def test_a_discount_whose_owners_event_is_on_its_way_is_no_drift(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    running = first(pulled, Subscription, status="active")
    [gone] = discounted(sandbox, running)
    sandbox.client().v1.subscriptions.update(running.id, {"discounts": ""})
    seconds_pass(sandbox)
    answer, batch = complete.read("subscription", running.id), Batch()
    batch.add(answer.object, answer.as_of)
    found = repair.write(batch, ["subscription"]).found
    assert {(one.object_id, one.what) for one in found} == {(running.id, "changed"), (gone, "gone")}
    poll.once()
    with pulled.transaction() as session:
        assert drift.keep(session, found) == 0


def test_an_event_from_before_a_lost_discount_was_made_is_not_its_cause(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    running = first(pulled, Subscription, status="active")
    seconds_pass(sandbox)
    [made] = discounted(sandbox, running)
    damage(pulled, "DELETE FROM discounts WHERE id = :id", id=made)
    with pulled.session() as session:
        told = session.exec(select(Event).where(Event.object_id.in_([running.id, made]))).all()
    start = max(event.created for event in told)
    assert min(event.created for event in told) < start - 1
    for event in told:
        if event.created >= start - 1:
            damage(pulled, "DELETE FROM events WHERE id = :id", id=event.id)
    assert reconcile.run()["drifts"] == 1
    with pulled.session() as session:
        cause = session.exec(select(Drift.cause)).one()
    assert cause.startswith(
        f"No event of {running.id}, which it belongs to, came in: Stripe sent none, it was "
    )


@pytest.mark.parametrize("names_both", [True, False])
@pytest.mark.parametrize("item_goes", [True, False])
def test_a_discount_of_an_item_goes_with_it_or_before(
    pulled: ModuleType, sandbox: Sandbox, item_goes: bool, names_both: bool
) -> None:
    """Whether Stripe names the subscription beside the item or not."""
    [lifted, kept], made = discounted_items(sandbox)
    if not names_both:
        for id in (lifted, kept):
            damage(pulled, "UPDATE discounts SET subscription = NULL WHERE id = :id", id=id)
    item = made["items"]["data"][0]["id"]
    if item_goes:
        sandbox.client().v1.subscription_items.delete(item)
    else:
        damage(pulled, "UPDATE subscription_items SET discounts = '[]' WHERE id = :id", id=item)
        damage(pulled, "UPDATE discounts SET id = 'di_before' WHERE id = :id", id=lifted)
        lifted = "di_before"
    poll.once()
    seconds_pass(sandbox)
    reconcile.run()
    with pulled.session() as session:
        assert session.get_one(Discount, lifted).deleted
        assert not session.get_one(Discount, kept).deleted
    assert truth.differences(sandbox) == []
    assert reconcile.run()["drifts"] == 0


def discounted_items(sandbox: Sandbox) -> tuple[list[str], dict[str, Any]]:
    """A new subscription of two items, and the ids of their discounts."""
    stripe, running = sandbox.client().v1, first(desk, Subscription, status="active")
    product = first(desk, SubscriptionItem, subscription=running.id).product
    coupon = stripe.coupons.create({"percent_off": 10, "duration": "forever"}).id
    price = {"currency": running.currency, "product": product, "recurring": {"interval": "month"}}
    items = [
        {"price_data": {**price, "unit_amount": amount}, "discounts": [{"coupon": coupon}]}
        for amount in (100, 200)
    ]
    made = stripe.subscriptions.create({"customer": running.customer, "items": items}).to_dict()
    poll.once()
    seconds_pass(sandbox)
    with desk.session() as session:
        rows = {
            row.id: row for row in session.exec(select(SubscriptionItem).filter_by(subscription=made["id"]))
        }
    return [rows[one["id"]].discounts[0] for one in made["items"]["data"]], made


class OddAccount(client.StripeAccount):
    """An account that shows the subscription `odd` in lists only: refused by id, or of an unknown shape."""

    odd, refused = "", True

    def read(self, path: str, params: client.Params | None = None) -> Answer:
        if not path.endswith(self.odd):
            return super().read(path, params)
        answer = super().read(f"{path}/nothing" if self.refused else path, params)
        return replace(answer, object=answer.object | {"items": {"data": [{}]}})


@pytest.mark.parametrize("refused", [True, False], ids=["refused", "of no shape"])
def test_an_owner_that_cannot_be_read_again_is_named_and_its_discounts_stay(
    pulled: ModuleType, sandbox: Sandbox, refused: bool
) -> None:
    running = first(pulled, Subscription, status="active")
    [made] = discounted(sandbox, running)
    sandbox.client().v1.subscriptions.update(running.id, {"discounts": ""})
    poll.once()
    with pulled.transaction() as session:  # as if the event of its deletion had been lost
        session.get_one(Discount, made).deleted = False
    seconds_pass(sandbox)
    account = OddAccount(sandbox.key, sandbox.url)
    account.odd, account.refused = running.id, refused
    client.configure(account)
    told = reconcile.run()
    assert (told["complete"], told["drifts"], list(told["skipped"])) == (False, 0, ["discounts"])
    [why] = told["skipped"]["discounts"]
    assert why.startswith(f"The discounts of the subscription {running.id} could not be compared: ")
    assert one_customer.read(running.customer).left_out == (why,)
    with pulled.session() as session:
        assert not session.get_one(Discount, made).deleted
    account.odd = "nothing"
    assert reconcile.run()["complete"]
    with pulled.session() as session:
        assert session.get_one(Discount, made).deleted


def test_a_discount_that_came_after_its_owner_was_listed_stays(pulled: ModuleType, sandbox: Sandbox) -> None:
    running = first(pulled, Subscription, status="active")
    listed, answer = Batch(), complete.read("subscription", running.id)
    listed.add(answer.object, answer.as_of)
    [made] = discounted(sandbox, running)
    assert repair.write(listed, ["subscription"]) == Repaired()
    with pulled.session() as session:
        assert not session.get_one(Discount, made).deleted
    assert truth.differences(sandbox) == []


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


@pytest.mark.parametrize("drained", [True, False], ids=["applied since", "still in the inbox"])
def test_an_event_that_came_in_before_and_was_not_applied_explains(
    pulled: ModuleType, sandbox: Sandbox, drained: bool
) -> None:
    found = _renamed(sandbox, poll.fetch)
    if drained:
        poll.settle()
    with pulled.transaction() as session:
        assert drift.keep(session, found) == 0


def test_an_event_that_was_applied_before_explains_nothing(pulled: ModuleType, sandbox: Sandbox) -> None:
    def apply_and_lose() -> None:
        poll.once()
        lose = "UPDATE customers SET name = 'Lost', as_of = as_of - 9 WHERE id = :id"
        damage(pulled, lose, id=first(pulled, Customer).id)

    found = _renamed(sandbox, apply_and_lose)
    with pulled.transaction() as session:
        assert drift.keep(session, found) == 1
    with pulled.session() as session:
        cause = session.exec(select(Drift.cause)).one()
    assert cause == "An event of it came in after the row’s time, and did not put this right."


@pytest.mark.parametrize(
    ("what", "since", "rows", "cause"),
    [
        ("changed", 5, [], "No event of it came in after the row’s time: Stripe sent none, it was lost, or "),
        ("changed", 5, ["lies"], "An event of it came in and was put aside."),
        (
            "changed",
            5,
            ["denied"],
            "No event of it came in after the row’s time: the key may not read events",
        ),
        ("missing", None, ["made"], "An event of it came in, and did not put this right."),
        ("gone", None, ["made"], "No event of its deletion came in: Stripe sent none"),
        ("gone", None, ["made", "deleted"], "An event of its deletion came in, and did not put this right."),
    ],
)
def test_of_the_cause_no_more_is_said_than_is_known(
    database: ModuleType, what: str, since: int | None, rows: list[str], cause: str
) -> None:
    there = {
        "made": Event(id="evt_1", created=9, type="customer.created", object_id="cus_1"),
        "deleted": Event(id="evt_2", created=9, type="customer.deleted", object_id="cus_1"),
        "lies": InboxItem(
            id="evt_3",
            source="webhook",
            state="failed",
            created=9,
            payload='{"data":{"object":{"id":"cus_1"}}}',
        ),
        "denied": SyncCursor(resource=cursors.HISTORY, state="denied"),
    }
    with database.transaction() as session:
        session.add_all([there[name] for name in rows])
    with database.transaction() as session:
        assert drift.keep(session, [Found(20, "customers", "cus_1", "cus_1", what, as_of=since)]) == 1
    with database.session() as session:
        assert session.exec(select(Drift.cause)).one().startswith(cause)


def _renamed(sandbox: Sandbox, look: Callable[[], object]) -> list[Found]:
    """What a comparison finds that begins some seconds after a look at a customer's change."""
    customer = first(desk, Customer).id
    sandbox.client().v1.customers.update(customer, {"name": "New"})
    look()
    seconds_pass(sandbox)
    answer, batch = complete.read("customer", customer), Batch()
    batch.add(answer.object, answer.as_of)
    found = repair.write(batch, ["customer"]).found
    assert [one.fields for one in found] == [("name",)]
    return found


def test_a_default_card_that_was_charged_since_is_no_drift(pulled: ModuleType, sandbox: Sandbox) -> None:
    for _ in range(2):
        sandbox.advance(days=18)
        poll.once()
    assert reconcile.run()["drifts"] == 0
    assert drifts(pulled) == []


def test_a_card_that_only_a_charge_shows_is_not_compared(pulled: ModuleType, sandbox: Sandbox) -> None:
    """Its charge's event may be on its way, and names no card."""
    with pulled.session() as session:
        kept = session.exec(select(PaymentMethod).where(PaymentMethod.as_of == PaymentMethod.created)).first()
    damage(pulled, "DELETE FROM payment_methods WHERE id = :id", id=kept.id)
    assert reconcile.run()["drifts"] == 0
    assert first(pulled, PaymentMethod, id=kept.id).last4 == kept.last4


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
