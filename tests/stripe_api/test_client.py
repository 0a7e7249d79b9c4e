"""The client against the sandbox: raw reads, writes under a key, and each failure as one of ours."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from services.errors import ConfigurationError
from services.stripe_api import client, failures
from services.stripe_api.client import Answer, StripeAccount, connect
from tests.support.sandbox import Sandbox


def make_customer(account: StripeAccount, key: str, **params: Any) -> Answer:
    return account.write(lambda v1, options: v1.customers.create(params, options), key)


def test_reads_an_object_raw_with_the_time_of_the_account(account: StripeAccount, sandbox: Sandbox) -> None:
    made = make_customer(account, "read-1", name="Ada")
    before = sandbox.now()
    answer = account.read(f"/v1/customers/{made.object['id']}")
    assert answer.object["name"] == "Ada"
    assert type(answer.object) is dict
    assert before - 2 <= answer.as_of <= answer.date <= sandbox.now()
    assert answer.request_id.startswith("req_")


def test_the_answer_is_as_old_as_the_question(account: StripeAccount, sandbox: Sandbox) -> None:
    """A slow answer may show the state at its beginning: `as_of` goes back by all of its duration."""
    sandbox.fault("slow", path="/v1/account", seconds=1.5, count=1)
    answer = account.read("/v1/account")
    assert answer.as_of <= answer.date - 1


def test_follows_the_accounts_clock_not_ours(account: StripeAccount, sandbox: Sandbox) -> None:
    sandbox.advance(days=3)
    assert account.read("/v1/account").as_of > time.time() + 2 * 86_400


def test_pages_to_the_end_and_goes_on_from_a_cursor(account: StripeAccount) -> None:
    ids = {make_customer(account, f"page-{n}", name=str(n)).object["id"] for n in range(5)}
    pages = list(account.pages("/v1/customers", {"limit": 2}))
    assert all(len(page.objects) <= 2 for page in pages)
    assert pages[-1].cursor is None
    found = [one["id"] for page in pages for one in page.objects]
    assert len(found) == len(set(found))
    assert ids <= set(found)
    rest = account.pages("/v1/customers", {"limit": 2, "starting_after": pages[0].cursor})
    assert [one["id"] for page in rest for one in page.objects] == found[2:]


def test_nested_parameters_reach_the_account(account: StripeAccount) -> None:
    made = make_customer(account, "nested-1", name="late", metadata={"a": "b"})
    created = made.object["created"]
    found = account.page("/v1/customers", {"created": {"gte": created}, "expand": ["data.default_source"]})
    assert made.object["id"] in {one["id"] for one in found.objects}
    assert account.page("/v1/customers", {"created": {"gt": created + 100}}).objects == []


def test_a_write_under_the_same_key_happens_once(account: StripeAccount) -> None:
    first = make_customer(account, "once", name="Only")
    again = make_customer(account, "once", name="Only")
    assert again.object["id"] == first.object["id"]
    assert (first.replayed, again.replayed) == (False, True)


def test_a_write_whose_answer_was_lost_is_found_by_its_key(account: StripeAccount, sandbox: Sandbox) -> None:
    sandbox.fault("timeout_after", method="POST", path="/v1/customers", count=1)
    made = make_customer(account, "lost", name="Lost and found")
    assert made.replayed
    named = [one for page in account.pages("/v1/customers") for one in page.objects]
    assert sum(one["name"] == "Lost and found" for one in named) == 1


@pytest.mark.parametrize("kind", ["timeout_after", "500_after", "timeout_before"])
def test_a_write_without_a_clear_answer_is_unknown(
    account: StripeAccount, sandbox: Sandbox, kind: str
) -> None:
    sandbox.fault(kind, method="POST", path="/v1/customers")
    with pytest.raises(failures.OutcomeUnknown):
        make_customer(account, f"unknown-{kind}", name="?")


@pytest.mark.parametrize(("first", "status"), [("timeout_before", None), ("409", None), ("500_before", 500)])
def test_a_server_error_after_an_attempt_without_an_answer_is_not_the_answer_to_it(
    account: StripeAccount, sandbox: Sandbox, first: str, status: int | None
) -> None:
    sandbox.fault(first, method="POST", path="/v1/customers", count=1)
    sandbox.fault("500_before", method="POST", path="/v1/customers")
    with pytest.raises(failures.OutcomeUnknown) as doubt:
        make_customer(account, f"mixed-{first}", name="?")
    assert doubt.value.status == status


def test_a_write_that_was_never_sent_is_not_unknown() -> None:
    account = connect("sk_test_x", f"http://127.0.0.1:{_closed_port()}")
    with pytest.raises(failures.StripeUnavailable):
        make_customer(account, "never", name="?")


def test_a_write_that_timed_out_and_was_then_refused_a_connection_is_unknown() -> None:
    """The first attempt may have done it; that the second could not connect proves nothing."""
    with _OneConnectionServer() as server:
        account = connect("sk_test_x", server.url)
        with pytest.raises(failures.OutcomeUnknown):
            make_customer(account, "half", name="?")


def test_unreachable_and_broken_servers_are_unavailable(account: StripeAccount, sandbox: Sandbox) -> None:
    with pytest.raises(failures.StripeUnavailable, match="cannot be reached"):
        connect("sk_test_x", f"http://127.0.0.1:{_closed_port()}").read("/v1/account")
    sandbox.fault("500_before", path="/v1/account")
    with pytest.raises(failures.StripeUnavailable) as caught:
        account.read("/v1/account")
    assert caught.value.status == 500


def test_one_server_error_on_a_read_is_tried_again(account: StripeAccount, sandbox: Sandbox) -> None:
    sandbox.fault("500_before", path="/v1/account", count=1)
    assert account.read("/v1/account").object["object"] == "account"


def test_a_429_is_waited_out_and_remembered(account: StripeAccount, sandbox: Sandbox) -> None:
    before = account.pacer.rate("/v1/account")
    sandbox.fault("429", path="/v1/account", count=2, reason="endpoint-rate")
    assert account.read("/v1/account").object["object"] == "account"
    assert account.pacer.rate("/v1/account") < 0.9 * before, "twice, and a little has come back"
    assert account.pacer.rate("/v1/invoices") == before


def test_endless_429s_end_as_rate_limited(
    account: StripeAccount, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.stripe_api.transport._LONGEST_PAUSE", 0.01)
    sandbox.fault("429", path="/v1/account", reason="global-rate")
    with pytest.raises(failures.RateLimited) as caught:
        account.read("/v1/account")
    assert caught.value.reason == "global-rate"


def test_a_wrong_key_is_a_matter_of_settings(sandbox: Sandbox) -> None:
    with pytest.raises(failures.KeyRejected, match="does not accept the key"):
        connect("sk_test_wrong", sandbox.url).read("/v1/account")


def test_a_restricted_key_names_the_right_that_it_lacks(sandbox: Sandbox) -> None:
    sandbox.restrict("rk_test_reader", customers="read")
    account = connect("rk_test_reader", sandbox.url)
    assert account.page("/v1/customers").objects is not None
    with pytest.raises(failures.RightMissing) as caught:
        make_customer(account, "restricted", name="?")
    assert caught.value.right == "rak_customers_write"
    assert "customers write" in caught.value.message


def test_what_is_not_there_is_missing(account: StripeAccount) -> None:
    with pytest.raises(failures.ObjectMissing) as caught:
        account.read("/v1/customers/cus_nobody")
    assert caught.value.code == "resource_missing"
    assert "cus_nobody" in caught.value.message


def test_a_refused_parameter_is_named(account: StripeAccount) -> None:
    with pytest.raises(failures.RequestRejected) as caught:
        account.write(lambda v1, options: v1.subscriptions.create({"items": []}, options), "bad-1")
    assert caught.value.param == "customer"
    assert caught.value.request_id.startswith("req_")


def test_a_key_used_for_something_else_is_rejected_not_repeated(account: StripeAccount) -> None:
    make_customer(account, "taken", name="A")
    with pytest.raises(failures.RequestRejected) as caught:
        make_customer(account, "taken", name="B")
    assert caught.value.code == "idempotency_error"


def test_a_decline_says_why_and_what_to_do(account: StripeAccount, sandbox: Sandbox) -> None:
    with pytest.raises(failures.CardDeclined) as caught:
        _pay_with(account, sandbox, "insufficient_funds")
    declined = caught.value
    assert declined.decline_code == "insufficient_funds"
    assert declined.code == "card_declined"
    assert declined.message == "Declined, nothing was charged. There was not enough money on the card."
    assert declined.remedy


def test_before_anything_is_connected_it_says_so() -> None:
    client.configure(None)
    with pytest.raises(ConfigurationError, match="No Stripe account"):
        client.account()


def _pay_with(account: StripeAccount, sandbox: Sandbox, card: str) -> Answer:
    customer = make_customer(account, f"decline-{card}", name="D").object["id"]
    method = sandbox.add_card(customer, "ok")["id"]
    default = {"invoice_settings": {"default_payment_method": method}}
    account.write(lambda v1, o: v1.customers.update(customer, default, o), f"default-{card}")
    item = {"customer": customer, "amount": 1000, "currency": "usd"}
    account.write(lambda v1, o: v1.invoice_items.create(item, o), f"item-{card}")
    params = {"customer": customer, "pending_invoice_items_behavior": "include"}
    invoice = account.write(lambda v1, o: v1.invoices.create(params, o), f"invoice-{card}").object["id"]
    sandbox.behave(method, card)
    return account.write(lambda v1, o: v1.invoices.pay(invoice, {}, o), f"pay-{card}")


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _OneConnectionServer:
    """Takes one request, never answers it, and then listens no more."""

    def __enter__(self) -> _OneConnectionServer:
        self._server = HTTPServer(("127.0.0.1", 0), _Silent)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._once)
        self._thread.start()
        return self

    def _once(self) -> None:
        self._server.handle_request()
        self._server.server_close()

    def __exit__(self, *_: object) -> None:
        self._thread.join(5)


class _Silent(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Says nothing."""
