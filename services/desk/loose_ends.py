"""What becomes of a command whose process died before any queue knew of it? The ledger says that it runs."""

from __future__ import annotations

import logging

from models import Action
from services import clock, database, durable
from services.desk import catalog, ledger, loading, runner
from services.errors import Unavailable

_LINK_SECONDS = 300
_log = logging.getLogger(__name__)


@durable.upkeep
def take_up() -> None:
    """Starts what the ledger says is running and no queue knows, or ends it where that is no use any more."""
    with database.session() as session:
        rows = ledger.running(session)
    for row in rows:
        try:
            _take_up(row)
        except Exception:
            _log.exception("The action %s could not be taken up; it is tried again.", row.token)


def _take_up(row: Action) -> None:
    if not catalog.find(row.command).durable:
        _give_up_old(row)
    elif durable.is_lost(f"{row.token}:{row.attempt}"):
        _start_next(row)


def _give_up_old(row: Action) -> None:
    """A link is for whoever asked: nobody waits for it any more."""
    if clock.now() - (row.started_at or 0) < _LINK_SECONDS:
        return
    error = Unavailable("The desk stopped before the link was shown.", remedy="Make another one.")
    with database.transaction() as session:
        ledger.finish(session, row.token, "failed", error=ledger.describe(error))


def _start_next(row: Action) -> None:
    with database.transaction() as session:
        partition = loading.load(session, row.customer, row.object_id).partition
        mine = ledger.next_attempt(session, row.token, row.attempt)
    if mine:
        runner.start(row, row.attempt + 1, partition)
