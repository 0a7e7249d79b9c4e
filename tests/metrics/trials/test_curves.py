"""Counts by day since the start: known answers, and what a look at each trial by itself gives."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.clock import DAY
from services.metrics import periods
from services.metrics.statistics.survival import Watched
from services.metrics.trials import conversion, curves
from services.metrics.trials.curves import LONGEST
from services.metrics.trials.slices import Slice
from tests.metrics import count
from tests.metrics.build import HOUR, Account, at
from tests.metrics.trials.test_trial_book import clear

NOW = at("2026-06-15 12:00")
MONTHS = Slice("month", tuple(periods.last("month", 8, until=NOW, zone=ZoneInfo("UTC"))))


@pytest.fixture
def account() -> Account:
    return Account()


def told(database: ModuleType, account: Account, asked: Slice = MONTHS) -> Watched:
    account.save(database)
    count.everybody(database, now=NOW)
    with database.session() as session:
        return curves.curve(session, asked, as_of=NOW)


def trial(account: Account, name: str, started: int, took: int | None, **fields: Any) -> None:
    """A trial that was paid so many seconds after its start, or is canceled."""
    customer = account.customer(name, started, **fields)
    if took is None:
        over = {"canceled_at": started + DAY, "ended_at": started + 2 * DAY}
        account.trial(customer, started, 14, "canceled", **over)
        return
    sub = account.trial(customer, started, 0, "active")
    account.invoice(sub, started, paid_at=started + took)


def test_a_trial_is_looked_at_for_as_many_days_as_it_is_old_whatever_its_state(database, account) -> None:
    """Ada is 4 days old and canceled, Bob 2 days old and running; both may convert yet."""
    trial(account, "ada", NOW - 4 * DAY - HOUR, None)
    account.trial(account.customer("bob", NOW), NOW - 2 * DAY - HOUR)
    assert told(database, account) == Watched((2, 2, 2, 1, 1), (0, 0, 0, 0, 0))


def test_who_converted_leaves_after_that_day(database, account) -> None:
    trial(account, "ada", NOW - 5 * DAY - HOUR, 2 * DAY - 1)
    trial(account, "bob", NOW - 5 * DAY - HOUR, None)
    assert told(database, account) == Watched((2, 2, 2, 1, 1, 1), (0, 0, 1, 0, 0, 0))


def test_a_conversion_of_a_day_that_is_not_over_counts_with_it(database, account) -> None:
    trial(account, "ada", NOW - 2 * DAY - 2 * HOUR, 2 * DAY + HOUR)
    assert told(database, account) == Watched((1, 1, 1), (0, 0, 0))


def test_who_paid_at_the_start_converted_on_day_zero(database, account) -> None:
    trial(account, "ada", NOW - HOUR, 0)
    assert told(database, account) == Watched((1,), (1,))


def test_a_conversion_after_the_last_day_is_none_on_the_curve(database, account) -> None:
    trial(account, "ada", NOW - 170 * DAY, 100 * DAY)
    found = told(database, account)
    assert (len(found.at_risk), set(found.at_risk), set(found.converted)) == (LONGEST + 1, {1}, {0})


def test_the_curves_of_periods_and_of_groups_add_up_to_the_curve_of_all(database, account) -> None:
    for number in range(40):
        took = None if number % 3 else (number % 17) * DAY
        trial(account, f"c{number}", NOW - number * 5 * DAY, took, source=("ads", "")[number % 2])
    whole = told(database, account)
    with database.session() as session:
        months = curves.curves(session, MONTHS, as_of=NOW).values()
        sources = curves.curves_by(session, MONTHS, "source", as_of=NOW).values()
    assert len(sources) == 2
    for parts in (months, sources):
        assert _added([part.at_risk for part in parts]) == list(whole.at_risk)
        assert _added([part.converted for part in parts]) == list(whole.converted)


def _added(columns: list[tuple[int, ...]]) -> list[int]:
    longest = max(map(len, columns))
    return [sum(one[day] if day < len(one) else 0 for one in columns) for day in range(longest)]


drawn = st.lists(
    st.tuples(st.integers(0, 200 * DAY), st.none() | st.integers(0, 110 * DAY)), min_size=1, max_size=12
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn)
def test_the_counts_are_those_of_each_trial_looked_at_by_itself(database, people) -> None:
    clear(database)
    account, seen = Account(), []
    for number, (age, took) in enumerate(people):
        paid = None if took is None or took > age else took
        trial(account, f"c{number}", NOW - age, paid)
        seen.append((age, paid))
    account.save(database)
    count.everybody(database, now=NOW)
    with database.session() as session:
        found = curves.curve(session, MONTHS, as_of=NOW)
        cohorts = conversion.outcomes(session, MONTHS, as_of=NOW)
    for day in range(LONGEST + 1):
        risk = [paid for age, paid in seen if age >= day * DAY and not _before(paid, day)]
        at_risk, converted = len(risk), sum(_before(paid, day + 1) for paid in risk)
        here = day < len(found.at_risk)
        assert (found.at_risk[day] if here else 0) == at_risk
        assert (found.converted[day] if here else 0) == converted
    assert cohorts.started == len(people)


def _before(paid: int | None, day: int) -> bool:
    """Whether a trial converted before a day since its start began: day 0 is the start's own second."""
    return paid is not None and (day > 0 and paid <= (day - 1) * DAY)
