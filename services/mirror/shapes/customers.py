"""What do customers and their payment methods say, as rows?"""

from __future__ import annotations

from services.mirror.shapes.reading import Object, Row, dig, ident, metadata


def customer(source: Object) -> Row:
    """A row of `customers`."""
    address = source.get("address") or {}
    return {
        "id": source["id"],
        "created": source["created"],
        "name": source.get("name"),
        "email": source.get("email"),
        "phone": source.get("phone"),
        "description": source.get("description"),
        "currency": source.get("currency"),
        "balance": source.get("balance") or 0,
        "delinquent": bool(source.get("delinquent")),
        "address_line1": address.get("line1"),
        "address_city": address.get("city"),
        "address_state": address.get("state"),
        "address_postal_code": address.get("postal_code"),
        "country": address.get("country"),
        "preferred_locales": list(source.get("preferred_locales") or []),
        "default_payment_method": ident(dig(source, "invoice_settings", "default_payment_method")),
        "default_source": ident(source.get("default_source")),
        "discount": ident(source.get("discount")),
        "invoice_prefix": source.get("invoice_prefix"),
        "test_clock": ident(source.get("test_clock")),
        "metadata": metadata(source),
    }


def payment_method(source: Object) -> Row:
    """A row of `payment_methods`; `last4` of cards and of bank debits alike."""
    details = source.get(source["type"]) or {}
    return {
        "id": source["id"],
        "created": source["created"],
        "customer": ident(source.get("customer")),
        "type": source["type"],
        "brand": details.get("brand"),
        "last4": details.get("last4"),
        "exp_month": details.get("exp_month"),
        "exp_year": details.get("exp_year"),
        "funding": details.get("funding"),
        "country": details.get("country"),
    }


def method_of_charge(charge: Object) -> Row | None:
    """The payment method that a charge was made with, as the charge shows it; None without one."""
    method, details = ident(charge.get("payment_method")), charge.get("payment_method_details")
    if not method or not isinstance(details, dict) or not isinstance(details.get("type"), str):
        return None
    kind = details["type"]
    return payment_method(
        {
            "id": method,
            "created": charge["created"],
            "customer": charge.get("customer"),
            "type": kind,
            kind: details.get(kind),
        }
    )
