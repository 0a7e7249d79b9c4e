"""services.money: what people type becomes exact minor units, or a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import money
from services.errors import InvalidInput

CURRENCIES = ["usd", "eur", "jpy", "kwd", "isk"]


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("49", "usd", 4900),
        ("1,250.5", "usd", 125050),
        (" 1,250 ", "jpy", 1250),
        ("0.50", "usd", 50),
        ("12.340", "kwd", 12340),
        ("100", "isk", 10000),
        ("999,999.99", "usd", 99_999_999),
        ("9,999,999,999.99", "idr", 999_999_999_999),
    ],
)
def test_amounts_as_people_type_them(text: str, currency: str, amount: int) -> None:
    assert money.parse(text, currency) == amount


def test_another_locale_reads_its_own_signs() -> None:
    assert money.parse("1.250,50", "eur", locale="de_DE") == 125050


@pytest.mark.parametrize(
    ("text", "currency", "says"),
    [
        ("", "usd", "not an amount"),
        ("ten", "usd", "not an amount"),
        ("1e3", "usd", "not an amount"),
        ("1,25", "usd", "not an amount"),
        ("٣", "usd", "not an amount"),
        ("9" * 40, "usd", "not an amount"),
        ("0", "usd", "above zero"),
        ("-5", "usd", "above zero"),
        ("0.49", "usd", r"smallest amount in USD is \$0\.50"),
        ("1.234", "usd", "at most 2 decimals"),
        ("100.5", "jpy", "JPY has no decimals"),
        ("10.5", "isk", "whole units"),
        ("1.234", "kwd", "last digit"),
        ("1000000", "usd", "largest amount"),
        ("10000000000", "idr", "largest amount is IDR"),
    ],
)
def test_what_cannot_be_charged_is_explained(text: str, currency: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        money.parse(text, currency)
    assert caught.value.field == "amount"


@given(
    st.integers(10_000, 99_999_999), st.sampled_from(CURRENCIES), st.sampled_from(["en_US", "de_DE", "ja_JP"])
)
def test_what_is_displayed_reads_back_as_the_same_amount(amount: int, currency: str, locale: str) -> None:
    amount -= amount % 100
    digits = "".join(c for c in money.display(amount, currency, locale=locale) if c.isdigit() or c in ".,")
    assert money.parse(digits, currency, locale=locale) == amount


def test_micros_are_rounded_half_to_even_and_only_for_showing() -> None:
    assert [money.whole(micros) for micros in (2_500_000, 3_500_000, 4_999_000_000, 2_500_001, -500_000)] == [
        2, 4, 4999, 3, 0,
    ]  # fmt: skip


@given(st.lists(st.integers(0, 10**15)))
def test_a_total_differs_from_its_rounded_parts_by_half_a_unit_for_each_at_most(parts: list[int]) -> None:
    assert abs(money.whole(sum(parts)) - sum(map(money.whole, parts))) <= (len(parts) + 1) / 2


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [(4900, "usd", "49.00"), (0, "usd", "0.00"), (5, "kwd", "0.005"), (500, "jpy", "500"), (0, "jpy", "0"),
     (10**17 + 1, "idr", "1000000000000000.01"), (-150, "eur", "-1.50")],
)  # fmt: skip
def test_a_file_holds_all_decimals_of_the_currency_and_no_other(
    amount: int, currency: str, written: str
) -> None:
    assert str(money.units(amount, currency)) == written
