"""How does the whole account get into the tables?

Each resource is listed newest first, in windows of time (services/mirror/windows) that several threads read
(services/mirror/readers) and one writes: a few pages a transaction, and with them how far their windows are.
Whatever stops it, it goes on where it was. What changes meanwhile comes with the events, which are read from
before the first page on. Facts are derived when all is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial

from sqlmodel import Session

from models import Workspace
from services import clock, database, locks
from services.errors import TrialdeskError
from services.locks import Confirm, LockLost, unguarded
from services.metrics.counting import counting
from services.mirror import (
    aside,
    cursors,
    events,
    facts,
    inbox,
    orphans,
    progress,
    shared,
    underived,
    vanished,
    windows,
)
from services.mirror.batch import Batch
from services.mirror.readers import Readers, ReadPage, Stop
from services.mirror.writer import write_rows
from services.stripe_api import client, errands
from services.stripe_api.failures import RightMissing


def begin(confirm: Confirm = unguarded, *, anew: bool = False) -> None:
    """Prepares a pull: notes the account's time before the first page, so that no change is missed.

    `anew`: of everything, whatever was pulled before; `confirm` is called before that is committed. A key
    that may not read events is told the time too, when it is refused.
    """
    try:
        now = client.account().read("/v1/events", {"limit": 1}).as_of
    except RightMissing as refused:
        now = refused.as_of
    except TrialdeskError as error:
        progress.trouble(str(error))
        raise
    now = now or clock.now()
    cursors.prepare(now)
    if anew:
        with database.transaction() as session:
            cursors.start_over(session, now)
            confirm()


@errands.on(errands.BACKFILL)
def whole_account(stop: Stop = lambda: False, *, anew: bool = False) -> bool:
    """Pulls all that is not pulled yet (everything: where asked `anew`, or events were lost since), and
    derives the facts.

    Safe to call again at any time: it goes on where it was. `stop` ends it early, between two pages. Raises
    the first error once the other resources are done; a resource that the key may not read is left out.
    Does nothing and returns False while another process pulls: two would number their windows alike. Raises
    LockLost where another may have begun meanwhile; nothing more is written then but why a resource could not
    be read.
    """
    with locks.alone("pull") as lock:
        if lock is None:
            return False
        with database.session() as session:
            has_gap = cursors.has_gap(session)
        begin(lock.confirm, anew=anew or has_gap)
        resources(cursors.unfinished(), stop, lock.confirm)
        if not stop() and not cursors.complete():
            finish(lock.confirm)
        return True


def resources(names: Collection[str], stop: Stop = lambda: False, confirm: Confirm = unguarded) -> None:
    """Lists these resources to their end. Raises the first error once the others are done.

    `confirm` is called before what was read is committed, and raises where nothing more may be written.
    """
    with database.transaction() as session:
        for name in names:
            cursors.begin(session, name)
        readers = Readers(windows.load(session, names), stop, _note_failure)
    try:
        for pages in readers.pages():
            _store_apart(readers, pages, confirm)
    finally:
        readers.end()
    if readers.errors:
        raise readers.errors[0]


def _note_failure(resource: str, error: TrialdeskError) -> None:
    cursors.fail(resource, str(error), denied=isinstance(error, RightMissing))


def _store_apart(readers: Readers, pages: list[ReadPage], confirm: Confirm) -> None:
    """Stores pages together; where the database refuses what one holds, each by itself, and then each row."""
    try:
        dropped = _store(pages, confirm)
    except aside.REFUSED:
        if len(pages) > 1:
            for page in pages:
                _store_apart(readers, [page], confirm)
            return
        dropped = _store([_stored_row_by_row(pages[0], confirm)], confirm)
    for resource in dropped:
        readers.drop(resource)


def _stored_row_by_row(page: ReadPage, confirm: Confirm) -> ReadPage:
    """What is left of a page when its rows are stored, or put aside: how far its window is."""
    aside.write(page.batch, confirm)
    told = (({"object": "event", **row}, partial(events.save, found=[row])) for row in page.events)
    aside.one_by_one(told, confirm)
    return replace(page, batch=Batch(), events=[])


def finish(confirm: Confirm = unguarded) -> None:
    """What follows the last page: rows that no list has, customers that only others name, rates and facts.

    `confirm` is called before rows and facts are committed, and raises where nothing more may be written.
    """
    with database.transaction() as session:
        cursors.begin(session, cursors.DERIVED)
        confirm()
    try:
        vanished.read_again(confirm)
        _read_later(orphans.adopt(None, confirm).unread, confirm)
    except LockLost:
        raise
    except TrialdeskError as error:
        cursors.fail(cursors.DERIVED, str(error))
        raise
    left = underived.left()
    facts.derive_in_pieces({*facts.everyone(), *shared.users(left.values())}, confirm)
    with database.transaction() as session:
        underived.forget(session, left)
        cursors.finish(session, cursors.DERIVED)
        counting.begin_exact(session, clock.now())
        workspace = session.get(Workspace, 1)
        if workspace is not None:
            workspace.pulled_at, workspace.last_error = clock.now(), ""
        confirm()


def _read_later(customers: Iterable[str], confirm: Confirm) -> None:
    """Has the inbox read what Stripe fails with now."""
    asked = [inbox.read_request(f"read_{id}_{clock.now()}", "customer", id) for id in customers]
    with database.transaction() as session:
        inbox.put(session, asked, "pull")
        confirm()


def _store(pages: list[ReadPage], confirm: Confirm) -> set[str]:
    """Writes pages and how far their windows are, in one transaction. Returns the resources that run no more,
    because a page of theirs failed or all is to be listed anew: their windows stay as they are.
    """
    batch = Batch()
    for page in pages:
        batch.absorb(page.batch)
    with database.transaction() as session:
        write_rows(session, batch, exact=True)
        events.save(session, [event for page in pages for event in page.events])
        for page in pages:
            for source, error, as_of in page.unreadable:
                aside.keep(session, source, error, as_of)
        stopped = _move_on(session, pages)
        confirm()
    return stopped


def _move_on(session: Session, pages: list[ReadPage]) -> set[str]:
    """Notes how far the windows are, and whose are all listed. Returns the resources that run no more."""
    rows = cursors.these(session, {page.resource for page in pages})
    running = {name: row for name, row in rows.items() if row.state == "running"}
    moved = [page for page in pages if page.resource in running]
    windows.save(session, [window for page in moved for window in page.windows])
    for page in moved:
        running[page.resource].fetched += page.objects
    for resource in {page.resource for page in moved if page.ends_a_window}:
        if windows.is_listed(session, resource):
            cursors.finish(session, resource)
            windows.forget(session, resource)
    return rows.keys() - running.keys()
