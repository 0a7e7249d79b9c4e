"""The way to a goal: where the straight line is, whether it is kept up with, and what it still takes."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.clock import DAY
from services.metrics import goals
from services.metrics.goals import Mark, Walked, Way
from services.money import MICROS
from tests.metrics import count
from tests.metrics.build import at
from tests.metrics.failing import UTC, Failing, paying

BEGINS, ENDS = at("2026-05-01"), at("2026-05-01") + 100 * DAY
NOW = at("2026-06-15 12:00")
whole = st.integers(0, 10**15)


def way(value: int, day: int, start: int = 1_000, target: int = 2_000) -> Way:
    return Way(BEGINS, ENDS, start, target, Mark(BEGINS + day * DAY, value))


def test_halfway_the_line_is_halfway_up() -> None:
    assert way(0, 50).planned == 1_500


def test_on_the_line_is_on_track_and_below_it_is_behind() -> None:
    assert (way(1_500, 50).standing, way(1_499, 50).standing) == ("on_track", "behind")


def test_a_goal_is_reached_at_any_time_and_missed_only_when_its_time_is_over() -> None:
    assert [way(2_000, day).standing for day in (1, 100, 150)] == ["reached"] * 3
    assert [way(1_999, day).standing for day in (99, 100, 150)] == ["on_track", "missed", "missed"]


def test_what_it_still_takes_every_week() -> None:
    assert way(1_300, 30).a_week == 70, "700 in ten weeks"
    assert way(1_299, 30).a_week == 71, "rounded up: less would not do"
    assert (way(2_000, 30).a_week, way(1_300, 100).a_week) == (None, None)


@given(whole, whole, st.integers(0, 200), whole)
def test_the_line_stays_between_its_ends(start: int, rise: int, day: int, value: int) -> None:
    found = way(value, day, start, start + rise + 1)
    assert start <= found.planned <= found.target
    needed = found.a_week
    if needed is not None:
        assert (
            value + needed * (found.ends - found.now.at) / goals._WEEK >= found.target - 1e-6 * found.target
        )


def test_mrr_is_what_stands_now_and_each_day_that_it_moved(database: ModuleType) -> None:
    told = Failing()
    ada = paying(told, "ada", at("2026-05-10"), mrr_micros=4_900 * MICROS)
    told.line(told.invoice(ada, at("2026-05-10")), at("2026-05-09"), at("2026-06-30"))
    told.save(database)
    count.see(database, NOW)
    count.everybody(database)
    with database.session() as session:
        assert goals.value(session, "mrr", "usd", as_of=NOW, zone=UTC) == 4_900 * MICROS
        assert goals.value(session, "mrr", "eur", as_of=NOW, zone=UTC) == 0
        found = goals.walked(session, "mrr", "usd", BEGINS, as_of=NOW, zone=UTC)
    assert found.now == Mark(NOW, 4_900 * MICROS)
    assert found.marks[-1].value == 4_900 * MICROS
    assert [mark.at for mark in found.marks] == sorted({mark.at for mark in found.marks})


def test_recovery_is_the_youngest_month_that_is_decided_by_count_of_all_currencies(
    database: ModuleType,
) -> None:
    told = Failing()
    ada, yuki = (
        paying(told, "ada", at("2026-01-10")), paying(told, "yuki", at("2026-01-10"), currency="jpy")
    )  # fmt: skip
    told.retried(told.failure(ada, at("2026-03-04")), at("2026-03-09"))
    told.retried(told.failure(ada, at("2026-04-04")), at("2026-04-09"))
    told.failure(yuki, at("2026-04-04"), 5_000, status="void")
    told.failure(yuki, at("2026-05-04"), 5_000)
    told.save(database)
    count.everybody(database)
    with database.session() as session:
        assert goals.value(session, "recovery", "", as_of=NOW, zone=UTC) == 5_000, "May is still open"
        found = goals.walked(session, "recovery", "", at("2026-04-15"), as_of=NOW, zone=UTC)
    assert found.now == Mark(NOW, 5_000)
    assert list(found.marks) == [Mark(at("2026-05-01"), 5_000)]


def test_conversion_is_the_youngest_month_that_is_old_enough(database: ModuleType) -> None:
    told = Failing()
    for name, paid in (("ada", True), ("bob", False)):
        begun = at("2026-03-10")
        sub = told.trial(told.customer(name, begun), begun, status="active" if paid else "canceled")
        if paid:
            told.invoice(sub, begun + 14 * DAY)
        else:
            sub.ended_at = sub.canceled_at = begun + 14 * DAY
    told.save(database)
    count.everybody(database)
    with database.session() as session:
        assert goals.value(session, "conversion", "", as_of=NOW, zone=UTC) == 5_000
        found = goals.walked(session, "conversion", "", at("2026-01-01"), as_of=NOW, zone=UTC)
    assert list(found.marks) == [Mark(at("2026-04-01") + 30 * DAY, 5_000)]


@pytest.mark.parametrize("measure", ["conversion", "recovery"])
def test_without_a_month_that_is_decided_there_is_no_data(database: ModuleType, measure) -> None:
    count.everybody(database)
    with database.session() as session:
        assert goals.value(session, measure, "", as_of=NOW, zone=UTC) is None
        assert goals.walked(session, measure, "", 0, as_of=NOW, zone=UTC) == Walked(None, ())
