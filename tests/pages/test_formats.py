"""Amounts, instants and names as the people of the workspace read them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pages.components import formats
from services import config

NOON = 1_772_539_500  # 3 March 2026, 12:05 UTC


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSPACE_LOCALE", "de_DE")
    monkeypatch.setenv("WORKSPACE_TIMEZONE", "Europe/Berlin")
    config.settings.cache_clear()


def test_in_english_and_utc() -> None:
    assert formats.money(125_000, "usd") == "$1,250.00"
    assert formats.money(1_250, "jpy") == "¥1,250"
    assert formats.micros(12_345_500_000, "usd") == "$123.46"
    assert formats.day(NOON) == "Mar 3, 2026"
    assert formats.moment(NOON).replace("\u202f", " ") == "Mar 3, 2026, 12:05 PM"
    assert formats.zone_name() == "UTC"
    assert formats.share(1, 8) == "12.5 %"


@pytest.mark.parametrize(
    ("seconds", "said"), [(1, "1 second"), (300, "5 minutes"), (3600, "1 hour"), (7200, "2 hours")]
)
def test_a_length_of_time_is_said_in_its_largest_unit(seconds: int, said: str) -> None:
    assert formats.duration(seconds) == said


@pytest.mark.usefixtures("german")
def test_in_german_and_berlin() -> None:
    assert formats.money(125_000, "eur") == "1.250,00\xa0€"
    assert formats.moment(NOON) == "03.03.2026, 13:05"
    assert formats.zone_name() == "Europe/Berlin"
    assert formats.count(2300) == "2.300"


def test_the_day_is_the_local_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSPACE_TIMEZONE", "Pacific/Auckland")
    config.settings.cache_clear()
    assert formats.day(NOON) == "Mar 4, 2026"


def test_what_is_missing_is_not_a_zero() -> None:
    assert formats.money(None, "usd") == formats.NOTHING
    assert formats.micros(5, "") == formats.NOTHING
    assert formats.moment(None) == formats.day(None) == formats.relative(None) == formats.NOTHING
    assert formats.share(0, 0) == "No data"
    assert formats.share(0, 5) == "0.0 %"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(-30, "just now"), (30, "in a moment"), (-7200, "2 hours ago"), (3 * 86_400, "in 3 days")],
)
def test_relative(seconds: int, written: str) -> None:
    assert formats.relative(NOON + seconds, now=NOON) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "over"), (-5, "over"), (1, "1 hour"), (3600, "1 hour"), (3601, "2 hours"), (18_000, "5 hours"),
        (86_400, "24 hours"), (86_401, "2 days"), (172_800, "2 days"),
    ],
)  # fmt: skip
def test_what_is_left_is_rounded_up_to_days_and_on_the_last_day_to_hours(seconds: int, written: str) -> None:
    assert formats.days_left(NOON + seconds, now=NOON) == written


def test_plural() -> None:
    assert formats.plural(1, "invoice") == "1 invoice"
    assert formats.plural(2300, "reply", "replies") == "2,300 replies"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60))
def test_customer_text_survives_markdown_as_it_was_typed(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(f"x {formats.plain(text)} x")
    [inline] = [token for token in tokens if token.type == "inline"]
    assert {child.type for child in inline.children or ()} <= {"text", "text_special"}
    written = "".join(child.content for child in inline.children or ()).replace("\u2060", "")
    assert written == f"x {' '.join(text.split())} x".replace("\u2060", "")


@pytest.mark.parametrize("text", ["see https://evil.example/x", "HTTP://evil.example", "www.evil.example"])
def test_an_address_in_customer_text_does_not_become_a_link(text: str) -> None:
    plain = formats.plain(text).replace("\\", "")
    assert not re.search(r"(?i)(https?://|www\.)", plain)
    assert plain.replace("\u2060", "") == text


@pytest.mark.parametrize(
    "text",
    ["**bold**", "![x](http://evil.example/x.png)", "<img src=x>", ":material/home:", ":red[x]", "$x$"],
)
def test_signs_of_streamlits_own_markdown_are_escaped(text: str) -> None:
    plain = formats.plain(text)
    assert all(plain[at - 1] == "\\" for at, sign in enumerate(plain) if sign in "*!<>:[]$()" and at), plain
