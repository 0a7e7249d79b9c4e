"""Starts the desk for `make run`: says what stands in the way, then hands over to Streamlit.

PORT moves it. Ends with 0 after Ctrl-C, a polite kill or the terminal's end, with 2 and a sentence where it
cannot start. Where it is killed and can tell nobody, the desk notes it by the pipe between them.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_CANNOT_START = 2


def main() -> int:
    """Runs the desk until it ends; gives the exit code."""
    text = os.environ.get("PORT") or "8501"
    if not text.isdigit() or not 0 < int(text) < 65536:
        return _refuse(f"PORT is “{text}”, which is no port. Give a number from 1 to 65535.")
    if not _is_free(int(text)):
        another = next(filter(_is_free, (8600, 8700, 8800)), 8900)
        return _refuse(f"Port {text} is in use{_by_whom(int(text))}: PORT={another} make run")
    command = [sys.executable, "-m", "scripts.desk", "run", str(ROOT / "dashboard.py"), "--server.port", text]
    # A group of its own: Ctrl-C then reaches the desk once, through us, as the polite signal.
    desk = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, process_group=0)  # noqa: S603 - ours
    asked: list[int] = []
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the last: the terminal was closed
        if signal.getsignal(one) != signal.SIG_IGN:
            signal.signal(one, lambda number, _frame: (asked.append(number), desk.terminate()))
    code = desk.wait()
    return 0 if asked else code


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _by_whom(port: int) -> str:
    """Whether a desk answers there, and what to do about it."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=2)) as asked:
        try:
            asked.request("GET", "/healthz")
            told = json.loads(asked.getresponse().read())
        except (OSError, HTTPException, ValueError):
            told = None
    if isinstance(told, dict) and "last_pull" in told:
        return f" by a desk that still runs: http://localhost:{port}. Stop it, or start another one"
    return ". Stop what runs there, or choose another one"


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return _CANNOT_START


if __name__ == "__main__":
    sys.exit(main())
