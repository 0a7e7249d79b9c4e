"""Every number that is shown is defined, once, in sentences."""

from __future__ import annotations

import pytest

from services.metrics import overview
from services.metrics.definitions import DEFINITIONS, sections


def test_every_figure_of_the_overview_is_defined() -> None:
    assert {
        *overview._KINDS,
        "cohort_rate",
        "recovery_rate",
        "period_rate",
        "funnel",
        "states",
        "unvalued",
    } <= set(DEFINITIONS)


@pytest.mark.parametrize("words", ["Trial over: ", "“Too early to tell”", "Payment method: ", "Signed up: "])
def test_every_step_of_the_funnel_is_defined(words: str) -> None:
    assert words in DEFINITIONS["funnel"].more


def test_every_cause_of_stripes_numbers_is_defined() -> None:
    titles = [one.title for one in sections()["Stripe’s numbers"]]
    assert titles == [
        "Active subscribers", "Timing", "Discounts", "Paused collection", "Set to cancel", "Other currencies",
    ]  # fmt: skip


def test_sections_hold_each_definition_once() -> None:
    listed = [one.key for group in sections().values() for one in group]
    assert sorted(listed) == sorted(DEFINITIONS)


@pytest.mark.parametrize("key", DEFINITIONS)
def test_a_definition_is_sentences_and_a_rate_names_both_its_parts(key: str) -> None:
    one = DEFINITIONS[key]
    assert one.title
    for text in filter(None, (one.short, one.more)):
        assert text[0].isupper()
        assert text.endswith(".")
        assert "  " not in text
    assert bool(one.part) == bool(one.whole) == key.endswith("_rate")
