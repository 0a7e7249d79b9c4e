"""`python -m services.metrics report` as people run it: a process, its output, its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa

from services import migrations
from services.metrics import __main__ as command
from tests.metrics import company
from tests.support.nursery import ROOT, nursery

pytestmark = pytest.mark.both_databases


def environment(folder: Path, **settings: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("STRIPE_", "DATABASE_", "WORKSPACE_"))}
    return kept | {"DATA_DIR": str(folder), "PYTHONPATH": str(ROOT)} | settings


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """As people run it, in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "services.metrics", *arguments],
        cwd=folder, env=environment(folder, **settings), capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


def asked(folder: Path, url: str, *arguments: str) -> tuple[int, str]:
    """Its exit code and what it says; from a process that has imported everything already."""
    log = folder / "command.log"
    log.unlink(missing_ok=True)
    running = nursery().start(
        "services.metrics.__main__", ["report", *arguments], log, environment(folder, DATABASE_URL=url)
    )
    return running.wait(120), log.read_text()


@pytest.fixture
def migrated(database: ModuleType) -> ModuleType:
    """A company in a database that the desk of this version has prepared."""
    with database.engine().execution_options(writes=True).begin() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
        connection.execute(sa.text(f"INSERT INTO alembic_version VALUES ('{migrations.newest()}')"))
    company.found(database)
    return database


def test_it_writes_the_last_whole_month_by_the_accounts_clock(
    migrated: ModuleType, database_url: str, tmp_path: Path
) -> None:
    done = run(tmp_path, "report", DATABASE_URL=database_url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "monthly-report-2026-05.html\n", "")
    assert "<h1>May 2026</h1>" in (tmp_path / "monthly-report-2026-05.html").read_text()


def test_another_month_another_file_and_what_cannot_be(
    migrated: ModuleType, database_url: str, tmp_path: Path
) -> None:
    out = tmp_path / "april.html"
    assert asked(tmp_path, database_url, "--month", "2026-04", "--out", str(out)) == (0, f"{out}\n")
    assert "<h1>April 2026</h1>" in out.read_text()
    code, said = asked(tmp_path, database_url, "--month", "2026-03", "--out", "-")
    assert code == 0 and said.startswith("<!doctype html>") and said.endswith("</html>")
    for arguments, why in (
        (["--month", "2026-13"], "“2026-13” is not a month."),
        (["--month", "2026-06"], "2026-06 is not over yet in UTC. The last one is 2026-05."),
        (["--month", "2020-01"], "Nothing is known of 2020-01. The first month is 2026-02."),
        (["--out", str(tmp_path)], "cannot be written: Is a directory."),
    ):
        code, said = asked(tmp_path, database_url, *arguments)
        assert code == 2 and why in said and "Traceback" not in said, said


def test_before_anything_is_counted_it_says_so(
    database: ModuleType, database_url: str, tmp_path: Path
) -> None:
    code, said = asked(tmp_path, database_url)
    assert code == 2 and "The database is empty. Start the desk once" in said
    with database.engine().execution_options(writes=True).begin() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES ('0001')"))
    code, said = asked(tmp_path, database_url)
    assert code == 2 and "prepared by another version of Trialdesk (step 0001)" in said
    with database.engine().execution_options(writes=True).begin() as connection:
        connection.execute(sa.text(f"UPDATE alembic_version SET version_num = '{migrations.newest()}'"))
    code, said = asked(tmp_path, database_url)
    assert code == 2 and "No numbers have been counted yet." in said


def test_where_there_is_no_database_none_is_made(tmp_path: Path) -> None:
    done = run(tmp_path, "report")
    assert done.returncode == 2 and f"There is no database at {tmp_path}/sandbox.db." in done.stderr
    assert list(tmp_path.iterdir()) == []
    away = run(tmp_path, "report", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert away.returncode == 2 and "The database cannot be reached" in away.stderr
    assert "Traceback" not in done.stderr + away.stderr


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main([])
    assert "report" in capsys.readouterr().err
