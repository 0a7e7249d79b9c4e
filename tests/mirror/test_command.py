"""`python -m services.mirror`: a process beside nothing, its output, its exit code."""

from __future__ import annotations

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


def run(folder: Path, account: Sandbox, *arguments: str) -> tuple[int, str]:
    """The exit code, and what it wrote."""
    log = folder / "command.log"
    log.unlink(missing_ok=True)
    running = nursery().start("services.mirror.__main__", list(arguments), log, environment(folder, account))
    return running.wait(120), log.read_text()


def last_line(folder: Path, account: Sandbox, *arguments: str, code: int = 0) -> dict[str, Any]:
    """What it tells at its end."""
    ended, told = run(folder, account, *arguments)
    assert ended == code, told
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found


def test_a_backfill_tells_what_it_did_and_a_second_one_has_nothing_to_do(
    account: Sandbox, tmp_path: Path
) -> None:
    first = last_line(tmp_path, account, "backfill")
    assert first["complete"] and first["requests"] > 10
    living = len(list(account.client().v1.customers.list().auto_paging_iter()))
    assert first["resources"]["customers"] == {"state": "complete", "objects": living}
    [path] = tmp_path.glob("acct_*-test.db")
    with closing(sqlite3.connect(path)) as tables:
        counted = dict(tables.execute("SELECT purpose, reads FROM stripe_reads"))
    assert counted == {"start": 1, "backfill": first["requests"]}
    assert first["objects"] == sum(one["objects"] for one in first["resources"].values())
    again = last_line(tmp_path, account, "backfill")
    assert (again["objects"], again["requests"] <= 2) == (first["objects"], True)
    anew = last_line(tmp_path, account, "backfill", "--anew")
    assert anew["objects"] == first["objects"] and anew["requests"] > 10


def test_what_cannot_be_done_is_a_sentence(account: Sandbox, tmp_path: Path) -> None:
    """The first one as people run it."""
    wrong = subprocess.run(
        [sys.executable, "-m", "services.mirror", "backfill"],
        cwd=ROOT, env=environment(tmp_path, account) | {"STRIPE_API_KEY": "sk_test_wrong"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "key" in wrong.stderr and "Traceback" not in wrong.stderr
    code, told = run(tmp_path, account, "replay", str(tmp_path / "nothing.jsonl"))
    assert code == 2
    assert "There is no file" in told and "Traceback" not in told


def test_a_file_is_replayed(account: Sandbox, tmp_path: Path) -> None:
    run(tmp_path, account, "backfill")
    file = tmp_path / "missed.jsonl"
    file.write_text('{"object": "customer", "id": "cus_gone"}\nno\n')
    told = last_line(tmp_path, account, "replay", str(file), code=1)
    assert told["applied"] == 1
    assert told["refused"][0]["line"] == 2
