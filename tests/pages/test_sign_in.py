"""Whose email address counts as their own? tests/browser/test_sign_in.py signs in with a real provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pages.components import sign_in
from services import config


@pytest.fixture(autouse=True)
def _read_settings_anew() -> Iterator[None]:
    config.settings.cache_clear()
    yield
    config.settings.cache_clear()


@pytest.mark.parametrize("trusting", ["false", "true"])
@pytest.mark.parametrize(
    ("claim", "own"),
    [(True, True), ("true", True), (False, False), ("false", False), ("no", False), ("", False), (0, False)],
)
def test_what_the_provider_says_counts(
    claim: object, own: bool, trusting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGN_IN_TRUSTS_UNVERIFIED_EMAIL", trusting)
    assert sign_in.confirmed(claim) is own


def test_a_provider_that_says_nothing_is_trusted_by_setting_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sign_in.confirmed(None) is False
    config.settings.cache_clear()
    monkeypatch.setenv("SIGN_IN_TRUSTS_UNVERIFIED_EMAIL", "true")
    assert sign_in.confirmed(None) is True
