"""The month's reads stand against what Stripe allows for the account's payments."""

from __future__ import annotations

from datetime import UTC, datetime
from types import ModuleType

import pytest

from models import Charge, StripeReads
from services import clock, config
from services.mirror import budget, trust
from services.mirror.budget import Budget


def at(written: str) -> int:
    return int(datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp())


@pytest.fixture(autouse=True)
def _on_a_real_account(monkeypatch: pytest.MonkeyPatch) -> None:
    real = config.Settings(_env_file=None, stripe_api_key="sk_test_1", workspace_timezone="Pacific/Auckland")
    monkeypatch.setattr(config, "settings", lambda: real)
    now = at("2026-10-31T23:30:00")
    monkeypatch.setattr(clock, "now", lambda: now)


def told(database: ModuleType) -> Budget:
    with database.session() as session:
        return budget.read(session)


def add(database: ModuleType, *rows: object) -> None:
    with database.transaction() as session:
        session.add_all(rows)


def test_the_month_and_the_day_are_utc_whatever_the_workspace(database: ModuleType) -> None:
    add(
        database,
        StripeReads(day=at("2026-09-30"), purpose="poll", reads=1),
        StripeReads(day=at("2026-10-01"), purpose="poll", reads=10),
        StripeReads(day=at("2026-10-31"), purpose="poll", reads=100),
        StripeReads(day=at("2026-10-31"), purpose="sync", reads=1000),
    )
    found = told(database)
    assert (found.month, found.today) == ({"sync": 1000, "poll": 110}, {"poll": 100, "sync": 1000})
    assert found.used == 1110


@pytest.mark.parametrize(("paid", "allowance"), [(0, 10_000), (20, 10_000), (21, 10_500)])
def test_the_allowance_grows_with_payments(database: ModuleType, paid: int, allowance: int) -> None:
    recent = clock.now() - 29 * clock.DAY
    add(database, *(Charge(id=f"ch_{n}", created=recent, status="succeeded") for n in range(paid)))
    add(
        database,
        Charge(id="ch_failed", created=recent, status="failed"),
        Charge(id="ch_old", created=clock.now() - 31 * clock.DAY, status="succeeded"),
    )
    assert told(database).allowance == allowance


@pytest.mark.parametrize(("used", "short"), [(7_999, False), (8_000, True), (30_000, True)])
def test_it_warns_from_four_fifths(database: ModuleType, used: int, short: bool) -> None:
    add(database, StripeReads(day=at("2026-10-02"), purpose="poll", reads=used))
    assert told(database).is_short is short
    with database.session() as session:
        said = [one.message for one in trust.problems(session) if "reads that Stripe allows" in one.message]
    assert bool(said) is short


def test_the_sandbox_never_warns(database: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "settings", lambda: config.Settings(_env_file=None))
    add(database, StripeReads(day=at("2026-10-02"), purpose="poll", reads=90_000))
    found = told(database)
    assert (found.share, found.is_short) == (9.0, False)
