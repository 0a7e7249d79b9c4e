"""What does the business sell? Products, prices, coupons and promotion codes, put into the account.

Prices are found by a key such as `team_month_eur`; when a price is raised the key moves to its successor.
"""

from typing import Any, NamedTuple

from services.sandbox.billing import catalog
from services.sandbox.billing.account import Account
from services.sandbox.errors import NoSuchObject

CURRENCIES = ("usd", "eur", "jpy")
SETUP_PRODUCT = "Onboarding workshop"


class Plan(NamedTuple):
    """Amounts are minor units by currency: (a month, a year), for one seat where the plan has seats."""

    name: str
    description: str
    seats: bool
    amounts: dict[str, tuple[int, int]]


PLANS: dict[str, Plan] = {
    "starter": Plan(
        "Starter",
        "For one person",
        False,
        {"usd": (1900, 19000), "eur": (1800, 18000), "jpy": (2800, 28000)},
    ),
    "team": Plan(
        "Team", "For each seat", True, {"usd": (900, 9000), "eur": (850, 8500), "jpy": (1300, 13000)}
    ),
    "business": Plan(
        "Business",
        "For each seat, with single sign-on and audit log",
        True,
        {"usd": (2400, 24000), "eur": (2250, 22500), "jpy": (3600, 36000)},
    ),
    "support": Plan(
        "Priority support",
        "An answer within two hours",
        False,
        {"usd": (4900, 49000), "eur": (4500, 45000), "jpy": (7200, 72000)},
    ),
}
_TEAM_RAISED = {"usd": (1200, 12000), "eur": (1100, 11000), "jpy": (1800, 18000)}
_SETUP = {"usd": 30000, "eur": 28000, "jpy": 45000}
_COUPONS: tuple[dict[str, Any], ...] = (
    {"id": "LAUNCH25", "name": "Launch friends", "percent_off": 25.0, "duration": "forever"},
    {
        "id": "THREE10",
        "name": "Three months",
        "percent_off": 10.0,
        "duration": "repeating",
        "duration_in_months": 3,
    },
    {"id": "WELCOME20", "name": "Welcome", "percent_off": 20.0, "duration": "once"},
    {"id": "TENOFF", "name": "Ten dollars", "amount_off": 1000, "currency": "usd", "duration": "once"},
    {"id": "PARTNER100", "name": "Partners", "percent_off": 100.0, "duration": "forever"},
)
_CODES = {"HELLO20": "WELCOME20", "FRIENDS10": "THREE10", "EARLYBIRD": "LAUNCH25"}


def open_shop(account: Account) -> None:
    """Put everything on sale, with the Team plan at its first price."""
    prices, products = {}, {}
    for key, plan in PLANS.items():
        unit = "seat" if plan.seats else None
        product = catalog.create_product(
            account, name=plan.name, description=plan.description, unit_label=unit
        )
        products[key] = product["id"]
        for currency, amounts in plan.amounts.items():
            prices.update(_prices(account, key, product["id"], currency, amounts))
    setup = catalog.create_product(account, name=SETUP_PRODUCT, description="Half a day with an expert")
    for currency, amount in _SETUP.items():
        price = catalog.create_price(account, product=setup["id"], currency=currency, unit_amount=amount)
        prices[f"setup_{currency}"] = price["id"]
    for coupon in _COUPONS:
        catalog.create_coupon(account, **coupon)
    codes = {}
    for code, coupon_id in _CODES.items():
        promotion = {"type": "coupon", "coupon": coupon_id}
        codes[code] = catalog.create_promotion_code(account, code=code, promotion=promotion)["id"]
    account.store.keep("shop", {"prices": prices, "products": products, "codes": codes})


def raise_prices(account: Account) -> None:
    """Archive the Team plan's first prices; those who pay them go on paying them."""
    shop = account.store.fact("shop")
    product = shop["products"]["team"]
    for currency, amounts in _TEAM_RAISED.items():
        for interval in ("month", "year"):
            old = shop["prices"][f"team_{interval}_{currency}"]
            catalog.update_price(
                account, old, active=False, lookup_key=None, nickname=f"Team {interval}ly, 1st"
            )
        shop["prices"].update(_prices(account, "team", product, currency, amounts))
    catalog.update_promotion_code(account, shop["codes"]["EARLYBIRD"], active=False)
    account.store.keep("shop", shop)


def price_id(account: Account, plan: str, interval: str, currency: str) -> str:
    """The price of a plan that is sold today; raises NoSuchObject for an interval or currency without one."""
    prices: dict[str, str] = account.store.fact("shop")["prices"]
    key = f"{plan}_{interval}_{currency}"
    if key not in prices:
        raise NoSuchObject("price", key, "price")
    return prices[key]


def setup_price_id(account: Account, currency: str) -> str:
    """The one-time price of the workshop."""
    prices: dict[str, str] = account.store.fact("shop")["prices"]
    return prices[f"setup_{currency}"]


def promotion_code_id(account: Account, code: str) -> str:
    """The id of the code that people type."""
    codes: dict[str, str] = account.store.fact("shop")["codes"]
    return codes[code]


def plan_of(account: Account, price: dict[str, Any]) -> str | None:
    """Which plan a price belongs to, None for what this shop does not sell."""
    products: dict[str, str] = account.store.fact("shop")["products"]
    return next((plan for plan, product in products.items() if product == price["product"]), None)


def _prices(
    account: Account, plan: str, product: str, currency: str, amounts: tuple[int, int]
) -> dict[str, str]:
    made = {}
    for interval, amount in zip(("month", "year"), amounts, strict=True):
        key = f"{plan}_{interval}_{currency}"
        price = catalog.create_price(
            account,
            product=product,
            currency=currency,
            unit_amount=amount,
            recurring={"interval": interval},
            nickname=f"{PLANS[plan].name} {interval}ly",
            lookup_key=key,
        )
        made[key] = price["id"]
        if (interval, currency) == ("month", "usd"):
            catalog.update_product(account, product, default_price=price["id"])
    return made
