"""Customers, their payment methods and balance, and the account itself."""

from __future__ import annotations

from typing import Any

from services.sandbox.billing import balance, cards, customers, sessions
from services.sandbox.billing.account import Account
from services.sandbox.errors import InvalidRequest, MissingParameter
from services.sandbox.listing import Page, column, field, page
from services.sandbox.routing import Route, delete, get, lists, post, retrieve
from services.sandbox.schema import (
    ADDRESS,
    Schema,
    boolean,
    hash_of,
    integer,
    list_of,
    metadata,
    natural,
    need,
    one_of,
    text,
    unset_or,
)
from services.sandbox.store import Body

_CUSTOMER: Schema = {
    "name": text,
    "email": text,
    "phone": text,
    "description": text,
    "address": ADDRESS,
    "shipping": unset_or(hash_of({"name": need(text), "phone": text, "address": ADDRESS})),
    "metadata": metadata,
    "balance": integer,
    "preferred_locales": list_of(text),
    "tax_exempt": one_of("", "none", "exempt", "reverse"),
    "invoice_prefix": text,
    "next_invoice_sequence": natural,
    "invoice_settings": hash_of({"default_payment_method": text, "footer": text}),
}
_BILLING_DETAILS = hash_of({"name": text, "email": text, "phone": text, "address": ADDRESS})
_EXPIRY: Schema = {"exp_month": integer, "exp_year": integer}
_CARD = hash_of({"token": text, "number": text, "cvc": text, **_EXPIRY})


def _account(account: Account) -> Body:
    return account.get("account", account.store.fact("account"))


def _account_by_id(account: Account, account_id: str) -> Body:
    return account.get("account", account_id)


def _create_method(account: Account, **params: Any) -> Body:
    card = params.get("card") or {}
    number = str(card.get("number", "4242"))
    named = {known.last4: name for name, known in reversed(cards.TEST_CARDS.items())}
    token = str(card.get("token", "")).replace("tok_", "pm_card_")
    chosen = token or named.get(number[-4:])
    if not card or chosen is None:
        raise (
            MissingParameter("card")
            if not card
            else InvalidRequest("Your card number is incorrect.", "card[number]")
        )
    expiry = {name: card[name] for name in _EXPIRY if name in card}
    plain = {name: params[name] for name in ("billing_details", "metadata") if name in params}
    return cards.create(account, chosen, **expiry, **plain)


def _methods_of(account: Account, customer: str, **params: Any) -> Page:
    account.customer(customer)
    params.pop("type", None)
    where = [("customer = ?", (customer,))]
    return page(account, "payment_method", f"/v1/customers/{customer}/payment_methods", params, where)


def _method_of(account: Account, customer: str, method: str) -> Body:
    return cards.owned(account, method, customer, "payment_method")


def _list_methods(account: Account, **params: Any) -> Page:
    where = [("customer = ?", (params["customer"],))] if params.get("customer") else []
    if params.get("customer"):
        account.customer(params["customer"])
    return page(account, "payment_method", "/v1/payment_methods", params, where)


def _attach(account: Account, method: str, *, customer: str) -> Body:
    return cards.attach(account, method, customer=customer)


def _adjust(account: Account, customer: str, **params: Any) -> Body:
    owner = account.customer(customer)
    plain = {name: params[name] for name in ("description", "metadata") if name in params}
    return balance.adjust(account, owner, params["amount"], currency=params["currency"].lower(), **plain)


_METHOD_PAGING: Schema = {"limit": integer, "starting_after": text, "ending_before": text, "type": text}

ROUTES: list[Route] = [
    get("/v1/account", _account),
    get("/v1/accounts/{id}", _account_by_id),
    lists("/v1/customers", "customer", {"email": (text, column("label"))}),
    post("/v1/customers", customers.create, {**_CUSTOMER, "payment_method": text}),
    retrieve("/v1/customers/{id}", "customer"),
    post("/v1/customers/{id}", customers.update, {**_CUSTOMER, "default_source": text}),
    delete("/v1/customers/{id}", customers.delete),
    get("/v1/customers/{id}/payment_methods", _methods_of, _METHOD_PAGING),
    get("/v1/customers/{id}/payment_methods/{method}", _method_of),
    lists("/v1/customers/{id}/balance_transactions", "customer_balance_transaction"),
    post(
        "/v1/customers/{id}/balance_transactions",
        _adjust,
        {"amount": need(integer), "currency": need(text), "description": text, "metadata": metadata},
    ),
    get("/v1/payment_methods", _list_methods, {**_METHOD_PAGING, "customer": text}),
    post(
        "/v1/payment_methods",
        _create_method,
        {
            "type": need(one_of("card")),
            "card": _CARD,
            "billing_details": _BILLING_DETAILS,
            "metadata": metadata,
        },
    ),
    retrieve("/v1/payment_methods/{id}", "payment_method"),
    post(
        "/v1/payment_methods/{id}",
        cards.update,
        {"card": hash_of(_EXPIRY), "billing_details": _BILLING_DETAILS, "metadata": metadata},
    ),
    post("/v1/payment_methods/{id}/attach", _attach, {"customer": need(text)}),
    post("/v1/payment_methods/{id}/detach", cards.detach),
    lists(
        "/v1/setup_intents",
        "setup_intent",
        {"customer": (text, column("customer")), "payment_method": (text, field("payment_method"))},
    ),
    post(
        "/v1/setup_intents",
        sessions.create_setup_intent,
        {
            "customer": text,
            "payment_method": text,
            "confirm": boolean,
            "metadata": metadata,
            "payment_method_types": list_of(text),
            "usage": text,
            "automatic_payment_methods": hash_of({"enabled": boolean, "allow_redirects": text}),
        },
    ),
    retrieve("/v1/setup_intents/{id}", "setup_intent"),
]
