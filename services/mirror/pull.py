"""How does the whole account get into the tables?

Each resource is listed to its end, newest first, a page a transaction, and its cursor moves in the same
transaction: whatever stops it, it goes on at the page where it was. What changes meanwhile comes with the
events, which are read from before the first page on. Facts are derived when all is there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from models import Workspace
from services import clock, database
from services.errors import TrialdeskError
from services.mirror import (
    complete,
    cursors,
    events,
    facts,
    inbox,
    orphans,
    progress,
    rates,
    shapes,
    vanished,
)
from services.mirror.batch import Batch
from services.mirror.shapes import UnreadableObject
from services.mirror.shapes.reading import Object
from services.mirror.tables import chunks
from services.mirror.writer import write_rows
from services.stripe_api import client
from services.stripe_api.client import Page
from services.stripe_api.failures import ObjectMissing, RightMissing

WORKERS = 4
WINDOW = 20  # pages in one step
_DERIVED_AT_ONCE = 200  # customers in a transaction
_writing = threading.Lock()  # SQLite has one writer: waiting here is cheaper than its busy handler


def begin() -> None:
    """Prepares a pull: notes the account's time before the first page, so that no change is missed.

    A key that may not read events is told the time too, when it is refused.
    """
    try:
        now = client.account().read("/v1/events", {"limit": 1}).as_of
    except RightMissing as refused:
        now = refused.as_of
    except TrialdeskError as error:
        progress.trouble(str(error))
        raise
    cursors.prepare(now or clock.now())


def whole_account(stop: Callable[[], bool] = lambda: False) -> None:
    """Pulls all that is not pulled yet, several resources at once, and derives the facts.

    Safe to call again at any time: it goes on where it was. `stop` ends it early, between two pages. Raises
    the first error once the other resources are done; a resource that the key may not read is left out.
    """
    begin()
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="pull") as pool:
        errors = [
            error for error in pool.map(lambda name: _to_its_end(name, stop), cursors.unfinished()) if error
        ]
    if errors:
        raise errors[0]
    if not stop() and not cursors.complete():
        finish()


def window(resource: str, pages: int = WINDOW) -> bool:
    """Pulls some pages of a resource from where it stands; True when its end is reached.

    Safe to repeat. Raises what `stripe_api` raises, after noting it.
    """
    with _writing, database.transaction() as session:
        row = cursors.begin(session, resource)
        start = row.cursor
    try:
        return _pages(resource, start, pages)
    except TrialdeskError as error:
        cursors.fail(resource, str(error), denied=isinstance(error, RightMissing))
        raise


def finish() -> None:
    """What follows the last page: rows that no list has, customers that only others name, rates and facts."""
    with database.transaction() as session:
        cursors.begin(session, cursors.DERIVED)
    try:
        vanished.read_again()
        orphans.adopt()
    except TrialdeskError as error:
        cursors.fail(cursors.DERIVED, str(error))
        raise
    for some in chunks(facts.everyone(), _DERIVED_AT_ONCE):
        with _writing, database.transaction() as session:
            rates.refresh(session, some)
            facts.refresh(session, some)
    with database.transaction() as session:
        cursors.finish(session, cursors.DERIVED)
        workspace = session.get(Workspace, 1)
        if workspace is not None:
            workspace.pulled_at, workspace.last_error = clock.now(), ""


def _to_its_end(resource: str, stop: Callable[[], bool]) -> TrialdeskError | None:
    try:
        while not stop() and not window(resource):
            pass
    except RightMissing:
        return None
    except TrialdeskError as error:
        return error
    return None


def _pages(resource: str, start: str | None, pages: int) -> bool:
    cursor = start
    for _ in range(pages):
        page = _page(resource, cursor)
        _store(resource, page)
        cursor = page.cursor
        if cursor is None:
            return True
    return False


def _page(resource: str, cursor: str | None) -> Page:
    """The page after an object; the first one again where that object is gone, as nothing tells its place."""
    path, params = _listing(resource)
    try:
        return client.account().page(path, {**params, "starting_after": cursor})
    except ObjectMissing:
        if cursor is None:
            raise
    cursors.restart(resource)
    return client.account().page(path, params)


def _listing(resource: str) -> tuple[str, dict[str, object]]:
    if resource == cursors.HISTORY:
        return "/v1/events", {}
    kind = shapes.KINDS[cursors.RESOURCES[resource]]
    return kind.path, kind.list_params()


def _store(resource: str, page: Page) -> None:
    """Writes a page and moves the cursor, in one transaction."""
    history = resource == cursors.HISTORY
    batch, unreadable = (Batch(), []) if history else _batch(page)
    with _writing, database.transaction() as session:
        if history:
            events.save(session, page.objects)
        write_rows(session, batch, exact=True)
        for source, error in unreadable:
            inbox.keep_unreadable(session, source, error, page.as_of)
        row = cursors.of(session, resource)
        row.fetched += len(page.objects)
        row.cursor = page.cursor or row.cursor
        if page.cursor is None:
            cursors.finish(session, resource)


def _batch(page: Page) -> tuple[Batch, list[tuple[Object, UnreadableObject]]]:
    """A page's objects, and apart from them those of a shape that we do not know."""
    sources = [complete.whole(source) for source in page.objects]
    try:
        return _together(sources, page.as_of), []
    except UnreadableObject:
        readable, unreadable = [], []
    for source in sources:
        try:
            _together([source], page.as_of)
            readable.append(source)
        except UnreadableObject as error:
            unreadable.append((source, error))
    return _together(readable, page.as_of), unreadable


def _together(sources: list[Object], as_of: int) -> Batch:
    batch = Batch()
    for source in sources:
        batch.add(source, as_of)
    return batch
