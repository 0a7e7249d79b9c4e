"""services.clock: days, weeks and months of the workspace, and days left."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import clock

ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia"])
INSTANTS = st.integers(1_500_000_000, 2_000_000_000)


def _utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[misc]


def test_a_day_that_loses_an_hour_still_begins_at_midnight() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    noon = _utc(2026, 3, 29, 10)
    assert clock.day_start(noon, berlin) == _utc(2026, 3, 28, 23)
    assert clock.day_start(noon, berlin, plus_days=1) == _utc(2026, 3, 29, 22)


def test_a_calendar_day_begins_in_the_workspaces_zone() -> None:
    berlin, day = ZoneInfo("Europe/Berlin"), date(2026, 3, 29)
    assert clock.date_start(day, berlin) == _utc(2026, 3, 28, 23)
    assert clock.date_start(day, berlin, plus_days=1) == _utc(2026, 3, 29, 22)
    havana = ZoneInfo("America/Havana")  # this day has no midnight: clocks go from 0:00 to 1:00
    assert clock.date_start(date(2026, 3, 8), havana) == _utc(2026, 3, 8, 5)


def test_months_are_cut_in_the_workspace_zone() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    assert clock.month_start(_utc(2026, 1, 31, 20), tokyo) == _utc(2026, 1, 31, 15)
    assert clock.month_start(_utc(2026, 1, 15), tokyo, plus_months=-1) == _utc(2025, 11, 30, 15)


@pytest.mark.parametrize(("remaining", "days"), [(-5, 0), (0, 0), (1, 1), (86_400, 1), (86_401, 2)])
def test_days_left_is_the_ceiling_of_what_remains(remaining: int, days: int) -> None:
    assert clock.days_left(1_000_000 + remaining, 1_000_000) == days


@given(INSTANTS, ZONES)
def test_every_instant_lies_within_its_day_week_and_month(instant: int, zone: str) -> None:
    z = ZoneInfo(zone)
    assert clock.day_start(instant, z) <= instant < clock.day_start(instant, z, plus_days=1)
    assert clock.week_start(instant, z) <= instant < clock.week_start(instant, z, plus_weeks=1)
    assert clock.month_start(instant, z) <= instant < clock.month_start(instant, z, plus_months=1)


def test_the_desk_follows_the_accounts_clock() -> None:
    before = clock.now()
    clock.follow(86_400)
    assert clock.now() - before in (86_400, 86_401)
