"""A repeated request is carried out once."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import stripe

from tests.sandbox.shop import Shop
from tests.support.sandbox import KEY, Sandbox


def _post(sandbox: Sandbox, key: str, path: str = "customers", **data: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": key}
    return requests.post(f"{sandbox.url}/v1/{path}", data=data, headers=headers, timeout=30)


def test_the_same_key_gets_the_same_answer_and_does_nothing_again(sandbox: Sandbox) -> None:
    key, email = str(uuid.uuid4()), f"{uuid.uuid4()}@example.com"
    first, second = (_post(sandbox, key, email=email) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert len(sandbox.client().v1.customers.list({"email": email}).data) == 1


def test_the_same_key_for_something_else_is_refused(sandbox: Sandbox) -> None:
    key = str(uuid.uuid4())
    _post(sandbox, key, name="Ann")
    answer = _post(sandbox, key, name="Bob")
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")


def test_a_stored_500_is_replayed_and_what_was_done_stays_done(sandbox: Sandbox) -> None:
    key, email = str(uuid.uuid4()), f"{uuid.uuid4()}@example.com"
    sandbox.fault("500_after", method="POST", path="/v1/customers", count=1)
    answers = [_post(sandbox, key, email=email) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [500, 500]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert len(sandbox.client().v1.customers.list({"email": email}).data) == 1


def test_a_lost_answer_is_found_again_with_its_key(sandbox: Sandbox) -> None:
    key, email = str(uuid.uuid4()), f"{uuid.uuid4()}@example.com"
    sandbox.fault("timeout_after", method="POST", path="/v1/customers", count=1)
    with pytest.raises(requests.ConnectionError):
        _post(sandbox, key, email=email)
    assert _post(sandbox, key, email=email).headers["Idempotent-Replayed"] == "true"
    assert len(sandbox.client().v1.customers.list({"email": email}).data) == 1


def test_a_decline_is_kept(shop: Shop) -> None:
    customer = shop.customer("insufficient_funds")
    shop.v1.invoice_items.create({"customer": customer, "amount": 500, "currency": "usd"})
    invoice = shop.v1.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})
    key = str(uuid.uuid4())
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            shop.v1.invoices.pay(invoice.id, options={"idempotency_key": key})
    assert len(shop.v1.charges.list({"customer": customer}).data) == 1


def test_parameters_that_are_wrong_do_not_use_the_key_up(sandbox: Sandbox) -> None:
    key = str(uuid.uuid4())
    assert _post(sandbox, key, nmae="Ann").status_code == 400
    assert _post(sandbox, key, name="Ann").status_code == 200


def test_two_at_once_with_one_key(sandbox: Sandbox) -> None:
    key, email = str(uuid.uuid4()), f"{uuid.uuid4()}@example.com"
    sandbox.fault("slow", method="POST", path="/v1/customers", seconds=0.6, count=1)
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: _post(sandbox, key, email=email), range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert _post(sandbox, key, email=email).headers["Idempotent-Replayed"] == "true"
    assert len(sandbox.client().v1.customers.list({"email": email}).data) == 1


def test_a_delete_needs_no_key(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.v1.subscriptions.cancel(subscription.id)
    seen = shop.sandbox.requests(method="DELETE", path=f"/v1/subscriptions/{subscription.id}")
    assert [(entry["idempotency_key"], entry["status"]) for entry in seen] == [(None, 200)]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.subscriptions.cancel(subscription.id)
    assert caught.value.code == "resource_missing"
