"""Sandboxes and other programs that start in no time: children of one process that has imported them once.

`python -m tests.support.nursery` reads one request a line from stdin and answers each with a line: what to
start, or whose end is asked for. `Nursery` is its other side, `Child` one program that runs.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Child:
    """A program's process: `pid`, and what subprocess.Popen has."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery, self.pid = nursery, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        if self.returncode is None:
            self.returncode = self._nursery.ask(ended=self.pid)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """The exit code once it has ended; fails after so many seconds."""
        until = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise TimeoutError(f"process {self.pid} still runs after {timeout} s")
            time.sleep(0.01)
        return code

    def terminate(self) -> None:
        """Asks it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once."""
        self._send(signal.SIGKILL)

    def _send(self, what: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, what)


class Nursery:
    """The process that starts programs; it ends with this one, and so do they."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.support.nursery"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._lock = threading.Lock()

    def start(
        self, program: str, arguments: list[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> Child:
        """Calls a module's `main` with these arguments, as `python -m` would; what it prints is added to the
        log. Without an environment it has the nursery's."""
        given = dict(environment) if environment is not None else None
        return Child(self, self.ask(start=program, arguments=arguments, log=str(log), environment=given))

    def ask(self, **request: Any) -> Any:
        """The answer to one request."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


@cache
def nursery() -> Nursery:
    """The one of this process."""
    return Nursery()


def _serve() -> None:
    ended: dict[int, int | None] = {}
    while line := sys.stdin.readline():
        request = json.loads(line)
        if "start" in request:
            program = importlib.import_module(request["start"])  # before the fork: the next child has it, too
            answer: int | None = os.fork()
            if not answer:
                _be(program, request)
            ended[answer or 0] = None
        else:
            answer = ended[request["ended"]] = _end_of(request["ended"], ended)
        print(json.dumps(answer), flush=True)
    for pid in ended:
        if _end_of(pid, ended) is None:
            os.kill(pid, signal.SIGTERM)


def _end_of(pid: int, ended: dict[int, int | None]) -> int | None:
    if ended[pid] is not None:
        return ended[pid]
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _be(program: Any, request: dict[str, Any]) -> None:
    """The child's whole life."""
    code = 1
    try:
        with Path(os.devnull).open("rb") as nothing, Path(request["log"]).open("ab") as written:
            for source, target in ((nothing, 0), (written, 1), (written, 2)):
                os.dup2(source.fileno(), target)
        if request["environment"] is not None:
            os.environ.clear()
            os.environ.update(request["environment"])
        code = program.main(request["arguments"]) or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
        print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
