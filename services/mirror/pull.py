"""How does the whole account get into the tables?

Each resource is listed newest first, in windows of time (services/mirror/windows) that several threads fetch
and one thread writes: a few pages a transaction, and with them how far their windows are. Whatever stops it,
it goes on where it was. What changes meanwhile comes with the events, which are read from before the first
page on. Facts are derived when all is there.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from models import Workspace
from services import clock, database, locks
from services.errors import TrialdeskError
from services.mirror import (
    aside,
    complete,
    cursors,
    events,
    facts,
    orphans,
    progress,
    rates,
    shapes,
    vanished,
    windows,
)
from services.mirror.batch import Batch
from services.mirror.shapes import UnreadableObject
from services.mirror.shapes.reading import Object, Row
from services.mirror.tables import chunks
from services.mirror.windows import Plan, Saved, Window
from services.mirror.writer import write_rows
from services.stripe_api import client
from services.stripe_api.client import Page
from services.stripe_api.failures import ObjectMissing, RightMissing

READERS = 16
_WAITING = 16  # pages that are read and not written yet: bounds the memory
_ROWS = 700  # in a transaction, unless one page has more: SQLite's writer is held for less than 100 ms
_DERIVED_AT_ONCE = 200  # customers in a transaction
Stop = Callable[[], bool]
Confirm = Callable[[], None]


@dataclass(slots=True)
class _Read:
    """A page of a window, taken apart, and the windows' rows that are saved with it."""

    resource: str
    objects: int = 0
    windows: list[Saved] = field(default_factory=list)
    batch: Batch = field(default_factory=Batch)
    events: list[Row] = field(default_factory=list)
    unreadable: list[tuple[Object, UnreadableObject, int]] = field(default_factory=list)
    is_split: bool = False

    @property
    def size(self) -> int:
        """How many rows it holds."""
        return self.batch.size + len(self.events)


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


def whole_account(stop: Stop = lambda: False) -> None:
    """Pulls all that is not pulled yet, and derives the facts.

    Safe to call again at any time: it goes on where it was. `stop` ends it early, between two pages. Raises
    the first error once the other resources are done; a resource that the key may not read is left out.
    Does nothing while another process pulls: two would number their windows alike. Raises LockLost, with
    nothing more written, where another may have begun meanwhile.
    """
    with locks.alone("pull") as lock:
        if lock is None:
            return
        begin()
        resources(cursors.unfinished(), stop, lock.confirm)
        if not stop() and not cursors.complete():
            finish(lock.confirm)


def resources(names: Collection[str], stop: Stop = lambda: False, confirm: Confirm = lambda: None) -> None:
    """Lists these resources to their end. Raises the first error once the others are done.

    `confirm` is called before each commit, and raises where nothing more may be written.
    """
    with database.transaction() as session:
        for name in names:
            cursors.begin(session, name)
        pulling = _Pulling(windows.load(session, names), stop)
    try:
        for pages in pulling.pages():
            _store_apart(pulling, pages, confirm)
    finally:
        pulling.end()
    if pulling.errors:
        raise pulling.errors[0]


def _store_apart(pulling: _Pulling, pages: list[_Read], confirm: Confirm) -> None:
    """Stores pages together; where the database refuses what one holds, each by itself, and then each row."""
    try:
        dropped = _store(pages, confirm)
    except aside.REFUSED:
        if len(pages) > 1:
            for page in pages:
                _store_apart(pulling, [page], confirm)
            return
        dropped = _store([_stored_row_by_row(pages[0])], confirm)
    for resource in dropped:
        pulling.drop(resource)


def _stored_row_by_row(page: _Read) -> _Read:
    """What is left of a page when its rows are stored, or put aside: how far its window is."""
    aside.write(page.batch)
    aside.one_by_one(({"object": "event", **row}, partial(events.save, found=[row])) for row in page.events)
    return replace(page, batch=Batch(), events=[])


def finish(confirm: Confirm = lambda: None) -> None:
    """What follows the last page: rows that no list has, customers that only others name, rates and facts.

    `confirm` is called before commits, and raises where nothing more may be written.
    """
    with database.transaction() as session:
        cursors.begin(session, cursors.DERIVED)
        confirm()
    try:
        vanished.read_again()
        orphans.adopt()
    except TrialdeskError as error:
        cursors.fail(cursors.DERIVED, str(error))
        raise
    for some in chunks(facts.everyone(), _DERIVED_AT_ONCE):
        with database.transaction() as session:
            rates.refresh(session, some)
            facts.refresh(session, some)
            confirm()
    with database.transaction() as session:
        cursors.finish(session, cursors.DERIVED)
        workspace = session.get(Workspace, 1)
        if workspace is not None:
            workspace.pulled_at, workspace.last_error = clock.now(), ""
        confirm()


class _Pulling:
    """Threads that read pages and take them apart, for one that writes them.

    Pages of a window are written in the order in which they were read. There is room for so many pages.
    """

    def __init__(self, listed: Iterable[Window], stop: Stop) -> None:
        self.errors: list[TrialdeskError] = []
        self._plan, self._stop = Plan[_Read](listed, self._keep), stop
        self._read: queue.SimpleQueue[_Read | Exception | None] = queue.SimpleQueue()
        self._left_over: list[_Read | Exception | None] = []
        self._room = threading.Semaphore(READERS + _WAITING)
        self._readers = [threading.Thread(target=self._work, name=f"pull-{n}") for n in range(READERS)]

    def pages(self) -> Iterator[list[_Read]]:
        """What was read, as much as one transaction takes, until all is. Raises what nobody foresaw."""
        for reader in self._readers:
            reader.start()
        working = READERS
        while working:
            found = self._some()
            if read := [one for one in found if isinstance(one, _Read)]:
                self._room.release(sum(not one.is_split for one in read))
                yield read
            for one in found:
                if isinstance(one, Exception):
                    raise one
            working -= found.count(None)

    def _some(self) -> list[_Read | Exception | None]:
        """As much as one transaction takes, one page at least; waits for it."""
        found = [self._left_over.pop() if self._left_over else self._read.get()]
        rows = _size(found[0])
        while not self._read.empty():
            one = self._read.get()
            if rows + _size(one) > _ROWS:
                self._left_over.append(one)
                break
            found.append(one)
            rows += _size(one)
        return found

    def end(self) -> None:
        """Lets the threads come to their end."""
        self._plan.close()
        self._room.release(READERS)
        for reader in self._readers:
            if reader.ident is not None:  # else it could not even be started
                reader.join()

    def _work(self) -> None:
        try:
            while self._room.acquire() and (window := self._plan.take()) is not None:
                if self._stop():
                    self._plan.close()
                elif not self._next(window):
                    self._room.release()
        except Exception as unforeseen:
            self._read.put(unforeseen)
        finally:
            self._read.put(None)

    def _next(self, window: Window) -> bool:
        try:
            page = _page(window)
            read = _take_apart(window.resource, page)
        except TrialdeskError as error:
            self.give_up(window.resource, error)
            return False

        self._plan.give_back(window, page, read)
        return True

    def _keep(self, rows: list[Saved], read: _Read | None) -> None:
        read = read or _Read(rows[0]["resource"], is_split=True)
        read.windows = rows
        self._read.put(read)

    def drop(self, resource: str) -> None:
        """Reads no more of a resource."""
        self._plan.drop(resource)

    def give_up(self, resource: str, error: TrialdeskError) -> None:
        """Notes why a resource stands still, and goes on with the others."""
        denied = isinstance(error, RightMissing)
        cursors.fail(resource, str(error), denied=denied)
        if not denied:
            self.errors.append(error)
        self._plan.drop(resource)


def _page(window: Window) -> Page:
    path, params = _listing(window.resource)
    try:
        return client.account().page(path, {**params, **window.params()})
    except ObjectMissing:
        if window.cursor is None:
            raise
    window.step_over()
    return client.account().page(path, {**params, **window.params()})


def _listing(resource: str) -> tuple[str, dict[str, object]]:
    if resource == cursors.HISTORY:
        return "/v1/events", {}
    kind = shapes.KINDS[cursors.RESOURCES[resource]]
    return kind.path, kind.list_params()


def _take_apart(resource: str, page: Page) -> _Read:
    """A page's objects, and apart from them those of a shape that we do not know."""
    read = _Read(resource, len(page.objects))
    if resource == cursors.HISTORY:
        for event in page.objects:
            try:
                read.events.append(events.row(event))
            except (KeyError, TypeError, AttributeError) as error:
                unread = UnreadableObject("event", str(event.get("id")), repr(error))
                read.unreadable.append((event, unread, page.as_of))
        return read
    sources = [complete.whole(source) for source in page.objects]
    try:
        read.batch = _together(sources, page.as_of)
    except UnreadableObject:
        for source in sources:
            try:
                read.batch.absorb(_together([source], page.as_of))
            except UnreadableObject as error:
                read.unreadable.append((source, error, page.as_of))
    return read


def _together(sources: list[Object], as_of: int) -> Batch:
    batch = Batch()
    for source in sources:
        batch.add(source, as_of)
    return batch


def _store(pages: list[_Read], confirm: Confirm) -> set[str]:
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
        stopped = {page.resource for page in pages if cursors.of(session, page.resource).state != "running"}
        for page in pages:
            if page.resource not in stopped:
                windows.save(session, page.windows)
                cursors.of(session, page.resource).fetched += page.objects
        for resource in {page.resource for page in pages} - stopped:
            if windows.is_listed(session, resource):
                cursors.finish(session, resource)
                windows.forget(session, resource)
        confirm()
    return stopped


def _size(one: _Read | Exception | None) -> int:
    return one.size if isinstance(one, _Read) else 0
