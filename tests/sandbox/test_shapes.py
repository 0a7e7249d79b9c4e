"""What the running sandbox sends has the shape that the SDK declares, on every endpoint."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.shop import Shop
from tests.support.shapes import problems

_LISTS = (
    "customers products prices coupons promotion_codes subscriptions invoices invoiceitems invoice_payments "
    "payment_intents charges refunds disputes credit_notes events payment_methods setup_intents "
    "checkout/sessions webhook_endpoints"
).split()


@pytest.fixture
def busy(shop: Shop) -> Shop:
    """An account in which something of every kind has happened."""
    coupon = shop.v1.coupons.create({"percent_off": 10, "duration": "repeating", "duration_in_months": 3})
    code = shop.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})
    subscription = shop.subscribe(discounts=[{"promotion_code": code.id}], metadata={"a": "b"})
    customer = str(subscription.customer)
    change: Any = {"items": [{"id": subscription["items"].data[0].id, "quantity": 4}]}
    shop.v1.subscriptions.update(subscription.id, change)
    charge = shop.v1.charges.list({"customer": customer}).data[0]
    shop.v1.credit_notes.create(
        {"invoice": shop.latest(subscription).id, "amount": 400, "refund_amount": 400}
    )
    shop.sandbox.behave(shop.default_card(customer), "expired_card")
    shop.renew(subscription)
    shop.sandbox.dispute(charge.id)
    paused: Any = {
        "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        "trial_period_days": 2,
    }
    shop.subscribe(shop.customer(None, address={"country": "DE", "city": "Köln"}), **paused)
    shop.subscribe(shop.customer("requires_action"))
    sent: Any = {"collection_method": "send_invoice", "days_until_due": 7}
    shop.subscribe(shop.customer(None), **sent)
    shop.v1.checkout.sessions.create({"mode": "setup", "currency": "usd", "customer": customer})
    shop.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["payout.paid"]})
    shop.sandbox.advance(days=3)
    return shop


def test_every_object_of_every_list(busy: Shop) -> None:
    found = {}
    for name in _LISTS:
        params: dict[str, Any] = {"limit": 100, **({"status": "all"} if name == "subscriptions" else {})}
        page = busy.client.raw_request("get", f"/v1/{name}", **params).data
        assert page["data"], name
        complaints = [problem for body in page["data"] for problem in problems(body)]
        if complaints:
            found[name] = complaints[:3]
    assert found == {}


def test_answers_that_are_in_no_list(busy: Shop) -> None:
    subscription = busy.subscribe(trial_period_days=9)
    customer = str(subscription.customer)
    asked = [
        ("post", "/v1/invoices/create_preview", {"subscription": subscription.id}),
        ("post", "/v1/billing_portal/sessions", {"customer": customer}),
        ("get", "/v1/account", {}),
        ("get", f"/v1/subscriptions/{subscription.id}", {"expand": ["customer", "latest_invoice.payments"]}),
        ("get", f"/v1/customers/{customer}", {"expand": ["subscriptions"]}),
        ("post", f"/v1/customers/{customer}/balance_transactions", {"amount": -100, "currency": "usd"}),
    ]
    for method, path, params in asked:
        body = busy.client.raw_request(method, path, **params).data
        assert problems(body) == [], path
