from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import Customer
from services.customers import places

SUMMER = 1_782_864_000  # 2026-07-01


def local(**given: Any) -> tuple[str, bool] | None:
    found = places.local_time(Customer(id="cus_1", created=0, **given), at=SUMMER)
    return found and (found.zone.key, found.certain)


@pytest.mark.parametrize(
    ("country", "state", "zone", "certain"),
    [
        ("FR", None, "Europe/Paris", True),
        ("gb", "England", "Europe/London", True),
        ("DE", None, "Europe/Berlin", True),  # Büsingen keeps Berlin's time
        ("US", None, "America/New_York", False),
        ("US", "CA", "America/Los_Angeles", True),
        ("US", "tx", "America/Chicago", False),
        ("US", "Narnia", "America/New_York", False),
        ("CA", "SK", "America/Regina", True),
        ("AU", "WA", "Australia/Perth", True),
        ("ES", None, "Europe/Madrid", False),
        ("IN", None, "Asia/Kolkata", True),
    ],
)
def test_the_place_tells_the_zone(country: str, state: str | None, zone: str, certain: bool) -> None:
    found = local(country=country, address_state=state)
    assert found is not None
    assert found[0] in (zone, {"Asia/Kolkata": "Asia/Calcutta"}.get(zone))
    assert found[1] is certain


def test_the_customers_own_word_wins() -> None:
    told = {"timezone": "Asia/Tokyo"}
    assert local(country="US", metadata_=told) == ("Asia/Tokyo", True)
    assert local(metadata_=told) == ("Asia/Tokyo", True)


@pytest.mark.parametrize("told", ["", "Mars/Base", "../../etc/passwd", 7])
def test_a_word_that_is_no_zone_is_passed_over(told: Any) -> None:
    assert local(country="JP", metadata_={"timezone": told}) == ("Asia/Tokyo", True)
    assert local(metadata_={"timezone": told}) is None


@given(st.text(max_size=3), st.none() | st.text(max_size=5))
def test_no_place_breaks_it(country: str, state: str | None) -> None:
    found = local(country=country, address_state=state)
    assert found is None or found[0]
