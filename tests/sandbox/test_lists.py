"""Pages, filters and expansion of lists."""

from __future__ import annotations

from uuid import uuid4

import pytest
import stripe

from tests.sandbox.shop import Shop


@pytest.fixture
def five(shop: Shop) -> tuple[str, list[str]]:
    """An email and the ids of five customers who share it, newest first."""
    email = f"five-{uuid4().hex}@example.com"
    made = [shop.v1.customers.create({"email": email}).id for _ in range(5)]
    return email, made[::-1]


def test_pages_are_newest_first_and_cursors_exclusive(
    client: stripe.StripeClient, five: tuple[str, list[str]]
) -> None:
    email, ids = five
    first = client.v1.customers.list({"email": email, "limit": 2})
    assert ([one.id for one in first.data], first.has_more) == (ids[:2], True)
    second = client.v1.customers.list({"email": email, "limit": 3, "starting_after": ids[1]})
    assert ([one.id for one in second.data], second.has_more) == (ids[2:], False)
    back = client.v1.customers.list({"email": email, "limit": 2, "ending_before": ids[4]})
    assert ([one.id for one in back.data], back.has_more) == (ids[2:4], True)


def test_paging_to_the_end_meets_each_object_once(
    client: stripe.StripeClient, five: tuple[str, list[str]]
) -> None:
    email, ids = five
    pages = client.v1.customers.list({"email": email, "limit": 2})
    assert [one.id for one in pages.auto_paging_iter()] == ids


def test_created_filters(shop: Shop) -> None:
    before = shop.sandbox.advance(seconds=10)
    customer = shop.v1.customers.create({})
    shop.sandbox.advance(seconds=10)
    later = shop.v1.customers.create({})
    span = {"gte": before, "lt": later.created}
    found = [one.id for one in shop.v1.customers.list({"created": span, "limit": 100}).data]  # type: ignore[typeddict-item]
    assert customer.id in found
    assert later.id not in found
    exact = shop.v1.customers.list({"created": customer.created}).data
    assert customer.id in [one.id for one in exact]


@pytest.mark.parametrize("limit", [0, 101])
def test_a_limit_out_of_range_is_refused(client: stripe.StripeClient, limit: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.customers.list({"limit": limit})
    assert caught.value.param == "limit"


def test_a_cursor_that_does_not_exist_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.invoices.list({"starting_after": "in_none"})
    assert caught.value.param == "starting_after"


def test_canceled_subscriptions_are_hidden_unless_asked_for(shop: Shop) -> None:
    customer, price = shop.customer(), shop.price()
    gone, here = shop.subscribe(customer, price), shop.subscribe(customer, price)
    shop.v1.subscriptions.cancel(gone.id)

    def ids(**params: str) -> set[str]:
        return {one.id for one in shop.v1.subscriptions.list({"customer": customer, **params}).data}  # type: ignore[typeddict-item]

    assert ids() == {here.id}
    assert ids(status="all") == {gone.id, here.id}
    assert ids(status="canceled") == ids(status="ended") == {gone.id}
    assert ids(price=price) == {here.id}
    assert ids(price=shop.price()) == set()


def test_expansion_of_a_list_and_of_an_object(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer())
    page = shop.v1.subscriptions.list(
        {"customer": str(subscription.customer), "expand": ["data.customer", "data.latest_invoice.payments"]}
    )
    body = page.data[0]
    assert isinstance(body.customer, stripe.Customer)
    assert isinstance(body.latest_invoice, stripe.Invoice)
    assert body.latest_invoice.payments is not None
    assert body.latest_invoice.payments.data[0].status == "paid"
    customer = shop.v1.customers.retrieve(
        str(subscription.customer), {"expand": ["invoice_settings.default_payment_method", "subscriptions"]}
    )
    assert customer.subscriptions is not None
    assert [one.id for one in customer.subscriptions.data] == [subscription.id]
    assert customer.invoice_settings is not None
    assert isinstance(customer.invoice_settings.default_payment_method, stripe.PaymentMethod)


def test_what_cannot_be_expanded_is_refused(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.customers.retrieve(shop.customer(None), {"expand": ["friends"]})
    assert "friends" in str(caught.value)


def test_a_deleted_customer_expands_to_a_stub(shop: Shop) -> None:
    subscription = shop.subscribe(trial_period_days=5)
    shop.v1.customers.delete(str(subscription.customer))
    raw = shop.client.raw_request("get", f"/v1/subscriptions/{subscription.id}", expand=["customer"])
    assert raw.data["customer"]["deleted"] is True


def test_long_lines_and_items_are_cut_and_can_be_paged(shop: Shop) -> None:
    items = [{"price": shop.price(100 + n)} for n in range(12)]
    subscription = shop.subscribe(items=items)
    assert (len(subscription["items"].data), subscription["items"].has_more) == (10, True)
    listed = shop.v1.subscriptions.list({"customer": str(subscription.customer)}).data[0]
    assert (len(listed["items"].data), listed["items"].has_more) == (10, True)
    every = shop.v1.subscription_items.list({"subscription": subscription.id, "limit": 100})
    assert len({one.id for one in every.data}) == 12
    invoice = shop.latest(subscription)
    assert (len(invoice.lines.data), invoice.lines.has_more) == (10, True)
    first = shop.v1.invoices.line_items.list(invoice.id, {"limit": 7})
    rest = shop.v1.invoices.line_items.list(invoice.id, {"limit": 7, "starting_after": first.data[-1].id})
    assert (len(first.data), first.has_more, len(rest.data), rest.has_more) == (7, True, 5, False)
    assert sum(line.amount for line in [*first.data, *rest.data]) == invoice.total


def test_payments_are_found_from_both_sides(shop: Shop) -> None:
    subscription = shop.subscribe()
    payment = shop.v1.invoice_payments.list({"invoice": shop.latest(subscription).id}).data[0]
    intent = str(payment.payment.payment_intent)
    found = shop.v1.invoice_payments.list({"payment": {"type": "payment_intent", "payment_intent": intent}})
    assert [one.id for one in found.data] == [payment.id]
    charges = shop.v1.charges.list({"payment_intent": intent}).data
    assert [(one.status, one.amount) for one in charges] == [("succeeded", 4900)]
    assert shop.v1.charges.list({"customer": str(subscription.customer)}).data[0].id == charges[0].id


def test_prices_and_products_by_their_filters(shop: Shop) -> None:
    price = shop.v1.prices.retrieve(shop.price(1234))
    shop.v1.prices.update(price.id, {"active": False})
    product = str(price.product)
    assert [one.id for one in shop.v1.prices.list({"product": product}).data] == [price.id]
    assert shop.v1.prices.list({"product": product, "active": True}).data == []
    assert [one.id for one in shop.v1.products.list({"ids": [product]}).data] == [product]
