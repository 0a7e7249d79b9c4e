"""Links to hosted pages, and endpoints for webhooks."""

from __future__ import annotations

from services.sandbox.billing import endpoints, sessions
from services.sandbox.listing import column, field
from services.sandbox.routes.subscriptions import DISCOUNTS
from services.sandbox.routing import Route, delete, lists, post, retrieve
from services.sandbox.schema import (
    boolean,
    hash_of,
    integer,
    list_of,
    metadata,
    natural,
    need,
    one_of,
    text,
)

_FLOW = hash_of({"type": need(one_of("payment_method_update", "subscription_cancel", "subscription_update"))})
_LINE = hash_of({"price": need(text), "quantity": natural})
_SUBSCRIPTION = hash_of(
    {
        "description": text,
        "metadata": metadata,
        "trial_end": integer,
        "trial_period_days": natural,
        "trial_settings": hash_of({"end_behavior": need(hash_of({"missing_payment_method": need(text)}))}),
    }
)

ROUTES: list[Route] = [
    post(
        "/v1/billing_portal/sessions",
        sessions.open_portal,
        {
            "customer": need(text),
            "return_url": text,
            "locale": text,
            "configuration": text,
            "flow_data": _FLOW,
        },
    ),
    lists(
        "/v1/checkout/sessions",
        "checkout.session",
        {
            "customer": (text, column("customer")),
            "status": (text, field("status")),
            "subscription": (text, field("subscription")),
        },
    ),
    post(
        "/v1/checkout/sessions",
        sessions.open_checkout,
        {
            "mode": need(text),
            "customer": text,
            "customer_email": text,
            "client_reference_id": text,
            "currency": text,
            "line_items": list_of(_LINE),
            "subscription_data": _SUBSCRIPTION,
            "discounts": DISCOUNTS,
            "success_url": text,
            "cancel_url": text,
            "expires_at": integer,
            "metadata": metadata,
            "payment_method_types": list_of(text),
            "allowed_payment_method_types": list_of(text),
        },
    ),
    retrieve("/v1/checkout/sessions/{id}", "checkout.session"),
    lists("/v1/webhook_endpoints", "webhook_endpoint", created=False),
    post(
        "/v1/webhook_endpoints",
        endpoints.create,
        {
            "url": need(text),
            "enabled_events": need(list_of(text)),
            "description": text,
            "metadata": metadata,
            "api_version": text,
            "connect": boolean,
        },
    ),
    retrieve("/v1/webhook_endpoints/{id}", "webhook_endpoint"),
    post(
        "/v1/webhook_endpoints/{id}",
        endpoints.update,
        {
            "url": text,
            "enabled_events": list_of(text),
            "description": text,
            "disabled": boolean,
            "metadata": metadata,
        },
    ),
    delete("/v1/webhook_endpoints/{id}", endpoints.delete),
]
