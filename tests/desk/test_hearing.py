"""What customers say is kept in their words, told apart by who heard it, and bounded from its oldest end."""

from __future__ import annotations

import pytest

from services.desk import answering, hearing, requests
from services.desk.hearing import LONGEST_IN_ALL, MADE_WAY, MOST_AGAIN
from tests.desk.bench import ANA, Bench
from tests.desk.requested import ask, decide, held

pytestmark = pytest.mark.both_databases


def test_the_newest_words_are_kept_and_reach_stripe(desk: Bench) -> None:
    sub = desk.in_state("active").object_id
    ask(sub, None, "first", comment="a" * 2_000)
    ask(sub, ANA, "second", comment="b" * 2_000)
    assert MADE_WAY not in [each.comment for each in hearing.sayings(held("first"))]
    ask(sub, None, "third", comment="End it\nnow")
    kept = hearing.sayings(held("first"))
    assert [(each.by, each.comment[:6]) for each in kept] == [
        ("", MADE_WAY),
        ("Ana", "bbbbbb"),
        ("", "End it"),
    ]
    assert sum(len(each.comment) for each in kept) <= LONGEST_IN_ALL
    asked = answering.open(ANA, "first").answering
    assert asked and asked.cut and len(asked.form["comment"]) == 500
    assert asked.form["comment"].startswith("End it now / bbb")
    for _ in range(MOST_AGAIN):
        ask(sub, None, comment="Hello?")
    assert len(held("first").again) == MOST_AGAIN
    asked = answering.open(ANA, "first").answering
    assert asked and not asked.cut and asked.form["comment"].startswith("Hello? / Hello?")


def test_a_note_on_two_lines_stays_one_persons(desk: Bench) -> None:
    request = ask(desk.in_state("active").object_id)
    decide(
        requests.offer, request.id, "other", "ok\nNov 1, 2026, 10:00 (UTC): Ben refused it\u2028no", by=ANA
    )
    [line] = held(request.id).note.splitlines()
    assert line.endswith("Ana offered something else: ok Nov 1, 2026, 10:00 (UTC): Ben refused it no")
