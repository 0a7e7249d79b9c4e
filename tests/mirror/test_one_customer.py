"""What a customer has in Stripe is in the tables after one click, and the differences are named."""

from __future__ import annotations

import threading
from types import ModuleType

import pytest
from sqlmodel import select

from models import (
    Charge,
    Customer,
    CustomerFacts,
    InvoiceItem,
    InvoicePayment,
    PaymentMethod,
    Refund,
    StripeReads,
    Subscription,
    SubscriptionItem,
)
from services.errors import NotAllowed
from services.mirror import one_customer
from services.mirror.one_customer import Synced
from services.staff.roles import GRANTS, Person, Role
from services.stripe_api import client, errands, failures, reads
from tests.mirror import truth
from tests.mirror.conftest import sqlite_only
from tests.mirror.test_reconcile import damage, first
from tests.support.sandbox import Sandbox

VERA = Person(1, "Vera", "vera@x.example", Role.VIEWER)


def named(synced: Synced) -> set[tuple[str, str, str]]:
    return {(one.resource, one.object_id, one.what) for one in synced.changes}


def paying(database: ModuleType) -> Subscription:
    """An active subscription of a customer who has paid."""
    with database.session() as session:
        paid = select(Charge.customer).where(Charge.status == "succeeded")
        query = select(Subscription).where(Subscription.status == "active", Subscription.customer.in_(paid))
        return session.exec(query.order_by(Subscription.id)).first()


def test_where_nothing_differs_it_says_so(pulled: ModuleType, sandbox: Sandbox) -> None:
    with pulled.session() as session:
        customers = session.exec(select(Customer.id).where(Customer.deleted.is_(False)).limit(8)).all()
    for id in customers:
        one_customer.read(id)  # cards that only charges told of are read whole now
        assert one_customer.read(id) == Synced((), ())
    assert truth.differences(sandbox) == []


def test_what_differs_is_named_and_put_right(pulled: ModuleType, sandbox: Sandbox) -> None:
    running = paying(pulled)
    id = running.customer
    with pulled.session() as session:
        paid = select(Charge).where(Charge.customer == id, Charge.status == "succeeded")
        charge = session.exec(paid).first()
        item = session.exec(select(SubscriptionItem).filter_by(subscription=running.id)).first()
        mine = InvoicePayment.payment_intent == charge.payment_intent
        payment = session.exec(select(InvoicePayment).where(mine)).one()
    one_customer.read(id)
    sandbox.client().v1.refunds.create({"charge": charge.id, "amount": 100})
    sandbox.client().v1.invoice_items.create({"customer": id, "amount": 500, "currency": charge.currency})
    damage(pulled, "UPDATE customers SET name = 'Wrong' WHERE id = :id", id=id)
    damage(pulled, "UPDATE subscriptions SET status = 'past_due' WHERE id = :id", id=running.id)
    damage(pulled, "UPDATE customer_facts SET status = 'past_due' WHERE customer = :id", id=id)
    damage(pulled, "UPDATE subscription_items SET quantity = 77 WHERE id = :id", id=item.id)
    damage(pulled, "UPDATE invoice_payments SET status = 'open' WHERE id = :id", id=payment.id)
    found = named(one_customer.read(id))
    assert {
        ("customers", id, "changed"),
        ("subscriptions", running.id, "changed"),
        ("subscription_items", item.id, "changed"),
        ("invoice_payments", payment.id, "changed"),
        ("charges", charge.id, "changed"),
    } <= found
    kinds = {(resource, what) for resource, _id, what in found}
    assert kinds >= {("refunds", "missing"), ("invoice_items", "missing")}
    with pulled.session() as session:
        assert session.exec(select(Refund).where(Refund.charge == charge.id)).one().amount == 100
        assert session.get(CustomerFacts, id).status == "active"
    assert named(one_customer.read(id)) == set()


def test_what_was_deleted_in_stripe_is_gone_here(pulled: ModuleType, sandbox: Sandbox) -> None:
    id, stripe = paying(pulled).customer, sandbox.client().v1
    currency = stripe.customers.retrieve(id).currency or "usd"
    made = stripe.invoice_items.create({"customer": id, "amount": 500, "currency": currency})
    one_customer.read(id)
    sandbox.advance(seconds=2)
    stripe.invoice_items.delete(made.id)
    assert ("invoice_items", made.id, "gone") in named(one_customer.read(id))
    with pulled.session() as session:
        assert session.get(InvoiceItem, made.id).deleted
    sandbox.advance(seconds=2)
    stripe.customers.delete(id)
    assert ("customers", id, "gone") in named(one_customer.read(id))
    assert named(one_customer.read(id)) == set(), "told once"


def test_a_new_card_is_there(pulled: ModuleType, sandbox: Sandbox) -> None:
    id = paying(pulled).customer
    card = sandbox.add_card(id, "ok")
    one_customer.read(id)
    with pulled.session() as session:
        method = session.get(PaymentMethod, card["id"])
        assert method is not None and method.customer == id


@sqlite_only
def test_what_the_key_may_not_read_is_named_and_the_rest_is_read(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    id = paying(pulled).customer
    damage(pulled, "UPDATE customers SET name = 'Wrong' WHERE id = :id", id=id)
    sandbox.restrict("rk_test_few", customers="read", subscriptions="read")
    client.configure(client.connect("rk_test_few", sandbox.url))
    synced = one_customer.read(id)
    assert ("customers", id, "changed") in named(synced)
    assert any("invoices read" in one for one in synced.left_out)


@sqlite_only
def test_stripes_own_error_is_raised_and_the_next_click_tries_again(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    id = paying(pulled).customer
    sandbox.fault("500_before", path="/v1/customers")
    with pytest.raises(failures.StripeUnavailable):
        one_customer.begin(VERA, id).result(60)
    sandbox.heal()
    assert one_customer.begin(VERA, id).result(60).left_out == ()


@sqlite_only
def test_a_customer_that_takes_too_long_is_given_up_and_what_was_read_stays(
    pulled: ModuleType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = paying(pulled).customer
    damage(pulled, "UPDATE customers SET name = 'Wrong' WHERE id = :id", id=id)
    sandbox.fault("slow", path="/v1/invoices", seconds=8, count=1)
    monkeypatch.setattr(one_customer, "_LONGEST", 3)
    with pytest.raises(errands.OutOfTime, match="took too long"):
        one_customer.begin(VERA, id).result(60)
    with pulled.session() as session:
        assert session.get_one(Customer, id).name != "Wrong"


@sqlite_only
def test_two_clicks_at_once_read_once_and_count_as_reads_of_a_sync(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    id = first(pulled, Customer).id
    sandbox.fault("slow", path=f"/v1/customers/{id}", seconds=0.5, count=1)
    reads.forget()
    before = len(sandbox.requests(method="GET"))
    both = [one_customer.begin(VERA, id), one_customer.begin(VERA, id)]
    assert both[0] is both[1]
    settled = threading.Event()
    both[0].add_done_callback(lambda _: settled.set())
    assert settled.wait(60)
    reads.keep()
    with pulled.session() as session:
        counted = {row.purpose: row.reads for row in session.exec(select(StripeReads))}
    assert counted == {"sync": len(sandbox.requests(method="GET")) - before}
    again = one_customer.begin(VERA, id)
    assert again is not both[0]
    again.result(60)


def test_who_may_not_see_customers_may_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GRANTS, Role.VIEWER, frozenset())
    with pytest.raises(NotAllowed):
        one_customer.begin(VERA, "cus_1")
