"""Is the sandbox account running on this machine, and where?

It is a process of its own that survives the desk's death: what the desk needs to find it again is kept in
DATA_DIR/sandbox.json. The desk talks to it by its address alone. It keeps its port over restarts where it
can, because its hosted pages' addresses are in the tables and in messages that were sent.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests

from services.config import Settings
from services.errors import ConfigurationError, Unavailable

KEY = "sk_test_sandbox"  # not a secret: the sandbox answers on loopback only
_ANSWERS_WITHIN = 30.0  # seconds from start to first answer
_STOPS_WITHIN = 5.0
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """A running sandbox. `data` is its file; `ours` says that a desk started it (and so may stop it)."""

    pid: int
    port: int
    data: str
    ours: bool = True

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


def ensure(settings: Settings) -> SandboxProcess:
    """The sandbox of this DATA_DIR, found or started; it may still be writing its history.

    Raises ConfigurationError where it cannot start, Unavailable where it does not answer.
    """
    data = settings.data_dir.resolve() / "sandbox-account.db"
    return _find(settings, data) or _start(settings, data)


def stop(sandbox: SandboxProcess) -> None:
    """Stops a sandbox that a desk started; its port is remembered."""
    if not sandbox.ours:
        return
    half_built = (state(sandbox.url) or {}).get("ready") is False  # built anew at its next start
    ways = (_kill,) if half_built else (_ask_to_stop, _terminate, _kill)
    for way in ways:
        way(sandbox)
        if _gone_within(sandbox, _STOPS_WITHIN):
            break


def state(url: str) -> dict[str, Any] | None:
    """What the sandbox at this address says of itself; None where no sandbox answers."""
    try:
        answer = requests.get(f"{url}/_sandbox/state", timeout=2)
        told: dict[str, Any] = answer.json()
    except (requests.RequestException, ValueError):
        return None
    return told if answer.ok and "progress" in told else None


def _ask_to_stop(sandbox: SandboxProcess) -> None:
    with suppress(requests.RequestException):
        requests.post(f"{sandbox.url}/_sandbox/stop", timeout=2)


def _terminate(sandbox: SandboxProcess) -> None:
    with suppress(ProcessLookupError):
        os.kill(sandbox.pid, signal.SIGTERM)


def _kill(sandbox: SandboxProcess) -> None:
    with suppress(ProcessLookupError):
        os.kill(sandbox.pid, signal.SIGKILL)


def _find(settings: Settings, data: Path) -> SandboxProcess | None:
    recorded = _read_record(data)
    if recorded and _is_ours(recorded):
        return recorded
    if not settings.sandbox_port:
        return None
    by_hand = SandboxProcess(0, settings.sandbox_port, str(data), ours=False)
    return by_hand if state(by_hand.url) else None


def _is_ours(recorded: SandboxProcess) -> bool:
    told = state(recorded.url)
    return told is not None and told.get("pid", recorded.pid) == recorded.pid


def _start(settings: Settings, data: Path) -> SandboxProcess:
    _make_folder(data.parent)
    port = settings.sandbox_port or _usual_port(data)
    log = data.with_suffix(".log")
    command = [
        sys.executable, "-m", "services.sandbox",
        "--port", str(port), "--data", str(data),
        "--customers", str(settings.sandbox_customers), "--seed", str(settings.sandbox_seed),
        "--life", "on" if settings.sandbox_life else "off",
    ]  # fmt: skip
    with log.open("ab") as out:
        child = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            command, cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    sandbox = SandboxProcess(child.pid, port, str(data))
    _record_path(data).write_text(json.dumps(asdict(sandbox)))
    _await_answer(sandbox, child, log)
    return sandbox


def _await_answer(sandbox: SandboxProcess, child: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _ANSWERS_WITHIN
    while state(sandbox.url) is None:
        if child.poll() is not None:
            raise ConfigurationError(
                f"The sandbox account did not start: {_last_line(log)}",
                remedy=f"See {log} for more.",
            )
        if time.monotonic() > end:
            raise Unavailable("The sandbox account does not answer.", remedy=f"See {log} for more.")
        time.sleep(0.05)


def await_history(sandbox: SandboxProcess, waiting: Callable[[float], None]) -> None:
    """Returns when the history is in place; `waiting` hears how much of it is (0 to 1), and may raise.

    Raises ConfigurationError where it cannot be written, Unavailable where the sandbox ends meanwhile.
    """
    while True:
        told = state(sandbox.url)
        if told is None:
            raise Unavailable("The sandbox account stopped while it was being prepared.")
        if told.get("problem"):
            raise ConfigurationError(f"The sandbox account could not be prepared: {told['problem']}")
        if told.get("ready"):
            return
        waiting(float(told["progress"]))
        time.sleep(0.2)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"Cannot write to {folder}: {error.strerror}.",
            remedy="Make the folder writable, or set DATA_DIR to another one.",
        ) from None


def _record_path(data: Path) -> Path:
    return data.with_name("sandbox.json")


def _read_record(data: Path) -> SandboxProcess | None:
    try:
        held = SandboxProcess(**json.loads(_record_path(data).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return held if held.data == str(data) else None


def _usual_port(data: Path) -> int:
    before = _read_record(data)
    return (before and _bound(before.port)) or _bound(0)


def _bound(port: int) -> int:
    """The port if nobody has it (0: any free one), else 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
        bound: int = probe.getsockname()[1]
        return bound


def _gone_within(sandbox: SandboxProcess, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not _lives(sandbox.pid):
            return True
        time.sleep(0.05)
    return False


def _lives(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # our own child stays a zombie until somebody asks
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing."
