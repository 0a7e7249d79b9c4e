"""What was looked at is written like any answer: whatever the tables said of it before, on both databases."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any

import pytest

from models import Charge, Coupon, Customer, Invoice, InvoiceItem, Price, Subscription, SubscriptionItem
from services.mirror import answers, complete
from services.mirror.tables import table
from tests.mirror import truth
from tests.mirror.test_reconcile import damage, first
from tests.mirror.test_shared import paying
from tests.mirror.test_writer import row
from tests.support.sandbox import Sandbox


def whole(pulled: ModuleType) -> dict[type[Any], Any]:
    """One row of each kind, of objects that can be read."""
    running = first(pulled, Subscription, status="active")
    item = first(pulled, SubscriptionItem, subscription=running.id)
    return {
        Customer: first(pulled, Customer),
        Subscription: running,
        SubscriptionItem: item,
        Price: first(pulled, Price, id=item.price),
        Invoice: first(pulled, Invoice, status="paid"),
        Charge: first(pulled, Charge, paid=True),
        Coupon: first(pulled, Coupon),
    }


@pytest.mark.parametrize(
    ("kind", "model", "wrong"),
    [
        ("customer", Customer, "name = 'Wrong'"),
        ("customer", Customer, "as_of = as_of - 9, balance = -5"),
        ("subscription", Subscription, "status = 'past_due'"),
        ("subscription", SubscriptionItem, "quantity = 77"),
        ("subscription", SubscriptionItem, "id = 'si_ghost'"),
        ("price", Price, "unit_amount = 1"),
        ("invoice", Invoice, "status = 'open'"),
        ("charge", Charge, "amount_refunded = 5"),
        ("coupon", Coupon, "percent_off = '1'"),
    ],
)
def test_whatever_was_wrong_is_right_after_a_look(
    pulled: ModuleType, sandbox: Sandbox, kind: str, model: type[Any], wrong: str
) -> None:
    known = whole(pulled)
    damage(pulled, f"UPDATE {table(model).name} SET {wrong} WHERE id = :id", id=known[model].id)
    assert truth.differences(sandbox) != []
    read = known[Subscription if model is SubscriptionItem else model]
    answers.apply_read(complete.read(kind, read.id))
    assert truth.differences(sandbox) == []


def test_a_card_that_only_a_charge_shows_is_in_the_facts_of_its_customer(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    charge = first(pulled, Charge, paid=True)
    damage(pulled, "DELETE FROM payment_methods WHERE id = :id", id=charge.payment_method)
    spoilt = "UPDATE customer_facts SET card_last4 = '' WHERE customer = :id"
    damage(pulled, spoilt, id=charge.customer)
    answers.apply_read(complete.read("charge", charge.id))
    assert truth.differences(sandbox) == []


def test_an_item_that_an_invoice_billed_waits_no_more_once_the_invoice_was_looked_at(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    stripe, facts = sandbox.client().v1, paying()
    wanted = {"customer": facts.customer, "currency": facts.currency}
    made = stripe.invoice_items.create({**wanted, "amount": 700})
    invoice = stripe.invoices.create({**wanted, "pending_invoice_items_behavior": "include"})
    for kind, id in (("invoiceitem", made.id), ("invoice", str(invoice.id))):
        answers.apply(complete.read(kind, id))
    damage(pulled, "UPDATE invoice_items SET invoice = NULL WHERE id = :id", id=made.id)
    answers.apply_read(complete.read("invoice", str(invoice.id)))
    assert row(InvoiceItem, made.id).invoice == invoice.id


def test_an_item_that_was_dated_ahead_is_as_old_as_its_subscription_after_a_look(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    known = whole(pulled)
    running, item = known[Subscription], known[SubscriptionItem]
    for model, id in ((Subscription, running.id), (SubscriptionItem, item.id)):
        ahead = f"UPDATE {table(model).name} SET as_of = :at WHERE id = :id"
        damage(pulled, ahead, id=id, at=int(time.time()) + 400)
    read = complete.read("subscription", running.id)
    answers.apply_read(read)
    assert row(SubscriptionItem, item.id).as_of == row(Subscription, running.id).as_of == read.as_of
