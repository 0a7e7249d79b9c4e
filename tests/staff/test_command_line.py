"""Staff are let in and shut out from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.staff.__main__ import main


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    for name in ("STRIPE_API_KEY", "STRIPE_ACCOUNT_ID", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_add_list_deactivate(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", "Ana@company.com", "--role", "admin", "--name", "Ana Lima"]) == 0
    assert main(["add", "bo@company.com", "--role", "sales"]) == 0
    assert main(["deactivate", "bo@company.com"]) == 0
    capsys.readouterr()
    assert main(["list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ana@company.com\tadmin\tAna Lima\tactive",
        "bo@company.com\tsales\tbo\tinactive",
    ]


def test_what_cannot_be_done_is_a_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deactivate", "eve@elsewhere.com"]) == 2
    assert "eve@elsewhere.com" in capsys.readouterr().err


def test_a_role_that_there_is_not_is_answered_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["add", "ana@company.com", "--role", "king"])
    said = capsys.readouterr().err
    assert "Role." not in said
    assert all(role in said for role in ("viewer", "support", "sales", "founder", "admin"))


def test_a_real_account_is_found_by_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_1")
    assert main(["add", "ana@company.com", "--role", "admin"]) == 2
    assert "STRIPE_ACCOUNT_ID" in capsys.readouterr().err
    monkeypatch.setenv("STRIPE_ACCOUNT_ID", "acct_1")
    assert main(["add", "ana@company.com", "--role", "admin"]) == 0
    monkeypatch.delenv("STRIPE_ACCOUNT_ID")
    capsys.readouterr()
    assert main(["list"]) == 0
    assert "ana@company.com" in capsys.readouterr().out
    assert (tmp_path / "var" / "acct_1-test.db").exists()
