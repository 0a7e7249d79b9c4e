"""What random accounts sell, and at which discounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from services.sandbox.billing import catalog
from services.sandbox.billing.account import Account
from services.sandbox.billing.periods import add_months

CURRENCIES = ("usd", "eur", "jpy")
EVERY = {"month": ("month", 1), "year": ("year", 1), "week": ("week", 1), "quarter": ("month", 3)}
_PLANS = {"small": 1_900, "large": 4_900, "odd": 3_333}
_TIERS = [{"up_to": 3, "unit_amount": 700}, {"up_to": "inf", "unit_amount": 500, "flat_amount": 250}]
_HARD: dict[str, dict[str, Any]] = {
    "tiers": {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": _TIERS},
    "volume": {"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": _TIERS},
    "packs": {"unit_amount": 1_100, "transform_quantity": {"divide_by": 4, "round": "up"}},
}


@dataclass
class Shop:
    """What is sold: prices by name (`large_month_eur`, `free_month_usd`, ...), and the coupons' ids, and of
    those for more than one invoice."""

    prices: dict[str, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    coupons: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()


def open_shop(account: Account) -> Shop:
    """Plans by the week, month, quarter and year in three currencies, an odd add-on, a free plan, coupons."""
    shop = Shop()
    for plan, amount in {**_PLANS, "free": 0, **dict.fromkeys(_HARD, 0)}.items():
        product = catalog.create_product(account, name=plan.title())["id"]
        shop.products[plan] = product
        for currency in CURRENCIES:
            for name, (interval, count) in EVERY.items():
                times = {"year": 10, "quarter": 3}.get(name, 1)
                asks = _HARD.get(plan, {"unit_amount": amount * times})
                shop.prices[f"{plan}_{name}_{currency}"] = catalog.create_price(
                    account, product=product, currency=currency,
                    recurring={"interval": interval, "interval_count": count}, **asks,
                )["id"]  # fmt: skip
    for name, (interval, count) in EVERY.items():
        price = catalog.create_price(
            account, product=shop.products["large"], currency="usd", unit_amount=5_200,
            recurring={"interval": interval, "interval_count": count},
            currency_options={"eur": {"unit_amount": 4_700}, "jpy": {"unit_amount": 7_777}},
        )  # fmt: skip
        shop.prices |= {f"world_{name}_{currency}": price["id"] for currency in CURRENCIES}
    forever = {"duration": "forever"}
    made = [
        {"id": "QUARTER", "percent_off": 25.0, **forever},
        {"id": "THIRD", "percent_off": 33.33, **forever},
        {"id": "ALL", "percent_off": 100.0, **forever},
        {"id": "TEN_USD", "amount_off": 1_000, "currency": "usd", **forever},
        {"id": "TEN_EUR", "amount_off": 1_000, "currency": "eur", **forever},
        {"id": "ONCE", "percent_off": 50.0, "duration": "once"},
        {"id": "THREE", "percent_off": 10.0, "duration": "repeating", "duration_in_months": 3},
    ]
    shop.coupons = tuple(catalog.create_coupon(account, **one)["id"] for one in made)
    shop.lasting = tuple(one["id"] for one in made if one["duration"] != "once")
    return shop


def give(account: Account, customer: str, coupon: str) -> None:
    """A discount of the customer's own, in the place of the one before (accounts have them of older days)."""
    owner, terms = account.customer(customer), account.get("coupon", coupon)
    lasts = terms["duration_in_months"]
    made = account.new(
        "discount", "di", source={"coupon": coupon, "type": "coupon"}, start=account.now,
        end=add_months(account.now, lasts) if lasts else None, customer=customer,
    )  # fmt: skip
    account.emit(f"customer.discount.{'updated' if owner['discount'] else 'created'}", made)
    account.change(owner, "customer.updated", discount=dict(made))


def take_back(account: Account, customer: str) -> None:
    """Ends the customer's own discount."""
    owner = account.customer(customer)
    if gone := owner["discount"]:
        account.change(owner, "customer.updated", discount=None)
        account.emit("customer.discount.deleted", gone)
