"""Rates and their doubt, against published figures and what must always hold."""

from __future__ import annotations

from collections import Counter
from math import erfc, sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from services.metrics.statistics.statistics import Rate, difference, may_be_chance, percentile, wilson

counts = st.integers(1, 5000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))
rates = counts.map(lambda pair: Rate(*pair))
# neither rare nor few, so that the normal curve of the z-test fits
usual = st.integers(50, 5000).flatmap(lambda n: st.builds(Rate, st.integers(n // 5, n - n // 5), st.just(n)))


def test_nothing_of_nothing_is_no_data_and_not_zero() -> None:
    assert Rate(0, 0).value is None
    assert Rate(0, 0).interval is None
    assert Rate(0, 8).value == 0.0


def test_more_parts_than_the_whole_is_refused() -> None:
    with pytest.raises(ValueError, match="3 in 2"):
        Rate(3, 2)


# Newcombe (1998), Statistics in Medicine 17, table I, method 3 (Wilson's score without correction)
@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_agrees_with_newcombes_table(part: int, whole: int, low: float, high: float) -> None:
    found = wilson(part, whole)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(counts)
def test_the_interval_holds_the_share_and_stays_between_0_and_1(pair: tuple[int, int]) -> None:
    found = wilson(*pair)
    assert 0 <= found.low <= pair[0] / pair[1] <= found.high <= 1


@given(counts)
def test_the_interval_of_the_rest_is_the_mirror_image(pair: tuple[int, int]) -> None:
    part, whole = pair
    found, rest = wilson(part, whole), wilson(whole - part, whole)
    assert found.low == pytest.approx(1 - rest.high)


@given(counts, st.integers(2, 50))
def test_more_of_the_same_is_surer(pair: tuple[int, int], times: int) -> None:
    few, many = wilson(*pair), wilson(pair[0] * times, pair[1] * times)
    assert many.high - many.low < few.high - few.low


def test_few_cases_may_be_chance_and_many_are_not() -> None:
    assert may_be_chance(Rate(0, 2), Rate(3, 7))
    assert not may_be_chance(Rate(0, 200), Rate(300, 700))
    assert may_be_chance(Rate(0, 0), Rate(300, 700))


# Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10 (hybrid score, not corrected)
@pytest.mark.parametrize(
    ("one", "two", "low", "high"),
    [
        (Rate(56, 70), Rate(48, 80), 0.0524, 0.3339),
        (Rate(9, 10), Rate(3, 10), 0.1705, 0.8090),
        (Rate(6, 7), Rate(2, 7), 0.0582, 0.8062),
        (Rate(5, 56), Rate(0, 29), -0.0381, 0.1926),
        (Rate(0, 10), Rate(0, 20), -0.1611, 0.2775),
        (Rate(0, 10), Rate(0, 10), -0.2775, 0.2775),
        (Rate(10, 10), Rate(0, 20), 0.6791, 1.0),
        (Rate(10, 10), Rate(0, 10), 0.6075, 1.0),
    ],
)
def test_the_difference_agrees_with_newcombes_table(one: Rate, two: Rate, low: float, high: float) -> None:
    found = difference(one, two)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


# p by the two-proportion z-test: 0.034, 0.031; 0.047, 0.065; 0.052, 0.044
@pytest.mark.parametrize(
    ("one", "two", "chance"),
    [
        (Rate(40, 100), Rate(55, 100), False),
        (Rate(150, 400), Rate(180, 400), False),
        (Rate(40, 100), Rate(54, 100), False),
        (Rate(40, 100), Rate(53, 100), True),
        (Rate(150, 400), Rate(177, 400), True),
        (Rate(150, 400), Rate(178, 400), False),
    ],
)
def test_a_difference_is_read_from_its_own_interval(one: Rate, two: Rate, chance: bool) -> None:
    assert may_be_chance(one, two) is chance


@given(rates, rates)
def test_the_difference_seen_from_the_other_side_is_the_mirror_image(one: Rate, two: Rate) -> None:
    found, mirrored = difference(one, two), difference(two, one)
    assert found is not None
    assert mirrored is not None
    assert (found.low, found.high) == pytest.approx((-mirrored.high, -mirrored.low))
    assert found.low + 1e-9 >= -1
    assert found.high <= 1 + 1e-9


@given(usual, usual)
def test_far_from_the_border_it_agrees_with_the_z_test(one: Rate, two: Rate) -> None:
    p = p_value(one, two)
    assume(not 0.04 < p < 0.06)
    assert may_be_chance(one, two) is (p > 0.05)


@given(rates)
def test_the_same_twice_may_be_chance(rate: Rate) -> None:
    assert may_be_chance(rate, rate)


def p_value(one: Rate, two: Rate) -> float:
    """Two-sided, of the pooled z-test of two proportions."""
    pooled = (one.part + two.part) / (one.whole + two.whole)
    error = sqrt(pooled * (1 - pooled) * (1 / one.whole + 1 / two.whole))
    return erfc(abs(one.part / one.whole - two.part / two.whole) / error / sqrt(2))


def test_percentiles_are_values_that_were_seen() -> None:
    assert percentile({}, 0.5) is None
    assert percentile({3: 1}, 0.9) == 3
    assert percentile(Counter([1, 2, 3, 4]), 0.5) == 2
    assert percentile(Counter(range(1, 11)), 0.9) == 9


@given(st.lists(st.integers(0, 1000), min_size=1), st.floats(0.01, 1))
def test_a_percentile_leaves_its_share_below_or_at_it(values: list[int], share: float) -> None:
    found = percentile(Counter(values), share)
    assert found is not None
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


@given(counts)
def test_wilson_agrees_with_scipy(pair: tuple[int, int]) -> None:
    theirs = stats.binomtest(*pair).proportion_ci(0.95, method="wilson")
    assert (wilson(*pair).low, wilson(*pair).high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
