"""What do products, prices, coupons, promotion codes and discounts say, as rows?"""

from __future__ import annotations

from services.mirror.shapes.reading import Object, Row, decimal_text, dig, either, ident, idents, metadata


def product(source: Object) -> Row:
    """A row of `products`."""
    return {
        "id": source["id"],
        "created": source["created"],
        "name": source["name"],
        "description": source.get("description"),
        "active": source["active"],
        "default_price": ident(source.get("default_price")),
        "metadata": metadata(source),
    }


def price(source: Object) -> Row:
    """A row of `prices`; `tiers` and `currency_options` are only there when they were expanded."""
    recurring = source.get("recurring") or {}
    package = source.get("transform_quantity") or {}
    return {
        "id": source["id"],
        "created": source["created"],
        "product": ident(source["product"]) or "",
        "active": source["active"],
        "currency": source["currency"],
        "unit_amount": source.get("unit_amount"),
        "unit_amount_decimal": _exact(source, "unit_amount"),
        "type": source.get("type") or "",
        "billing_scheme": source.get("billing_scheme") or "",
        "tiers": _tiers(source),
        "tiers_mode": source.get("tiers_mode"),
        "transform_divide_by": package.get("divide_by"),
        "transform_round": package.get("round"),
        "currency_options": {
            currency: {"unit_amount_decimal": _exact(option, "unit_amount"), "tiers": _tiers(option)}
            for currency, option in (source.get("currency_options") or {}).items()
        },
        "interval": recurring.get("interval"),
        "interval_count": recurring.get("interval_count") or 1,
        "usage_type": recurring.get("usage_type"),
        "nickname": source.get("nickname"),
        "lookup_key": source.get("lookup_key"),
        "trial_period_days": recurring.get("trial_period_days"),
        "metadata": metadata(source),
    }


def _exact(source: Object, name: str) -> str | None:
    return decimal_text(either(source.get(f"{name}_decimal"), source.get(name)))


def _tiers(source: Object) -> list[Row]:
    return [
        {
            "up_to": tier.get("up_to"),
            "unit_amount": _exact(tier, "unit_amount"),
            "flat_amount": _exact(tier, "flat_amount"),
        }
        for tier in source.get("tiers") or []
    ]


def coupon(source: Object) -> Row:
    """A row of `coupons`; `applies_to` is only there when it was expanded."""
    return {
        "id": source["id"],
        "created": source["created"],
        "name": source.get("name"),
        "percent_off": decimal_text(source.get("percent_off")),
        "amount_off": source.get("amount_off"),
        "currency": source.get("currency"),
        "duration": source["duration"],
        "duration_in_months": source.get("duration_in_months"),
        "applies_to": idents(dig(source, "applies_to", "products")),
        "valid": source["valid"],
        "redeem_by": source.get("redeem_by"),
        "max_redemptions": source.get("max_redemptions"),
        "times_redeemed": source.get("times_redeemed") or 0,
        "metadata": metadata(source),
    }


def promotion_code(source: Object) -> Row:
    """A row of `promotion_codes`; the coupon moved into `promotion`."""
    return {
        "id": source["id"],
        "created": source["created"],
        "code": source["code"],
        "coupon": ident(either(dig(source, "promotion", "coupon"), source.get("coupon"))) or "",
        "customer": ident(source.get("customer")),
        "active": source["active"],
        "expires_at": source.get("expires_at"),
        "max_redemptions": source.get("max_redemptions"),
        "times_redeemed": source.get("times_redeemed") or 0,
        "metadata": metadata(source),
    }


def discount(source: Object) -> Row:
    """A row of `discounts`; the coupon moved into `source`. A discount's `created` is its `start`."""
    return {
        "id": source["id"],
        "created": source["start"],
        "coupon": ident(coupon_of(source)) or "",
        "promotion_code": ident(source.get("promotion_code")),
        "customer": ident(source.get("customer")),
        "subscription": ident(source.get("subscription")),
        "subscription_item": ident(source.get("subscription_item")),
        "invoice": ident(source.get("invoice")) or ident(source.get("invoice_item")),
        "start": source["start"],
        "end": source.get("end"),
    }


def coupon_of(source: Object) -> object:
    """A discount's coupon: an id, or the coupon as the discount shows it."""
    return either(dig(source, "source", "coupon"), source.get("coupon"))
