"""Weeks and months are cut in the workspace's zone, whatever the machine's."""

from __future__ import annotations

import itertools
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from services.metrics import periods
from tests.metrics.build import at

BERLIN, UTC = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


def test_months_begin_at_local_midnight() -> None:
    march, april = periods.last("month", 2, until=at("2026-04-10"), zone=BERLIN)
    assert (march.key, march.begins, march.ends) == (
        "2026-03",
        at("2026-02-28 23:00"),
        at("2026-03-31 22:00"),
    )
    assert april.begins == march.ends


def test_weeks_begin_on_monday_and_the_week_of_the_clock_change_is_an_hour_shorter() -> None:
    (week,) = periods.last("week", 1, until=at("2026-03-29 12:00"), zone=BERLIN)
    assert week.key == "2026-03-23"
    assert week.ends - week.begins == (7 * 24 - 1) * 3600


@given(
    st.sampled_from(("month", "week")),
    st.integers(1, 30),
    st.integers(at("2000-01-01"), at("2040-01-01")),
    st.sampled_from(("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia")),
)
def test_periods_adjoin_and_the_last_holds_the_instant(grain, count, until, zone) -> None:  # type: ignore[no-untyped-def]
    found = periods.last(grain, count, until=until, zone=ZoneInfo(zone))
    assert len(found) == count
    assert found[-1].begins <= until < found[-1].ends
    assert all(one.ends == two.begins for one, two in itertools.pairwise(found))


@pytest.mark.parametrize(
    ("instant", "index"),
    [
        ("2026-01-31 23:59", -1),
        ("2026-02-01", 0),
        ("2026-02-28 23:59", 0),
        ("2026-03-01", 1),
        ("2026-04-01", -1),
    ],
)
def test_sql_finds_the_same_period(database, instant: str, index: int) -> None:
    months = periods.last("month", 2, until=at("2026-03-15"), zone=UTC)
    with database.session() as session:
        asked = sa.select(periods.index_of(sa.literal(at(instant), sa.BigInteger), months))
        assert session.execute(asked).scalar_one() == index
