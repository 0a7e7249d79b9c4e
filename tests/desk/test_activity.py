"""Does the ledger's list find what is asked for, and show nobody more than they may see?"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from models import Action, Staff
from services.customers import timeline
from services.desk import activity, words
from services.desk.activity import ActivityFilter
from services.staff.roles import Person, Role
from tests.customers import builders

ANA = Person(1, "Ana", "ana@example.com", Role.SUPPORT)
SAM = Person(3, "Sam", "sam@example.com", Role.SALES)
NOBODY = Person(9, "Nobody", "n@example.com", Role.VIEWER)
START = 1_790_000_000


@pytest.fixture
def ledger(database: ModuleType) -> ModuleType:
    """Actions of two people on two customers, in every state."""
    states = ("done", "failed", "unknown", "running", "open")
    with database.transaction() as session:
        builders.customer(session, "cus_1", name="100% Ada_Lovelace Élise", email="ada@example.com")
        builders.customer(session, "cus_2", name=None, email="bob@example.com")
        for number in range(20):
            person = ANA if number % 2 else SAM
            session.add(row(number, person, states[number % 5]))
    return database


def row(number: int, person: Person, state: str) -> Action:
    """One action."""
    return Action(
        token=f"token-{number:02d}",
        command="cancel" if number % 3 else "extend_trial",
        state=state,
        staff=person.id,
        staff_name=person.name,
        role=str(person.role),
        customer="cus_1" if number < 12 else "cus_2",
        object_id=f"sub_{number}",
        reason="asked 'why not?'" if number == 5 else "because",
        opened_at=START + number * 100,
        before={"status": "active", "cancel_at": None},
        after={"status": "canceled", "cancel_at": None} if state == "done" else {},
        error={"message": "No.", "remedy": "Look.", "left": "Something stands."} if state == "failed" else {},
        result={"subscription": f"sub_{number}"},
        preview={"happens": ["It ends now."], "warnings": []},
    )


def tokens(ledger: ModuleType, person: Person, **wanted: Any) -> list[int]:
    """The numbers of the actions that a filter finds, as counted and as listed."""
    with ledger.session() as session:
        found = activity.search(session, person, ActivityFilter(**wanted))
        assert activity.count(session, person, ActivityFilter(**wanted)) == len(found)
    return [int(entry.token[-2:]) for entry in found]


def test_newest_first_and_without_what_was_never_confirmed(ledger: ModuleType) -> None:
    assert tokens(ledger, ANA) == [n for n in reversed(range(20)) if n % 5 != 4]


def test_without_the_permission_one_sees_ones_own(ledger: ModuleType) -> None:
    assert tokens(ledger, SAM) == [n for n in reversed(range(20)) if n % 5 != 4 and n % 2 == 0]
    assert tokens(ledger, SAM, staff=ANA.id) == []
    assert tokens(ledger, NOBODY) == []
    with ledger.session() as session:
        session.add(Staff(id=3, email="sam@example.com", name="Sam"))
        session.add(Staff(id=1, email="ana@example.com", name="Ana"))
        session.flush()
        assert activity.people(session, ANA) == {1: "Ana", 3: "Sam"}
        assert activity.people(session, SAM) == {3: "Sam"}
        assert {entry.staff_name for entry in activity.unknown(session, SAM)} == {"Sam"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"state": "unknown"}, [17, 12, 7, 2]),
        ({"state": "open"}, [19, 14, 9, 4]),
        ({"kind": "extend_trial"}, [18, 15, 12, 6, 3, 0]),
        ({"staff": 1, "state": "done"}, [15, 5]),
        ({"customer": "cus_2", "state": "done"}, [15]),
        ({"customer": "ADA_LOVE", "state": "done"}, [10, 5, 0]),
        ({"customer": "100%"}, [11, 10, 8, 7, 6, 5, 3, 2, 1, 0]),
        ({"customer": "élise", "state": "done"}, [10, 5, 0]),
        ({"customer": "ÉLISE", "state": "done"}, [10, 5, 0]),
        ({"customer": "adaxlove"}, []),
        ({"customer": "bob@", "state": "failed"}, [16]),
        ({"customer": "sub_3"}, [3]),
        ({"since": START + 500, "until": START + 700}, [6, 5]),
        ({"words": "WHY not", "state": "done"}, [5]),
        ({"words": "asked_"}, []),
    ],
)
def test_each_filter(ledger: ModuleType, wanted: dict[str, Any], expected: list[int]) -> None:
    assert tokens(ledger, ANA, **wanted) == expected


def test_what_was_refused_as_things_had_changed_is_no_failure(ledger: ModuleType) -> None:
    with ledger.transaction() as session:
        for token, overtaken in (("token-01", True), ("token-06", False)):
            session.get(Action, token).error = {"message": "Ben was first.", "overtaken": overtaken}
    assert tokens(ledger, ANA, state="overtaken") == [1]
    assert tokens(ledger, ANA, state="failed") == [16, 11, 6]
    with ledger.session() as session:
        [entry] = activity.search(session, ANA, ActivityFilter(state="overtaken"))
        lines = timeline.latest(session, ANA, "cus_1", ["Actions"], words, limit=30).entries
    assert entry.state == "overtaken"
    assert {line.id: line.state for line in lines if line.state in ("failed", "overtaken")} == {
        "token-01": "overtaken", "token-06": "failed", "token-11": "failed"
    }  # fmt: skip


def test_pages_of_the_list_cover_it_once(ledger: ModuleType) -> None:
    with ledger.session() as session:
        pages = [activity.search(session, ANA, ActivityFilter(), offset=n, limit=5) for n in (0, 5, 10, 15)]
    assert [len(page) for page in pages] == [5, 5, 5, 1]
    assert len({entry.token for page in pages for entry in page}) == 16


def test_an_entry_is_told_in_words(ledger: ModuleType) -> None:
    with ledger.session() as session:
        done = activity.search(session, ANA, ActivityFilter(state="done", customer="cus_2"))[0]
        failed = activity.search(session, ANA, ActivityFilter(state="failed"))[0]
        assert len(activity.unknown(session, ANA)) == 4
    assert (done.title, done.customer_name, done.happens) == (
        "Extend trial",
        "bob@example.com",
        ("It ends now.",),
    )
    assert [(d.label, d.before, d.after) for d in done.differences] == [("Status", "active", "canceled")]
    assert (failed.error, failed.remedy, failed.differences) == ("No.", "Something stands. Look.", ())


def test_an_action_stands_where_it_was_confirmed_not_where_its_dialog_opened(ledger: ModuleType) -> None:
    with ledger.transaction() as session:
        session.get(Action, "token-00").started_at = START + 5000
    assert tokens(ledger, ANA)[:2] == [0, 18]
    assert tokens(ledger, ANA, since=START + 5000) == [0]
    assert 0 not in tokens(ledger, ANA, until=START + 5000)
    with ledger.session() as session:
        shown = [entry.at for entry in activity.search(session, ANA, ActivityFilter())]
    assert shown[0] == START + 5000 and shown == sorted(shown, reverse=True)
