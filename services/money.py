"""How are amounts read, checked and written? Integers in minor units with a currency, nothing else.

Stripe's currencies have 0, 2 or 3 decimals; ISK and UGX have none in life but are sent with two.
Source: Stripe's documentation, "Zero-decimal currencies", "Three-decimal currencies" and
"Minimum and maximum charge amounts".
"""

from __future__ import annotations

import re
from copy import copy
from decimal import Decimal
from fractions import Fraction
from functools import cache

from babel import Locale
from babel.numbers import NumberPattern, get_decimal_symbol, get_group_symbol

from services.errors import InvalidInput

MICROS = 1_000_000
_ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
_THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())
_WHOLE_UNITS_ONLY = frozenset(("isk", "ugx"))
_LARGEST = 99_999_999
_LARGEST_OF = {"idr": 999_999_999_999}
_LONGEST = 24  # characters; keeps Decimal exact
_MINIMUM = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250,
    "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200,
    "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip


def exponent(currency: str) -> int:
    """How many decimals the currency's amounts carry at Stripe: 0, 2 or 3."""
    code = currency.lower()
    return 0 if code in _ZERO_DECIMAL else 3 if code in _THREE_DECIMAL else 2


def minimum_charge(currency: str) -> int:
    """Stripe's smallest charge in minor units; 1 where Stripe names none (Stripe then decides)."""
    return _MINIMUM.get(currency.lower(), 1)


def maximum_charge(currency: str) -> int:
    """Stripe's largest charge in minor units: twelve digits in IDR, eight in all other currencies.

    Source: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
    """
    return _LARGEST_OF.get(currency.lower(), _LARGEST)


def parse(text: str, currency: str, *, locale: str = "en_US") -> int:
    """What a person typed as minor units, exactly, as an amount that Stripe can charge.

    Raises InvalidInput as `read`, and for what is below the currency's smallest or above its largest
    charge, or not in its steps.
    """
    amount = read(text, currency, locale=locale)
    _check_steps(amount, currency)
    least, most = minimum_charge(currency), maximum_charge(currency)
    if amount < least:
        raise _invalid(
            f"The smallest amount in {currency.upper()} is {display(least, currency, locale=locale)}.",
            "Raise it.",
        )
    if amount > most:
        raise _invalid(f"The largest amount is {display(most, currency, locale=locale)}.", "Split it.")
    return amount


def read(text: str, currency: str, *, locale: str = "en_US") -> int:
    """What a person typed as minor units, exactly, however large.

    Raises InvalidInput for anything that is not an amount above zero, or has more decimals than the
    currency.
    """
    value = _number(text, locale)
    code, places = currency.upper(), exponent(currency)
    minor = value.scaleb(places)
    if minor != minor.to_integral_value():
        allowed = "no decimals" if places == 0 else f"at most {places} decimals"
        raise _invalid(f"{code} has {allowed}.", "Leave the extra decimals out.")
    if value <= 0:
        raise _invalid("The amount must be above zero.", "Type what the customer should pay.")
    return int(minor)


def _check_steps(amount: int, currency: str) -> None:
    code = currency.lower()
    if code in _WHOLE_UNITS_ONLY and amount % 100:
        raise _invalid(f"{code.upper()} is charged in whole units.", "Leave the decimals out.")
    if code in _THREE_DECIMAL and amount % 10:
        raise _invalid(f"The last digit of an amount in {code.upper()} must be 0.", "Round it.")


def _number(text: str, locale: str) -> Decimal:
    group, point = get_group_symbol(locale), get_decimal_symbol(locale)
    plain = re.sub(r"[\s\u00a0\u202f]", "", text)
    g, p = re.escape(group), re.escape(point)
    if len(plain) > _LONGEST or not re.fullmatch(
        rf"[+-]?(\d+|\d{{1,3}}({g}\d{{3}})+)({p}\d+)?", plain, re.ASCII
    ):
        raise _invalid(f"“{text[:40]}” is not an amount.", f"Type it like 1{group}250{point}00.")
    return Decimal(plain.replace(group, "").replace(point, "."))


def _invalid(message: str, remedy: str) -> InvalidInput:
    return InvalidInput(message, field="amount", remedy=remedy)


def display(amount: int, currency: str, *, locale: str = "en_US") -> str:
    """An amount in minor units as people write it in the locale, e.g. `$1,250.00`, `¥1,250`."""
    places = exponent(currency)
    written = _pattern(locale, places).apply(
        units(amount, currency), locale, currency=currency.upper(), currency_digits=False
    )
    return str(written)


def whole(micros: int) -> int:
    """Millionths of a minor unit (MRR) as whole minor units, half to even.

    For showing and for files alone: sums are made of the millionths and rounded once, so a total can differ
    from the sum of the rounded amounts, by at most half a minor unit for each.
    """
    return round(Fraction(micros, MICROS))


def units(amount: int, currency: str) -> Decimal:
    """An amount in minor units as a number of the currency's units with all its decimals, for files."""
    return Decimal(amount).scaleb(-exponent(currency))


@cache
def _pattern(locale: str, places: int) -> NumberPattern:
    pattern: NumberPattern = copy(Locale.parse(locale).currency_formats["standard"])
    pattern.frac_prec = (places, places)
    return pattern
