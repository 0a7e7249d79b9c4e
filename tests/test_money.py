"""services.money: what people type becomes exact minor units, or a sentence."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services import money
from services.errors import InvalidInput

CURRENCIES = ["usd", "eur", "jpy", "kwd", "isk"]
LOCALES = ["en_US", "de_DE", "fr_FR", "de_CH", "en_IN", "sv_SE", "ja_JP", "pt_BR"]


@pytest.mark.parametrize(
    ("micros", "currency", "written"),
    [
        (4_900_000_000, "usd", "49.00"),
        (333_333_333, "usd", "3.33333333"),
        (4_900_500_000, "usd", "49.005"),
        (1_000_000_000_000, "jpy", "1000000"),
        (500_000, "jpy", "0.5"),
        (12_000_000, "kwd", "0.012"),
        (0, "usd", "0.00"),
        (-1, "usd", "-0.00000001"),
        (9_223_372_036_854_775_807, "usd", "92233720368.54775807"),
    ],
)
def test_millionths_leave_exactly(micros: int, currency: str, written: str) -> None:
    assert f"{money.exact_units(micros, currency):f}" == written


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
        ("$20", "usd", 2000),
        ("20 $", "usd", 2000),
        ("US$20", "usd", 2000),
        ("20 usd", "usd", 2000),
        ("CA$20", "cad", 2000),
        ("20\u00a0€", "eur", 2000),
        ("12,50", "usd", 1250),
        ("12,5", "usd", 1250),
        (".5", "usd", 50),
        ("0.500", "usd", 50),
        ("1,234.50", "usd", 123450),
        ("1.234,50", "usd", 123450),
        ("1 234,50", "eur", 123450),
        ("1’234.50", "chf", 123450),
        ("1,00,000.50", "inr", 10_000_050),
        ("1.250", "jpy", 1250),
        ("1,250", "isk", 125000),
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
        ("1,25,5", "usd", "not an amount"),
        ("1 2", "usd", "not an amount"),
        ("1.234.5", "usd", "not an amount"),
        ("49.", "usd", "not an amount"),
        ("20 dollars", "usd", "not an amount"),
        ("20 €", "usd", "“€” stands for EUR; this amount is in USD"),
        ("$20", "cad", r"“\$” stands for USD; this amount is in CAD"),
        ("1,234", "usd", "“1,234” can be read in two ways"),
        ("$1.234", "usd", "two ways"),
        ("1,234", "kwd", "two ways"),
        ("٣", "usd", "not an amount"),
        ("9" * 40, "usd", "not an amount"),
        ("0", "usd", "above zero"),
        ("-5", "usd", "above zero"),
        ("0.49", "usd", r"smallest amount in USD is \$0\.50"),
        ("1.2345", "usd", "at most 2 decimals"),
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


def test_what_has_two_readings_is_refused_with_how_to_write_either() -> None:
    with pytest.raises(InvalidInput) as caught:
        money.parse("1.230", "eur", locale="de_DE")
    assert caught.value.remedy == "Type 1230,00 for 1.230,00\u00a0€, or 1,23 for 1,23\u00a0€."
    assert money.parse("1230,00", "eur", locale="de_DE") == 123000
    assert money.parse("1,23", "eur", locale="de_DE") == 123


def test_no_reading_is_offered_that_drops_a_digit() -> None:
    with pytest.raises(InvalidInput) as caught:
        money.parse("12.345", "usd")
    assert caught.value.remedy == "Type 12345.00 for $12,345.00, or an amount with at most 2 decimals."


def test_a_sign_is_the_locale_s() -> None:
    assert money.parse("$20", "cad", locale="en_CA") == 2000
    with pytest.raises(InvalidInput, match="stands for CAD"):
        money.parse("$20", "usd", locale="en_CA")


@given(st.integers(10_000, 99_999_999), st.sampled_from(CURRENCIES), st.sampled_from(LOCALES))
def test_what_is_displayed_reads_back_as_the_same_amount(amount: int, currency: str, locale: str) -> None:
    amount -= amount % 100
    assert money.parse(money.display(amount, currency, locale=locale), currency, locale=locale) == amount


@given(
    st.integers(10_000, 99_999_999), st.sampled_from(["usd", "eur", "kwd"]), st.sampled_from(LOCALES),
    st.sampled_from([",.", ".,", " .", " ,", "\u202f,", "'.", "’."]),
)  # fmt: skip
def test_thousands_and_decimals_are_told_apart_however_they_are_written(
    amount: int, currency: str, locale: str, signs: str
) -> None:
    amount -= amount % 10
    group, point = signs
    places = money.exponent(currency)
    whole, part = divmod(amount, 10**places)
    if whole < 1000 and places == 3:
        whole += 1000  # `12,340` alone could be thousands
    text = f"{whole:,}".replace(",", group) + f"{point}{part:0{places}}"
    assert money.parse(text, currency, locale=locale) == whole * 10**places + part


@given(
    st.text("0123456789.,' ", max_size=9), st.sampled_from(CURRENCIES), st.sampled_from(LOCALES),
    st.sampled_from(LOCALES),
)  # fmt: skip
@example("1,234", "usd", "en_US", "de_DE")
@example("12.340", "kwd", "en_US", "de_DE")
def test_no_text_is_one_amount_here_and_another_there(
    text: str, currency: str, here: str, there: str
) -> None:
    amounts = set()
    for locale in (here, there):
        try:
            amounts.add(money.parse(text, currency, locale=locale))
        except InvalidInput as problem:
            assert problem.message
            assert problem.remedy
    assert len(amounts) <= 1


@given(st.text(max_size=30), st.sampled_from(CURRENCIES), st.sampled_from(LOCALES))
def test_whatever_is_typed_is_an_amount_or_a_sentence(text: str, currency: str, locale: str) -> None:
    try:
        assert money.parse(text, currency, locale=locale) > 0
    except InvalidInput as problem:
        assert problem.field == "amount"


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


@given(st.integers(10_000, 99_999_999), st.sampled_from(CURRENCIES), st.sampled_from(LOCALES))
def test_what_a_field_shows_is_read_as_the_same_amount(amount: int, currency: str, locale: str) -> None:
    amount -= amount % (100 if currency in ("isk", "ugx") else 10)
    assert money.read(money.typed(amount, currency, locale=locale), currency, locale=locale) == amount
