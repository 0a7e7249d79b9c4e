"""The counter that tells pages to look again, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
from sqlmodel import Session

from models import SyncCursor, Workspace
from services import changes
from services.mirror import cursors, events, facts, underived
from tests.mirror import objects as o
from tests.mirror.objects import NOW


def counted(database: ModuleType) -> int:
    with database.session() as session:
        return session.get(Workspace, 1).changes


@pytest.fixture
def workspace(database: ModuleType) -> ModuleType:
    with database.transaction() as session:
        session.add(Workspace(account="acct_1", mode="test"))
        session.add(SyncCursor(resource="customers"))
    return database


def _event(session: Session) -> None:
    event = {"id": "evt_1", "created": NOW, "type": "customer.updated", "data": {"object": o.customer()}}
    events.save(session, [events.row(event)])


@pytest.mark.parametrize(
    "change",
    [
        lambda session: o.store(session, [o.customer()], NOW, exact=True),
        lambda session: facts.refresh(session, {"cus_1"}),
        lambda session: underived.refresh_now(session, "cus_1"),
        lambda session: cursors.finish(session, "customers"),
        _event,
    ],
    ids=["rows", "facts", "facts apart", "a pull's end", "events"],
)
def test_every_change_counts_once_for_its_transaction(
    workspace: ModuleType, change: Callable[[Session], object]
) -> None:
    for times in (1, 2):
        with workspace.transaction() as session:
            change(session)
            change(session)
        assert counted(workspace) == times


def test_what_is_rolled_back_or_only_read_does_not_count(workspace: ModuleType) -> None:
    with pytest.raises(ZeroDivisionError), workspace.transaction() as session:
        changes.note(session)
        raise ZeroDivisionError
    with workspace.transaction() as session:
        session.get(Workspace, 1).last_error = "not news for a page"
    assert counted(workspace) == 0


def test_rows_that_are_corrected_later_are_news_though_no_event_is(workspace: ModuleType) -> None:
    """An event of a second that is not over is stored at once; a read corrects the rows later."""
    with workspace.transaction() as session:
        _event(session)
    before = counted(workspace)
    with workspace.transaction() as session:
        o.store(session, [o.customer(name="Ada")], NOW + 1, exact=True)
        _event(session)
    assert counted(workspace) == before + 1
