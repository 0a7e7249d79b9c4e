"""A file of events or objects fills what was missed, and says which of its lines are of no use."""

from __future__ import annotations

import codecs
import json
from types import ModuleType

import pytest
from sqlmodel import select

from models import Customer, Event, InboxItem
from services.mirror import replay
from tests.mirror import truth
from tests.mirror.conftest import sqlite_only
from tests.support.sandbox import Sandbox


def line(source: object) -> bytes:
    return json.dumps(source).encode() + b"\n"


def test_missed_events_are_taken_in_and_twice_is_once(pulled: ModuleType, sandbox: Sandbox) -> None:
    since = sandbox.now()
    sandbox.advance(days=9)
    missed = truth.every(sandbox, "/v1/events", {"created": {"gte": since}})
    told = replay.run(map(line, [*missed, *missed[:5]]))
    assert told["complete"], told
    assert (told["lines"], told["new"]) == (len(missed) + 5, len(missed))
    assert truth.differences(sandbox) == []
    assert replay.run(map(line, missed))["new"] == 0


def test_an_object_is_read_again_and_is_no_event_of_the_timeline(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    customer = truth.every(sandbox, "/v1/customers")[0]
    with pulled.session() as session:
        before = len(session.exec(select(Event)).all())
    sandbox.client().v1.customers.update(customer["id"], {"name": "Now"})
    stale = customer | {"name": "Long ago"}
    told = replay.run([line(stale)])
    assert (told["complete"], told["applied"]) == (True, 1), told
    with pulled.session() as session:
        row = session.get(Customer, customer["id"])
        assert row is not None and row.name == "Now"
        assert len(session.exec(select(Event)).all()) == before


@sqlite_only
def test_lines_of_no_use_are_named_and_the_others_are_taken(pulled: ModuleType, sandbox: Sandbox) -> None:
    event = truth.every(sandbox, "/v1/events")[0]
    fresh = {**event, "id": "evt_fresh"}
    lines = [
        b"no\n",
        b"\n",
        line([1]),
        line({"object": "mandate", "id": "mandate_1"}),
        line({**fresh, "livemode": True}),
        line({**fresh, "account": "acct_2"}),
        line(fresh),
        line({"object": "event", "id": "evt_odd", "created": 5, "type": "a.b", "data": {}}),
    ]
    told = replay.run(lines)
    assert [one["line"] for one in told["first_refused"]] == [1, 3, 4, 5, 6]
    assert "not JSON" in told["first_refused"][0]["why"]
    assert "acct_2" in told["first_refused"][4]["why"]
    assert (told["complete"], told["new"], told["applied"], told["failed"]) == (False, 2, 1, 1)
    with pulled.session() as session:
        assert session.get(InboxItem, "evt_fresh") is not None


@sqlite_only
def test_lists_and_files_that_are_one_text_are_taken_as_their_members(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    event = truth.every(sandbox, "/v1/events")[0]
    fresh = [{**event, "id": f"evt_{number}"} for number in range(8)]
    by_line = [
        codecs.BOM_UTF8 + line(fresh[0]),
        line({"object": "list", "data": fresh[1:3]}),
        line(fresh[3:4]),
    ]
    assert replay.run(by_line)["new"] == 4
    printed = json.dumps({"object": "list", "data": fresh[4:6]}, indent=2).encode().splitlines(keepends=True)
    assert replay.run(printed)["new"] == 2
    an_array = [b"[" + line(fresh[6])[:-1] + b",\n", line(fresh[7])[:-1] + b"]\n"]
    assert replay.run(an_array)["new"] == 2
    two = replay.run([*printed, *printed])
    [refused] = two["first_refused"]
    assert refused == {"line": 1, "why": f"It is not JSON from line {len(printed)} on."}


@sqlite_only
def test_events_of_kinds_without_a_table_are_passed_over_and_named(
    pulled: ModuleType, sandbox: Sandbox
) -> None:
    event = truth.every(sandbox, "/v1/events")[0]
    other = {**event, "id": "evt_other", "data": {"object": {"object": "balance"}}}
    told = replay.run([line(other), line({**event, "id": "evt_fresh"})])
    assert (told["complete"], told["new"], told["applied"]) == (True, 2, 1)
    assert told["passed_over"] == {"balance": 1}


@sqlite_only
def test_a_file_with_nothing_in_it_is_refused(database: ModuleType) -> None:
    for lines in ([], [b"\n"], [b'{"object": "list", "data": []}']):
        with pytest.raises(replay.Unusable, match="nothing in the file"):
            replay.run(lines)
