"""services.config: what is read from the environment, and what is refused with a sentence."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from services import config
from services.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in config.Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_a_key_the_desk_runs_on_the_sandbox() -> None:
    settings = config.load()
    assert settings.mode == "sandbox"
    assert settings.database_url_for("acct_1").endswith("/var/sandbox.db")


@pytest.mark.parametrize(("prefix", "mode"), [("sk_test_", "test"), ("rk_live_", "live")])
def test_the_key_says_the_mode_and_each_account_has_its_own_database(
    prefix: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", f"{prefix}abc")
    settings = config.load()
    assert settings.mode == mode
    assert settings.database_url_for("acct_1").endswith(f"/var/acct_1-{mode}.db")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("STRIPE_API_KEY", "pk_test_123", "publishable"),
        ("STRIPE_API_BASE", "http://127.0.0.1:1", "STRIPE_API_KEY is not"),
        ("STRIPE_ACCOUNT_ID", "Acme", "STRIPE_ACCOUNT_ID: an account's id begins with acct_"),
        ("WORKSPACE_TIMEZONE", "Berlin", "Europe/Berlin"),
        ("SMTP_HOST", "localhost", "MAIL_FROM"),
        ("SMTP_PORT", "many", "SMTP_PORT"),
        ("MAIL_FROM", "Acme <desk@acme.example>", "MAIL_FROM: .*the address alone"),
        ("SANDBOX_CUSTOMERS", "1e9", "^SANDBOX_CUSTOMERS: it must be a whole number, in digits alone"),
        ("SANDBOX_CUSTOMERS", "-1", "it must be 0 or more"),
        ("SANDBOX_CUSTOMERS", "9" * 5000, "too large"),
        ("SANDBOX_PORT", "70000", "it must be 65535 or less"),
        ("SANDBOX_LIFE", "maybe", "it must be true or false"),
        ("SMTP_SECURITY", "ssl", "it must be 'starttls', 'tls' or 'none'"),
        ("MAIL_FROM", "desk", "not an email address"),
        ("RECONCILE_AT", "3", "RECONCILE_AT: .*a time of day"),
        ("RECONCILE_AT", "24:00", "03:30, or off"),
    ],
)
def test_what_cannot_work_is_refused_by_name(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=says):
        config.load()


@pytest.mark.parametrize(("value", "at"), [("", time(3, 30)), ("23:05", time(23, 5)), ("Off", None)])
def test_the_time_of_the_daily_comparison(
    value: str, at: time | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILE_AT", value)
    assert config.load().reconcile_time == at


def test_a_refusal_never_repeats_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "whsec_do_not_show")
    with pytest.raises(ConfigurationError) as caught:
        config.load()
    assert "do_not_show" not in str(caught.value)
