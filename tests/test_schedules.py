"""The desk starts in order, says in sentences why it cannot, keeps the tables fresh, and stops cleanly."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import select

from models import Customer, CustomerFacts, StripeReads, Workspace
from services import clock, config, database, durable, migrations, schedules
from services.errors import ConfigurationError, TrialdeskError, Unavailable, WrongAccount
from services.mirror import cursors, poll, progress, pull
from services.mirror.poll import Pace
from services.schedules import Desk
from services.staff import people
from services.stripe_api import reads
from services.stripe_api.failures import KeyRejected
from tests.support import routes
from tests.support.sandbox import Account, Sandbox, free_port, start_sandbox

WITHIN = 30.0


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An account without history, for all tests here."""
    sandbox = start_sandbox(tmp_path_factory.mktemp("account"), customers=0)
    yield sandbox
    sandbox.stop()


@pytest.fixture(autouse=True)
def settings(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """Sets settings by name; the data folder is the test's, and migrations find all tables laid."""
    for name in ("STRIPE_API_KEY", "STRIPE_API_BASE", "STRIPE_ACCOUNT_ID", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setattr(migrations, "upgrade", database.create_schema)

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name.upper(), value)

    yield put
    config.settings.cache_clear()
    clock.follow(0)


@contextmanager
def started() -> Iterator[Desk]:
    desk = Desk()
    desk.start()
    try:
        yield desk
    finally:
        desk.stop()


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + WITHIN
    while not condition():
        assert time.monotonic() < end, f"not within {WITHIN} s: {what}"
        time.sleep(0.02)


def problem_of(desk: Desk) -> TrialdeskError:
    until(lambda: desk.startup.problem or desk.startup.ready, "an end of the start")
    assert desk.startup.problem is not None
    return desk.startup.problem


def test_a_desk_pulls_polls_and_stops(account: Sandbox, settings: Callable[..., None]) -> None:
    settings(stripe_api_key=account.key, stripe_api_base=account.url, poll_interval="1")
    first = account.client().v1.customers.create({"name": "First"}).id
    with started() as desk:
        until(lambda: desk.startup.ready, "ready")
        assert durable.is_launched()
        until(_pulled, "the first pull")
        assert _name(first) == "First"
        second = account.client().v1.customers.create({"name": "Second"}).id
        until(lambda: _name(second) == "Second", "what happens in the account shows up")
        with database.session() as session:
            assert people.local_admin(session, "test").name == "Local admin"
            assert session.get(Workspace, 1).mode == "test"
    assert not durable.is_launched()


def test_a_key_that_may_not_read_the_account_starts_where_the_account_is_stated(
    account: Sandbox, settings: Callable[..., None]
) -> None:
    account.restrict("rk_test_quiet", customers="read", events="read")
    settings(stripe_api_key="rk_test_quiet", stripe_api_base=account.url, stripe_webhook_secret="whsec_1")
    with started() as desk:
        assert "Set STRIPE_ACCOUNT_ID" in str(problem_of(desk))
    settings(stripe_account_id="acct_stated")
    with started() as desk:
        until(lambda: desk.startup.ready, "ready")
        with database.session() as session:
            assert session.get(Workspace, 1).account == "acct_stated"
        until(lambda: desk.pace, "a look")
        assert desk.pace == Pace(300, "no webhook has brought an event in the last 24 hours")


def test_every_read_of_a_desk_is_counted_when_it_has_stopped(
    account: Sandbox, settings: Callable[..., None]
) -> None:
    settings(stripe_api_key=account.key, stripe_api_base=account.url, poll_interval="1")
    reads.forget()
    before = len(account.requests(method="GET"))
    with started() as desk:
        until(lambda: desk.startup.ready, "ready")
        until(_pulled, "the first pull")
        until(lambda: checked() is not None, "a poll")
    with database.session() as session:
        counted = {row.purpose: row.reads for row in session.exec(select(StripeReads))}
    assert set(counted) >= {"start", "backfill", "poll"}
    assert sum(counted.values()) == len(account.requests(method="GET")) - before


def test_another_metadata_key_for_the_source_reaches_customers_that_are_there_already(
    account: Sandbox, settings: Callable[..., None]
) -> None:
    settings(stripe_api_key=account.key, stripe_api_base=account.url, poll_interval="1")
    made = account.client().v1.customers.create({"metadata": {"source": "ads", "campaign": "spring"}}).id
    for key, source in (("source", "ads"), ("campaign", "spring")):
        settings(source_metadata_key=key)
        with started() as desk:
            until(lambda: desk.startup.ready, "ready")
            until(partial(_has_source, made, source), f"the source by the key {key}")
            until(_pulled, "all is derived")
            assert _has_source(made, source)


def _has_source(id: str, source: str) -> bool:
    with database.session() as session:
        facts = session.get(CustomerFacts, id)
    return facts is not None and facts.source == source


def test_what_happens_arrives_also_while_something_cannot_be_pulled(
    account: Sandbox, settings: Callable[..., None]
) -> None:
    settings(stripe_api_key=account.key, stripe_api_base=account.url, poll_interval="1")
    account.fault("500_before", path="/v1/disputes")
    try:
        with started() as desk:
            until(lambda: desk.startup.ready, "ready")
            until(cursors.begun, "the pull has begun")
            made = account.client().v1.customers.create({"name": "Meanwhile"}).id
            until(lambda: _name(made) == "Meanwhile", "the customer is there")
            assert not _pulled()
    finally:
        account.heal()


def test_what_stripe_delivers_shows_up_long_before_the_next_poll(
    account: Sandbox, settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with routes.served() as address:
        made = account.client().v1.webhook_endpoints.create(
            {"url": f"{address}/webhooks/stripe", "enabled_events": ["*"]}
        )
        settings(stripe_api_key=account.key, stripe_api_base=account.url, poll_interval="6000")
        settings(stripe_webhook_secret=made.secret)
        config.settings.cache_clear()
        with started() as desk:
            monkeypatch.setattr(schedules._Process, "desk", desk)
            until(lambda: desk.startup.ready, "ready")
            until(_pulled, "the first pull")
            until(lambda: checked() is not None, "the only poll for a long time is over")
            polled = checked()
            first = account.client().v1.customers.create({"name": "Delivered"}).id
            until(lambda: _name(first) == "Delivered", "the customer that Stripe told of")
            account.client().v1.customers.update(first, {"name": "At once"})
            account.client().v1.customers.update(first, {"name": "In the same second"})
            until(lambda: _name(first) == "In the same second", "what a tie has put off")
            assert checked() == polled, "no poll had a hand in it"
        account.client().v1.webhook_endpoints.delete(made.id)


def checked() -> int | None:
    with database.session() as session:
        return session.get(Workspace, 1).checked_at


def _pulled() -> bool:
    with database.session() as session:
        return progress.read(session).complete


def _name(id: str) -> str | None:
    with database.session() as session:
        row = session.get(Customer, id)
        return row.name if row else None


def test_a_wrong_key_is_a_sentence_and_a_right_one_goes_on(
    account: Sandbox, settings: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    settings(stripe_api_key="sk_test_wrong", stripe_api_base=account.url)
    with started() as desk:
        problem = problem_of(desk)
        assert isinstance(problem, KeyRejected)
        settings(stripe_api_key=account.key)
        desk.retry()
        until(lambda: desk.startup.ready, "ready after trying again")
    said = capfd.readouterr().err
    assert str(problem) in said
    assert "Traceback" not in said
    assert "sk_test_wrong" not in said


def test_an_account_that_does_not_answer_is_tried_again_by_itself(
    account: Sandbox, settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "_TRY_AGAIN_AFTER", 0.2)
    settings(stripe_api_key=account.key, stripe_api_base=f"http://127.0.0.1:{free_port()}")
    with started() as desk:
        assert isinstance(problem_of(desk), Unavailable)
        settings(stripe_api_base=account.url)
        until(lambda: desk.startup.ready, "ready without a click")


def test_a_database_of_another_account_is_refused_by_name(
    account: Sandbox, settings: Callable[..., None], tmp_path: Path, sqlite_template: Path
) -> None:
    path = tmp_path / "theirs.db"
    shutil.copy(sqlite_template, path)
    database.configure(f"sqlite:///{path}")
    with database.transaction() as session:
        session.add(Workspace(account="acct_theirs", mode="live"))
    settings(stripe_api_key=account.key, stripe_api_base=account.url, database_url=f"sqlite:///{path}")
    with started() as desk:
        problem = problem_of(desk)
    assert isinstance(problem, WrongAccount)
    assert "acct_theirs" in problem.message
    assert account.state()["account"] in problem.message


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"stripe_api_key": "pk_test_1"}, "publishable key"),
        ({"workspace_timezone": "Berlin"}, "“Berlin” is not a time zone"),
        ({"workspace_locale": "xx_YY"}, "“xx_YY” is not a locale"),
        ({"stripe_api_base": "http://127.0.0.1:1"}, "STRIPE_API_KEY is not"),
    ],
)
def test_settings_that_cannot_work_are_sentences(
    settings: Callable[..., None], values: dict[str, str], told: str
) -> None:
    settings(**values)
    with started() as desk:
        problem = problem_of(desk)
    assert isinstance(problem, ConfigurationError)
    assert told in problem.message


def test_a_database_that_does_not_answer_is_a_sentence_and_tried_again(
    account: Sandbox, settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(schedules, "_TRY_AGAIN_AFTER", 0.2)
    address = f"postgresql://me:s3cret@127.0.0.1:{free_port()}/desk"
    settings(stripe_api_key=account.key, stripe_api_base=account.url, database_url=address)
    with started() as desk:
        problem = problem_of(desk)
        assert isinstance(problem, Unavailable)
        assert "The database cannot be reached" in problem.message
        assert "DATABASE_URL" in problem.remedy
        assert "s3cret" not in str(problem)
        settings(database_url=f"sqlite:///{tmp_path / 'desk.db'}")
        until(lambda: desk.startup.ready, "ready without a click")


def test_a_folder_that_cannot_be_written_is_a_sentence(settings: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings(data_dir=str(tmp_path / "file" / "var"))
    with started() as desk:
        problem = problem_of(desk)
    assert "Cannot write to" in problem.message
    assert "DATA_DIR" in problem.remedy


def test_what_nobody_foresaw_is_said_with_a_reference(
    settings: Callable[..., None],
    account: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(migrations, "upgrade", fail)
    settings(stripe_api_key=account.key, stripe_api_base=account.url)
    with started() as desk:
        problem = problem_of(desk)
    assert "ZeroDivisionError" in problem.message
    [record] = [record for record in caplog.records if "The start failed" in record.message]
    assert record.message.rpartition("reference ")[2].rstrip(").") in problem.remedy


def test_a_lock_that_cannot_be_used_is_told_by_the_banner_until_it_can(
    account: Sandbox, settings: Callable[..., None], tmp_path: Path
) -> None:
    address = f"sqlite:///{tmp_path / 'desk.db'}"
    (tmp_path / "desk.pull.lock").mkdir()
    settings(stripe_api_key=account.key, stripe_api_base=account.url, poll_interval="1", database_url=address)
    with started() as desk:
        until(lambda: desk.startup.ready, "ready")
        until(lambda: "desk.pull.lock cannot be locked" in _told(), "the banner tells it")
        (tmp_path / "desk.pull.lock").rmdir()
        until(lambda: _pulled() and not _told(), "the banner is clear again")
        assert cursors.complete()


@pytest.mark.parametrize("step", ["pull", "poll"])
def test_what_nobody_foresaw_while_reading_is_told_by_the_banner_until_it_is_over(
    account: Sandbox,
    settings: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: str,
) -> None:
    """While the pull goes wrong the poll still goes well, and must not clear what was told."""
    broken = threading.Event()
    broken.set()
    module, name = {"pull": (pull, "finish"), "poll": (poll, "fetch")}[step]
    whole = getattr(module, name)

    def fail(*args: object) -> object:
        if broken.is_set():
            raise ZeroDivisionError
        return whole(*args)

    monkeypatch.setattr(module, name, fail)
    settings(stripe_api_key=account.key, stripe_api_base=account.url, poll_interval="1")
    with started() as desk:
        until(lambda: desk.startup.ready, "ready")
        told: list[str] = []
        until(lambda: told.append(_told()) or "ZeroDivisionError" in told[-1], "the banner tells it")
        [reference] = re.findall(r"under (\w+)\.", told[-1])
        assert any(f"reference {reference}" in record.message for record in caplog.records)
        broken.clear()
        until(lambda: _pulled() and not _told(), "the banner is clear again")
        assert cursors.complete()


def _told() -> str:
    with database.session() as session:
        return progress.read(session).last_error


def test_a_desk_that_is_stopped_while_it_starts_leaves_nothing_behind(
    settings: Callable[..., None], tmp_path: Path
) -> None:
    settings(sandbox_customers="3000")
    with started() as desk:
        until(lambda: desk.startup.share, "the history has begun")
        pid = json.loads((tmp_path / "var" / "sandbox.json").read_text())["pid"]
        began = time.monotonic()
    assert time.monotonic() - began < 15
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_sandbox_that_died_is_started_again(settings: Callable[..., None], tmp_path: Path) -> None:
    settings(sandbox_customers="0", poll_interval="1")
    with started() as desk:
        until(lambda: desk.startup.ready, "ready")
        first = desk._sandbox
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: desk._sandbox is not first, "another one runs")
        made = Account(first.url).client().v1.customers.create({"name": "Afterwards"}).id
        until(lambda: _name(made) == "Afterwards", "the desk reads it again")


def test_running_is_the_life_of_a_process(account: Sandbox, settings: Callable[..., None]) -> None:
    settings(stripe_api_key=account.key, stripe_api_base=account.url)

    async def life() -> None:
        async with schedules.running() as desk:
            assert schedules.startup() is desk.startup
            end = time.monotonic() + WITHIN
            while not schedules.startup().ready:
                assert time.monotonic() < end
                await asyncio.sleep(0.02)
            schedules.retry()  # nothing to try again: nothing happens
            assert schedules.startup().ready

    asyncio.run(life())
    assert not durable.is_launched()
