"""Codes in plain words."""

from __future__ import annotations

import pytest

from services.stripe_api.declines import CODES, explain


@pytest.mark.parametrize("code", CODES)
def test_each_code_is_a_sentence_with_a_next_step(code: str) -> None:
    explained = explain(code)
    assert explained.words.endswith(".")
    assert explained.advice.endswith(".")
    assert "_" not in explained.words + explained.advice


def test_a_code_that_nobody_knows_is_shown_as_it_is() -> None:
    assert "solar_flare" in explain("solar_flare").words


def test_no_code_is_said_so() -> None:
    assert explain(None).words == explain("").words == "The payment failed; Stripe gives no reason."


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "do_not_try_again", "pickup_card"])
def test_cards_that_must_not_be_tried_again_say_so(code: str) -> None:
    assert "not try" in explain(code).advice


def test_fraud_is_not_told_to_the_customer() -> None:
    assert "general decline" in explain("fraudulent").advice
