"""The share converted by day, against scipy, worked examples, and what must always hold."""

from __future__ import annotations

import math
import random
import warnings
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.metrics.statistics.survival import Point, Watched, chance, curve

Trial = tuple[int, bool]  # the day on which it converted or was last seen, and whether it converted
trials = st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=1, max_size=200)


def watched(told: Sequence[Trial]) -> Watched:
    """Trials as the module takes them: one that was last seen on a day was watched through it."""
    last = max((day for day, _ in told), default=-1)
    converted = Counter(day for day, paid in told if paid)
    at_risk = [sum(seen >= day for seen, _ in told) for day in range(last + 1)]
    return Watched(at_risk, [converted[day] for day in range(last + 1)])


def test_ten_trials_of_whom_three_are_still_young() -> None:
    """Four of ten convert on day 14; three of the other six are then only 10 days old; one more on day 20."""
    told = [(14, True)] * 4 + [(10, False)] * 3 + [(20, True)] + [(30, False)] * 2
    found = curve(watched(told))
    assert found[13].share == 0
    assert found[14].share == pytest.approx(4 / 7)  # of the seven that were watched for 14 days
    assert found[20].share == pytest.approx(1 - 3 / 7 * 2 / 3)  # one of the three that were left
    assert found[30].share == found[20].share
    assert [found[day].at_risk for day in (10, 11, 15, 30)] == [10, 7, 3, 2]


def test_without_young_trials_it_is_the_plain_share() -> None:
    told = [(day, True) for day in (3, 14, 14, 15)] + [(90, False)] * 6
    assert curve(watched(told))[-1].share == pytest.approx(0.4)


def test_nobody_watched_is_no_curve() -> None:
    assert curve(Watched((), ())) == []


def test_more_conversions_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="more trials converted"):
        Watched([1], [2])


def test_when_all_have_converted_the_interval_ends_at_all() -> None:
    found = curve(watched([(1, True), (2, True)]))
    assert found[-1].share == 1
    assert (found[-1].interval.low, found[-1].interval.high) == (found[1].interval.low, 1.0)


def censored(told: Sequence[Trial]) -> stats.CensoredData:
    """Trials as scipy takes them: of those that did not convert it is known how long they did not."""
    return stats.CensoredData(
        uncensored=[day for day, paid in told if paid], right=[day for day, paid in told if not paid]
    )


@given(trials)
def test_the_curve_and_its_interval_agree_with_scipy(told: list[Trial]) -> None:
    theirs = stats.ecdf(censored(told)).cdf
    bounds = stats.ecdf(censored(told)).sf.confidence_interval(0.95, method="log-log")
    for point in curve(watched(told)):
        assert point.share == pytest.approx(float(theirs.evaluate(point.day)), abs=1e-9)
        if 0 < point.share < 1:
            low, high = (1 - float(bound.evaluate(point.day)) for bound in (bounds.high, bounds.low))
            assert (point.interval.low, point.interval.high) == pytest.approx((low, high), abs=1e-7)


@given(trials, trials)
def test_the_comparison_of_two_curves_agrees_with_scipy(one: list[Trial], two: list[Trial]) -> None:
    found = chance(watched(one), watched(two))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it divides by zero where nobody converted
        theirs = stats.logrank(censored(one), censored(two)).pvalue
    assert (math.nan if found is None else found) == pytest.approx(theirs, abs=1e-9, nan_ok=True)


@given(trials)
def test_the_share_only_rises_and_its_interval_holds_it(told: list[Trial]) -> None:
    found = curve(watched(told))
    assert all(before.share <= after.share for before, after in pairwise(found))
    for point in found:
        assert 0 <= point.interval.low <= point.share + 1e-12
        assert point.share - 1e-12 <= point.interval.high <= 1


@given(trials, st.randoms(use_true_random=False))
def test_the_order_of_trials_does_not_matter(told: list[Trial], shuffled: random.Random) -> None:
    other = list(told)
    shuffled.shuffle(other)
    assert curve(watched(other)) == curve(watched(told))


@given(trials, st.integers(2, 20))
def test_more_trials_of_the_same_kind_are_surer(told: list[Trial], times: int) -> None:
    few, many = curve(watched(told)), curve(watched(told * times))
    for one, other in zip(few, many, strict=True):
        assert one.share == pytest.approx(other.share)
        if 0 < one.share < 1:
            assert _width(other) < _width(one)


@given(trials, trials)
def test_which_curve_comes_first_does_not_matter(one: list[Trial], two: list[Trial]) -> None:
    assert chance(watched(one), watched(two)) == pytest.approx(chance(watched(two), watched(one)))


@given(trials)
def test_the_same_trials_twice_differ_by_chance_alone(told: list[Trial]) -> None:
    assert chance(watched(told), watched(told)) in (None, pytest.approx(1))


def test_curves_far_apart_are_no_chance() -> None:
    quick, slow = [(14, True)] * 80 + [(60, False)] * 20, [(14, True)] * 30 + [(60, False)] * 70
    found = chance(watched(quick), watched(slow))
    assert found is not None
    assert found < 1e-9


def _width(point: Point) -> float:
    return point.interval.high - point.interval.low
