"""What is sold: products, prices, coupons and promotion codes."""

from __future__ import annotations

from typing import Any

from sqlmodel import Field

from models.base import Mirrored, big, json_column, long_text, metadata_column


class Product(Mirrored, table=True):
    """Stripe's product."""

    __tablename__ = "products"

    name: str = ""
    description: str | None = long_text()
    active: bool = True
    default_price: str | None = None
    metadata_: dict[str, Any] = metadata_column()


class Price(Mirrored, table=True):
    """Stripe's price. `unit_amount` in minor units; `unit_amount_decimal` is Stripe's exact string.

    `tiers` are `up_to` (None: no end), `unit_amount` and `flat_amount` (decimal text), from the lowest up.
    `currency_options` holds `unit_amount_decimal` and `tiers` by currency, the price's own among them; {}
    where it was never told. With `transform_divide_by` the unit amount is for a package of so many.
    """

    __tablename__ = "prices"

    product: str = Field(default="", index=True)
    active: bool = True
    currency: str = ""
    unit_amount: int | None = big()
    unit_amount_decimal: str | None = None
    type: str = ""
    billing_scheme: str = ""
    tiers: list[dict[str, Any]] = json_column(list)
    tiers_mode: str | None = None
    transform_divide_by: int | None = big()
    transform_round: str | None = None
    currency_options: dict[str, dict[str, Any]] = json_column()
    interval: str | None = None
    interval_count: int = 1
    usage_type: str | None = None
    nickname: str | None = None
    lookup_key: str | None = None
    trial_period_days: int | None = None
    metadata_: dict[str, Any] = metadata_column()


class Coupon(Mirrored, table=True):
    """Stripe's coupon. `percent_off` as Stripe's decimal text; `applies_to` holds product ids, [] = all."""

    __tablename__ = "coupons"

    name: str | None = None
    percent_off: str | None = None
    amount_off: int | None = big()
    currency: str | None = None
    duration: str = ""
    duration_in_months: int | None = big()
    applies_to: list[str] = json_column(list)
    valid: bool = True
    redeem_by: int | None = big()
    max_redemptions: int | None = big()
    times_redeemed: int = big(0, nullable=False)
    metadata_: dict[str, Any] = metadata_column()


class PromotionCode(Mirrored, table=True):
    """Stripe's promotion code: the text that customers type for a coupon."""

    __tablename__ = "promotion_codes"

    code: str = Field(default="", index=True)
    coupon: str = ""
    customer: str | None = None
    active: bool = True
    expires_at: int | None = big()
    max_redemptions: int | None = big()
    times_redeemed: int = big(0, nullable=False)
    metadata_: dict[str, Any] = metadata_column()
