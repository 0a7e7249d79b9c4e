"""Do the tables say what the account says? Field by field, read with the official SDK, without our shapes.

A column is looked up under its own name in the JSON, or along the path that is written here. What is derived
is compared with what is derived anew.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import (
    Charge,
    Coupon,
    CreditNote,
    Customer,
    CustomerFacts,
    Discount,
    Dispute,
    Invoice,
    InvoiceItem,
    InvoiceLine,
    InvoicePayment,
    PaymentIntent,
    PaymentMethod,
    Price,
    Product,
    PromotionCode,
    Refund,
    Subscription,
    SubscriptionItem,
)
from services import database
from services.mirror import facts
from tests.support.sandbox import Sandbox

DERIVED = {"as_of", "deleted", "mrr_micros", "plan_micros", "unvalued_items", "first_trial_end"}
Paths = dict[str, str | None]

_TRANSITIONS: Paths = {
    name: f"status_transitions.{name}"
    for name in ("finalized_at", "paid_at", "voided_at", "marked_uncollectible_at")
}
_CARD: Paths = {
    f"card_{name}": f"payment_method_details.card.{name}"
    for name in ("brand", "last4", "exp_month", "exp_year", "country")
}
_LISTS: tuple[tuple[type[Any], str, dict[str, Any], Paths], ...] = (
    (Product, "/v1/products", {}, {}),
    (
        Price,
        "/v1/prices",
        {},
        {
            name: f"recurring.{name}"
            for name in ("interval", "interval_count", "usage_type", "trial_period_days")
        }
        | {
            "tiers": None,  # see test_prices
            "currency_options": None,
            "transform_divide_by": "transform_quantity.divide_by",
            "transform_round": "transform_quantity.round",
        },
    ),
    (Coupon, "/v1/coupons", {"expand[]": "data.applies_to"}, {"applies_to": "applies_to.products"}),
    (PromotionCode, "/v1/promotion_codes", {}, {"coupon": "promotion.coupon"}),
    (
        Customer,
        "/v1/customers",
        {},
        {
            "address_line1": "address.line1",
            "address_city": "address.city",
            "address_state": "address.state",
            "address_postal_code": "address.postal_code",
            "country": "address.country",
            "default_payment_method": "invoice_settings.default_payment_method",
        },
    ),
    (
        Subscription,
        "/v1/subscriptions",
        {"status": "all"},
        {
            "current_period_start": "items.data.0.current_period_start",
            "current_period_end": "items.data.0.current_period_end",
            "trial_end_behavior": "trial_settings.end_behavior.missing_payment_method",
            "trial_offer": None,
            "cancellation_reason": "cancellation_details.reason",
            "cancellation_feedback": "cancellation_details.feedback",
            "cancellation_comment": "cancellation_details.comment",
            "paused_by": "status_details.paused.subscription.type",
            "paused_at": "status_details.paused.transitioned_at",
            "pause_collection": "pause_collection.behavior",
            "pause_resumes_at": "pause_collection.resumes_at",
        },
    ),
    (
        Invoice,
        "/v1/invoices",
        {},
        {"subscription": "parent.subscription_details.subscription", **_TRANSITIONS},
    ),
    (
        InvoiceItem,
        "/v1/invoiceitems",
        {},
        {
            "created": "date",
            "subscription": "parent.subscription_details.subscription",
            "period_start": "period.start",
            "period_end": "period.end",
            "price": "pricing.price_details.price",
        },
    ),
    (
        InvoicePayment,
        "/v1/invoice_payments",
        {},
        {
            "payment_type": "payment.type",
            "payment_intent": "payment.payment_intent",
            "charge": "payment.charge",
            "paid_at": "status_transitions.paid_at",
        },
    ),
    (
        PaymentIntent,
        "/v1/payment_intents",
        {},
        {
            "error_code": "last_payment_error.code",
            "decline_code": "last_payment_error.decline_code",
            "advice_code": "last_payment_error.advice_code",
            "error_message": "last_payment_error.message",
        },
    ),
    (
        Charge,
        "/v1/charges",
        {},
        {"decline_code": None, "advice_code": "outcome.advice_code", "outcome_type": "outcome.type", **_CARD},
    ),
    (Refund, "/v1/refunds", {}, {}),
    (Dispute, "/v1/disputes", {}, {"evidence_due_by": "evidence_details.due_by"}),
    (CreditNote, "/v1/credit_notes", {}, {}),
)
_ITEM: Paths = {"product": "price.product"}
_LINE: Paths = {
    "created": None,
    "discount_amount": None,
    "period_start": "period.start",
    "period_end": "period.end",
    "price": "pricing.price_details.price",
    "product": "pricing.price_details.product",
    "subscription": None,
    "subscription_item": "parent.subscription_item_details.subscription_item",
    "invoice_item": None,
    "proration": None,
}


def differences(sandbox: Sandbox) -> list[str]:
    """Everything in which the tables and the account differ, as sentences; [] when they agree."""
    found: list[str] = []
    for model, path, params, paths in _LISTS:
        objects = every(sandbox, path, params)
        found += _compare(model, {one["id"]: one for one in objects}, paths)
        if model is Subscription:
            items = [item for one in objects for item in one["items"]["data"]]
            found += _compare(SubscriptionItem, {item["id"]: item for item in items}, _ITEM)
            found += _compare_discounts(sandbox, objects)
        if model is Invoice:
            lines = [line for one in objects for line in one["lines"]["data"]]
            found += _compare(InvoiceLine, {line["id"]: line for line in lines}, _LINE)
        if model is Customer:
            found += _compare_methods(sandbox, objects)
    return found + _out_of_date()


def every(sandbox: Sandbox, path: str, params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """All objects of a list, as the official SDK's raw requests give them."""
    client, found, start = sandbox.client(), [], {}
    while True:
        page = client.raw_request("get", path, limit=100, **(params or {}), **start).data
        found += page["data"]
        if not page["has_more"]:
            return found
        start = {"starting_after": found[-1]["id"]}


def rows(model: type[Any], *, tombstones: bool = False) -> dict[str, dict[str, Any]]:
    """The rows of a table by id, without tombstones unless asked for."""
    table = model.__table__
    with database.session() as session:
        query = sa.select(table) if tombstones else sa.select(table).where(table.c.deleted.is_(False))
        return {row.id: dict(row._mapping) for row in session.connection().execute(query)}


def _compare(model: type[Any], objects: dict[str, dict[str, Any]], paths: Paths) -> list[str]:
    name, kept = model.__tablename__, rows(model)
    found = [f"{name}: {id} is missing" for id in objects.keys() - kept.keys()]
    found += [f"{name}: {id} is not in the account" for id in kept.keys() - objects.keys()]
    for id in objects.keys() & kept.keys():
        for column, value in kept[id].items():
            path = paths.get(column, column)
            if column in DERIVED or path is None:
                continue
            expected = _follow(objects[id], path)
            if not _same(value, expected):
                found.append(f"{name}: {id}.{column} is {value!r}, in the account {expected!r}")
    return found


def _compare_methods(sandbox: Sandbox, customers: list[dict[str, Any]]) -> list[str]:
    """The payment methods that customers pay with by default."""
    kept, found = rows(PaymentMethod), []
    for customer in customers:
        id = customer["invoice_settings"]["default_payment_method"]
        if id is None:
            continue
        card = sandbox.client().raw_request("get", f"/v1/payment_methods/{id}").data["card"]
        row = kept.get(id, {})
        for column in ("brand", "last4", "exp_month", "exp_year", "country", "funding"):
            if row.get(column) != card[column]:
                found.append(f"payment_methods: {id}.{column} is {row.get(column)!r}, not {card[column]!r}")
    return found


def _compare_discounts(sandbox: Sandbox, subscriptions: list[dict[str, Any]]) -> list[str]:
    """Those of subscriptions that are over may be tombstones, as Stripe ends them with the subscription."""
    kept, found = rows(Discount, tombstones=True), []
    for one in subscriptions:
        if not one["discounts"]:
            continue
        path = f"/v1/subscriptions/{one['id']}"
        whole = sandbox.client().raw_request("get", path, expand=["discounts"]).data
        for discount in whole["discounts"]:
            row = kept.get(discount["id"], {})
            if row.get("deleted") and not one["ended_at"]:
                found.append(f"discounts: {discount['id']} is a tombstone")
            if row.get("coupon") != discount["source"]["coupon"] or row.get("end") != discount["end"]:
                found.append(f"discounts: {discount['id']} is {row}, in the account {discount}")
    return found


class _Undone(Exception):
    """What was derived anew is not kept."""


def _out_of_date() -> list[str]:
    """What was derived once and would be derived otherwise now."""
    found: list[str] = []
    with suppress(_Undone), database.transaction() as session:
        before = _derived(session)
        facts.derive(session, facts.everyone())
        for key, values in _derived(session).items():
            kept = before.get(key, {})
            found += [
                f"{key}.{column} is {kept.get(column)!r}, derived anew {value!r}"
                for column, value in values.items()
                if kept.get(column) != value
            ]
        raise _Undone
    return found


def _derived(session: Session) -> dict[str, dict[str, Any]]:
    """All that is derived, by customer and by subscription."""
    connection, rates = session.connection(), Subscription.__table__.c
    columns = [rates[name] for name in sorted(DERIVED - {"as_of", "deleted"})]
    of_customers = connection.execute(sa.select(CustomerFacts.__table__))
    found = {f"customer_facts: {row.customer}": dict(row._mapping) for row in of_customers}
    of_subscriptions = connection.execute(sa.select(rates.id, *columns))
    return found | {f"subscriptions: {row.id}": dict(row._mapping) for row in of_subscriptions}


def _follow(source: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(source, list):
            source = source[int(step)] if int(step) < len(source) else None
        elif isinstance(source, dict):
            source = source.get(step)
        else:
            return None
    return source


def _same(value: Any, expected: Any) -> bool:
    if isinstance(expected, dict) and "id" in expected:
        expected = expected["id"]
    if isinstance(expected, list):
        expected = [one["id"] if isinstance(one, dict) else one for one in expected]
    if isinstance(value, str) and isinstance(expected, int | float) and not isinstance(expected, bool):
        return Decimal(value) == Decimal(str(expected))
    if isinstance(value, str) and isinstance(expected, str) and value != expected:
        return _decimals_agree(value, expected)
    return value == expected or (expected is None and not value) or (value == 1 and expected is None)


def _decimals_agree(value: str, expected: str) -> bool:
    try:
        return Decimal(value) == Decimal(expected)
    except ArithmeticError:
        return False
