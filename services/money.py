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
from babel.numbers import NumberPattern, get_decimal_symbol, get_group_symbol, list_currencies

from services.errors import InvalidInput

MICROS = 1_000_000
_ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
_THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())
_WHOLE_UNITS_ONLY = frozenset(("isk", "ugx"))
_LARGEST = 99_999_999
_LARGEST_OF = {"idr": 999_999_999_999}
_LONGEST = 24  # characters; keeps Decimal exact
_TYPED = re.compile(
    r"(?P<minus>[+-]?)(?P<before>[^\d+-]*?)(?P<number>\d[\d., ']*\d|\d|(?<![^\W\d_])[.,]\d+)(?P<after>\D*)",
    re.ASCII,
)
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


def chargeable(due: int, currency: str) -> int:
    """What Stripe charges of an amount that is due (minor units): nothing of less than its smallest charge,
    which it moves to the customer's balance. Source: https://docs.stripe.com/billing/customer/balance
    """
    return due if due >= minimum_charge(currency) else 0


def maximum_charge(currency: str) -> int:
    """Stripe's largest charge in minor units: twelve digits in IDR, eight in all other currencies.

    Source: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
    """
    return _LARGEST_OF.get(currency.lower(), _LARGEST)


def parse(text: str, currency: str, *, locale: str = "en_US", least: int | None = None) -> int:
    """What a person typed as minor units, exactly, as an amount that Stripe can charge, or from `least` on.

    Raises InvalidInput as `read`, for what could mean thousands as well as decimals, and for what is below
    the currency's smallest or above its largest charge, or not in its steps.
    """
    value = _value(text, currency, locale)
    _check_clear(text, currency, locale)
    amount = _minor(value, currency)
    _check_steps(amount, currency)
    least = minimum_charge(currency) if least is None else least
    most = maximum_charge(currency)
    if amount < least:
        raise _invalid(
            f"The smallest amount in {currency.upper()} is {display(least, currency, locale=locale)}.",
            "Raise it.",
        )
    if amount > most:
        raise _invalid(f"The largest amount is {display(most, currency, locale=locale)}.", "Split it.")
    return amount


def read(text: str, currency: str, *, locale: str = "en_US") -> int:
    """What a person typed as minor units, exactly, however large: `$20`, `20 EUR`, `12,5`, `1 234,50`.

    What could mean thousands as well as decimals is read as the locale writes it. Raises InvalidInput for
    anything that is not an amount above zero in this currency, or has more decimals than it.
    """
    return _minor(_value(text, currency, locale), currency)


def _minor(value: Decimal, currency: str) -> int:
    code, places = currency.upper(), exponent(currency)
    minor = value.scaleb(places)
    if minor != minor.to_integral_value():
        allowed = "no decimals" if places == 0 else f"at most {places} decimals"
        raise _invalid(f"{code} has {allowed}.", "Leave the extra decimals out.")
    if value <= 0:
        raise _invalid("The amount must be above zero.", "Type a larger one.")
    return int(minor)


def _check_steps(amount: int, currency: str) -> None:
    code = currency.lower()
    if code in _WHOLE_UNITS_ONLY and amount % 100:
        raise _invalid(f"{code.upper()} is charged in whole units.", "Leave the decimals out.")
    if code in _THREE_DECIMAL and amount % 10:
        raise _invalid(f"The last digit of an amount in {code.upper()} must be 0.", "Round it.")


def _value(text: str, currency: str, locale: str) -> Decimal:
    """The number of what was typed, whose sign of a currency, if any, is this one's."""
    plain = _even(text)
    found = _TYPED.fullmatch(plain) if len(plain) <= _LONGEST else None
    number = _plain(found["number"], currency, locale) if found else None
    if not found or number is None:
        raise _not_an_amount(text, locale)
    for sign in filter(None, (found["before"].strip(), found["after"].strip())):
        named = _signs(locale).get(sign.casefold())
        if named is None:
            raise _not_an_amount(text, locale)
        if named != currency.lower():
            raise _invalid(
                f"“{sign}” stands for {named.upper()}; this amount is in {currency.upper()}.",
                f"Type it in {currency.upper()}, without a sign.",
            )
    return Decimal(f"{'-' if '-' in found['minus'] else ''}{number}")


def _even(text: str) -> str:
    """What was typed, with one kind of space and of apostrophe."""
    return re.sub(r"\s", " ", text.strip()).replace("’", "'")


def _plain(number: str, currency: str, locale: str) -> str | None:
    """The number with nothing but a point before its decimals; None where its separators make no sense."""
    separators = re.findall(r"\D", number)
    if not separators:
        return number
    last = separators[-1]
    if set(separators) == {last} and _is_grouped(number, last):
        means_decimals = separators == [last] and _parts_decimals(last, currency, locale)
        return number.replace(last, "." if means_decimals else "")
    head, _, decimals = number.rpartition(last)
    groups = {*separators[:-1]}
    if last not in ".," or last in groups or not all(_is_grouped(head, group) for group in groups):
        return None
    return f"{re.sub(r'[^0-9]', '', head) or '0'}.{decimals}"


def _is_grouped(number: str, separator: str) -> bool:
    """Whether the separator stands before groups of three digits, or as in India, of two and one of three."""
    s = re.escape(separator)
    return bool(re.fullmatch(rf"[1-9]\d{{0,2}}({s}\d{{3}})+|[1-9]\d?({s}\d\d)+{s}\d{{3}}", number, re.ASCII))


def _parts_decimals(separator: str, currency: str, locale: str) -> bool:
    """Whether the only separator, with three digits after it, stands before decimals in this locale."""
    return not _is_whole(currency) and separator == get_decimal_symbol(locale)


def _is_whole(currency: str) -> bool:
    """Whether nobody pays parts of the currency's unit."""
    return exponent(currency) == 0 or currency.lower() in _WHOLE_UNITS_ONLY


def _check_clear(text: str, currency: str, locale: str) -> None:
    """Refuses `1,234` where the currency has decimals: a thousand, or a little more than one?"""
    typed = _TYPED.fullmatch(_even(text))
    found = typed and re.fullmatch(r"(\d{1,3})([.,])(\d{3})", typed["number"], re.ASCII)
    if not found or _is_whole(currency) or not _is_grouped(found[0], found[2]):
        return
    places, point = exponent(currency), get_decimal_symbol(locale)
    if places == len(found[3]) and found[2] == point:
        return
    whole = f"{found[1]}{found[3]}{point}{'0' * places}"
    parts = f"{found[1]}{point}{found[3][:places]}"
    shown = [display(read(each, currency, locale=locale), currency, locale=locale) for each in (whole, parts)]
    exact = not found[3][places:].strip("0")
    raise _invalid(
        f"“{text.strip()}” can be read in two ways.",
        f"Type {whole} for {shown[0]}, or "
        + (f"{parts} for {shown[1]}." if exact else f"an amount with at most {places} decimals."),
    )


@cache
def _signs(locale: str) -> dict[str, str]:
    """Which currency each sign and code stands for; where places differ, as the locale has it."""
    codes = {code.casefold(): code.lower() for code in list_currencies()}
    signs = {
        sign.casefold(): code.lower()
        for place in ("en_US", "en_001", locale)
        for code, sign in Locale.parse(place).currency_symbols.items()
    }
    return signs | codes


def _not_an_amount(text: str, locale: str) -> InvalidInput:
    group, point = get_group_symbol(locale), get_decimal_symbol(locale)
    return _invalid(f"“{text[:40]}” is not an amount.", f"Type it in digits, like 1{group}250{point}00.")


def _invalid(message: str, remedy: str) -> InvalidInput:
    return InvalidInput(message, field="amount", remedy=remedy)


def display(amount: int, currency: str, *, locale: str = "en_US") -> str:
    """An amount in minor units as people write it in the locale, e.g. `$1,250.00`, `¥1,250`."""
    places = exponent(currency)
    written = _pattern(locale, places).apply(
        units(amount, currency), locale, currency=currency.upper(), currency_digits=False
    )
    return str(written)


def typed(amount: int, currency: str, *, locale: str = "en_US") -> str:
    """The number as people of the locale type it, without currency and separators of thousands."""
    number = f"{units(amount, currency):.{exponent(currency)}f}"
    return number.replace(".", str(get_decimal_symbol(locale)))


def whole(micros: int | Fraction) -> int:
    """Millionths of a minor unit (MRR) as whole minor units, half to even.

    For showing alone: sums are made of the millionths and rounded once, so a total can differ
    from the sum of the rounded amounts, by at most half a minor unit for each.
    """
    return round(Fraction(micros) / MICROS)


def units(amount: int, currency: str) -> Decimal:
    """An amount in minor units as a number of the currency's units with all its decimals, for files."""
    return Decimal(amount).scaleb(-exponent(currency))


def exact_units(micros: int, currency: str) -> Decimal:
    """Millionths of a minor unit (MRR) as a number of the currency's units, exactly, for files: with all the
    currency's decimals, and more only where the amount has them."""
    exact = Decimal(micros).scaleb(-6 - exponent(currency)).normalize()
    decimals = max(exponent(currency), -int(exact.as_tuple().exponent))
    return exact.quantize(Decimal(1).scaleb(-decimals))


@cache
def _pattern(locale: str, places: int) -> NumberPattern:
    pattern: NumberPattern = copy(Locale.parse(locale).currency_formats["standard"])
    pattern.frac_prec = (places, places)
    return pattern
