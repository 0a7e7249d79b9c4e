"""What so many of a price cost: known answers from Stripe's own examples, and what must hold for any."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import Price
from services.metrics.revenue.pricing import UNKNOWN, Tariff, Tier, tariff

FONTS = (Tier(5, Fraction(700)), Tier(10, Fraction(650)), Tier(None, Fraction(600)))


@pytest.mark.parametrize(("quantity", "cost"), [(1, 700), (5, 3500), (6, 3900), (20, 12_000), (25, 15_000)])
def test_volume_tiers_as_stripe_tells_them(quantity: int, cost: int) -> None:
    assert Tariff(tiers=FONTS, tiers_mode="volume").cost(quantity) == cost


@pytest.mark.parametrize(("quantity", "cost"), [(1, 700), (5, 3500), (6, 4150), (20, 12_750), (25, 15_750)])
def test_graduated_tiers_as_stripe_tells_them(quantity: int, cost: int) -> None:
    assert Tariff(tiers=FONTS, tiers_mode="graduated").cost(quantity) == cost


def test_flat_amounts_are_added_once_for_each_tier_that_counts() -> None:
    tiers = (Tier(2, Fraction(10), Fraction(1000)), Tier(None, Fraction(5), Fraction(300)))
    assert [Tariff(tiers=tiers, tiers_mode="volume").cost(n) for n in (0, 2, 3)] == [1000, 1020, 315]
    assert [Tariff(tiers=tiers, tiers_mode="graduated").cost(n) for n in (0, 2, 3)] == [1000, 1020, 1325]


@pytest.mark.parametrize(
    ("up", "quantity", "packages"), [(True, 1000, 10), (True, 1001, 11), (False, 1099, 10), (True, 0, 0)]
)
def test_ten_dollars_for_each_hundred(up: bool, quantity: int, packages: int) -> None:
    assert Tariff(Fraction(1000), divide_by=100, round_up=up).cost(quantity) == packages * 1000


def test_what_nobody_knows_has_no_cost() -> None:
    assert UNKNOWN.cost(1) is None
    assert Tariff(tiers=FONTS, tiers_mode="of tomorrow").cost(1) is None
    assert Tariff(tiers=FONTS[:2], tiers_mode="volume").cost(11) is None
    assert Tariff(tiers=(), tiers_mode="graduated").cost(0) is None


def price(**fields: object) -> Price:
    return Price(**{"id": "p", "created": 0, "currency": "usd", "unit_amount_decimal": "1000", **fields})


def test_each_currency_has_its_own_amount() -> None:
    both = price(
        currency_options={"usd": {"unit_amount_decimal": "1"}, "eur": {"unit_amount_decimal": "850.5"}}
    )
    assert tariff(both, "usd").cost(2) == 2000
    assert tariff(both, "eur").cost(2) == 1701
    assert tariff(both, "gbp") is UNKNOWN
    assert tariff(both, "").cost(1) == 1000  # a subscription of an old shape that names no currency


def test_tiers_of_another_currency_go_by_the_prices_mode() -> None:
    tiers = [{"up_to": None, "unit_amount": "5.5", "flat_amount": None}]
    row = price(
        unit_amount_decimal=None,
        tiers_mode="graduated",
        currency_options={"eur": {"unit_amount_decimal": None, "tiers": tiers}},
    )
    assert tariff(row, "eur").cost(4) == 22
    assert tariff(row, "usd").cost(4) is None


# What must hold for any tiers

amounts = st.decimals(0, 10_000, places=2).map(Fraction)


@st.composite
def ladders(draw: st.DrawFn) -> tuple[Tier, ...]:
    """Tiers with ascending ends, the last without one."""
    ends = sorted(draw(st.sets(st.integers(1, 200), max_size=5)))
    return tuple(Tier(end, draw(amounts), draw(amounts)) for end in (*ends, None))


@given(ladders(), st.integers(0, 300))
def test_graduated_is_the_sum_over_the_units_one_by_one(tiers: tuple[Tier, ...], quantity: int) -> None:
    def of(unit: int) -> Tier:
        return next(tier for tier in tiers if tier.up_to is None or unit <= tier.up_to)

    entered = {of(unit) for unit in range(1, quantity + 1)} | {tiers[0]}
    expected = sum(of(unit).unit for unit in range(1, quantity + 1)) + sum(tier.flat for tier in entered)
    assert Tariff(tiers=tiers, tiers_mode="graduated").cost(quantity) == expected


@given(ladders(), st.integers(0, 300))
def test_volume_is_one_tier_for_all_units(tiers: tuple[Tier, ...], quantity: int) -> None:
    cost = Tariff(tiers=tiers, tiers_mode="volume").cost(quantity)
    possible = [tier for tier in tiers if cost == tier.flat + tier.unit * quantity]
    below = [0, *(tier.up_to for tier in tiers[:-1])]
    assert any(
        (quantity > under or under == 0) and (tier.up_to is None or quantity <= tier.up_to)
        for tier, under in zip(tiers, below, strict=True)
        if tier in possible
    )


@given(ladders(), st.integers(0, 300))
def test_more_is_never_cheaper_with_graduated_tiers(tiers: tuple[Tier, ...], quantity: int) -> None:
    costs = [Tariff(tiers=tiers, tiers_mode="graduated").cost(n) for n in range(quantity, quantity + 3)]
    assert all(a is not None and b is not None and a <= b for a, b in pairwise(costs))


@given(amounts, st.integers(0, 10**10), st.integers(1, 10**6), st.booleans())
def test_packages_hold_all_units_or_only_the_full_ones(
    unit: Fraction, quantity: int, size: int, up: bool
) -> None:
    one = Tariff(unit, divide_by=size, round_up=up)
    packages = one.packages(quantity)
    assert one.cost(quantity) == unit * packages
    spare = packages * size - quantity
    assert 0 <= spare < size if up else 0 <= -spare < size


@given(amounts, st.integers(0, 10**10))
def test_one_tier_for_all_is_a_plain_price(unit: Fraction, quantity: int) -> None:
    tiers = (Tier(None, unit),)
    plain = Tariff(unit).cost(quantity)
    assert [Tariff(tiers=tiers, tiers_mode=mode).cost(quantity) for mode in ("volume", "graduated")] == [
        plain,
        plain,
    ]
