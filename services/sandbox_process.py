"""Is the sandbox account running on this machine, and where?

It is a process of its own that survives the desk's death: what the desk needs to find it again is kept in
DATA_DIR/sandbox.json. The desk talks to it by its address alone. It keeps its port over restarts where it
can, because its hosted pages' addresses are in the tables and in messages that were sent.

Each desk that uses it shares a lock on DATA_DIR/sandbox.users, which its death releases too: the last one
stops the sandbox. They look for it, start it and stop it one at a time (DATA_DIR/sandbox.turn).
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

import requests

from services import database
from services.config import Settings
from services.errors import ConfigurationError, Unavailable

KEY = "sk_test_sandbox"  # not a secret: the sandbox answers on loopback only
_ANSWERS_WITHIN = 30.0  # seconds from start to first answer
_STOPS_WITHIN = 5.0
_PORT_IS_FREE_WITHIN = 1.0
_MODULE = "services.sandbox"
_SETTINGS = {"--port": "SANDBOX_PORT", "--data": "DATA_DIR"}  # by what the sandbox calls them
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """A running sandbox. `data` is its file; `ours` says that a desk started it (and so may stop it).

    `use` is the lock of the desk that uses it.
    """

    pid: int
    port: int
    data: str
    ours: bool = True
    use: TextIO | None = field(default=None, compare=False, repr=False)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


def ensure(settings: Settings) -> SandboxProcess:
    """The sandbox of this DATA_DIR, found or started; it may still be writing its history.

    Raises ConfigurationError where it cannot start, Unavailable where it does not answer.
    """
    data = settings.data_dir.resolve() / "sandbox-account.db"
    database.require_folder(data.parent)
    with _turn(data):
        found = _find(settings, data) or _start(settings, data)
        return replace(found, use=_shared_use(data)) if found.ours else found


def revive(settings: Settings, sandbox: SandboxProcess) -> SandboxProcess:
    """The sandbox as it runs now: started again, on its port where that is free, if it is gone.

    One started by hand is left to whoever did. Raises what `ensure` raises.
    """
    if not sandbox.ours or _is_running(sandbox):
        return sandbox
    data = Path(sandbox.data)
    with _turn(data):
        return replace(_find(settings, data) or _start(settings, data), use=sandbox.use)


def stop(sandbox: SandboxProcess) -> None:
    """Stops a sandbox that a desk started and no other desk uses; its port is remembered."""
    if not sandbox.ours:
        return
    with _turn(Path(sandbox.data)):
        if sandbox.use is not None:
            sandbox.use.close()
        if not _is_used(Path(sandbox.data)):
            _end(sandbox)


def _end(sandbox: SandboxProcess) -> None:
    half_built = (state(sandbox.url) or {}).get("ready") is False  # built anew at its next start
    ways = (_kill,) if half_built else (_ask_to_stop, _terminate, _kill)
    for way in ways:
        if not _is_running(sandbox):
            return
        way(sandbox)
        if _gone_within(sandbox, _STOPS_WITHIN):
            return


@contextmanager
def _turn(data: Path) -> Iterator[None]:
    """Waits until no other desk looks for, starts or stops the sandbox."""
    with data.with_name("sandbox.turn").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _shared_use(data: Path) -> TextIO:
    lock = _users(data).open("w")
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def _is_used(data: Path) -> bool:
    """Whether a living desk uses the sandbox of this file."""
    with _users(data).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _users(data: Path) -> Path:
    return data.with_name("sandbox.users")


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
    if recorded and _is_running(recorded):
        _await_answer(recorded, lambda: not _is_running(recorded))
        return recorded
    if not settings.sandbox_port:
        return None
    by_hand = SandboxProcess(0, settings.sandbox_port, str(data), ours=False)
    return by_hand if state(by_hand.url) else None


def _is_running(recorded: SandboxProcess) -> bool:
    """Whether the recorded process still is this sandbox: ids of processes are used again."""
    command = _command_of(recorded.pid)
    return _MODULE in command and recorded.data in command


def _command_of(pid: int) -> str:
    """How a process was started, "" where there is none."""
    if Path("/proc/self").exists():
        with suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
        return ""
    asked = ["ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout  # noqa: S603


def _start(settings: Settings, data: Path) -> SandboxProcess:
    port = settings.sandbox_port or _usual_port(data)
    log = data.with_suffix(".log")
    command = [
        sys.executable, "-m", _MODULE,
        "--port", str(port), "--data", str(data),
        "--customers", str(settings.sandbox_customers), "--seed", str(settings.sandbox_seed),
        "--life", "on" if settings.sandbox_life else "off",
    ]  # fmt: skip
    with log.open("ab") as out:
        child = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            command, cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    sandbox = SandboxProcess(child.pid, port, str(data))
    _record_path(data).write_text(json.dumps({"pid": child.pid, "port": port, "data": str(data)}))
    _await_answer(sandbox, lambda: child.poll() is not None)
    return sandbox


def _await_answer(sandbox: SandboxProcess, ended: Callable[[], bool]) -> None:
    end, log = time.monotonic() + _ANSWERS_WITHIN, Path(sandbox.data).with_suffix(".log")
    while state(sandbox.url) is None:
        if ended():
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


def _record_path(data: Path) -> Path:
    return data.with_name("sandbox.json")


def _read_record(data: Path) -> SandboxProcess | None:
    try:
        told = json.loads(_record_path(data).read_text())
        held = SandboxProcess(int(told["pid"]), int(told["port"]), str(told["data"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return held if held.data == str(data) else None


def _usual_port(data: Path) -> int:
    """The port of before, which one that has just died gives back within a moment; else any."""
    before, end = _read_record(data), time.monotonic() + _PORT_IS_FREE_WITHIN
    while before is not None and time.monotonic() < end:
        if port := _bound(before.port):
            return port
        time.sleep(0.05)
    return _bound(0)


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
        if _is_gone(sandbox):
            return True
        time.sleep(0.05)
    return False


def _is_gone(sandbox: SandboxProcess) -> bool:
    try:
        return os.waitpid(sandbox.pid, os.WNOHANG)[0] != 0  # our own child is there until somebody asks
    except ChildProcessError:
        return not _is_running(sandbox)


def _last_line(log: Path) -> str:
    """The last that the sandbox said, with the names that people know for what they can change."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    said = lines[-1] if lines else "it said nothing."
    for option, setting in _SETTINGS.items():
        said = said.replace(option, setting)
    return said
