"""The desk as people run it: `make run`'s program, Streamlit's, and another ASGI server's."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from services.security_headers import policy
from tests.support.desk import ROOT, free_port, start_desk

SMALL = {"SANDBOX_CUSTOMERS": "5", "SANDBOX_LIFE": "false"}
WITHIN = 60.0
SLOW = pytest.mark.slow  # another one like it is tried each time; a process takes seconds


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").exists() or " Z " not in Path(f"/proc/{pid}/stat").read_text()


def gone(pid: int, within: float = 10) -> bool:
    end = time.monotonic() + within
    while lives(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not lives(pid)


def sandbox_pid(url: str) -> int:
    return int(requests.get(f"{url}/_sandbox/state", timeout=5).json()["pid"])


def environment(folder: Path, **values: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("STRIPE_", "DATABASE_", "SANDBOX_"))}
    return kept | {"DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"} | SMALL | values


def first_health(url: str, process: subprocess.Popen[bytes]) -> requests.Response:
    end = time.monotonic() + WITHIN
    while time.monotonic() < end:
        assert process.poll() is None, "it ended"
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            return requests.get(f"{url}/healthz", timeout=5)
        time.sleep(0.1)
    raise AssertionError(f"no answer within {WITHIN} s")


def until_good_health(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + WITHIN
    while first_health(url, process).status_code != 200:
        assert time.monotonic() < end, f"no good health within {WITHIN} s"
        time.sleep(0.1)


def test_the_sandbox_outlives_a_killed_desk_and_ends_with_a_stopped_one(tmp_path: Path) -> None:
    killed = start_desk(tmp_path, **SMALL)
    killed.wait_until_pulled()
    pid = sandbox_pid(killed.sandbox_url)
    killed.process.kill()
    killed.process.wait()
    assert lives(pid)
    again = start_desk(tmp_path, **SMALL, STRIPE_WEBHOOK_SECRET="whsec_of_a_test")
    again.wait_until_pulled()
    assert sandbox_pid(again.sandbox_url) == pid
    with half_a_delivery(again.url):
        again.stop(signal.SIGTERM)
    assert gone(pid)
    assert "Traceback" not in again.log


def half_a_delivery(url: str) -> socket.socket:
    """A connection whose request has begun and never ends."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname or "", address.port or 0))
    connection.sendall(b"POST /webhooks/stripe HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{")
    time.sleep(0.5)  # until the server has read that
    return connection


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """What `make run` finds when everything is installed: this interpreter's environment, by VENV."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    python = venv / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for mark in ("ready-venv", "ready-run"):
        (venv / mark).touch()
    return venv


def test_what_is_installed_and_for_how_long_is_said_first(tmp_path: Path) -> None:
    python, venv = tmp_path / "python", tmp_path / "venv"
    pip = "printf '#!/bin/sh\\necho $*\\n' >$3/bin/python"
    python.write_text(f"#!/bin/sh\nmkdir -p $3/bin && {pip} && chmod +x $3/bin/python\n")
    python.chmod(0o755)
    make = ["make", "--no-print-directory", f"{venv}/ready-test", f"VENV={venv}", f"PYTHON={python}"]
    first, again = (subprocess.run(make, cwd=ROOT, capture_output=True, text=True) for _ in range(2))
    lines = first.stdout.splitlines()
    assert lines[0] == f"Installing what Trialdesk needs into {venv}: once, mostly in less than two minutes."
    assert lines[1].endswith("-r requirements.txt")
    assert lines[2].startswith("Installing what the tests need")
    assert lines[3].endswith("-r requirements-dev.txt")
    assert "Installing" not in again.stdout


@pytest.mark.parametrize(
    "how", [signal.SIGINT, *(pytest.param(how, marks=SLOW) for how in (signal.SIGTERM, signal.SIGHUP))]
)
def test_make_run_prints_its_address_and_ends_well_with_ctrl_c(
    tmp_path: Path, made: Path, how: signal.Signals
) -> None:
    port = free_port()
    with (tmp_path / "out").open("wb") as out:
        served = subprocess.Popen(
            ["make", "run", f"VENV={made}", f"PORT={port}"],
            cwd=ROOT, env=environment(tmp_path), stdout=out, stderr=out, process_group=0,
        )  # fmt: skip
    until_good_health(f"http://127.0.0.1:{port}", served)
    os.killpg(served.pid, how)  # as a terminal does: to make and to what it runs
    served.wait(30)
    said = (tmp_path / "out").read_text()
    assert f"http://localhost:{port}" in said
    assert "Traceback" not in said
    assert "make:" not in said
    assert gone(json.loads((tmp_path / "sandbox.json").read_text())["pid"])
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2)


def test_a_killed_start_takes_its_desk_and_sandbox_with_it(tmp_path: Path) -> None:
    port = free_port()
    command, settings = [sys.executable, "scripts/serve.py"], environment(tmp_path, PORT=str(port))
    with (tmp_path / "out").open("wb") as out:
        served = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=out, stderr=out)
    until_good_health(f"http://127.0.0.1:{port}", served)
    sandbox = json.loads((tmp_path / "sandbox.json").read_text())["pid"]
    second = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=30)
    assert second.returncode == 2
    assert f"in use by a desk that still runs: http://localhost:{port}" in second.stderr
    served.kill()
    served.wait()
    assert gone(sandbox, WITHIN)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2)
    assert "Traceback" not in (tmp_path / "out").read_text()


@pytest.mark.parametrize("port", ["taken", "0", "99999", "http"])
def test_a_port_that_cannot_be_used_is_a_sentence(tmp_path: Path, port: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1]) if port == "taken" else port
        ended = subprocess.run(
            [sys.executable, "scripts/serve.py"],
            cwd=ROOT, env=environment(tmp_path, PORT=number), capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    assert ended.returncode == 2
    assert number in ended.stderr
    assert bool(re.search(r"PORT=8\d00 make run", ended.stderr)) == (port == "taken")
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_port_that_is_in_use_is_not_the_one_to_take_instead(tmp_path: Path) -> None:
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):  # somebody else has it
            held.enter_context(socket.create_server(("127.0.0.1", 8600)))
        ended = subprocess.run(
            [sys.executable, "scripts/serve.py"],
            cwd=ROOT, env=environment(tmp_path, PORT="8600"), capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    assert "Port 8600 is in use" in ended.stderr
    assert "PORT=8600" not in ended.stderr


def test_a_real_account_without_sign_in_does_not_open_to_the_network(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port", str(free_port())],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
        env=environment(tmp_path, STRIPE_API_KEY="sk_test_1", STREAMLIT_SERVER_ADDRESS="0.0.0.0"),
    )  # fmt: skip
    assert ended.returncode == 2
    assert "A real account without sign-in must not answer on 0.0.0.0" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"STRIPE_API_KEY": "pk_test_1"}, "STRIPE_API_KEY must begin with"),
        pytest.param(
            {"DATA_DIR": "{file}"}, "it is a file, not a folder. Set DATA_DIR to a folder", marks=SLOW
        ),
        pytest.param({"STRIPE_API_KEY": "sk_test_a b"}, "STRIPE_API_KEY is cut off", marks=SLOW),
        pytest.param(
            {"STRIPE_API_KEY": "sk_test_1", "STRIPE_API_BASE": "stripe"},
            "STRIPE_API_BASE: “stripe” is not a link",
            marks=SLOW,
        ),
        pytest.param(
            {"STRIPE_API_KEY": "sk_test_1", "DATA_DIR": "{file}/var"}, "Cannot write to", marks=SLOW
        ),
        ({"DATABASE_URL": "postgresql://u:p@127.0.0.1:9/x"}, "The database cannot be reached"),
        pytest.param({"DATABASE_URL": "nonsense"}, "DATABASE_URL is not a database address", marks=SLOW),
    ],
)
def test_what_lets_nothing_work_ends_the_start_with_a_sentence(
    tmp_path: Path, values: dict[str, str], told: str
) -> None:
    (tmp_path / "file").touch()
    given = {name: value.format(file=tmp_path / "file") for name, value in values.items()}
    ended = subprocess.run(
        [sys.executable, "scripts/serve.py"],
        cwd=ROOT, env=environment(tmp_path, **{"PORT": str(free_port())} | given),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 2
    assert told in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "http://localhost" not in ended.stdout


def test_another_server_runs_it_too_and_strangers_are_refused(tmp_path: Path) -> None:
    port = free_port()
    with (tmp_path / "out").open("wb") as out:
        served = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "dashboard:app", "--port", str(port)],
            cwd=ROOT, stdout=out, stderr=out,
            env=environment(tmp_path, STRIPE_API_KEY="sk_test_1", STRIPE_API_BASE="http://127.0.0.1:9"),
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        health = first_health(url, served)
        assert (health.status_code, health.json()["database"]) == (503, False)
        for path in ("/", "/customers", "/failed-payments"):
            document = requests.get(url + path, timeout=10)
            assert "<title>Trialdesk</title>" in document.text
            [script] = re.findall(r"<script>(.*?)</script>", document.text, re.DOTALL)
            assert "BACKEND_BASE_URL" in script
            assert document.headers["Content-Security-Policy"] == policy(document.text)
        typed = requests.get(f"{url}/overview?as=Ada", timeout=10, allow_redirects=False)
        assert (typed.status_code, typed.headers["Location"]) == (307, "/?as=Ada")
        for path in ("/custmers", "/a/b"):
            lost = requests.get(url + path, timeout=10, allow_redirects=False)
            assert lost.status_code == 307
            assert lost.headers["Location"] == f"/not-found?{urlencode({'asked': path})}"
        alive = requests.get(f"{url}/_stcore/health", timeout=10, allow_redirects=False)
        assert (alive.status_code, alive.text) == (200, "ok")
        rebound = requests.get(f"{url}/healthz", headers={"Host": "evil.example"}, timeout=10)
        assert rebound.status_code == 403
    finally:
        served.send_signal(signal.SIGTERM)
        served.wait(30)
