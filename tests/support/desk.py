"""A desk as people run it: its own process, its own folder, on a free port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class DeskDidNotStart(RuntimeError):
    """The process ended or stayed silent; carries what it said."""


@dataclass
class Desk:
    """A running desk."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        """All that the process printed so far."""
        return (self.folder / "desk.log").read_text(errors="replace")

    @property
    def sandbox_url(self) -> str:
        """Where the desk's sandbox account answers."""
        state = json.loads((self.folder / "sandbox.json").read_text())
        return f"http://127.0.0.1:{state['port']}"

    def health(self) -> dict[str, Any]:
        """What /healthz says."""
        answer: dict[str, Any] = requests.get(f"{self.url}/healthz", timeout=5).json()
        return answer

    def wait_until_pulled(self, seconds: float = 120) -> None:
        """Waits for the first whole pull of the account."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.health().get("last_pull"):
                return
            time.sleep(0.2)
        raise DeskDidNotStart(f"not pulled after {seconds} s:\n{self.log[-3000:]}")

    def wait_for_sandbox(self, seconds: float = 60) -> None:
        """Waits until the desk's sandbox account answers."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(OSError, ValueError):
                requests.get(self.sandbox_url, timeout=5)
                return
            time.sleep(0.2)
        raise DeskDidNotStart(f"no sandbox after {seconds} s:\n{self.log[-3000:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Stops the desk as Ctrl-C does; gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def start_desk(folder: Path, *, wait: bool = True, port: int | None = None, **environment: str) -> Desk:
    """Starts `streamlit run dashboard.py` with its data in `folder`; settings as keyword arguments."""
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard.py"), f"--server.port={port}"]
    with (folder / "desk.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=_environment(folder, environment), stdout=log, stderr=subprocess.STDOUT
        )
    desk = Desk(f"http://127.0.0.1:{port}", folder, process)
    if wait:
        _wait_until_it_answers(desk)
    return desk


def _environment(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    inherited = {
        k: v for k, v in os.environ.items() if not k.startswith(("STRIPE_", "DATABASE_", "SANDBOX_"))
    }
    return inherited | {"DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"} | dict(settings)


def _wait_until_it_answers(desk: Desk) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if desk.process.poll() is not None:
            raise DeskDidNotStart(f"ended with {desk.process.returncode}:\n{desk.log[-3000:]}")
        try:
            requests.get(f"{desk.url}/healthz", timeout=1)
            return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.1)
    raise DeskDidNotStart(f"silent for {START_SECONDS} s:\n{desk.log[-3000:]}")
