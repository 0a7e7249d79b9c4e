"""What founders read of failed payments: rates, time to recovery, what brought it back."""

from __future__ import annotations

from types import ModuleType

import pytest

from services.clock import DAY
from services.metrics.recovery import dunning, dunning_curve, dunning_rows
from services.metrics.recovery.dunning import Payments
from services.metrics.recovery.dunning_rows import Chosen
from services.metrics.revenue.revenue_history import Share
from services.metrics.statistics.statistics import Rate, percentile
from tests.metrics.build import HOUR, at
from tests.metrics.failing import OTHER, Failing, count, numbers, paying

NOW = at("2026-06-15 12:00")
APRIL, MAY, JUNE = at("2026-04-06"), at("2026-05-04"), at("2026-06-01")


@pytest.fixture
def spring(database: ModuleType) -> ModuleType:
    """April: one of two failures recovered, the other lost; three passed. May: 49 recovered after three days,
    10 in recovery. June: 30 in recovery."""
    told = Failing()
    ada, team = paying(told, "ada", at("2026-01-10")), paying(told, "tom", at("2026-01-10"), plan="team")
    told.retried(told.failure(ada, APRIL, 4900), APRIL + 2 * DAY)
    told.failure(team, APRIL, 100, code="expired_card", status="void", voided_at=MAY)
    for _ in range(3):
        told.invoice(ada, APRIL, 5000)
    told.retried(told.failure(ada, MAY, 4900), MAY + HOUR + 3 * DAY, card=OTHER)
    told.failure(team, MAY, 1000)
    told.failure(ada, JUNE, 3000, code="")
    count(database, told)
    return database


def test_the_failure_rate_is_by_volume_and_count_at_the_first_try(spring: ModuleType) -> None:
    april = numbers(spring, NOW).cohorts[-3]
    assert april.failure_volume == Share(5000, 20_000)
    assert april.failure == Rate(2, 5)


def test_the_recovery_rate_is_by_volume_and_count_of_the_month_of_the_first_failure(
    spring: ModuleType,
) -> None:
    april = numbers(spring, NOW).cohorts[-3]
    assert (april.recovery_volume, april.recovery) == (Share(4900, 5000), Rate(1, 2))
    assert not april.open


def test_a_month_with_payments_still_in_recovery_is_open_and_says_what_is_still_possible(
    spring: ModuleType,
) -> None:
    may = numbers(spring, NOW).cohorts[-2]
    assert may.open
    assert (may.recovery_volume, may.possible_volume) == (Share(4900, 5900), Share(5900, 5900))


def test_this_month_is_open_even_where_all_is_decided(database: ModuleType) -> None:
    told = Failing()
    told.retried(told.failure(paying(told, "ada", at("2026-01-10")), JUNE), JUNE + DAY)
    count(database, told)
    assert [one.open for one in numbers(database, NOW).cohorts][-2:] == [False, True]
    assert numbers(database, NOW).closed == []


def test_a_month_without_a_failure_has_no_rate_of_recovery(spring: ModuleType) -> None:
    march = numbers(spring, NOW).cohorts[-4]
    assert (march.recovery.value, march.recovery_volume.value, march.failure_volume.value) == (
        None, None, None,
    )  # fmt: skip


def test_days_to_recovery_have_a_median_and_a_ninth_tenth(spring: ModuleType) -> None:
    days = numbers(spring, NOW).days
    assert days == {2: 1, 3: 1}
    assert (percentile(days, 0.5), percentile(days, 0.9)) == (2, 3)


def test_without_a_recovered_payment_there_are_no_days(database: ModuleType) -> None:
    count(database, Failing())
    assert percentile(numbers(database, NOW).days, 0.5) is None


def test_what_fails_and_comes_back_is_told_by_code(spring: ModuleType) -> None:
    found = {one.key: one for one in numbers(spring, NOW).by("code")}
    assert list(found) == ["insufficient_funds", "", "expired_card"], "the most money first"
    assert found["insufficient_funds"].recovery_volume == Share(9800, 10_800)
    assert found["expired_card"].states["lost"] == Payments(1, 100)


def test_what_comes_back_is_told_by_what_brought_it_back(spring: ModuleType) -> None:
    found = {one.key: one.states["recovered"] for one in numbers(spring, NOW).by("by")}
    assert found == {"automatic": Payments(1, 4900), "new_card": Payments(1, 4900)}


def test_plans_have_their_failures_and_what_passed(spring: ModuleType) -> None:
    found = {one.key: one for one in numbers(spring, NOW).by("plan")}
    assert (found["prod_pro"].failed, found["prod_team"].failed) == (
        Payments(3, 12_800), Payments(2, 1100),
    )  # fmt: skip
    assert found["prod_team"].passed == Payments(1, 4900)


def test_one_plan_alone_is_what_the_whole_says_of_it(spring: ModuleType) -> None:
    whole, alone = numbers(spring, NOW), numbers(spring, NOW, plan="prod_team")
    [of_team] = [one for one in whole.by("plan") if one.key == "prod_team"]
    assert (alone.all.states, alone.all.passed) == (of_team.states, of_team.passed)


def test_the_rows_behind_a_number_are_those_that_it_counts(spring: ModuleType) -> None:
    found = numbers(spring, NOW)
    with spring.session() as session:
        for part in ("plan", "code"):
            for group in found.by(part):
                assert dunning_rows.count(session, Chosen(found.asked, None, part, group.key)) == group.failed
        for group in found.by("by"):
            chosen = Chosen(found.asked, "recovered", "by", group.key)
            assert dunning_rows.count(session, chosen) == group.states["recovered"]
        rows = dunning_rows.read(session, Chosen(found.asked))
        assert dunning_rows.read(session, Chosen(found.asked), offset=1, limit=2) == rows[1:3]
    assert [row.failed_at for row in rows] == sorted((row.failed_at for row in rows), reverse=True)
    assert (rows[-1].name, rows[0].plan, rows[0].state) == ("Tom", "Pro", "in_recovery")


def test_currencies_are_offered_the_most_used_first(spring: ModuleType) -> None:
    told = Failing(first=5000)
    told.rows.clear()
    told.failure(paying(told, "yuki", at("2026-01-10"), currency="jpy"), MAY, 5000)
    count(spring, told)
    with spring.session() as session:
        assert dunning.currencies(session) == {"usd": 10, "jpy": 2}
        assert dunning.plans(session) == ["prod_pro", "prod_team"]


def test_the_curve_watches_young_failures_for_as_long_as_they_are_old(spring: ModuleType) -> None:
    """In April and May two came back, on day 2 and 3; June's failure is 14 days old and still out."""
    with spring.session() as session:
        seen = dunning_curve.watched(session, numbers(spring, NOW))
    assert list(seen.at_risk[:5]) == [5, 5, 5, 4, 3]
    assert list(seen.converted[:5]) == [0, 0, 1, 1, 0]
    assert len(seen.at_risk) == dunning_curve.CURVE_DAYS + 1
    assert (seen.at_risk[14], seen.at_risk[15]) == (3, 2), "June's is watched no longer"


def test_a_day_that_is_not_over_for_a_failure_says_nothing_of_it_yet(database: ModuleType) -> None:
    """Two and a half days old, and paid in the middle of its third day: as watched through day 2 only."""
    told = Failing()
    made = NOW - 2 * DAY - 12 * HOUR
    told.retried(told.failure(paying(told, "ada", at("2026-01-10")), made - HOUR), NOW - HOUR)
    count(database, told)
    with database.session() as session:
        seen = dunning_curve.watched(session, numbers(database, NOW))
    assert (list(seen.at_risk), list(seen.converted)) == ([1, 1, 1], [0, 0, 0])
