"""Has everything that a living account answers over HTTP the shape that the SDK declares?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.support import shapes
from tests.support.sandbox import Sandbox, start_sandbox

LISTS = {
    "/v1/customers": ["data.subscriptions", "data.invoice_settings.default_payment_method"],
    "/v1/products": ["data.default_price"],
    "/v1/prices": ["data.product"],
    "/v1/coupons": [],
    "/v1/tax_rates": [],
    "/v1/promotion_codes": ["data.promotion.coupon"],
    "/v1/subscriptions?status=all": ["data.customer", "data.latest_invoice", "data.discounts"],
    "/v1/invoices": ["data.payments", "data.customer", "data.discounts"],
    "/v1/invoiceitems": ["data.invoice"],
    "/v1/invoice_payments": ["data.payment.payment_intent", "data.invoice"],
    "/v1/payment_intents": ["data.latest_charge", "data.payment_method"],
    "/v1/charges": ["data.customer", "data.payment_intent", "data.refunds"],
    "/v1/refunds": ["data.charge"],
    "/v1/disputes": ["data.charge", "data.payment_intent"],
    "/v1/credit_notes": ["data.invoice"],
    "/v1/events": [],
    "/v1/webhook_endpoints": [],
}


class Wire:
    """Parsed answers of the API, before the SDK makes anything of them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self._http = sandbox, requests.Session()
        self._http.headers["Authorization"] = f"Bearer {sandbox.key}"

    def get(self, path: str, **params: Any) -> Any:
        answer = self._http.get(self.sandbox.url + path, params=params, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **form: Any) -> Any:
        answer = self._http.post(self.sandbox.url + path, data=form, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def all(self, path: str, expand: list[str]) -> Iterator[Any]:
        """Every object of a list."""
        after: dict[str, str] = {}
        while True:
            page = self.get(path, limit=100, **{"expand[]": expand}, **after)
            yield from page["data"]
            if not page["has_more"]:
                return
            after = {"starting_after": page["data"][-1]["id"]}


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with start_sandbox(tmp_path_factory.mktemp("shapes"), customers=90, life=True) as sandbox:
        sandbox.advance(days=12)
        made = Wire(sandbox)
        _write_something(made)
        yield made


def _write_something(wire: Wire) -> None:
    """What a history does not leave behind: a credit note, an endpoint for webhooks, taxes."""
    invoice = wire.get("/v1/invoices", status="open")["data"][0]
    wire.post("/v1/credit_notes", invoice=invoice["id"], amount=100)
    wire.post("/v1/webhook_endpoints", url="http://127.0.0.1:9/hook", **{"enabled_events[]": "*"})
    rate = wire.post("/v1/tax_rates", display_name="VAT", percentage="19", inclusive="false")["id"]
    taxed = {"default_tax_rates[]": rate, "items[0][tax_rates][]": rate}
    price = _active(wire)["items"]["data"][0]["price"]["id"]
    terms = {"items[0][price]": price, "trial_period_days": "7"}
    customer = _active(wire)["customer"]
    wire.post("/v1/subscriptions", customer=customer, **terms, **taxed)
    wire.post("/v1/subscriptions", customer=customer, **terms, **{"automatic_tax[enabled]": "true"})


@pytest.mark.parametrize("path", LISTS)
def test_every_object_of_every_list_has_the_declared_shape(wire: Wire, path: str) -> None:
    plain = list(wire.all(path, []))
    expanded = list(wire.all(path, LISTS[path])) if LISTS[path] else plain
    found = Counter(problem for each in expanded for problem in shapes.problems(each))
    found.update(problem for each in plain[:100] for problem in shapes.problems(each))
    assert plain
    assert len(expanded) == len(plain)
    assert found.most_common(5) == []


def test_lists_of_one_customer_have_the_declared_shape(wire: Wire) -> None:
    moved = wire.sandbox.client().v1.customers.list({"limit": 100}).data
    rich = next(each.id for each in moved if each.balance)
    payer = wire.get("/v1/charges", limit=1)["data"][0]["customer"]
    subscription = wire.get("/v1/subscriptions", limit=1)["data"][0]["id"]
    lists = [
        wire.get(f"/v1/customers/{rich}/balance_transactions"),
        wire.get(f"/v1/customers/{payer}/payment_methods"),
        wire.get("/v1/subscription_items", subscription=subscription),
    ]
    assert [problem for page in lists for each in page["data"] for problem in shapes.problems(each)] == []
    assert all(page["data"] for page in lists)


def _active(wire: Wire) -> Any:
    return wire.get("/v1/subscriptions", status="active", limit=1)["data"][0]


def _customer(wire: Wire) -> str:
    return str(_active(wire)["customer"])


MADE: dict[str, Callable[[Wire], Any]] = {
    "account": lambda wire: wire.get("/v1/account"),
    "portal": lambda wire: wire.post(
        "/v1/billing_portal/sessions",
        customer=_customer(wire),
        **{"return_url": "http://127.0.0.1/", "flow_data[type]": "payment_method_update"},
    ),
    "checkout": lambda wire: wire.post(
        "/v1/checkout/sessions",
        customer=_customer(wire),
        mode="setup",
        currency="usd",
        success_url="http://127.0.0.1/",
    ),
    "setup intent": lambda wire: wire.post("/v1/setup_intents", customer=_customer(wire)),
    "preview": lambda wire: wire.post("/v1/invoices/create_preview", subscription=_active(wire)["id"]),
    "customer": lambda wire: wire.post("/v1/customers", name="Ada", **{"address[country]": "GB"}),
    "payment method": lambda wire: wire.post(
        "/v1/payment_methods/pm_card_visa/attach", customer=_customer(wire)
    ),
    "draft": lambda wire: wire.post("/v1/invoices", customer=_customer(wire)),
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_over_http_has_the_declared_shape(wire: Wire, name: str) -> None:
    assert shapes.problems(MADE[name](wire)) == []
