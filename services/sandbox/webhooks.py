"""How do events reach those who want to hear of them?

Each event is queued for each endpoint in the transaction that made it, and sent, signed, until it is accepted
with a 2xx or three days are over. Waiting times are real time, whatever the account's clock says, and so is
the time in the signature, which receivers compare with their own.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import time
from typing import Any, NamedTuple

import requests

from services.sandbox.billing import endpoints
from services.sandbox.billing.account import Account
from services.sandbox.faults import Faults
from services.sandbox.store import Body, encode

_WAITS = (1, 2, 5, 15, 60, 300, 1800, 3600, 7200, 14_400, 28_800, 43_200, 43_200, 43_200, 43_200)
_TIMEOUT = 10
_AT_ONCE = 50


class Delivery(NamedTuple):
    """One event on its way to one endpoint."""

    id: int
    url: str
    secret: str
    payload: str
    attempts: int


class Webhooks:
    """The queue of deliveries; used on the account's thread, but for `send`."""

    def __init__(self, account: Account, faults: Faults) -> None:
        self._account, self._faults = account, faults
        self._chance = random.Random(1)

    def queue(self, event: Body) -> None:
        """Queue an event for whoever wants it, and say in the event how many that are."""
        wanting = [one for one in self._endpoints() if endpoints.wants(one, event["type"])]
        if not wanting:
            return
        event["pending_webhooks"] = len(wanting)
        self._account.store.touch(event["id"])
        for endpoint in wanting:
            for delay in self._delays(event["type"]):
                self._account.store.execute(
                    "INSERT INTO deliveries (event, endpoint, attempts, next_at) VALUES (?, ?, 0, ?)",
                    (event["id"], endpoint["id"], time.time() + delay),
                )

    def _endpoints(self) -> list[Body]:
        return self._account.store.all("webhook_endpoint")

    def _delays(self, kind: str) -> list[float]:
        if self._faults.of_events("lose", kind):
            return []
        times = 2 if self._faults.of_events("duplicate", kind) else 1
        late = self._faults.of_events("shuffle", kind)
        return [self._chance.uniform(0, 2) if late else 0.0 for _ in range(times)]

    def due(self) -> list[Delivery]:
        """What has to be sent now."""
        query = (
            "SELECT id, event, endpoint, attempts FROM deliveries WHERE next_at <= ? "
            "ORDER BY next_at, id LIMIT ?"
        )
        rows = self._account.store.query("deliveries", query, (time.time(), _AT_ONCE))
        found = [self._delivery(*row) for row in rows]
        self._account.store.commit()
        return [delivery for delivery in found if delivery is not None]

    def _delivery(self, row_id: int, event_id: str, endpoint_id: str, attempts: int) -> Delivery | None:
        store = self._account.store
        event, endpoint = store.find(event_id), store.find(endpoint_id)
        if event is None or endpoint is None:
            self._drop(row_id)
            return None
        secret = store.notes(endpoint_id)["secret"]
        return Delivery(row_id, endpoint["url"], secret, encode(event), attempts)

    def done(self, delivery: Delivery, accepted: bool) -> None:
        """Forget a delivery that was accepted or failed for the last time; plan the next try of another."""
        store = self._account.store
        if accepted or delivery.attempts >= len(_WAITS):
            event = store.find(json.loads(delivery.payload)["id"])
            if event and accepted and event["pending_webhooks"] > 0:
                self._account.change(event, None, pending_webhooks=event["pending_webhooks"] - 1)
            self._drop(delivery.id)
        else:
            at = time.time() + _WAITS[delivery.attempts]
            update = "UPDATE deliveries SET attempts = attempts + 1, next_at = ? WHERE id = ?"
            store.execute(update, (at, delivery.id))
        store.commit()

    def _drop(self, row_id: int) -> None:
        self._account.store.execute("DELETE FROM deliveries WHERE id = ?", (row_id,))

    def pending(self) -> int:
        """How many deliveries wait."""
        return int(self._account.store.query("deliveries", "SELECT count(*) FROM deliveries", ())[0][0])


def signature(payload: str, secret: str, at: int) -> str:
    """The `Stripe-Signature` header of a payload at a time."""
    signed = hmac.new(secret.encode(), f"{at}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def send(delivery: Delivery) -> bool:
    """Post a delivery; whether it was accepted. A receiver that cannot be reached has not accepted it."""
    headers: dict[str, Any] = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": signature(delivery.payload, delivery.secret, int(time.time())),
    }
    try:
        answer = requests.post(
            delivery.url, delivery.payload.encode(), headers=headers, timeout=_TIMEOUT, allow_redirects=False
        )
    except requests.RequestException:
        return False
    return 200 <= answer.status_code < 300
