"""Products, prices, coupons and promotion codes."""

from __future__ import annotations

from services.sandbox import objects
from services.sandbox.billing import catalog
from services.sandbox.billing.account import Account
from services.sandbox.listing import any_of, column, field
from services.sandbox.routing import Route, delete, lists, post, retrieve
from services.sandbox.schema import (
    Schema,
    boolean,
    decimal,
    either,
    hash_by_key,
    hash_of,
    integer,
    list_of,
    metadata,
    natural,
    need,
    number,
    one_of,
    text,
)
from services.sandbox.store import Body

_RECURRING = hash_of(
    {
        "interval": need(one_of("day", "week", "month", "year")),
        "interval_count": integer,
        "trial_period_days": integer,
        "usage_type": one_of("licensed", "metered"),
    }
)
_TIERS = list_of(
    hash_of(
        {
            "up_to": need(either(("inf",), natural)),
            "flat_amount": natural,
            "flat_amount_decimal": decimal,
            "unit_amount": natural,
            "unit_amount_decimal": decimal,
        }
    )
)
_AMOUNTS: Schema = {"unit_amount": natural, "unit_amount_decimal": decimal, "tiers": _TIERS}
PRICE: Schema = {
    **_AMOUNTS,
    "currency": need(text),
    "currency_options": hash_by_key(hash_of(_AMOUNTS)),
    "billing_scheme": one_of("per_unit", "tiered"),
    "tiers_mode": one_of("graduated", "volume"),
    "transform_quantity": hash_of({"divide_by": need(natural), "round": need(one_of("up", "down"))}),
    "recurring": _RECURRING,
    "nickname": text,
    "lookup_key": text,
    "active": boolean,
    "tax_behavior": one_of("inclusive", "exclusive", "unspecified"),
    "metadata": metadata,
}
_PRODUCT: Schema = {
    "active": boolean,
    "description": text,
    "images": list_of(text),
    "metadata": metadata,
    "statement_descriptor": text,
    "unit_label": text,
    "url": text,
}
PRICE_DATA = hash_of({**PRICE, "product": need(text)})


def _delete_coupon(account: Account, coupon_id: str) -> Body:
    coupon = account.get("coupon", coupon_id)
    account.emit("coupon.deleted", coupon)
    account.store.remove(coupon_id)
    return objects.deleted("coupon", coupon_id)


ROUTES: list[Route] = [
    lists(
        "/v1/products",
        "product",
        {"active": (boolean, field("active")), "ids": (list_of(text), any_of("id"))},
    ),
    post(
        "/v1/products",
        catalog.create_product,
        {**_PRODUCT, "name": need(text), "id": text, "default_price_data": hash_of(PRICE)},
    ),
    retrieve("/v1/products/{id}", "product"),
    post("/v1/products/{id}", catalog.update_product, {**_PRODUCT, "name": text, "default_price": text}),
    lists(
        "/v1/prices",
        "price",
        {
            "active": (boolean, field("active")),
            "currency": (text, field("currency")),
            "product": (text, column("parent")),
            "type": (text, field("type")),
            "lookup_keys": (list_of(text), any_of("lookup_key")),
        },
    ),
    post(
        "/v1/prices",
        catalog.create_price,
        {**PRICE, "product": text, "product_data": hash_of({**_PRODUCT, "name": need(text)})},
    ),
    retrieve("/v1/prices/{id}", "price"),
    post(
        "/v1/prices/{id}",
        catalog.update_price,
        {
            name: PRICE[name]
            for name in ("active", "nickname", "lookup_key", "tax_behavior", "metadata", "currency_options")
        },
    ),
    lists("/v1/coupons", "coupon"),
    post(
        "/v1/coupons",
        catalog.create_coupon,
        {
            "id": text,
            "name": text,
            "percent_off": number,
            "amount_off": natural,
            "currency": text,
            "duration": one_of("once", "repeating", "forever"),
            "duration_in_months": natural,
            "max_redemptions": natural,
            "redeem_by": integer,
            "metadata": metadata,
        },
    ),
    retrieve("/v1/coupons/{id}", "coupon"),
    post("/v1/coupons/{id}", catalog.update_coupon, {"name": text, "metadata": metadata}),
    delete("/v1/coupons/{id}", _delete_coupon),
    lists("/v1/tax_rates", "tax_rate"),
    post(
        "/v1/tax_rates",
        catalog.create_tax_rate,
        {
            "display_name": need(text),
            "percentage": need(number),
            "inclusive": need(boolean),
            "country": text,
            "description": text,
            "metadata": metadata,
        },
    ),
    retrieve("/v1/tax_rates/{id}", "tax_rate"),
    lists(
        "/v1/promotion_codes",
        "promotion_code",
        {
            "active": (boolean, field("active")),
            "code": (text, column("label")),
            "coupon": (text, field("promotion.coupon")),
            "customer": (text, column("customer")),
        },
    ),
    post(
        "/v1/promotion_codes",
        catalog.create_promotion_code,
        {
            "promotion": need(hash_of({"type": need(one_of("coupon")), "coupon": need(text)})),
            "code": text,
            "active": boolean,
            "customer": text,
            "expires_at": integer,
            "max_redemptions": natural,
            "metadata": metadata,
        },
    ),
    retrieve("/v1/promotion_codes/{id}", "promotion_code"),
    post(
        "/v1/promotion_codes/{id}",
        catalog.update_promotion_code,
        {"active": boolean, "metadata": metadata},
    ),
]
