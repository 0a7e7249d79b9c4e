"""Invoices, what waits for them, how they are paid, and credit notes."""

from __future__ import annotations

from typing import Any

from services.sandbox.billing import credit_notes, invoiceitems, manual, previews
from services.sandbox.billing.account import Account
from services.sandbox.listing import PAGING, Condition, Page, column, field, of_bodies, times
from services.sandbox.routes.subscriptions import AUTOMATIC_TAX, DISCOUNTS, PREVIEWED
from services.sandbox.routing import Route, delete, get, lists, post, retrieve
from services.sandbox.schema import (
    PERIOD,
    Schema,
    boolean,
    decimal,
    hash_of,
    integer,
    list_of,
    metadata,
    natural,
    need,
    one_of,
    span,
    text,
)

_COLLECTION = one_of("charge_automatically", "send_invoice")
_TERMS: Schema = {
    "auto_advance": boolean,
    "collection_method": _COLLECTION,
    "days_until_due": natural,
    "due_date": integer,
    "description": text,
    "footer": text,
    "default_payment_method": text,
    "default_source": text,
    "metadata": metadata,
}
_CREATE: Schema = {
    **_TERMS,
    "customer": text,
    "subscription": text,
    "currency": text,
    "discounts": DISCOUNTS,
    "pending_invoice_items_behavior": one_of("exclude", "include"),
}
_ITEM: Schema = {
    "customer": need(text),
    "amount": integer,
    "currency": text,
    "description": text,
    "discountable": boolean,
    "invoice": text,
    "metadata": metadata,
    "period": PERIOD,
    "pricing": hash_of({"price": text}),
    "quantity": natural,
    "subscription": text,
    "unit_amount_decimal": decimal,
}
_CHANGED_ITEM: Schema = {
    name: _ITEM[name] for name in ("amount", "description", "discountable", "metadata", "period")
}
_PREVIEWED_ITEM: Schema = {
    name: _ITEM[name] for name in ("amount", "currency", "description", "pricing", "quantity", "period")
}


def _lines(account: Account, invoice_id: str, **params: Any) -> Page:
    invoice = account.get("invoice", invoice_id, "invoice")
    return of_bodies(f"/v1/invoices/{invoice_id}/lines", invoice["lines"]["data"], params)


def _payment(value: dict[str, str]) -> Condition:
    return "json_extract(body, '$.payment.payment_intent') = ?", (value["payment_intent"],)


def _pending(value: bool) -> Condition:
    return ("parent IS NULL" if value else "parent IS NOT NULL"), ()


ROUTES: list[Route] = [
    lists(
        "/v1/invoices",
        "invoice",
        {
            "customer": (text, column("customer")),
            "subscription": (text, column("parent")),
            "status": (one_of("draft", "open", "paid", "uncollectible", "void"), column("label")),
            "collection_method": (_COLLECTION, field("collection_method")),
            "due_date": (span, times("json_extract(body, '$.due_date')")),
        },
    ),
    post("/v1/invoices", manual.create, _CREATE),
    post(
        "/v1/invoices/create_preview",
        previews.create,
        {
            "customer": text,
            "currency": text,
            "subscription": text,
            "automatic_tax": AUTOMATIC_TAX,
            "discounts": DISCOUNTS,
            "subscription_details": hash_of(PREVIEWED),
            "invoice_items": list_of(hash_of(_PREVIEWED_ITEM)),
        },
    ),
    retrieve("/v1/invoices/{id}", "invoice"),
    post("/v1/invoices/{id}", manual.update, _TERMS),
    delete("/v1/invoices/{id}", manual.delete),
    get("/v1/invoices/{id}/lines", _lines, PAGING),
    post("/v1/invoices/{id}/finalize", manual.finalize, {"auto_advance": boolean}),
    post(
        "/v1/invoices/{id}/pay",
        manual.pay,
        {
            "payment_method": text,
            "source": text,
            "paid_out_of_band": boolean,
            "off_session": boolean,
            "forgive": boolean,
        },
    ),
    post("/v1/invoices/{id}/send", manual.send),
    post("/v1/invoices/{id}/void", manual.void),
    post("/v1/invoices/{id}/mark_uncollectible", manual.mark_uncollectible),
    lists(
        "/v1/invoiceitems",
        "invoiceitem",
        {
            "customer": (text, column("customer")),
            "invoice": (text, column("parent")),
            "pending": (boolean, _pending),
        },
    ),
    post("/v1/invoiceitems", invoiceitems.create, _ITEM),
    retrieve("/v1/invoiceitems/{id}", "invoiceitem"),
    post("/v1/invoiceitems/{id}", invoiceitems.update, _CHANGED_ITEM),
    delete("/v1/invoiceitems/{id}", invoiceitems.delete),
    lists(
        "/v1/invoice_payments",
        "invoice_payment",
        {
            "invoice": (text, column("parent")),
            "status": (one_of("open", "paid", "canceled"), column("label")),
            "payment": (hash_of({"type": need(text), "payment_intent": need(text)}), _payment),
        },
    ),
    retrieve("/v1/invoice_payments/{id}", "invoice_payment"),
    lists(
        "/v1/credit_notes",
        "credit_note",
        {"customer": (text, column("customer")), "invoice": (text, column("parent"))},
    ),
    post(
        "/v1/credit_notes",
        credit_notes.create,
        {
            "invoice": need(text),
            "amount": natural,
            "credit_amount": natural,
            "refund_amount": natural,
            "out_of_band_amount": natural,
            "reason": one_of("duplicate", "fraudulent", "order_change", "product_unsatisfactory"),
            "memo": text,
            "metadata": metadata,
        },
    ),
    retrieve("/v1/credit_notes/{id}", "credit_note"),
]
