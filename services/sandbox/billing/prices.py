"""What does a quantity of a price cost, in a currency?

A price's tiers and its amounts in other currencies are kept in its notes: Stripe shows them only where they
are asked for.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from services.sandbox.billing import money
from services.sandbox.billing.account import Account
from services.sandbox.store import Body


def currency_options(account: Account, price: Body) -> dict[str, Body]:
    """What the price asks for in each of its currencies, its own among them."""
    kept: dict[str, Body] | None = account.store.notes(price["id"]).get("currency_options")
    return kept or {price["currency"]: option(price)}


def tiers(account: Account, price: Body) -> list[Body] | None:
    """The price's tiers in its own currency; None where it has none."""
    kept: list[Body] | None = account.store.notes(price["id"]).get("tiers")
    return kept


def option(amounts: dict[str, Any]) -> Body:
    """What a price asks for in one currency, as `currency_options` shows it."""
    made = {name: amounts.get(name) for name in ("unit_amount", "unit_amount_decimal")}
    made |= {"custom_unit_amount": None, "tax_behavior": amounts.get("tax_behavior", "unspecified")}
    return {**made, "tiers": amounts["tiers"]} if amounts.get("tiers") else made


def sold_in(account: Account, price: Body, currency: str) -> bool:
    """Whether the price has an amount in the currency."""
    return currency in currency_options(account, price)


def unit(account: Account, price: Body, currency: str) -> str | None:
    """What one (or one package) costs, as exact text in minor units; None with tiers."""
    amount: str | None = currency_options(account, price)[currency]["unit_amount_decimal"]
    return amount


def cost(account: Account, price: Body, quantity: int, currency: str) -> int:
    """What so many cost for a whole period, in minor units, before discounts."""
    found = currency_options(account, price)[currency]
    if price["billing_scheme"] == "tiered":
        exact = _by_tiers(found["tiers"], quantity, graduated=price["tiers_mode"] == "graduated")
        return money.whole(exact)
    each: str = found["unit_amount_decimal"]
    return money.times(each, packages(price, quantity))


def packages(price: Body, quantity: int) -> int:
    """How many times the unit amount is asked for."""
    rule = price["transform_quantity"]
    if rule is None:
        return quantity
    size: int = rule["divide_by"]
    full, rest = divmod(quantity, size)
    return full + (1 if rest and rule["round"] == "up" else 0)


def _by_tiers(steps: list[Body], quantity: int, *, graduated: bool) -> Decimal:
    """The tiers are sorted and the last has no end. The first one's flat amount is due in any case."""
    total, below = Decimal(0), 0
    for step in steps:
        last = step["up_to"] is None or quantity <= step["up_to"]
        flat, each = Decimal(step["flat_amount_decimal"] or 0), Decimal(step["unit_amount_decimal"] or 0)
        if graduated:
            total += flat + each * ((quantity if last else step["up_to"]) - below)
        elif last:
            total = flat + each * quantity
        if last:
            break
        below = step["up_to"]
    return total
