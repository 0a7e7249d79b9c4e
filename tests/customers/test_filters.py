from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.customers.filters import (
    ONLY,
    SORTS,
    STATUSES,
    CustomerFilter,
    country_code,
    country_label,
    metadata_condition,
)
from services.errors import InvalidInput

some = lambda names: st.lists(st.sampled_from(names), unique=True).map(tuple)  # noqa: E731
words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
filters = st.builds(
    CustomerFilter,
    q=st.text(max_size=40),
    status=some(list(STATUSES)),
    plan=st.lists(words, unique=True).map(tuple),
    only=some(ONLY),
    trial_days=st.none() | st.integers(0, 730),
    country=some(["Germany (DE)", "JP"]),
    owner=st.lists(words, unique=True).map(tuple),
    tag=st.lists(words, unique=True).map(tuple),
    meta=st.text(max_size=20),
    created_from=st.none() | st.dates(date(2000, 1, 1), date(2020, 1, 1)),
    created_to=st.none() | st.dates(date(2020, 1, 2), date(2040, 1, 1)),
    sort=st.sampled_from(SORTS),
)


@given(filters)
def test_a_filter_survives_its_own_address(wanted: CustomerFilter) -> None:
    assert CustomerFilter.from_params(wanted.to_params()) == wanted


def test_defaults_leave_the_address_empty() -> None:
    assert CustomerFilter().to_params() == {}
    assert CustomerFilter.from_params({"id": "cus_1", "page": "3"}) == CustomerFilter()


def test_one_value_may_come_bare_and_empty_ones_mean_nothing() -> None:
    wanted = CustomerFilter.from_params(
        {"status": "trialing", "trial_days": "7", "created_from": "", "sort": ""}
    )
    assert wanted == CustomerFilter(status=("trialing",), trial_days=7)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"status": "happy"}, "status"),
        ({"only": "rich"}, "only"),
        ({"sort": "shoe size"}, "sort"),
        ({"trial_days": "soon"}, "trial_days"),
        ({"trial_days": "-1"}, "trial_days"),
        ({"trial_days": "731"}, "trial_days"),
        ({"created_from": "yesterday"}, "created_from"),
        ({"created_from": "2026-02-02", "created_to": "2026-02-01"}, "created_from"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(params: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        CustomerFilter.from_params(params)
    assert refused.value.field == field
    assert refused.value.remedy


@pytest.mark.parametrize("code", ["DE", "us", "ZZ", "XX"])
def test_a_country_is_read_back_from_its_label(code: str) -> None:
    assert country_code(country_label(code, "en_US")) == code.upper()


def test_countries_are_named_in_the_locale() -> None:
    assert country_label("DE", "en_US") == "Germany (DE)"
    assert country_label("DE", "de_DE") == "Deutschland (DE)"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("source=ads", ("source", "ads")),
        (" a = b=c ", ("a", "b=c")),
        ("vip", ("vip", None)),
        ("x=", ("x", "")),
    ],
)
def test_metadata_is_a_key_and_maybe_a_value(typed: str, read: tuple[str, str | None]) -> None:
    assert metadata_condition(typed) == read


@pytest.mark.parametrize("typed", ["=ads", "a[b]=c", 'say "hi"=x', "k" * 41 + "=v"])
def test_metadata_that_stripe_could_not_hold_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput):
        metadata_condition(typed)
