"""How is an amount divided and rounded?

Amounts are whole minor units; halves are rounded away from zero, as Stripe does.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

# What a charge must be at least, about half a US dollar.
_MINIMUM = {
    "aud": 50, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400,
    "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "nok": 300, "nzd": 50, "pln": 200, "sek": 300,
    "sgd": 50, "usd": 50,
}  # fmt: skip


def divide(amount: int, numerator: int, denominator: int) -> int:
    """`amount * numerator / denominator`, rounded."""
    product, sign = amount * numerator, 1
    if product < 0:
        product, sign = -product, -1
    return sign * ((2 * product + denominator) // (2 * denominator))


def percent(amount: int, share: float) -> int:
    """So many percent of an amount, rounded."""
    exact = Decimal(amount) * Decimal(str(share)) / 100
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def minimum(currency: str) -> int:
    """The smallest amount that can be charged in a currency."""
    return _MINIMUM.get(currency, 50)


_ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def text(amount: int, currency: str) -> str:
    """The amount as descriptions and hosted pages show it, such as $49.00 or ¥4,900."""
    sign = _SIGNS.get(currency, f"{currency.upper()} ")
    minus = "-" if amount < 0 else ""
    if currency in _ZERO_DECIMAL:
        return f"{minus}{sign}{abs(amount):,}"
    return f"{minus}{sign}{abs(amount) // 100:,}.{abs(amount) % 100:02}"


def times(unit: str, quantity: int) -> int:
    """A price's `unit_amount_decimal` so many times, in whole minor units."""
    if "." not in unit:
        return int(unit) * quantity
    return whole(Decimal(unit) * quantity)


def whole(exact: Decimal) -> int:
    """An amount with fractions of the minor unit, rounded."""
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))
