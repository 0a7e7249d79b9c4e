"""The sandbox's process is started, found again, and stopped by the desk that owns it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import sandbox_process
from services.config import Settings
from services.errors import ConfigurationError
from tests.support.sandbox import free_port, start_sandbox


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, sandbox_customers=0, stripe_api_key=None)


@pytest.fixture
def running(settings: Settings) -> Iterator[sandbox_process.SandboxProcess]:
    sandbox = sandbox_process.ensure(settings)
    yield sandbox
    sandbox_process.stop(sandbox)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_is_recorded_found_again_and_stopped(
    settings: Settings, running: sandbox_process.SandboxProcess, tmp_path: Path
) -> None:
    recorded = json.loads((tmp_path / "sandbox.json").read_text())
    assert (recorded["pid"], recorded["port"]) == (running.pid, running.port)
    sandbox_process.stop(running)
    assert not lives(running.pid)


def test_the_last_desk_that_uses_it_stops_it(
    settings: Settings, running: sandbox_process.SandboxProcess
) -> None:
    second = sandbox_process.ensure(settings)
    assert second == running
    sandbox_process.stop(running)
    assert sandbox_process.state(second.url)
    sandbox_process.stop(second)
    assert not lives(running.pid)


def test_a_desk_that_was_killed_does_not_count(
    settings: Settings, running: sandbox_process.SandboxProcess, tmp_path: Path
) -> None:
    """Another process uses it too, and is killed with -9."""
    code = (
        "from services import config, sandbox_process as s; u = s.ensure(config.load()); print('in'); input()"
    )
    env = {**os.environ, "DATA_DIR": str(tmp_path), "SANDBOX_CUSTOMERS": "0"}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], env=env, stdin=pipe, stdout=pipe) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        assert sandbox_process._is_used(Path(running.data))
        other.kill()
    sandbox_process.stop(running)
    assert not lives(running.pid)


def test_it_is_started_again_on_its_port_when_it_is_gone(
    settings: Settings, running: sandbox_process.SandboxProcess
) -> None:
    assert sandbox_process.revive(settings, running) is running
    os.kill(running.pid, signal.SIGKILL)
    os.waitpid(running.pid, 0)
    again = sandbox_process.revive(settings, running)
    assert (again.port, again.use) == (running.port, running.use)
    assert again.pid != running.pid
    sandbox_process.stop(again)
    assert not lives(again.pid)


def test_another_process_that_got_its_id_is_not_touched(settings: Settings, tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as innocent:
        data = str(tmp_path / "sandbox-account.db")
        sandbox_process.stop(sandbox_process.SandboxProcess(innocent.pid, free_port(), data))
        assert innocent.poll() is None
        innocent.kill()


def test_it_keeps_its_port_so_that_links_in_mails_stay_good(
    settings: Settings, running: sandbox_process.SandboxProcess
) -> None:
    sandbox_process.stop(running)
    again = sandbox_process.ensure(settings)
    try:
        assert again.pid != running.pid
        assert again.port == running.port
    finally:
        sandbox_process.stop(again)


def test_after_its_death_another_one_is_started_on_the_same_books(
    settings: Settings, running: sandbox_process.SandboxProcess
) -> None:
    before = sandbox_process.state(running.url)
    os.kill(running.pid, signal.SIGKILL)
    os.waitpid(running.pid, 0)
    assert running.use is not None
    running.use.close()  # as its desk died with it
    again = sandbox_process.ensure(settings)
    try:
        after = sandbox_process.state(again.url)
        assert again.pid != running.pid
        assert before is not None
        assert after is not None
        assert after["account"] == before["account"]
    finally:
        sandbox_process.stop(again)
    assert not lives(again.pid)


def test_a_record_that_points_at_somebody_else_is_not_believed(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = start_sandbox(tmp_path / "other", customers=0)
    try:
        record = {"pid": 1, "port": other.port, "data": str(tmp_path / "sandbox-account.db"), "ours": True}
        (tmp_path / "sandbox.json").write_text(json.dumps(record))
        mine = sandbox_process.ensure(settings)
        assert mine.port != other.port
        sandbox_process.stop(mine)
        assert other.state()["ready"]
    finally:
        other.stop()


@pytest.mark.parametrize(
    "written", ["", "{", "[]", '{"pid": 1}', '{"pid":1,"port":2,"data":"x","ours":true}']
)
def test_a_broken_record_is_no_record(settings: Settings, tmp_path: Path, written: str) -> None:
    (tmp_path / "sandbox.json").write_text(written)
    assert sandbox_process._find(settings, tmp_path / "sandbox-account.db") is None


def test_one_started_by_hand_is_used_and_left_alone(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "hand").mkdir()
    by_hand = start_sandbox(tmp_path / "hand", customers=0)
    try:
        found = sandbox_process.ensure(settings.model_copy(update={"sandbox_port": by_hand.port}))
        assert (found.port, found.ours) == (by_hand.port, False)
        sandbox_process.stop(found)
        assert by_hand.state()["ready"]
    finally:
        by_hand.stop()


def test_a_port_that_is_taken_is_a_sentence(settings: Settings, tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"Port {port} cannot be used.*with SANDBOX_PORT"):
            sandbox_process.ensure(settings.model_copy(update={"sandbox_port": port}))


def test_state_is_none_where_no_sandbox_answers() -> None:
    began = time.monotonic()
    assert sandbox_process.state(f"http://127.0.0.1:{free_port()}") is None
    assert time.monotonic() - began < 3
