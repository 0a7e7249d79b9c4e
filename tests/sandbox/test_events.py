"""Events: what they carry, how long they live, and how they reach an endpoint."""

from __future__ import annotations

import http.server
import itertools
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from tests.sandbox.shop import DAY, Shop
from tests.support.sandbox import Sandbox, free_port


def test_every_change_says_what_was_there_before(shop: Shop) -> None:
    customer = shop.customer(None, metadata={"plan": "a", "kept": "1"})
    shop.v1.customers.update(customer, {"name": "Bob", "metadata": {"plan": "b", "new": "2"}})
    (event,) = shop.events(customer, "customer.updated")
    assert event["data"]["previous_attributes"] == {"name": "Ann", "metadata": {"plan": "a", "new": None}}
    assert event["data"]["object"]["name"] == "Bob"


def test_a_change_of_nothing_makes_no_event(shop: Shop) -> None:
    customer = shop.customer(None)
    shop.v1.customers.update(customer, {"name": "Ann"})
    assert shop.events(customer, "customer.updated") == []


def test_events_name_the_request_and_its_key_or_nobody(shop: Shop) -> None:
    created = shop.v1.customers.create({}, options={"idempotency_key": f"key-{time.time_ns()}"})
    (event,) = shop.events(created.id, "customer.created")
    (seen,) = shop.sandbox.requests(id=event["request"]["id"])
    assert seen["idempotency_key"] == event["request"]["idempotency_key"]
    assert event["api_version"] == stripe.api_version
    subscription = shop.subscribe(trial_period_days=4)
    shop.sandbox.advance(days=2)
    (warned,) = shop.events(subscription.id, "customer.subscription.trial_will_end")
    assert warned["request"] == {"id": None, "idempotency_key": None}


def test_events_are_snapshots(shop: Shop) -> None:
    customer = shop.customer(None)
    shop.v1.customers.update(customer, {"name": "Bob"})
    shop.v1.customers.update(customer, {"name": "Cid"})
    names = [event["data"]["object"]["name"] for event in shop.events(customer)]
    assert names == ["Ann", "Bob", "Cid"]


def test_previous_attributes_lead_back_to_the_state_before(shop: Shop) -> None:
    subscription = shop.subscribe(trial_period_days=5)
    shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True, "metadata": {"a": "1"}})
    shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False, "trial_end": "now"})
    events = [
        event for event in shop.events(subscription.id) if event["type"].endswith(("created", "updated"))
    ]
    assert len(events) >= 4
    for earlier, later in itertools.pairwise(events):
        assert _before(later["data"]) == earlier["data"]["object"]


def _before(data: dict[str, Any]) -> dict[str, Any]:
    return _undone(data["object"], data["previous_attributes"])


def _undone(now: dict[str, Any], previous: dict[str, Any]) -> dict[str, Any]:
    back = dict(now)
    for name, old in previous.items():
        if isinstance(old, dict) and isinstance(now.get(name), dict):
            nested = _undone(now[name], old)
            added = [key for key, value in old.items() if value is None] if name == "metadata" else []
            back[name] = {key: value for key, value in nested.items() if key not in added}
        else:
            back[name] = old
    return back


def test_a_failed_and_a_paid_invoice_tell_their_story(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.sandbox.behave(shop.default_card(str(subscription.customer)), "do_not_honor", times=1)
    shop.sandbox.advance(days=35)
    invoice = shop.latest(subscription)
    kinds = [event["type"] for event in shop.events(invoice.id) if event["type"] != "invoice.updated"]
    assert kinds == [
        "invoice.created",
        "invoice.finalized",
        "invoice.payment_failed",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]
    statuses = [event["data"]["previous_attributes"].get("status") for event in shop.events(
        subscription.id, "customer.subscription.updated")]  # fmt: skip
    assert [one for one in statuses if one] == ["active", "past_due"]


def test_a_renewal_is_announced_a_week_before(shop: Shop) -> None:
    subscription = shop.subscribe()
    end = subscription["items"].data[0].current_period_end
    shop.sandbox.move_to(end - 7 * DAY + 5)
    upcoming = [
        event
        for event in shop.client.raw_request("get", "/v1/events", type="invoice.upcoming", limit=100).data[
            "data"
        ]
        if event["data"]["object"]["customer"] == subscription.customer
    ]
    assert [event["data"]["object"]["amount_due"] for event in upcoming] == [4900]
    assert len(shop.invoices(subscription)) == 1


def test_events_by_type(shop: Shop) -> None:
    shop.subscribe()
    kinds = {event.type for event in shop.v1.events.list({"type": "invoice.*", "limit": 100}).data}
    assert kinds
    assert all(kind.startswith("invoice.") for kind in kinds)
    two = ["charge.succeeded", "customer.created"]
    assert {event.type for event in shop.v1.events.list({"types": two, "limit": 100}).data} == set(two)


def test_events_end_after_thirty_days(shop: Shop) -> None:
    customer = shop.customer(None)
    (event,) = shop.events(customer)
    shop.sandbox.advance(days=29)
    assert shop.v1.events.retrieve(event["id"]).id == event["id"]
    shop.sandbox.advance(days=2)
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.events.retrieve(event["id"])
    assert shop.events(customer) == []
    oldest = list(shop.v1.events.list({"limit": 100}).auto_paging_iter())
    assert all(one.created >= shop.sandbox.now() - 30 * DAY - 3700 for one in oldest)


class Receiver:
    """An endpoint that keeps what it is sent; `refuse` so many deliveries first."""

    def __init__(self) -> None:
        self.port, self.refuse = free_port(), 0
        self.got: list[tuple[bytes, str]] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((body, self.headers["Stripe-Signature"]))
                receiver.refuse -= 1
                self.send_response(500 if receiver.refuse >= 0 else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count: int) -> list[dict[str, Any]]:
        """The first `count` events, or all that came within ten seconds."""
        end = time.monotonic() + 10
        while len(self.got) < count and time.monotonic() < end:
            time.sleep(0.02)
        return [json.loads(body) for body, _ in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def endpoint(shop: Shop, receiver: Receiver) -> Iterator[stripe.WebhookEndpoint]:
    url = f"http://127.0.0.1:{receiver.port}/hook"
    made = shop.v1.webhook_endpoints.create(
        {"url": url, "enabled_events": ["customer.created", "customer.updated"]}
    )
    yield made
    shop.v1.webhook_endpoints.delete(made.id)


def test_webhooks_are_signed_and_only_what_was_asked_for(
    shop: Shop, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    shop.sandbox.advance(days=1)
    shop.v1.products.create({"name": "Unheard"})
    customer = shop.customer(None)
    (event,) = receiver.wait(1)
    assert (event["type"], event["data"]["object"]["id"]) == ("customer.created", customer)
    body, header = receiver.got[0]
    built = shop.client.construct_event(body, header, str(endpoint.secret))
    assert built.id == event["id"]
    with pytest.raises(stripe.SignatureVerificationError):
        shop.client.construct_event(body, header, "whsec_other")
    assert getattr(shop.v1.webhook_endpoints.retrieve(endpoint.id), "secret", None) is None


def test_a_refused_webhook_comes_again(
    shop: Shop, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    receiver.refuse = 2
    shop.customer(None)
    events = receiver.wait(3)
    assert len({event["id"] for event in events}) == 1
    assert len(events) == 3
    time.sleep(0.3)
    assert shop.sandbox.books()["webhooks_pending"] == 0
    assert shop.v1.events.retrieve(events[0]["id"]).pending_webhooks == 0


def test_webhooks_can_be_lost_and_doubled(
    shop: Shop, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    shop.sandbox.fault("lose", count=1)
    lost = shop.customer(None)
    shop.sandbox.heal()
    shop.sandbox.fault("duplicate", path="/customer.created", count=1)
    doubled = shop.customer(None)
    events = receiver.wait(2)
    assert [event["data"]["object"]["id"] for event in events] == [doubled, doubled]
    assert events[0]["id"] == events[1]["id"]
    assert shop.events(lost, "customer.created")


def test_webhooks_can_be_shuffled(shop: Shop, receiver: Receiver, endpoint: stripe.WebhookEndpoint) -> None:
    shop.sandbox.fault("shuffle")
    made = [shop.customer(None) for _ in range(8)]
    events = receiver.wait(8)
    got = [event["data"]["object"]["id"] for event in events]
    assert sorted(got) == sorted(made)
    assert got != made


def test_a_disabled_endpoint_hears_nothing(
    shop: Shop, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    shop.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    shop.customer(None)
    time.sleep(0.4)
    assert receiver.got == []


def test_an_endpoint_needs_an_address(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.webhook_endpoints.create({"url": "nowhere", "enabled_events": ["*"]})
    assert caught.value.code == "url_invalid"
