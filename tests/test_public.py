"""Webhooks: signed or refused, stored once however often they come, applied at once, never lost."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest
import requests
import sqlalchemy as sa
import stripe
from sqlmodel import select

from models import InboxItem, Workspace
from services import config, public
from services.mirror import refusals
from services.mirror.refusals import Refusals, Refused
from tests.support import routes

SECRET, OTHER = "whsec_one", "whsec_two"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with routes.served() as address:
        yield f"{address}/webhooks/stripe"


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Two secrets, as while one is being replaced."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", f"{SECRET}, {OTHER}")
    config.settings.cache_clear()
    yield monkeypatch
    config.settings.cache_clear()


@pytest.fixture(autouse=True)
def counted(database: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is refused is counted at once, and before the test's database goes."""
    counting = Refusals(every=0)
    monkeypatch.setattr(public, "_refusals", counting)
    yield
    end = time.monotonic() + 30
    while counting._writer is not None and time.monotonic() < end:
        time.sleep(0.01)


def event(id: str, **fields: object) -> dict[str, Any]:
    data = {"object": {"object": "novelty", "id": "n_1"}}
    return {
        "id": id,
        "object": "event",
        "type": "a.b",
        "created": 5,
        "livemode": False,
        "data": data,
        **fields,
    }


def post(
    url: str, body: str | bytes, *, secret: str = SECRET, age: float = 0, **headers: str
) -> requests.Response:
    text = body if isinstance(body, str) else body.decode(errors="surrogateescape")
    made = stripe.WebhookSignature.generate_signature_header
    sent = body.encode() if isinstance(body, str) else body
    with contextlib.suppress(UnicodeEncodeError):
        headers.setdefault("Stripe-Signature", made(text, secret, int(time.time() - age)))
    return requests.post(url, sent, headers=headers, timeout=30)


def deliver(url: str, found: dict[str, Any]) -> int:
    return post(url, json.dumps(found)).status_code


def kept(database: ModuleType) -> dict[str, InboxItem]:
    with database.session() as session:
        return {row.id: row for row in session.exec(select(InboxItem))}


def test_an_event_is_stored_once_however_often_it_comes(database: ModuleType, url: str) -> None:
    body = json.dumps(event("evt_1"), indent=2)
    assert [post(url, body, secret=secret).status_code for secret in (SECRET, OTHER, SECRET)] == [200] * 3
    stored = kept(database)
    assert list(stored) == ["evt_1"]
    assert (stored["evt_1"].source, stored["evt_1"].state) == ("webhook", "pending")
    assert json.loads(stored["evt_1"].payload) == event("evt_1")


def test_many_at_once_are_all_stored(database: ModuleType, url: str) -> None:
    found = [event(f"evt_{n % 150}", created=n) for n in range(200)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: deliver(url, one), found))
    assert answers == [200] * 200
    assert len(kept(database)) == 150


def test_what_no_column_holds_keeps_nothing_else_out(database: ModuleType, url: str) -> None:
    odd = {3: {"created": 2**70}, 4: {"type": "a\x00b"}, 5: {"type": {"a": 1}}, 6: {"id": "evt_\ud800"}}
    found = [event(f"evt_{n}") | odd.get(n, {}) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda one: deliver(url, one), found)) == [200] * 8
    assert len(kept(database)) == 8


@pytest.mark.parametrize(
    ("given", "why", "what_to_do"),
    [
        ({"secret": "whsec_three"}, "made with another secret", "Set STRIPE_WEBHOOK_SECRET"),
        ({"secret": ""}, "made with another secret", "Set STRIPE_WEBHOOK_SECRET"),
        ({"age": 400}, "signed too long ago", "Set this machine's clock"),
        ({"age": 400, "secret": OTHER}, "signed too long ago", "Set this machine's clock"),
        ({"age": -400}, "in the future", "Set this machine's clock"),
        ({"Stripe-Signature": ""}, "missing or malformed", "the sender is somebody else"),
        ({"Stripe-Signature": "t=now,v1=,,"}, "missing or malformed", "the sender is somebody else"),
        ({"Stripe-Signature": "v0=abc"}, "missing or malformed", "the sender is somebody else"),
        ({"Stripe-Signature": "t=5,v0=abc"}, "missing or malformed", "the sender is somebody else"),
    ],
)
def test_what_nobody_signed_is_refused_with_the_reason(
    database: ModuleType, url: str, given: dict[str, Any], why: str, what_to_do: str
) -> None:
    answer = post(url, json.dumps(event("evt_1")), **given)
    assert (answer.status_code, why in answer.text, what_to_do in answer.text) == (400, True, True), (
        answer.text
    )
    assert kept(database) == {}


def test_what_is_refused_is_counted_with_the_last_reason(
    database: ModuleType, url: str, secrets: pytest.MonkeyPatch
) -> None:
    assert deliver(url, event("evt_1")) == 200
    assert post(url, json.dumps(event("evt_2")), secret="whsec_three").status_code == 400
    assert post(url, json.dumps(event("evt_3", livemode=True))).status_code == 400
    assert "from the other" in refused(database, 2).why
    assert post(url, " " * 2_000_001).status_code == 413
    assert "Stripe sends nothing of that size" in refused(database, 3).why
    secrets.delenv("STRIPE_WEBHOOK_SECRET")
    config.settings.cache_clear()
    assert deliver(url, event("evt_4")) == 404
    assert "Set STRIPE_WEBHOOK_SECRET to the endpoint's" in refused(database, 4).why


def refused(database: ModuleType, number: int) -> Refused:
    """What is told of refused deliveries once so many are counted."""
    end = time.monotonic() + 30
    while True:
        with database.session() as session:
            found = refusals.read(session)
        if found and found.number == number:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "not JSON"),
        ("[]", "not “event”"),
        ('"evt_1"', "not “event”"),
        (json.dumps(event("")), "no id"),
        (json.dumps(event("evt_1", created=None)), "no id or no time"),
        (json.dumps({**event("evt_1"), "object": "v2.core.event"}), "not “event”"),
        (json.dumps(event("evt_1", livemode=True)), "sandbox mode"),
        (json.dumps(event("evt_1", account="acct_2")), "connected account acct_2"),
    ],
)
def test_what_is_signed_but_no_event_of_ours_is_refused_with_the_reason(
    database: ModuleType, url: str, body: str, why: str
) -> None:
    answer = post(url, body)
    assert (answer.status_code, why in answer.text) == (400, True), answer.text
    assert kept(database) == {}


def test_other_bytes_than_text_are_refused(database: ModuleType, url: str) -> None:
    answer = post(url, b"\xff\xfe", **{"Stripe-Signature": "t=1,v1=a"})
    assert (answer.status_code, "UTF-8" in answer.text) == (400, True)


def test_a_body_larger_than_any_event_is_not_read(database: ModuleType, url: str) -> None:
    assert post(url, " " * 2_000_001).status_code == 413


def test_without_a_secret_nothing_is_taken(
    database: ModuleType, url: str, secrets: pytest.MonkeyPatch
) -> None:
    secrets.delenv("STRIPE_WEBHOOK_SECRET")
    config.settings.cache_clear()
    assert post(url, json.dumps(event("evt_1")), secret="").status_code == 404
    assert kept(database) == {}


def test_a_database_that_is_away_lets_stripe_try_again(database: ModuleType, url: str) -> None:
    with database.transaction() as session:
        session.connection().execute(sa.text("ALTER TABLE inbox RENAME TO away"))
    assert deliver(url, event("evt_1")) == 503
    with database.transaction() as session:
        session.connection().execute(sa.text("ALTER TABLE away RENAME TO inbox"))
    assert deliver(url, event("evt_1")) == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/webhooks/stripe"), ("PUT", "/healthz")])
def test_another_method_is_refused(database: ModuleType, url: str, method: str, path: str) -> None:
    base = url.removesuffix("/webhooks/stripe")
    answer = requests.request(method, base + path, timeout=30)
    assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (
        405,
        {"POST"} if path.startswith("/webhooks") else {"GET", "HEAD"},
    )


def test_a_monitor_sees_when_the_account_was_last_looked_at(database: ModuleType, url: str) -> None:
    health = url.replace("/webhooks/stripe", "/healthz")
    told = []
    for pulled, checked in ((None, 50), (100, 50), (100, 7200)):
        with database.transaction() as session:
            session.merge(Workspace(account="acct_1", mode="test", pulled_at=pulled, checked_at=checked))
        told.append(requests.get(health, timeout=30).json()["last_pull"])
    assert told == [None, "1970-01-01T00:01:40+00:00", "1970-01-01T02:00:00+00:00"]
