"""What the trials that run now may bring: from past ones like them, with an interval that keeps its word."""

from __future__ import annotations

import random
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from models import MetricsState, TrialFact, TrialRun
from services.clock import DAY
from services.metrics import periods
from services.metrics.counting import calendar, rollups
from services.metrics.trials import forecast, trial_book
from services.metrics.trials.forecast import Forecast
from tests.metrics import plans
from tests.metrics.build import at
from tests.metrics.count import UTC

NOW = at("2026-06-15 12:00")
LONG_AGO = NOW - 300 * DAY


def trial(number: int, started: int, *, converted: bool = False, running: bool = False, **fields: object):
    """A trial of 14 days, paid on the fifteenth where it converted."""
    values = {
        "customer": f"cus_{number}",
        "subscription": f"sub_{number}",
        "started": started,
        "trial_end": started + 14 * DAY,
        "over_at": started + 14 * DAY,
        "state": "running" if running else "converted" if converted else "expired",
        "converted_at": started + 14 * DAY + 3600 if converted else None,
        "days": 15 if converted else -1,
        "plan": "prod_pro",
        "currency": "usd",
        "plan_micros": 1_000,
    }
    return TrialFact(**{**values, **fields})


def past(number: int, converted: int, **fields: object) -> list[TrialFact]:
    """So many trials of the same month, of which some converted."""
    return [trial(n, LONG_AGO + n, converted=n < converted, **fields) for n in range(number)]


def running(number: int, age: int, **fields: object) -> list[TrialFact]:
    started = NOW - age * DAY - 3600
    return [trial(10_000 + 100 * age + n, started, running=True, **fields) for n in range(number)]


def save(database: ModuleType, rows: list[TrialFact]) -> Forecast:
    with database.transaction() as session:
        session.add_all(rows)
        session.merge(MetricsState(generation=1))
    rollups.keep_only(TrialRun, 0)
    rollups.fill(trial_book.BOOK, 1, calendar.of(UTC))
    with database.session() as session:
        return forecast.now(session, NOW)


def test_half_of_the_past_converted_so_half_is_expected(database: ModuleType) -> None:
    found = save(database, past(60, 30) + running(10, 3))
    assert (found.running, found.unknown, found.alike) == (10, 0, 60)
    assert found.conversions.value == pytest.approx(5)
    assert 2 < found.conversions.low < 5 < found.conversions.high < 8
    assert found.mrr["usd"].value == pytest.approx(5_000)


def test_who_has_stayed_for_long_is_more_likely_to_stay(database: ModuleType) -> None:
    """Forty canceled on the second day: of those that are older, thirty of fifty paid."""
    quitters = [
        trial(500 + n, LONG_AGO + n, over_at=LONG_AGO + n + 2 * DAY, state="cancelled_in_trial")
        for n in range(40)
    ]
    found = save(database, past(50, 30) + quitters + running(9, 1) + running(10, 5))
    assert found.conversions.value == pytest.approx(9 * 30 / 90 + 10 * 30 / 50)


def test_a_plan_with_few_trials_borrows_from_all(database: ModuleType) -> None:
    few = [trial(700 + n, LONG_AGO + n, converted=True, plan="prod_new") for n in range(5)]
    found = save(database, past(55, 10) + few + running(4, 0, plan="prod_new"))
    assert found.conversions.value == pytest.approx(4 * 15 / 60)


def test_nothing_is_said_from_too_few(database: ModuleType) -> None:
    found = save(database, past(29, 20) + running(4, 0))
    assert (found.running, found.unknown, found.conversions.value, found.mrr) == (4, 4, 0, {})


def test_currencies_stay_apart(database: ModuleType) -> None:
    found = save(database, past(40, 20) + running(2, 0) + running(6, 1, currency="jpy", plan_micros=500))
    assert {code: round(one.value) for code, one in found.mrr.items()} == {"usd": 1_000, "jpy": 1_500}


def test_a_month_says_only_what_was_known_then(database: ModuleType) -> None:
    """All trials of the last half year convert; a forecast of a year ago knows nothing of that."""
    early = [trial(n, NOW - (500 - n) * DAY, converted=n % 4 == 0) for n in range(160)]
    late = [trial(1_000 + n, NOW - (180 - n) * DAY, converted=True) for n in range(100)]
    save(database, early + late)
    months = periods.last("month", 10, until=NOW, zone=UTC)
    with database.session() as session:
        tried = forecast.tried(session, months, NOW)
    known = {one.at: one for one in tried}
    year = known[at("2026-02-01")]
    assert year.conversions.value / year.running == pytest.approx(0.25, abs=0.02)
    assert year.converted == year.running
    assert year.held is False
    assert max(known) == at("2026-04-01")  # of later ones it is too early to tell


def test_months_of_summer_and_winter_know_the_same_trials_as_each_alone(database: ModuleType) -> None:
    """They are read together, though their first instants lie hours apart in UTC."""
    chance = random.Random(5)
    rows = [trial(n, NOW - chance.randrange(700 * DAY), converted=n % 3 == 0) for n in range(600)]
    save(database, rows)
    berlin = periods.last("month", 14, until=NOW, zone=ZoneInfo("Europe/Berlin"))
    with database.session() as session:
        together = forecast.tried(session, berlin, NOW)
        alone = [one for month in berlin for one in forecast.tried(session, [month], NOW)]
    assert len({one.at % DAY for one in together}) == 2
    assert together == alone


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_running_trials_are_found_by_their_index(database: ModuleType) -> None:
    with database.session() as session:
        steps = plans.of(session, lambda session: forecast.now(session, NOW))
    assert any("ix_trial_facts_running" in step for step in steps), steps


@pytest.mark.parametrize("restless", [0.0, 0.3])
def test_the_interval_holds_about_as_often_as_it_says(database: ModuleType, restless: float) -> None:
    """Four hundred days of trials whose share of converts varies by the month, or does not."""
    chance, held, tried = random.Random(11), 0, 0
    months = periods.last("month", 12, until=NOW, zone=UTC)
    for world in range(8):
        share = {month: 0.4 * (1 + restless * chance.gauss(0, 1)) for month in range(30)}
        rows = []
        for number in range(1_600):
            started = NOW - chance.randrange(500 * DAY)
            converts = chance.random() < share[(NOW - started) // (30 * DAY)]
            rows.append(trial(world * 10_000 + number, started, converted=converts))
        with database.transaction() as session:
            session.execute(sa.delete(TrialFact))
        save(database, rows)
        with database.session() as session:
            one, all_of_it = forecast.held(forecast.tried(session, months, NOW))
        held, tried = held + one, tried + all_of_it
    assert tried > 40
    assert 0.6 < held / tried < 0.95
