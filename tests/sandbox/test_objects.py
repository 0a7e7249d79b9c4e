"""Are the sandbox's objects whole objects of the API version that the SDK pins?"""

import copy
from typing import Any

import pytest
import stripe
from stripe._object_classes import get_object_class

from services.sandbox import objects
from services.sandbox.ids import Ids
from tests.support import shapes

NOW = 1_790_000_000


def _price() -> dict[str, Any]:
    return objects.new(
        "price",
        id="price_1",
        created=NOW,
        currency="usd",
        product="prod_1",
        unit_amount=2900,
        unit_amount_decimal="2900",
        recurring=objects.part("recurring", interval="month"),
    )


def _item() -> dict[str, Any]:
    return objects.new(
        "subscription_item",
        id="si_1",
        created=NOW,
        current_period_start=NOW,
        current_period_end=NOW + 9,
        plan=objects.plan_of(_price()),
        price=_price(),
        subscription="sub_1",
    )


def _subscription_line() -> dict[str, Any]:
    details = objects.part(
        "line_item.parent.subscription_item", subscription_item="si_1", subscription="sub_1"
    )
    return objects.new(
        "line_item",
        id="il_1",
        amount=2900,
        currency="usd",
        invoice="in_1",
        period={"start": NOW, "end": NOW + 9},
        parent=objects.part(
            "line_item.parent", type="subscription_item_details", subscription_item_details=details
        ),
        pricing=objects.part(
            "pricing",
            price_details=objects.part("price_details", price="price_1", product="prod_1"),
            unit_amount_decimal="2900",
        ),
    )


def _added_line() -> dict[str, Any]:
    details = objects.part("line_item.parent.invoice_item", invoice_item="ii_1", subscription="sub_1")
    return {
        **_subscription_line(),
        "parent": objects.part("line_item.parent", type="invoice_item_details", invoice_item_details=details),
    }


def _card() -> dict[str, Any]:
    return {"brand": "visa", "exp_month": 4, "exp_year": 2030, "last4": "4242"}


def _error() -> dict[str, Any]:
    return objects.part(
        "payment_error", type="card_error", code="card_declined", decline_code="do_not_honor", message="No."
    )


def _fields(kind: str) -> dict[str, Any]:
    """What a caller gives to make one of each kind, with every part in its place."""
    money = {"amount": 2900, "currency": "usd"}
    coupon = {"type": "coupon", "coupon": "SPRING"}
    billing = objects.part("billing_details", address=objects.part("address", country="DE"))
    paid_by = objects.part("invoice_payment.payment", payment_intent="pi_1")
    of_subscription = objects.part("invoice.parent.subscription", subscription="sub_1")
    return {
        "account": {"country": "US", "default_currency": "usd", "email": "a@example.com"},
        "customer": {"address": objects.part("address", city="Köln")},
        "payment_method": {
            "card": objects.part("payment_method.card", **_card()),
            "billing_details": billing,
        },
        "setup_intent": {"last_setup_error": _error()},
        "customer_balance_transaction": {**money, "customer": "cus_1", "ending_balance": -5},
        "tax_id": {"type": "eu_vat", "value": "DE1"},
        "product": {"name": "Team", "updated": NOW},
        "price": {
            "currency": "usd",
            "product": "prod_1",
            "unit_amount": 5,
            "unit_amount_decimal": "5",
            "recurring": objects.part("recurring", interval="year"),
        },
        "plan": {"currency": "usd", "interval": "month", "interval_count": 1},
        "coupon": {"duration": "once", "percent_off": 12.5},
        "promotion_code": {"code": "HELLO", "promotion": coupon},
        "tax_rate": {"display_name": "VAT", "inclusive": False, "percentage": 19.0},
        "discount": {"source": coupon, "start": NOW},
        "subscription": {
            "billing_cycle_anchor": NOW,
            "currency": "usd",
            "customer": "cus_1",
            "items": objects.listing("/v1/subscription_items?subscription=sub_1", [_item()]),
            "start_date": NOW,
            "status": "active",
            "cancellation_details": objects.part("cancellation_details", feedback="unused"),
        },
        "subscription_item": _item(),
        "invoice": {
            "currency": "usd",
            "customer": "cus_1",
            "lines": objects.listing("/v1/invoices/in_1/lines", [_subscription_line(), _added_line()]),
            "period_start": NOW,
            "period_end": NOW,
            "parent": objects.part("invoice.parent", subscription_details=of_subscription),
        },
        "line_item": _subscription_line(),
        "invoiceitem": {
            **money,
            "customer": "cus_1",
            "date": NOW,
            "period": {"start": NOW, "end": NOW},
            "parent": objects.part(
                "invoiceitem.parent",
                subscription_details=objects.part("invoiceitem.parent.subscription", subscription="sub_1"),
            ),
        },
        "invoice_payment": {
            "amount_requested": 5,
            "currency": "usd",
            "invoice": "in_1",
            "payment": paid_by,
            "status": "open",
        },
        "credit_note": {
            **money,
            "customer": "cus_1",
            "invoice": "in_1",
            "lines": objects.listing("/v1/credit_notes/cn_1/lines", []),
            "number": "A-CN-01",
            "pdf": "http://127.0.0.1/pdf",
            "subtotal": 5,
            "total": 5,
            "type": "post_payment",
        },
        "credit_note_line_item": {"amount": 5},
        "payment_intent": {**money, "status": "succeeded", "last_payment_error": _error()},
        "charge": {
            **money,
            "status": "failed",
            "billing_details": billing,
            "outcome": objects.part("charge.outcome", type="issuer_declined"),
            "payment_method_details": {"type": "card", "card": objects.part("charge.card", **_card())},
        },
        "refund": {**money, "charge": "ch_1", "status": "succeeded"},
        "dispute": {
            **money,
            "charge": "ch_1",
            "evidence_details": objects.part("dispute.evidence_details", due_by=NOW),
            "reason": "fraudulent",
            "status": "needs_response",
            "payment_method_details": {
                "type": "card",
                "card": objects.part("dispute.card", brand="visa", network="visa"),
            },
        },
        "balance_transaction": {**money, "available_on": NOW, "fee": 1, "net": 4, "type": "charge"},
        "billing_portal.session": {
            "configuration": "bpc_1",
            "customer": "cus_1",
            "url": "http://127.0.0.1/p",
        },
        "checkout.session": {
            "expires_at": NOW,
            "mode": "setup",
            "payment_status": "no_payment_required",
            "url": "http://127.0.0.1/c",
        },
        "webhook_endpoint": {"enabled_events": ["*"], "url": "http://127.0.0.1/w"},
        "event": {"data": {"object": _price()}, "type": "price.created"},
    }[kind]


def _example(kind: str) -> dict[str, Any]:
    required = {"id": "x_1", "created": NOW}
    known = shapes.field_names(kind)
    return objects.new(kind, **{name: v for name, v in required.items() if name in known} | _given(kind))


def _given(kind: str) -> dict[str, Any]:
    return {name: value for name, value in _fields(kind).items() if name != "object"}


@pytest.mark.parametrize("kind", objects.KINDS)
def test_every_kind_has_the_shape_that_the_sdk_declares(kind: str) -> None:
    assert shapes.problems(_example(kind)) == []


@pytest.mark.parametrize("kind", objects.KINDS)
def test_every_field_that_may_be_given_exists_in_the_sdk(kind: str) -> None:
    assert objects.known_fields(kind) <= shapes.field_names(kind)


def test_the_objects_have_the_version_that_the_sdk_pins() -> None:
    assert stripe.api_version == objects.API_VERSION


@pytest.mark.parametrize("kind", objects.KINDS)
def test_the_official_sdk_reads_every_kind(kind: str) -> None:
    hydrated = get_object_class("V1", kind).construct_from(_example(kind), "sk_test_sandbox")
    assert hydrated["object"] == kind


def test_nothing_is_shared_between_two_objects() -> None:
    first = _example("invoice")
    first["status_transitions"]["paid_at"] = NOW
    first["metadata"]["key"] = "value"
    second = _example("invoice")
    assert second["status_transitions"]["paid_at"] is None
    assert second["metadata"] == {}


def test_an_unknown_kind_an_unknown_field_and_a_missing_field_are_refused() -> None:
    with pytest.raises(objects.UnknownKindError, match="custmer"):
        objects.new("custmer", id="cus_1")
    with pytest.raises(objects.UnknownFieldError, match="current_period_end"):
        objects.new("subscription", **_given("subscription"), id="s", created=NOW, current_period_end=NOW)
    with pytest.raises(objects.MissingFieldError) as missing:
        objects.new("customer", id="cus_1")
    assert missing.value.names == {"created"}


def _broken(path: str, value: Any = None, *, drop: bool = False) -> dict[str, Any]:
    """A good subscription with one thing made wrong: `path` is dotted, numbers index lists."""
    whole = copy.deepcopy(_example("subscription"))
    *way, last = path.split(".")
    inner: Any = whole
    for step in way:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    if drop:
        del inner[last]
    else:
        inner[last] = value
    return whole


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (_broken("currency", drop=True), "subscription.currency: missing field"),
        (_broken("current_period_end", NOW), "subscription.current_period_end: unknown field"),
        (_broken("created", "yesterday"), "subscription.created: 'yesterday' is not int"),
        (_broken("created", True), "subscription.created: True is not int"),
        (_broken("created"), "subscription.created: None is not int"),
        (_broken("status", "alive"), "subscription.status: 'alive' is not among"),
        (_broken("customer", 7), "subscription.customer: 7 is not str"),
        (_broken("customer", {"object": "price", "id": "p"}), "fits none of the declared types"),
        (
            _broken("customer", {"object": "customer", "id": "c", "livemode": False}),
            "subscription.customer.created: missing",
        ),
        (_broken("discounts", {}), "subscription.discounts: dict where a list is declared"),
        (_broken("metadata.seats", 3), "subscription.metadata.seats: 3 is not str"),
        (_broken("trial_settings.end_behavior", {}), "end_behavior.missing_payment_method: missing field"),
        (_broken("items.has_more", drop=True), "subscription.items: a list has"),
        (_broken("items.data.0.price.id", drop=True), "items.data[0].price.id: missing field"),
        (_broken("items.data.0.price.unit_amount_decimal", 29.0), "unit_amount_decimal: 29.0 is not Decimal"),
        (_broken("items.data.0.price.recurring.interval", "fortnight"), "interval: 'fortnight' is not among"),
    ],
)
def test_the_walker_finds_what_is_wrong(broken: dict[str, Any], complaint: str) -> None:
    found = shapes.problems(broken)
    assert len(found) == 1
    assert complaint in found[0]


def test_the_walker_accepts_an_object_or_a_deleted_stub_in_the_place_of_an_id() -> None:
    assert shapes.problems(_broken("customer", _example("customer"))) == []
    assert shapes.problems(_broken("customer", objects.deleted("customer", "cus_1"))) == []
    assert shapes.problems({**objects.deleted("customer", "cus_1"), "name": "Ada"}) != []


def test_the_walker_looks_into_events() -> None:
    event = _example("event")
    assert shapes.problems(event) == []
    event["data"]["previous_attributes"] = {"colour": "red"}
    del event["data"]["object"]["active"]
    assert shapes.problems(event) == [
        "event.data.object: price.active: missing field",
        "event.data.previous_attributes.colour: unknown field",
    ]


def test_ids_are_the_same_for_a_seed_go_on_after_a_restart_and_never_repeat() -> None:
    first, second = Ids(7), Ids(7)
    made = [first.new("cus") for _ in range(1000)]
    assert made == [second.new("cus") for _ in range(1000)]
    assert len(set(made)) == 1000
    assert Ids(7, first.count).new("sub") == first.new("sub")
    assert Ids(8).new("cus") not in made
    assert made[0].startswith("cus_")
    assert len(made[0].removeprefix("cus_")) >= 14
    assert made[0].removeprefix("cus_").isalnum()
