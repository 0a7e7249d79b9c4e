"""MRR of one subscription: known answers worked out by hand, and what must hold for any."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.revenue.mrr import WITH_REPEATING, PricedItem, Rebate, counts, mrr_micros, plan_micros
from services.metrics.revenue.pricing import Tariff


def item(
    amount: str | None = "4900",
    quantity: int = 1,
    interval: str | None = "month",
    interval_count: int = 1,
    *,
    usage_type: str = "licensed",
    product: str = "prod_pro",
    rebates: tuple[Rebate, ...] = (),
) -> PricedItem:
    tariff = Tariff(None if amount is None else Fraction(amount))
    return PricedItem(tariff, quantity, interval, interval_count, usage_type, product, rebates)


def percent(off: str, *products: str, duration: str = "forever") -> Rebate:
    return Rebate(off, None, None, duration, frozenset(products))


def amount(off: int, *products: str, currency: str = "usd", duration: str = "forever") -> Rebate:
    return Rebate(None, off, currency, duration, frozenset(products))


def monthly(*items: PricedItem, less: tuple[Rebate, ...] = (), currency: str = "usd") -> int:
    return plan_micros(items, less, currency=currency)


# Known answers, in minor units x 1,000,000


def test_a_monthly_plan_of_49_dollars_is_49_dollars() -> None:
    assert monthly(item()) == 4_900_000_000


def test_a_yearly_plan_of_490_dollars_is_40_dollars_83_and_a_third() -> None:
    assert monthly(item("49000", interval="year")) == 4_083_333_333


def test_a_quarterly_plan_is_a_third() -> None:
    assert monthly(item("9000", interval_count=3)) == 3_000_000_000


def test_weeks_are_52_and_days_365_to_a_year() -> None:
    assert monthly(item("1200", interval="week")) == 5_200_000_000
    assert monthly(item("1200", interval="day")) == 36_500_000_000
    assert monthly(item("1200", interval="week", interval_count=2)) == 2_600_000_000


def test_seats_multiply() -> None:
    assert monthly(item("1200", 7)) == 8_400_000_000


def test_yen_has_no_decimals_and_is_not_scaled() -> None:
    assert monthly(item("5000"), currency="jpy") == 5_000_000_000


def test_a_tenth_of_a_cent_a_seat_is_exact() -> None:
    assert monthly(item("0.1", 3)) == 300_000
    assert monthly(item("0.000000000001", 1_000_000)) == 1


def test_annual_with_a_forever_coupon_of_20_percent() -> None:
    assert monthly(item("120000", interval="year"), less=(percent("20"),)) == 8_000_000_000


def test_annual_with_60_dollars_off_forever_is_5_dollars_off_a_month() -> None:
    assert monthly(item("60000", interval="year"), less=(amount(6000),)) == 4_500_000_000


def test_percent_comes_first_then_the_amount() -> None:
    less = (amount(1000), percent("50"))
    assert monthly(item("10000"), less=less) == 4_000_000_000
    assert monthly(item("10000"), less=less[::-1]) == 4_000_000_000


def test_a_coupon_for_one_product_leaves_the_other_alone() -> None:
    seats = item("2000", product="prod_seats")
    assert monthly(item("10000"), seats, less=(percent("50", "prod_seats"),)) == 11_000_000_000
    assert monthly(item("10000"), seats, less=(amount(500, "prod_seats"),)) == 11_500_000_000


def test_an_items_own_coupon_is_only_its_own() -> None:
    assert monthly(item("10000", rebates=(percent("10"),)), item("10000")) == 19_000_000_000


def test_an_amount_off_is_taken_once_an_invoice_not_once_an_item() -> None:
    assert monthly(item("3000"), item("1000"), less=(amount(1000),)) == 3_000_000_000


def test_with_monthly_and_yearly_items_the_amount_comes_off_the_monthly_invoice() -> None:
    assert monthly(item("3000"), item("12000", interval="year"), less=(amount(1000),)) == 3_000_000_000


def test_a_discount_never_goes_below_nothing() -> None:
    assert monthly(item("1000"), less=(amount(5000),)) == 0
    assert monthly(item("1000"), less=(percent("100"),)) == 0


@pytest.mark.parametrize("duration", ["once", "repeating"])
def test_discounts_that_end_do_not_lower_mrr(duration: str) -> None:
    assert monthly(item("1000"), less=(percent("50", duration=duration),)) == 1_000_000_000
    assert monthly(item("1000"), less=(amount(500, duration=duration),)) == 1_000_000_000


def test_the_switch_deducts_discounts_that_repeat_and_not_those_of_one_invoice() -> None:
    half, ten = percent("50", duration="repeating"), amount(1000, duration="once")
    assert plan_micros([item("1000")], [half, ten], currency="usd", deducted=WITH_REPEATING) == 500_000_000
    own = item("1000", rebates=(half,))
    assert plan_micros([own], [], currency="usd", deducted=WITH_REPEATING) == 500_000_000


def test_an_amount_off_in_another_currency_does_not_apply() -> None:
    assert monthly(item("1000"), less=(amount(500, currency="eur"),)) == 1_000_000_000


def test_free_metered_unknown_and_one_off_items_come_to_nothing() -> None:
    assert monthly(item("0"), item(None), item(usage_type="metered"), item(interval=None)) == 0


def test_only_what_nobody_can_value_is_counted_as_such() -> None:
    told = {
        "free": item("0"),
        "by use": item(usage_type="metered"),
        "by use, unknown": item(None, usage_type="metered"),
    }
    assert not any(one.unvalued for one in told.values())
    assert item(None).unvalued
    assert item(interval="fortnight").unvalued


def test_a_removed_seat_count_of_zero_is_nothing() -> None:
    assert monthly(item(quantity=0), less=(amount(100),)) == 0


@pytest.mark.parametrize(
    ("status", "pause", "expected"),
    [
        ("active", None, True),
        ("past_due", None, True),
        ("active", "void", False),
        ("trialing", None, False),
        ("paused", None, False),
        ("unpaid", None, False),
        ("incomplete", None, False),
        ("incomplete_expired", None, False),
        ("canceled", None, False),
        ("a_status_of_tomorrow", None, False),
    ],
)
def test_which_states_are_in_mrr(status: str, pause: str | None, expected: bool) -> None:
    assert counts(status, pause) is expected
    assert mrr_micros(status, pause, [item()], [], currency="usd") == (4_900_000_000 if expected else 0)


# What must hold for any subscription

PRODUCTS = ("prod_pro", "prod_seats", "prod_extra")
products = st.frozensets(st.sampled_from(PRODUCTS), max_size=2)
rebates = st.builds(
    Rebate,
    st.none() | st.sampled_from(("10", "12.5", "33.33", "100")),
    st.none() | st.integers(1, 20_000),
    st.sampled_from(("usd", "eur")),
    st.sampled_from(("forever", "once")),
    products,
)
tariffs = st.builds(Tariff, st.none() | st.decimals(0, 100_000, places=3).map(Fraction))
items = st.builds(
    PricedItem,
    tariffs,
    st.integers(0, 50),
    st.sampled_from(("month", "year", "week", "day")),
    st.integers(1, 6),
    st.sampled_from(("licensed", "metered")),
    st.sampled_from(PRODUCTS),
    st.lists(rebates, max_size=1).map(tuple),
)


@given(st.lists(items, max_size=4), st.lists(rebates, max_size=3))
def test_discounts_only_lower_and_never_below_zero(some: list[PricedItem], less: list[Rebate]) -> None:
    plain = [replace(one, rebates=()) for one in some]
    assert 0 <= plan_micros(some, less, currency="usd") <= plan_micros(plain, [], currency="usd")


@given(st.lists(items, max_size=4), st.lists(rebates, max_size=3), st.randoms())
def test_the_order_of_items_and_coupons_does_not_matter(some, less, random) -> None:  # type: ignore[no-untyped-def]
    before = plan_micros(some, less, currency="usd")
    random.shuffle(some)
    random.shuffle(less)
    assert plan_micros(some, less, currency="usd") == before


@given(st.lists(items, max_size=4))
def test_without_coupons_a_subscription_is_the_sum_of_its_items(some: list[PricedItem]) -> None:
    plain = [replace(one, rebates=()) for one in some]
    assert monthly(*plain) == sum(monthly(one) for one in plain)


@given(items)
def test_each_item_is_rounded_once_and_half_to_even(one: PricedItem) -> None:
    plain = replace(one, rebates=())
    exact = plain.monthly * 1_000_000
    rounded = monthly(plain)
    assert abs(exact - rounded) <= Fraction(1, 2)
    if abs(exact - rounded) == Fraction(1, 2):
        assert rounded % 2 == 0
