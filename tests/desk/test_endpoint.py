"""A webhook endpoint is made once for an address, by an admin, and is in Activity before Stripe is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import stripe
from sqlmodel import select

from models import AuditEntry
from services import clock, config, locks
from services.config import Mode
from services.desk import activity, endpoint
from services.desk.activity import ActivityFilter
from services.errors import Conflict, InvalidInput, NotAllowed, Unavailable
from services.staff.roles import Person, Role
from services.stripe_api import client
from services.stripe_api.failures import RightMissing
from tests.support.sandbox import Sandbox

ADA = Person(1, "Ada", "ada@x.example", Role.ADMIN)
FRIDA = Person(2, "Frida", "frida@x.example", Role.FOUNDER)
LOCKED = Person(1, "Ada", "ada@x.example", Role.ADMIN, read_only="The account is read-only.")


@pytest.fixture
def desk(database: ModuleType, account: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A desk of an account without endpoints."""
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    config.settings.cache_clear()
    client.configure(client.connect(account.key, account.url))
    for one in there(account):
        account.client().v1.webhook_endpoints.delete(one.id)
    yield database
    client.configure(None)
    config.settings.cache_clear()


def there(account: Sandbox) -> list[Any]:
    return account.client().v1.webhook_endpoints.list().data


def kept(desk: ModuleType) -> list[AuditEntry]:
    with desk.session() as session:
        return list(session.exec(select(AuditEntry).order_by(AuditEntry.id)))


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://desk.company.com", "https://desk.company.com/webhooks/stripe"),
        ("  https://Desk.Company.com/ ", "https://desk.company.com/webhooks/stripe"),
        ("https://desk.company.com:8443/webhooks/stripe", "https://desk.company.com:8443/webhooks/stripe"),
        ("https://company.com/desk/", "https://company.com/desk/webhooks/stripe"),
        ("https://desk.\u200bcompany.com\ufeff", "https://desk.company.com/webhooks/stripe"),
        ("https://8.8.8.8", "https://8.8.8.8/webhooks/stripe"),
    ],
)
def test_an_address_becomes_where_stripe_delivers(typed: str, url: str) -> None:
    assert endpoint.url_of(typed, "live") == url


@pytest.mark.parametrize("mode", ["test", "live"])
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "is missing"),
        ("desk.company.com", "begins with https://"),
        ("https://", "begins with https://"),
        ("https://desk company.com", "begins with https://"),
        ("ftp://desk.company.com", "begins with https://"),
        ("https://[desk", "is not an address"),
        ("https://desk.company.com:port", "is not an address"),
        ("https://ada:secret@desk.company.com", "more than the desk's address"),
        ("https://desk.company.com/?a=1", "more than the desk's address"),
        ("http://desk.company.com", "https:// only"),
        ("https://localhost:8501", "cannot reach localhost"),
        ("https://192.168.1.5", "cannot reach 192.168.1.5"),
        ("https://desk.local", "cannot reach desk.local"),
        ("https://desk", "cannot reach desk"),
    ],
)
def test_an_address_that_stripe_cannot_use_is_a_sentence(typed: str, said: str, mode: Mode) -> None:
    with pytest.raises(InvalidInput, match=re.escape(said)) as problem:
        endpoint.url_of(typed, mode)
    assert problem.value.remedy
    assert problem.value.field == "address"


def test_the_sandbox_delivers_to_this_machine() -> None:
    assert endpoint.url_of("http://localhost:8501", "sandbox") == "http://localhost:8501/webhooks/stripe"


def test_an_endpoint_gets_all_events_in_our_shape_and_its_secret_is_told(
    desk: ModuleType, account: Sandbox
) -> None:
    made = endpoint.make(ADA, "http://127.0.0.1:9")
    [one] = there(account)
    assert (one.id, one.url) == (made.id, "http://127.0.0.1:9/webhooks/stripe")
    assert (one.enabled_events, one.api_version) == (["*"], stripe.api_version)
    assert made.setting.startswith("STRIPE_WEBHOOK_SECRET=whsec_")
    assert made.secret not in repr(made)


def test_who_made_it_is_in_activity_with_the_key_and_without_the_secret(
    desk: ModuleType, account: Sandbox
) -> None:
    made = endpoint.make(ADA, "http://127.0.0.1:9")
    begun, ended = kept(desk)
    [sent] = account.requests(method="POST", path="/v1/webhook_endpoints")[-1:]
    assert begun.after == {"address": made.url, "key": sent["idempotency_key"]}
    assert (begun.staff, begun.object_id, ended.object_id) == (1, begun.after["key"], begun.after["key"])
    assert ended.after == {"object": made.id, "address": made.url}
    assert made.secret not in str([begun.after, ended.after])
    with desk.session() as session:
        told = activity.search(session, ADA, ActivityFilter())
    said = {one.title: [each.after for each in one.differences] for one in told}
    assert said == {
        "Ask for a webhook endpoint": [made.url, begun.object_id],
        "Make a webhook endpoint": [made.id, made.url],
    }


def test_a_second_click_gets_the_same_endpoint(desk: ModuleType, account: Sandbox) -> None:
    first = endpoint.make(ADA, "http://127.0.0.1:9")
    assert endpoint.make(ADA, "http://127.0.0.1:9/") == first
    assert len(there(account)) == 1
    assert len(kept(desk)) == 2


def test_one_that_is_there_already_is_named(desk: ModuleType, account: Sandbox) -> None:
    made = endpoint.make(ADA, "http://127.0.0.1:9")
    clock.follow(clock.offset() + 120)
    with pytest.raises(Conflict, match=made.id):
        endpoint.make(ADA, "http://127.0.0.1:9")
    assert len(there(account)) == 1
    account.client().v1.webhook_endpoints.delete(made.id)
    assert endpoint.make(ADA, "http://127.0.0.1:9").id != made.id


def test_where_no_answer_came_the_same_key_is_sent_again(desk: ModuleType, account: Sandbox) -> None:
    account.fault("timeout_after", method="POST", path="/v1/webhook_endpoints")
    with pytest.raises(Unavailable) as problem:
        endpoint.make(ADA, "http://127.0.0.1:9")
    assert "Press the button again" in problem.value.remedy
    account.heal()
    made = endpoint.make(ADA, "http://127.0.0.1:9")
    assert [one.id for one in there(account)] == [made.id]
    assert made.secret.startswith("whsec_")
    assert [row.kind for row in kept(desk)] == ["endpoint_begun", "endpoint_made"]


def test_a_server_error_that_stripe_repeats_for_its_key_ends_the_attempt(
    desk: ModuleType, account: Sandbox
) -> None:
    account.fault("500_after", method="POST", path="/v1/webhook_endpoints")
    with pytest.raises(Unavailable, match="did not say whether") as problem:
        endpoint.make(ADA, "http://127.0.0.1:9")
    assert "Press the button again" in problem.value.remedy
    account.heal()
    begun, ended = kept(desk)
    assert (ended.kind, ended.object_id) == ("endpoint_unknown", begun.object_id)
    assert "an error of its own (500)" in ended.after["refusal"]
    [one] = there(account)
    with pytest.raises(Conflict, match=one.id) as conflict:
        endpoint.make(ADA, "http://127.0.0.1:9")
    assert "secret was shown once" in conflict.value.remedy
    account.client().v1.webhook_endpoints.delete(one.id)
    assert endpoint.make(ADA, "http://127.0.0.1:9").id != one.id


def test_after_a_server_error_that_did_nothing_a_new_key_is_sent(desk: ModuleType, account: Sandbox) -> None:
    account.fault("500_before", method="POST", path="/v1/webhook_endpoints")
    with pytest.raises(Unavailable):
        endpoint.make(ADA, "http://127.0.0.1:9")
    account.heal()
    assert endpoint.make(ADA, "http://127.0.0.1:9").id == there(account)[0].id
    first, _, second, _ = kept(desk)
    assert first.object_id != second.object_id


def test_what_stripe_refuses_is_kept_and_can_be_asked_anew(desk: ModuleType, account: Sandbox) -> None:
    account.restrict("rk_test_reader", webhook_endpoints="read")
    client.configure(client.connect("rk_test_reader", account.url))
    with pytest.raises(RightMissing):
        endpoint.make(ADA, "http://127.0.0.1:9")
    begun, refused = kept(desk)
    assert (refused.kind, refused.object_id) == ("endpoint_refused", begun.object_id)
    assert "webhook endpoints write" in refused.after["refusal"]
    client.configure(client.connect(account.key, account.url))
    assert endpoint.make(ADA, "http://127.0.0.1:9").id == there(account)[0].id
    assert kept(desk)[2].object_id != begun.object_id


@pytest.mark.parametrize("person", [FRIDA, LOCKED])
def test_others_may_not(desk: ModuleType, account: Sandbox, person: Person) -> None:
    with pytest.raises(NotAllowed):
        endpoint.make(person, "http://127.0.0.1:9")
    assert there(account) == []
    assert kept(desk) == []


def test_two_people_at_once_make_one(desk: ModuleType, account: Sandbox) -> None:
    with locks.alone("webhook-endpoint"), pytest.raises(Conflict, match="at this moment"):
        endpoint.make(ADA, "http://127.0.0.1:9")
    assert there(account) == []
