"""How are an account's lists read by several threads at once, for one that writes what they read?

Each thread takes a window of the plan, reads its next page and takes it apart. Pages of a window come in the
order in which they were read, and no more of them wait to be written than memory has room for.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from services.errors import TrialdeskError
from services.mirror import complete, cursors, events
from services.mirror.batch import Batch
from services.mirror.shapes import UnreadableObject
from services.mirror.shapes.reading import Object, Row
from services.mirror.windows import Plan, Saved, Window
from services.stripe_api import client, errands
from services.stripe_api.client import Page
from services.stripe_api.failures import ObjectMissing, RightMissing

_READERS = 24  # of which so many are under way at Stripe's limits when an answer takes a quarter of a second
_WAITING = 16  # pages that are read and not written yet: bounds the memory
_ROWS = 700  # in a transaction, unless one page has more: SQLite's writer is held for less than 100 ms
Stop = Callable[[], bool]
Failed = Callable[[str, TrialdeskError], None]


@dataclass(slots=True)
class ReadPage:
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

    @property
    def ends_a_window(self) -> bool:
        """Whether nothing is left of a window behind it."""
        return any(window["done"] for window in self.windows)


class Readers:
    """Threads that read pages and take them apart, for one that writes them.

    Pages of a window are written in the order in which they were read. There is room for so many pages.
    `failed` is told, in the thread, which resource stands still and why.
    """

    def __init__(self, listed: Iterable[Window], stop: Stop, failed: Failed) -> None:
        self.errors: list[TrialdeskError] = []
        self._plan, self._stop, self._failed = Plan[ReadPage](listed, self._keep, _delay, _part), stop, failed
        self._read: queue.SimpleQueue[ReadPage | Exception | None] = queue.SimpleQueue()
        self._left_over: list[ReadPage | Exception | None] = []
        self._room = threading.Semaphore(_READERS + _WAITING)
        self._threads = [errands.thread(self._work, f"pull-{n}") for n in range(_READERS)]

    def pages(self) -> Iterator[list[ReadPage]]:
        """What was read, as much as one transaction takes, until all is. Raises what nobody foresaw."""
        for thread in self._threads:
            thread.start()
        working = _READERS
        while working:
            found = self._some()
            if read := [one for one in found if isinstance(one, ReadPage)]:
                for _ in (one for one in read if not one.is_split):
                    self._room.release()
                yield read
            for one in found:
                if isinstance(one, Exception):
                    raise one
            working -= found.count(None)

    def _some(self) -> list[ReadPage | Exception | None]:
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
        self._room.release(_READERS)
        for thread in self._threads:
            if thread.ident is not None:  # else it could not even be started
                thread.join()

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

    def _keep(self, rows: list[Saved], read: ReadPage | None) -> None:
        read = read or ReadPage(rows[0]["resource"], is_split=True)
        read.windows = rows
        self._read.put(read)

    def drop(self, resource: str) -> None:
        """Reads no more of a resource."""
        self._plan.drop(resource)

    def give_up(self, resource: str, error: TrialdeskError) -> None:
        """Notes why a resource stands still, and goes on with the others."""
        self._failed(resource, error)
        if not isinstance(error, RightMissing):
            self.errors.append(error)
        self._plan.drop(resource)


def _delay(resource: str) -> float:
    return client.account().pacer.delay(cursors.listing(resource)[0])


def _part() -> float:
    return client.account().pacer.part


def _page(window: Window) -> Page:
    path, params = cursors.listing(window.resource)
    try:
        return client.account().page(path, {**params, **window.params()})
    except ObjectMissing:
        if window.cursor is None:
            raise
    window.step_over()
    return client.account().page(path, {**params, **window.params()})


def _take_apart(resource: str, page: Page) -> ReadPage:
    """A page's objects, and apart from them those of a shape that we do not know."""
    read = ReadPage(resource, len(page.objects))
    if resource == cursors.HISTORY:
        for event in page.objects:
            try:
                read.events.append(events.row(event))
            except (KeyError, TypeError, AttributeError):
                unread = UnreadableObject("event", str(event.get("id")), events.lacking(event))
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


def _size(one: ReadPage | Exception | None) -> int:
    return one.size if isinstance(one, ReadPage) else 0
