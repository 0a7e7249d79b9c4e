"""Keys, errors and headers of the API, as the official SDK sees them."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest
import requests
import stripe

from tests.sandbox.shop import Shop
from tests.support.sandbox import Sandbox


def test_the_account_tells_who_it_is(client: stripe.StripeClient) -> None:
    account = client.v1.accounts.retrieve_current()
    assert account.id.startswith("acct_")
    assert account.charges_enabled is True


def test_a_wrong_key_is_refused_without_being_shown(sandbox: Sandbox) -> None:
    with pytest.raises(stripe.AuthenticationError) as caught:
        sandbox.client("sk_test_somebodyelse").v1.customers.list()
    assert caught.value.http_status == 401
    assert "sk_test_somebodyelse" not in str(caught.value)


def test_no_key_at_all_is_refused(sandbox: Sandbox) -> None:
    answer = requests.get(f"{sandbox.url}/v1/customers", timeout=10)
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_restricted_key_may_do_what_it_carries_and_no_more(sandbox: Sandbox, shop: Shop) -> None:
    sandbox.restrict("rk_test_reader1", customers="read", prices="write")
    customer, reader = shop.customer(None), sandbox.client("rk_test_reader1")
    assert reader.v1.customers.retrieve(customer).id == customer
    for forbidden in (
        lambda: reader.v1.customers.update(customer, {"name": "Eve"}),
        lambda: reader.v1.subscriptions.list(),
        lambda: reader.v1.accounts.retrieve_current(),
    ):
        with pytest.raises(stripe.PermissionError) as caught:
            forbidden()
        assert caught.value.http_status == 403
        assert "rk_test_reader1" not in str(caught.value)
    assert shop.v1.customers.retrieve(customer).name == "Ann"


def test_an_unknown_parameter_names_itself(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.customers.create({"nmae": "Ann"})  # type: ignore[typeddict-unknown-key]
    assert (caught.value.code, caught.value.param) == ("parameter_unknown", "nmae")


def test_an_unknown_nested_parameter_names_its_place(shop: Shop) -> None:
    items = [{"price": shop.price(), "colour": "red"}]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.subscriptions.create({"customer": shop.customer(), "items": items})  # type: ignore[typeddict-item]
    assert caught.value.param == "items[0][colour]"


def test_a_missing_parameter_names_itself(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.subscriptions.create({})
    assert (caught.value.code, caught.value.param) == ("parameter_missing", "customer")


@pytest.mark.parametrize(
    ("name", "value"), [("balance", "much"), ("tax_exempt", "maybe"), ("preferred_locales", "en")]
)
def test_a_value_of_the_wrong_type_is_refused(client: stripe.StripeClient, name: str, value: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.raw_request("post", "/v1/customers", **{name: value})
    assert caught.value.param == name


@pytest.mark.parametrize(
    "path", ["customers/cus_none", "subscriptions/sub_none", "invoices/in_none", "events/evt_1"]
)
def test_what_does_not_exist_is_a_404(client: stripe.StripeClient, path: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.raw_request("get", f"/v1/{path}")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_an_id_of_another_kind_does_not_exist(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.invoices.retrieve(shop.customer(None))
    assert caught.value.http_status == 404


def test_an_unknown_endpoint_is_a_404(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.raw_request("get", "/v1/unicorns")
    assert "/v1/unicorns" in str(caught.value)


def test_answers_carry_a_request_id_the_version_and_the_accounts_date(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    sandbox.advance(days=1)
    answer = client.raw_request("get", "/v1/customers")
    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.headers["Stripe-Version"] == stripe.api_version
    date = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    assert abs(date - sandbox.now()) <= 2


def test_errors_carry_their_request_id(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.customers.retrieve("cus_none")
    seen = sandbox.requests(id=caught.value.request_id)
    assert [(entry["path"], entry["status"]) for entry in seen] == [("/v1/customers/cus_none", 404)]


def test_metadata_is_merged_and_unset(shop: Shop) -> None:
    customer = shop.customer(None, metadata={"a": "1", "b": "2"})
    changed = shop.v1.customers.update(customer, {"metadata": {"b": "", "c": "3"}})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}


@pytest.mark.parametrize(
    "metadata",
    [{f"k{n}": "v" for n in range(51)}, {"k" * 41: "v"}, {"k": "v" * 501}],
    ids=["51", "key", "value"],
)
def test_too_much_metadata_is_refused(client: stripe.StripeClient, metadata: dict[str, str]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.create({"metadata": metadata})


def test_a_deleted_customer_still_answers_as_a_stub(shop: Shop) -> None:
    subscription = shop.subscribe(trial_period_days=14)
    customer = str(subscription.customer)
    shop.v1.customers.delete(customer)
    raw = dict(shop.client.raw_request("get", f"/v1/customers/{customer}").data)
    assert raw == {"id": customer, "object": "customer", "deleted": True}
    assert shop.again(subscription).status == "canceled"
    assert customer not in [one.id for one in shop.v1.customers.list({"limit": 100}).data]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.customers.update(customer, {"name": "Back"})
    assert caught.value.http_status == 404


def test_rate_limits_say_their_reason_and_are_not_retried(sandbox: Sandbox) -> None:
    sandbox.control("POST", "limits", rate=0.001, burst=2)
    client = sandbox.client()
    client.v1.customers.list()
    client.v1.customers.list()
    with pytest.raises(stripe.RateLimitError) as caught:
        client.v1.customers.list()
    assert caught.value.headers is not None
    assert caught.value.headers["Stripe-Rate-Limited-Reason"] == "global-rate"
