"""Rates and their doubt, against published figures and what must always hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.statistics import Rate, may_be_chance, percentile, wilson

counts = st.integers(1, 5000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


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


def test_percentiles_are_values_that_were_seen() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3], 0.9) == 3
    assert percentile([1, 2, 3, 4], 0.5) == 2
    assert percentile(list(range(1, 11)), 0.9) == 9


@given(st.lists(st.integers(0, 1000), min_size=1), st.floats(0.01, 1))
def test_a_percentile_leaves_its_share_below_or_at_it(values: list[int], share: float) -> None:
    values.sort()
    found = percentile(values, share)
    assert found is not None
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
