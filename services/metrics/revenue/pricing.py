"""What does a quantity of a price come to, in the subscription's currency?

Exactly, in minor units for one of the price's intervals. A price may ask for another amount in each currency
(`currency_options`), count in packages (`transform_quantity`), or go by tiers: graduated tiers charge each
unit at the tier that it falls into, volume tiers charge all units at the tier of the whole quantity; a tier's
flat amount is added once. The first tier's flat amount is due with a quantity of 0 too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier: up to and including `up_to` units (None: without an end). Minor units."""

    up_to: int | None
    unit: Fraction = Fraction(0)
    flat: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a price asks for in one currency: a unit amount (minor units), or tiers from the lowest up."""

    unit: Fraction | None = None
    tiers: tuple[Tier, ...] = ()
    tiers_mode: str | None = None
    divide_by: int = 1
    round_up: bool = False

    def cost(self, quantity: int) -> Fraction | None:
        """So many units in minor units, None where the amount is not known or not settled beforehand."""
        if self.unit is not None:
            return self.unit * self.packages(quantity)
        if self.tiers_mode == "volume":
            return self._by_volume(quantity)
        return self._graduated(quantity) if self.tiers_mode == "graduated" else None

    def packages(self, quantity: int) -> int:
        """How many times the unit amount is asked for."""
        return -(-quantity // self.divide_by) if self.round_up else quantity // self.divide_by

    def _by_volume(self, quantity: int) -> Fraction | None:
        for tier in self.tiers:
            if tier.up_to is None or quantity <= tier.up_to:
                return tier.flat + tier.unit * quantity
        return None

    def _graduated(self, quantity: int) -> Fraction | None:
        total, below = Fraction(0), 0
        for tier in self.tiers:
            if tier.up_to is None or quantity <= tier.up_to:
                return total + tier.flat + tier.unit * (quantity - below)
            total += tier.flat + tier.unit * (tier.up_to - below)
            below = tier.up_to
        return None


UNKNOWN = Tariff()


def tariff(price: Any, currency: str) -> Tariff:
    """What a price (a row of `prices`, or one with its columns) asks for in a currency.

    UNKNOWN where it has no amount in the currency, or none that is settled beforehand.
    """
    own = currency in ("", price.currency)
    amounts = _own(price) if own else (price.currency_options or {}).get(currency)
    if not amounts:
        return UNKNOWN
    exact = amounts.get("unit_amount_decimal")
    return Tariff(
        unit=Fraction(exact) if exact is not None else None,
        tiers=_tiers(amounts.get("tiers") or ()),
        tiers_mode=price.tiers_mode,
        divide_by=price.transform_divide_by or 1,
        round_up=price.transform_round == "up",
    )


def _own(price: Any) -> Mapping[str, Any]:
    return {"unit_amount_decimal": price.unit_amount_decimal, "tiers": price.tiers}


def _tiers(rows: Iterable[Mapping[str, Any]]) -> tuple[Tier, ...]:
    return tuple(
        Tier(row["up_to"], Fraction(row["unit_amount"] or 0), Fraction(row["flat_amount"] or 0))
        for row in rows
    )
