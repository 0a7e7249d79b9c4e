"""Axes of amounts: a few round steps that hold all values; places of instants between their periods."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pages.components import charts, charts_revenue
from services.clock import DAY
from services.metrics.periods import Period

PERIODS = [Period(str(at), at * 10 * DAY, (at + 1) * 10 * DAY) for at in range(5)]


@given(st.floats(-1e12, 0), st.floats(0, 1e12))
def test_an_axis_of_amounts_holds_them_all_and_has_few_labels(low: float, high: float) -> None:
    axis = charts.money_axis(low, high, "usd")
    least, most = axis["range"]
    assert least <= low
    assert most >= high
    assert most > least
    assert 2 <= len(axis["tickvals"]) <= 9
    assert axis["tickvals"] == sorted(set(axis["tickvals"]))
    assert len(axis["ticktext"]) == len(axis["tickvals"])


def test_steps_are_round() -> None:
    axis = charts.money_axis(0, 1_234_500, "usd")
    assert axis["ticktext"][:3] == ["$0", "$5K", "$10K"]


@given(st.integers(0, 50 * DAY - 1))
def test_an_instant_lies_within_its_period(at: int) -> None:
    place, period = charts_revenue.place(at, PERIODS), at // (10 * DAY)
    assert period - 0.5 <= place < period + 0.5


def test_what_is_to_come_lies_at_the_end() -> None:
    assert charts_revenue.place(99 * DAY, PERIODS) == 4.5
