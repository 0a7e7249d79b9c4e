"""What many use is corrected, read again or heard late: whoever uses it has new facts, on both databases."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from sqlmodel import col, select

from models import (
    Customer,
    CustomerFacts,
    Discount,
    PaymentMethod,
    Price,
    Product,
    Subscription,
    SubscriptionItem,
)
from services import database as desk
from services.mirror import answers, facts, inbox, poll, readers, reconcile
from services.stripe_api.client import Answer
from tests.mirror import objects as o
from tests.mirror import truth
from tests.mirror.objects import NOW
from tests.mirror.test_reconcile import damage, drifts
from tests.mirror.test_writer import row, store
from tests.support.sandbox import Sandbox


@pytest.fixture
def one_page_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No batch holds the rows of its users too, as in an account of some size."""
    monkeypatch.setattr(readers, "_ROWS", 1)


def found(model: type[Any], *where: Any) -> Any:
    with desk.session() as session:
        return session.exec(select(model).where(*where).order_by(model.id)).first()


def paying() -> Subscription:
    wanted = (col(Subscription.status) == "active", col(Subscription.mrr_micros) > 0)
    return found(Subscription, *wanted)  # type: ignore[no-any-return]


@pytest.mark.usefixtures("one_page_at_once")
def test_a_price_that_was_missing(pulled: ModuleType, sandbox: Sandbox) -> None:
    before = paying()
    item = found(SubscriptionItem, col(SubscriptionItem.subscription) == before.id)
    damage(pulled, "DELETE FROM prices WHERE id = :id", id=item.price)
    facts.derive_in_pieces(facts.everyone())
    assert row(Subscription, before.id).mrr_micros == 0
    assert reconcile.run()["drifts"] == 1
    assert row(Price, item.price) is not None
    assert row(Subscription, before.id).mrr_micros == before.mrr_micros
    assert row(CustomerFacts, before.customer).mrr_micros >= before.mrr_micros
    assert truth.differences(sandbox) == []


@pytest.mark.usefixtures("one_page_at_once")
def test_a_products_name_that_was_wrong(pulled: ModuleType, sandbox: Sandbox) -> None:
    customer = paying().customer
    plan = row(CustomerFacts, customer)
    damage(pulled, "UPDATE products SET name = 'Old' WHERE id = :id", id=plan.product)
    facts.derive_in_pieces(facts.everyone())
    assert row(CustomerFacts, customer).plan.startswith("Old, ")
    assert reconcile.run()["drifts"] == 1
    assert row(CustomerFacts, customer).plan == plan.plan
    assert truth.differences(sandbox) == []


@pytest.mark.usefixtures("one_page_at_once")
def test_a_default_card_that_was_wrong(pulled: ModuleType, sandbox: Sandbox) -> None:
    customer = found(Customer, col(Customer.default_payment_method).is_not(None), ~col(Customer.deleted))
    card = row(PaymentMethod, customer.default_payment_method)
    damage(pulled, "UPDATE payment_methods SET last4 = '0000' WHERE id = :id", id=card.id)
    facts.derive_in_pieces(facts.everyone())
    assert reconcile.run()["drifts"] == 1
    assert drifts(pulled) == [("payment_methods", card.id, "changed", ["last4"])]
    assert row(PaymentMethod, card.id).last4 == card.last4
    assert truth.differences(sandbox) == []


@pytest.mark.usefixtures("one_page_at_once")
def test_a_discount_that_was_missing(pulled: ModuleType, sandbox: Sandbox) -> None:
    made = sandbox.client().v1
    coupon = made.coupons.create({"percent_off": 40, "duration": "forever"}).id
    before = paying()
    made.subscriptions.update(before.id, {"discounts": [{"coupon": coupon}]})
    poll.once()
    discounted = row(Subscription, before.id)
    assert discounted.mrr_micros == before.mrr_micros * 60 // 100
    damage(pulled, "DELETE FROM discounts WHERE id = :id", id=discounted.discounts[0])
    facts.derive_in_pieces(facts.everyone())
    assert row(Subscription, before.id).mrr_micros == before.mrr_micros
    reconcile.run()
    assert row(Discount, discounted.discounts[0]).coupon == coupon
    assert row(Subscription, before.id).mrr_micros == discounted.mrr_micros
    assert truth.differences(sandbox) == []


def test_a_product_that_was_read_again(pulled: ModuleType, sandbox: Sandbox) -> None:
    customer = paying().customer
    product = row(CustomerFacts, customer).product
    sandbox.client().v1.products.update(product, {"name": "Squad"})
    with pulled.transaction() as session:
        asked = inbox.read_request("read_it", "product", product)
        inbox.put(session, [asked], "replay")
    assert poll.settle().failed == 0
    assert row(Product, product).name == "Squad"
    assert row(CustomerFacts, customer).plan.startswith("Squad, ")
    poll.once()
    assert truth.differences(sandbox) == []


HEARD = o.coupon()  # as a discount shows it: without the products that it applies to
WHOLE = o.coupon(applies_to={"products": ["prod_1"]})


@pytest.mark.parametrize(
    "whose",
    [{"subscription": "sub_1"}, {"subscription_item": "si_2"}, {"customer": "cus_1"}],
    ids=["of a subscription", "of an item", "of a customer"],
)
def test_a_coupon_that_comes_after_its_subscription(database: ModuleType, whose: dict[str, str]) -> None:
    discount = [o.discount(of=HEARD, **whose)]
    items = [
        o.item("si_1", o.price("price_1", 1000)),
        o.item("si_2", o.price("price_2", 5000, product="prod_2")),
    ]
    store(o.customer(), o.subscription(items=items, discounts=discount))
    assert row(Subscription, "sub_1").mrr_micros == 3_000_000_000
    answers.apply(Answer(WHOLE, NOW + 5, "req_1"))
    assert row(Subscription, "sub_1").mrr_micros == 5_500_000_000
    assert row(CustomerFacts, "cus_1").mrr_micros == 5_500_000_000


def test_what_is_heard_of_a_coupon_again_reaches_nobody(
    database: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(WHOLE, o.customer(), o.subscription(discounts=[o.discount(of=HEARD, subscription="sub_1")]))
    reached: list[set[str]] = []
    monkeypatch.setattr(facts, "derive_in_pieces", reached.append)
    answers.apply(
        Answer(o.subscription("sub_2", customer="cus_2", discounts=[o.discount(of=HEARD)]), NOW + 5, "r")
    )
    assert reached == []
