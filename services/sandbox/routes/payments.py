"""Payment intents, charges, refunds, disputes and events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.sandbox.billing import refunds
from services.sandbox.listing import Condition, column, field
from services.sandbox.routing import Route, lists, post, retrieve
from services.sandbox.schema import boolean, list_of, metadata, natural, one_of, text


def _kind(name: str) -> Condition:
    if name.endswith("*"):
        return "label GLOB ?", (name,)
    return "label = ?", (name,)


def _kinds(names: Sequence[str]) -> Condition:
    parts: list[Any] = [_kind(name) for name in names]
    return f"({' OR '.join(sql for sql, _ in parts) or '0'})", tuple(arg for _, args in parts for arg in args)


def _delivered(value: bool) -> Condition:
    pending = "EXISTS (SELECT 1 FROM deliveries WHERE deliveries.event = objects.id)"
    return (f"NOT {pending}" if value else pending), ()


ROUTES: list[Route] = [
    lists("/v1/payment_intents", "payment_intent", {"customer": (text, column("customer"))}),
    retrieve("/v1/payment_intents/{id}", "payment_intent"),
    lists(
        "/v1/charges",
        "charge",
        {"customer": (text, column("customer")), "payment_intent": (text, column("parent"))},
    ),
    retrieve("/v1/charges/{id}", "charge"),
    lists(
        "/v1/refunds",
        "refund",
        {"charge": (text, column("parent")), "payment_intent": (text, field("payment_intent"))},
    ),
    post(
        "/v1/refunds",
        refunds.create,
        {
            "charge": text,
            "payment_intent": text,
            "amount": natural,
            "reason": one_of("duplicate", "fraudulent", "requested_by_customer"),
            "metadata": metadata,
        },
    ),
    retrieve("/v1/refunds/{id}", "refund"),
    post("/v1/refunds/{id}", refunds.update, {"metadata": metadata}),
    lists(
        "/v1/disputes",
        "dispute",
        {"charge": (text, column("parent")), "payment_intent": (text, field("payment_intent"))},
    ),
    retrieve("/v1/disputes/{id}", "dispute"),
    lists(
        "/v1/events",
        "event",
        {"type": (text, _kind), "types": (list_of(text), _kinds), "delivery_success": (boolean, _delivered)},
    ),
    retrieve("/v1/events/{id}", "event"),
]
