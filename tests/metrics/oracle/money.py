"""What does a subscription come to a month? By hand, in fractions, from raw objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.metrics.oracle.reading import Books, Thing, recurs

MICROS = 1_000_000
A_YEAR_HAS = {"year": 1, "month": 12, "week": 52, "day": 365}


@dataclass
class _Part:
    """One item: what it comes to a month, still without rounding, and its product."""

    amount: Fraction
    invoices_a_month: Fraction
    product: str
    discounts: list[Any]


def monthly_micros(
    books: Books, subscription: Thing, at: int, own: Thing | None = None, *, repeating: bool = False
) -> int:
    """A snapshot of a subscription a month after the discounts that are at work at an instant and last for
    ever (or are `repeating`, where these are deducted too), in micros, whatever its status.

    `own`: the customer's own discount, for a subscription that has no discounts.
    """
    durations = {"forever", "repeating"} if repeating else {"forever"}

    def coupons(discounts: Iterable[Any]) -> list[Thing]:
        known = (known_discount(books, one) for one in discounts)
        found = [books.lists["coupons"][one["source"]["coupon"]] for one in known if one and runs(one, at)]
        return [one for one in found if one["duration"] in durations]

    parts = [_part(books, subscription, item) for item in subscription["items"]["data"]]
    shared = coupons(subscription["discounts"] or ([own] if own else []))
    each = [coupons(part.discounts) for part in parts]
    for part, mine in zip(parts, each, strict=True):
        for coupon in (*mine, *shared):
            if coupon["percent_off"] and _fits(coupon, part):
                part.amount *= max(Fraction(0), 1 - Fraction(str(coupon["percent_off"])) / 100)
    currency = subscription["currency"]
    for part, mine in zip(parts, each, strict=True):
        for coupon in _amounts(mine, currency):
            _take_off(coupon, [part])
    for coupon in _amounts(shared, currency):
        _take_off(coupon, parts)
    return sum(half_even(part.amount * MICROS) for part in parts)


def half_even(exact: Fraction) -> int:
    """The nearest integer; of two as near the even one."""
    below = exact.numerator // exact.denominator
    rest = exact - below
    if rest == Fraction(1, 2):
        return below + below % 2
    return below + (1 if rest > Fraction(1, 2) else 0)


def invoices_a_month(price: Thing) -> Fraction:
    """How many invoices of a price fall in a month."""
    often = price["recurring"]
    return Fraction(A_YEAR_HAS[often["interval"]], 12 * often["interval_count"])


def cost(price: Thing, quantity: int, currency: str) -> Fraction:
    """What a quantity costs for one interval in a currency; 0 where nobody can say beforehand."""
    amounts = price if currency == price["currency"] else (price.get("currency_options") or {}).get(currency)
    if not amounts:
        return Fraction(0)
    if amounts.get("unit_amount_decimal") is not None:
        return Fraction(amounts["unit_amount_decimal"]) * _packages(price, quantity)
    return _by_tiers(amounts.get("tiers") or [], price["tiers_mode"], quantity)


def known_discount(books: Books, discount: Any) -> Thing | None:
    """A discount, which may be an id or the object."""
    return discount if isinstance(discount, dict) else books.discounts.get(discount)


def runs(discount: Thing, at: int) -> bool:
    """Whether a discount is at work at an instant."""
    return discount["start"] <= at and (discount["end"] is None or at < discount["end"])


def learn_discounts(books: Books, things: Iterable[Any]) -> None:
    """Notes those of some things that are discounts."""
    for one in things:
        if isinstance(one, dict) and one.get("object") == "discount":
            books.discounts[one["id"]] = one


def _part(books: Books, subscription: Thing, item: Thing) -> _Part:
    price = books.one("prices", item["price"]["id"]) or item["price"]
    if not recurs(price):
        return _Part(Fraction(0), Fraction(0), price["product"], [])
    often = invoices_a_month(price)
    amount = max(Fraction(0), cost(price, item["quantity"], subscription["currency"]) * often)
    return _Part(amount, often, price["product"], item["discounts"])


def _packages(price: Thing, quantity: int) -> int:
    rule = price["transform_quantity"]
    if not rule:
        return quantity
    full, rest = divmod(quantity, rule["divide_by"])
    return full + (1 if rest and rule["round"] == "up" else 0)


def _by_tiers(tiers: list[Thing], mode: str, quantity: int) -> Fraction:
    total, below = Fraction(0), 0
    for tier in tiers:
        last = tier["up_to"] is None or quantity <= tier["up_to"]
        flat, unit = Fraction(tier["flat_amount_decimal"] or 0), Fraction(tier["unit_amount_decimal"] or 0)
        if mode == "volume":
            if last:
                return flat + unit * quantity
            continue
        total += flat + unit * ((quantity if last else tier["up_to"]) - below)
        below = tier["up_to"]
        if last:
            break
    return total


def _products(coupon: Thing) -> set[str]:
    return set((coupon.get("applies_to") or {}).get("products", ()))


def _fits(coupon: Thing, part: _Part) -> bool:
    return not _products(coupon) or part.product in _products(coupon)


def _amounts(coupons: Iterable[Thing], currency: str) -> list[Thing]:
    """Those with an amount in the currency, the one for the fewest products first."""
    mine = [one for one in coupons if one["amount_off"] and one["currency"] == currency]
    return sorted(mine, key=lambda coupon: len(_products(coupon)) or 1_000)


def _take_off(coupon: Thing, parts: list[_Part]) -> None:
    """Once for each invoice, shared in proportion by the items that are billed most often."""
    fitting = [part for part in parts if part.amount > 0 and _fits(coupon, part)]
    often = max((part.invoices_a_month for part in fitting), default=Fraction(0))
    pool = [part for part in fitting if part.invoices_a_month == often]
    total = sum((part.amount for part in pool), Fraction(0))
    off = min(total, coupon["amount_off"] * often)
    for part in pool:
        part.amount *= 1 - off / total
