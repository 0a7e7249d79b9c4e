"""What goes wrong on purpose, and what the official SDK makes of it."""

from __future__ import annotations

import time

import pytest
import requests
import stripe

from tests.sandbox.shop import Shop
from tests.support.sandbox import ControlError, Sandbox


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_time_out_before_and_after_the_work(shop: Shop, when: str) -> None:
    email = f"{when}-{time.time_ns()}@example.com"
    shop.sandbox.fault(f"timeout_{when}", method="POST", path="/v1/customers", count=1)
    with pytest.raises(stripe.APIConnectionError):
        shop.v1.customers.create({"email": email})
    assert len(shop.v1.customers.list({"email": email}).data) == (1 if when == "after" else 0)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_500_before_and_after_the_work(shop: Shop, when: str) -> None:
    email = f"{when}-{time.time_ns()}@example.com"
    shop.sandbox.fault(f"500_{when}", method="POST", path="/v1/customers", count=1)
    with pytest.raises(stripe.APIError) as caught:
        shop.v1.customers.create({"email": email})
    assert caught.value.http_status == 500
    assert len(shop.v1.customers.list({"email": email}).data) == (1 if when == "after" else 0)


@pytest.mark.parametrize("kind", ["timeout_after", "500_before", "409"])
def test_the_sdks_own_retries_do_the_work_once(sandbox: Sandbox, kind: str) -> None:
    client = sandbox.client(max_network_retries=2)
    email = f"retry-{time.time_ns()}@example.com"
    sandbox.fault(kind, method="POST", path="/v1/customers", count=1)
    made = client.v1.customers.create({"email": email})
    assert [one.id for one in client.v1.customers.list({"email": email}).data] == [made.id]


@pytest.mark.parametrize("reason", ["endpoint-rate", "global-concurrency", None])
def test_a_429_with_its_reason(shop: Shop, reason: str | None) -> None:
    shop.sandbox.fault("429", path="/v1/invoices", count=1, reason=reason)
    shop.v1.customers.list()
    with pytest.raises(stripe.RateLimitError) as caught:
        shop.v1.invoices.list()
    headers = caught.value.headers or {}
    assert headers.get("Stripe-Rate-Limited-Reason") == reason
    shop.v1.invoices.list()


def test_a_late_request_is_carried_out_although_nobody_waits_any_more(shop: Shop) -> None:
    customer = shop.customer()
    shop.sandbox.fault("late", method="POST", path="/v1/customers", seconds=1.5, count=1)
    impatient = {"timeout": 0.3, "headers": {"Authorization": f"Bearer {shop.sandbox.key}"}}
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{shop.sandbox.url}/v1/customers/{customer}", {"name": "Late"}, **impatient)
    assert shop.v1.customers.retrieve(customer).name == "Ann", "others do not wait for it"
    until = time.monotonic() + 10
    while shop.v1.customers.retrieve(customer).name == "Ann" and time.monotonic() < until:
        time.sleep(0.1)
    assert shop.v1.customers.retrieve(customer).name == "Late"


def test_a_slow_answer(shop: Shop) -> None:
    shop.sandbox.fault("slow", path="/v1/customers", seconds=0.4, count=1)
    begun = time.monotonic()
    shop.v1.customers.list()
    assert time.monotonic() - begun >= 0.4


def test_chance_is_repeatable(shop: Shop) -> None:
    def struck() -> list[bool]:
        shop.sandbox.heal()
        shop.sandbox.fault("500_before", path="/v1/products", probability=0.5, seed=3)
        outcomes = []
        for _ in range(12):
            try:
                shop.v1.products.list()
                outcomes.append(False)
            except stripe.APIError:
                outcomes.append(True)
        return outcomes

    first = struck()
    assert struck() == first
    assert 0 < sum(first) < 12


def test_faults_are_counted_and_listed(shop: Shop) -> None:
    shop.sandbox.fault("500_before", method="GET", path="/v1/coupons", count=2)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            shop.v1.coupons.list()
    shop.v1.coupons.list()
    (fault,) = shop.sandbox.control("GET", "faults")["faults"]
    assert (fault["struck"], fault["count"]) == (2, 0)


def test_an_older_shape_puts_fields_where_they_were(shop: Shop) -> None:
    coupon = shop.v1.coupons.create({"percent_off": 10, "duration": "forever"})
    subscription = shop.subscribe(discounts=[{"coupon": coupon.id}])
    item = subscription["items"].data[0]
    invoice = shop.latest(subscription)
    shop.sandbox.fault("shape_old")
    old = shop.client.raw_request("get", f"/v1/subscriptions/{subscription.id}").data
    assert old["current_period_end"] == item.current_period_end
    assert "current_period_end" not in old["items"]["data"][0]
    assert old["discount"]["coupon"]["id"] == coupon.id
    bill = shop.client.raw_request("get", "/v1/invoices", subscription=subscription.id).data["data"][0]
    assert (bill["subscription"], bill["paid"], "parent" in bill) == (subscription.id, True, False)
    charge = shop.client.raw_request("get", f"/v1/charges/{bill['charge']}").data
    assert charge["invoice"] == invoice.id
    assert bill["lines"]["data"][0]["price"]["id"] == item.price.id
    event = shop.client.raw_request("get", "/v1/events", type="customer.subscription.created", limit=1).data[
        "data"
    ][0]
    assert event["api_version"] == "2024-06-20"
    assert event["data"]["object"]["current_period_start"] == item.current_period_start


@pytest.mark.parametrize(
    "given", [{"kind": "earthquake"}, {"kind": "429", "reason": "mood"}, {"kind": "slow", "colour": "red"}]
)
def test_a_fault_that_does_not_exist_is_refused(sandbox: Sandbox, given: dict[str, str]) -> None:
    with pytest.raises(ControlError) as caught:
        sandbox.control("POST", "faults", **given)
    assert caught.value.status == 400
    assert sandbox.control("GET", "faults") == {"faults": []}
