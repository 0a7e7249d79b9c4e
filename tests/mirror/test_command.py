"""`python -m services.mirror` as people run it: a process beside nothing, its output, its exit code."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from services.mirror import __main__ as command
from services.mirror.progress import Progress, ResourceProgress
from tests.support.nursery import ROOT, nursery
from tests.support.sandbox import Sandbox, start_sandbox

CUSTOMERS = 20


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("account"), CUSTOMERS, seed=3) as sandbox:
        yield sandbox


def environment(folder: Path, account: Sandbox) -> dict[str, str]:
    inherited = {
        k: v for k, v in os.environ.items() if not k.startswith(("STRIPE_", "DATABASE_", "SANDBOX_"))
    }
    own = {"DATA_DIR": str(folder), "STRIPE_API_KEY": account.key, "STRIPE_API_BASE": account.url}
    return inherited | own


def run(
    folder: Path, account: Sandbox, *arguments: str, piped: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    """As people run it."""
    return subprocess.run(
        [sys.executable, "-m", "services.mirror", *arguments],
        cwd=ROOT, env=environment(folder, account) | settings, capture_output=True, text=True, timeout=120,
        check=False, input=piped,
    )  # fmt: skip


def backfill(folder: Path, account: Sandbox, *arguments: str) -> dict[str, Any]:
    """What one tells at its end; from a process that has imported everything already."""
    log = folder / "command.log"
    log.unlink(missing_ok=True)
    arguments = ("backfill", *arguments)
    running = nursery().start("services.mirror.__main__", list(arguments), log, environment(folder, account))
    assert running.wait(120) == 0, log.read_text()
    found: dict[str, Any] = json.loads(log.read_text().splitlines()[-1])
    return found


def test_a_backfill_tells_what_it_did_and_a_second_one_has_nothing_to_do(
    account: Sandbox, tmp_path: Path
) -> None:
    first = backfill(tmp_path, account)
    assert first["complete"] and first["requests"] > 10
    living = len(list(account.client().v1.customers.list().auto_paging_iter()))
    assert first["resources"]["customers"] == {"state": "complete", "objects": living}
    [path] = tmp_path.glob("acct_*-test.db")
    with closing(sqlite3.connect(path)) as tables:
        counted = dict(tables.execute("SELECT purpose, reads FROM stripe_reads"))
    assert counted == {"start": 1, "backfill": first["requests"]}
    assert first["objects"] == sum(one["objects"] for one in first["resources"].values())
    again = backfill(tmp_path, account)
    assert (again["objects"], again["requests"] <= 2) == (first["objects"], True)
    anew = backfill(tmp_path, account, "--anew")
    assert anew["objects"] == first["objects"] and anew["requests"] > 10


def test_what_cannot_be_done_is_a_sentence(account: Sandbox, tmp_path: Path) -> None:
    wrong = run(tmp_path, account, "backfill", STRIPE_API_KEY="sk_test_wrong")
    assert wrong.returncode == 2
    assert "key" in wrong.stderr and "Traceback" not in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay", "{folder}/nothing.jsonl"], "cannot be read: No such file"),
        (["replay", "{folder}"], "cannot be read: Is a directory"),
        (["backfill"], "The database cannot be reached"),
    ],
)
def test_what_stands_in_the_way_is_said_before_anything_begins(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@127.0.0.1:9/x")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("SANDBOX_CUSTOMERS", "0")
    assert command.main([one.format(folder=tmp_path) for one in arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "var").exists(), "the sandbox was not started for nothing"


def test_what_is_piped_is_replayed(account: Sandbox, tmp_path: Path) -> None:
    backfill(tmp_path, account)
    of_no_table = '{"object":"event","id":"evt_1","created":1,"type":"a.b","data":{"object":{"object":"a"}}}'
    lines = ['{"object": "customer", "id": "cus_gone"}', of_no_table, *["no"] * 23, ""]
    done = run(tmp_path, account, "replay", "-", piped="\n".join(lines))
    told = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, told["applied"], told["passed_over"]) == (1, 1, {"a": 1})
    assert (told["refused"], len(told["first_refused"])) == (23, 20)
    said = done.stderr.splitlines()
    assert (said[0], said[20]) == ("Line 3: It is not JSON.", "3 more are of no use.")
    assert said[-1].endswith("were passed over: a (1).")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_of_progress_counts_the_kinds_that_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    kinds = (
        ResourceProgress("customers", "complete", 900_000, 1.0),
        ResourceProgress("disputes", "denied", 0, 1.0),
        ResourceProgress("invoices", "running", 99_999, 0.5),
    )
    command._draw(Progress(kinds, False, 0.83, 999_999, None, None, None, ""), 1000.0)
    line = terminal.getvalue()
    assert "2 of 3 kinds complete, 999,999 objects" in line
    assert len(line.strip("\r").removesuffix("\x1b[K")) < 80, "else each one stays where it was written"
