"""Activity as a file: all rows of the filter, those that one may see, and how each was taken back."""

from __future__ import annotations

import csv
import io
from types import ModuleType
from typing import Any

import pytest

from models import Action
from services.desk import activity_file
from services.desk.activity import ActivityFilter
from services.errors import NotAllowed
from services.staff.roles import Person
from tests.desk.test_activity import ANA, NOBODY, SAM, START, ledger

__all__ = ["ledger"]  # the fixture


def exported(ledger: ModuleType, person: Person, **wanted: Any) -> list[dict[str, str]]:
    with ledger.session() as session:
        lines = activity_file.lines(session, person, ActivityFilter(**wanted))
        return list(csv.DictReader(io.StringIO("".join(lines), newline="")))


def test_a_row_says_who_did_what_and_what_changed(ledger: ModuleType) -> None:
    with ledger.transaction() as session:
        row = session.get_one(Action, "token-15")
        row.customer, row.reason, row.request_id, row.started_at = "cus_1", "=1+1", "req_1", 1_790_000_000
    [found] = exported(ledger, ANA, customer="sub_15")
    assert found == {
        "time": "2026-09-21T14:13:20Z", "person": "Ana", "role": "support", "action": "Extend trial",
        "customer": "cus_1", "customer_name": "100% Ada_Lovelace Élise", "object": "sub_15", "state": "done",
        "change": "Status active → canceled", "reason": "'=1+1", "comment": "", "decided_by": "",
        "stripe_request": "req_1",
    }  # fmt: skip


def test_all_rows_leave_in_the_lists_order_whatever_the_page_shows(
    ledger: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity_file, "_BATCH", 3)
    found = exported(ledger, ANA, since=START + 100)
    assert [row["object"] for row in found] == [f"sub_{n}" for n in reversed(range(1, 20)) if n % 5 != 4]


def test_who_does_not_see_all_takes_away_their_own_and_who_may_not_export_nothing(ledger: ModuleType) -> None:
    assert {row["person"] for row in exported(ledger, SAM)} == {"Sam"}
    with ledger.session() as session, pytest.raises(NotAllowed, match="export rows"):
        activity_file.lines(session, NOBODY, ActivityFilter())


@pytest.mark.both_databases  # how JSON is asked
def test_what_was_taken_back_says_so_in_both_rows(ledger: ModuleType) -> None:
    with ledger.transaction() as session:
        undo = session.get_one(Action, "token-10")
        undo.params, undo.command, undo.finished_at = {"undoes": "token-05"}, "undo_cancel", START
    changes = {row["object"]: row["change"] for row in exported(ledger, ANA, state="done", customer="cus_1")}
    when = "Sep 21, 2026, 2:13\u202fPM (UTC)"
    assert changes["sub_5"] == f"Status active → canceled. Undone by Sam, {when}"
    assert "Takes back “Cancel” by Ana, Sep 21, 2026" in changes["sub_10"]
