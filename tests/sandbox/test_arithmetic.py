"""Periods, shares and amounts: properties that hold for all of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox.billing import discounts, money, periods
from services.sandbox.billing.account import previous

times = st.integers(1_500_000_000, 2_000_000_000)
intervals = st.tuples(st.sampled_from(["day", "week", "month", "year"]), st.integers(1, 3)).map(
    lambda pair: {"interval": pair[0], "interval_count": pair[1]}
)
amounts = st.integers(-10_000_000, 10_000_000)


def _at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, 12, tzinfo=UTC).timestamp())


def test_a_month_from_the_31st_comes_back_to_the_31st() -> None:
    anchor, monthly = _at(2026, 1, 31), {"interval": "month", "interval_count": 1}
    ends = [periods.boundary(anchor, monthly, number) for number in range(4)]
    assert ends == [anchor, _at(2026, 2, 28), _at(2026, 3, 31), _at(2026, 4, 30)]
    assert periods.next_boundary(anchor, monthly, _at(2026, 2, 28)) == _at(2026, 3, 31)


def test_a_year_from_a_leap_day() -> None:
    yearly = {"interval": "year", "interval_count": 1}
    assert periods.boundary(_at(2028, 2, 29), yearly, 1) == _at(2029, 2, 28)
    assert periods.boundary(_at(2028, 2, 29), yearly, 4) == _at(2032, 2, 29)


@given(times, intervals, times)
def test_the_next_boundary_is_later_and_nothing_lies_between(
    anchor: int, recurring: dict, after: int
) -> None:  # type: ignore[type-arg]
    found = periods.next_boundary(anchor, recurring, after)
    assert found > after
    number = 0
    step = 1 if found >= anchor else -1
    while periods.boundary(anchor, recurring, number) != found:
        number += step
        assert abs(number) < 20_000
    assert periods.boundary(anchor, recurring, number - 1) <= after


@given(amounts, st.integers(0, 10**7), st.integers(1, 10**7))
def test_division_is_off_by_half_a_unit_at_most(amount: int, numerator: int, denominator: int) -> None:
    exact = Fraction(amount * numerator, denominator)
    assert abs(money.divide(amount, numerator, denominator) - exact) <= Fraction(1, 2)
    assert money.divide(-amount, numerator, denominator) == -money.divide(amount, numerator, denominator)


@given(amounts, st.integers(1, 10_000).map(lambda hundredths: hundredths / 100))
def test_percentages_round_halves_up(amount: int, share: float) -> None:
    exact = Decimal(amount) * Decimal(str(share)) / 100
    assert abs(money.percent(amount, share) - exact) <= Decimal("0.5")


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=20), st.integers(1, 10**7))
def test_an_amount_off_is_taken_off_exactly_and_never_more_than_there_is(parts: list[int], off: int) -> None:
    coupon = {"percent_off": None, "amount_off": off}
    taken = discounts.shares(coupon, parts)
    assert sum(taken) == min(off, sum(parts))


@pytest.mark.parametrize(
    ("unit", "quantity", "total"), [("4900", 3, 14_700), ("0.5", 3, 2), ("12.345678901234", 1000, 12_346)]
)
def test_prices_with_fractions_of_a_cent(unit: str, quantity: int, total: int) -> None:
    assert money.times(unit, quantity) == total


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(490_012, "usd", "$4,900.12"), (-5, "eur", "-€0.05"), (4900, "jpy", "¥4,900"), (100, "chf", "CHF 1.00")],
)
def test_amounts_as_text(amount: int, currency: str, text: str) -> None:
    assert money.text(amount, currency) == text


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=8,
)


@given(values, values)
def test_previous_attributes_name_only_what_differs(old: object, new: object) -> None:
    told = previous(old, new)
    if isinstance(old, dict) and isinstance(new, dict):
        assert told.keys() == {name for name in (*old, *new) if old.get(name) != new.get(name)}
    else:
        assert told == old
