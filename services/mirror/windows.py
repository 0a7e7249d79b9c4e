"""Which part of the account's time should be listed next?

The resource with most left goes first, as long as its endpoint takes more: it is what all wait for at last.
A resource begins as one window over all of time. Where it could be asked more often than it has windows, the
one with most left is split, by the density seen in it: the older half becomes a window of its own.
"""

from __future__ import annotations

import math
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import SyncWindow
from services import database
from services.mirror.shapes.reading import Object, instant
from services.stripe_api import client
from services.stripe_api.client import Page

AT_ONCE = 8  # requests under way to one resource: Stripe counts them by endpoint
_WORTH_SPLITTING = 10  # pages: each half then wastes part of one page, of five or more
Saved = dict[str, Any]
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Window:
    """A row of `sync_windows` while it is listed."""

    resource: str
    number: int
    low: int = 0
    high: int | None = None
    cursor: str | None = None
    newest: int | None = None
    reached: int | None = None
    objects: int = 0
    done: bool = False
    expected: float = math.inf  # pages, before the first is read

    def params(self) -> dict[str, Any]:
        """What asks a list for the window's next page."""
        created = {"gte": self.low or None, "lte": self.high}
        return {"created": created, "starting_after": self.cursor}

    def saved(self) -> Saved:
        """The row."""
        return {name: getattr(self, name) for name in _COLUMNS}

    def pages_left(self, listed: int, oldest: int) -> float:
        """About how many pages are left, by the density so far: at an open end back to the `oldest` object of
        any resource, or as many as this one has `listed` objects for.
        """
        if self.reached is None:
            return self.expected
        left = (self.reached - (self.low or oldest)) / self._seconds_each()
        return (left if self.low else max(left, listed)) / client.PAGE_SIZE

    def split(self, number: int, listed: int, oldest: int) -> Window:
        """Gives the older half away as a new window.

        An open end may be near or far: it is cut after the geometric mean of as many objects as are `listed`
        and as many as there are if it reaches back to the `oldest`.
        """
        assert self.reached is not None
        left = self.pages_left(listed, oldest)
        middle = (self.reached + self.low) // 2
        if not self.low:
            near = math.sqrt(listed * left * client.PAGE_SIZE)
            middle = max(1, self.reached - math.ceil(near * self._seconds_each()))
        older = Window(self.resource, number, self.low, middle, expected=left / 2)
        self.low = middle + 1
        return older

    def _seconds_each(self) -> float:
        assert self.reached is not None and self.newest is not None
        return (self.newest - self.reached + 1) / self.objects

    def advance(self, page: Page) -> None:
        """Notes what a page has brought."""
        if page.objects:
            self.newest = self.newest or _created(page.objects[0])
            self.reached = _created(page.objects[-1])
        self.cursor = page.cursor
        self.objects += len(page.objects)
        self.done = page.cursor is None or (self.reached or 0) < self.low

    def step_over(self) -> None:
        """Goes on by time where the object at the cursor is gone, as nothing tells its place."""
        self.cursor, self.high = None, self.reached


_KEY = ("resource", "number")
_COLUMNS = tuple(column.name for column in SyncWindow.__table__.c)  # type: ignore[attr-defined]


def _created(source: Object) -> int:
    return instant(source.get("created") or source.get("date"))  # an invoice item's time is its `date`


class Plan(Generic[T]):
    """The windows that some threads work through together.

    `keep` takes rows to be saved in one transaction, and what belongs to the page that moved them (None where
    a window was split). It is called in the order in which they must be saved, and must not wait. `delay`
    tells how many seconds a request to a resource would have to wait now, `part` how much of all requests may
    go to one resource.
    """

    def __init__(
        self,
        windows: Iterable[Window],
        keep: Callable[[list[Saved], T | None], None],
        delay: Callable[[str], float] = lambda _: 0.0,
        part: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self._open, self._keep, self._delay, self._part = list[Window](), keep, delay, part
        self._oldest = sys.maxsize
        self._numbers, self._listed = Counter[str](), Counter[str]()
        for one in windows:
            self._numbers[one.resource] = max(one.number, self._numbers[one.resource])
            self._listed[one.resource] += one.objects
            self._open += [] if one.done else [one]
        self._busy: list[Window] = []
        self._changed = threading.Condition()

    def take(self) -> Window | None:
        """The window to list a page of; waits where others may still leave some. None when all is listed."""
        with self._changed:
            while self._open or self._busy:
                if found := self._next():
                    self._busy.append(found)
                    return found
                self._changed.wait()
        return None

    def give_back(self, window: Window, page: Page, made_of_it: T) -> None:
        """Notes a page of a window, and lets others go on with it."""
        with self._changed:
            window.advance(page)
            self._oldest = min(self._oldest, window.reached or self._oldest)
            self._listed[window.resource] += len(page.objects)
            if window in self._busy:  # else its resource was dropped meanwhile
                self._busy.remove(window)
                self._open += [] if window.done else [window]
            self._keep([window.saved()], made_of_it)  # before anybody reads its next page
            self._changed.notify_all()

    def drop(self, resource: str) -> None:
        """Lists no more of a resource."""
        with self._changed:
            self._open = [one for one in self._open if one.resource != resource]
            self._busy = [one for one in self._busy if one.resource != resource]
            self._changed.notify_all()

    def close(self) -> None:
        """Lists no more of anything."""
        for resource in list(self._numbers):
            self.drop(resource)

    def _next(self) -> Window | None:
        """One of the resource that may be asked soonest; among equals, of the one with most left.

        A resource that has to wait is not split, as that may cost a request, unless its own limit makes it
        last longer than the account's makes all of them.
        """
        left, busy = defaultdict[str, float](float), Counter(one.resource for one in self._busy)
        for one in (*self._open, *self._busy):
            left[one.resource] += self._pages_left(one)
        last = self._part() * sum(left.values())
        delays = {name: self._delay(name) for name in left if busy[name] < AT_ONCE}
        for name in sorted(delays, key=lambda name: (delays[name], -left[name])):
            may_split = not delays[name] or left[name] > last
            if found := self._free(name) or (self._split(name) if may_split else None):
                return found
        return None

    def _free(self, resource: str) -> Window | None:
        found = next((one for one in self._open if one.resource == resource), None)
        if found is not None:
            self._open.remove(found)
        return found

    def _split(self, resource: str) -> Window | None:
        longest = max((one for one in self._busy if one.resource == resource), key=self._pages_left)
        if longest.reached is None or self._pages_left(longest) < _WORTH_SPLITTING:
            return None
        self._numbers[resource] += 1
        older = longest.split(self._numbers[resource], self._listed[resource], self._oldest)
        self._keep([older.saved(), longest.saved()], None)
        return older

    def _pages_left(self, window: Window) -> float:
        return window.pages_left(self._listed[window.resource], self._oldest)


def load(session: Session, resources: Collection[str]) -> list[Window]:
    """The windows of these resources, listed or not; all of time where none was made."""
    rows = session.exec(select(SyncWindow).where(col(SyncWindow.resource).in_(resources)))
    kept = [Window(**{name: getattr(row, name) for name in _COLUMNS}) for row in rows]
    begun = {one.resource for one in kept}
    return kept + [Window(name, 1) for name in resources if name not in begun]


def save(session: Session, rows: list[Saved]) -> None:
    """Saves windows, in the transaction that stores the pages that moved them; of several rows of one window
    the last counts.
    """
    if not rows:
        return
    connection = session.connection()
    insert = database.insert(SyncWindow, connection.dialect.name)
    changed = {name: insert.excluded[name] for name in _COLUMNS if name not in ("resource", "number")}
    connection.execute(
        insert.on_conflict_do_update(index_elements=["resource", "number"], set_=changed), rows
    )


def is_listed(session: Session, resource: str) -> bool:
    """Whether every window of a resource is listed to its end."""
    waiting = select(SyncWindow.number).where(
        SyncWindow.resource == resource, col(SyncWindow.done).is_(False)
    )
    return session.exec(waiting.limit(1)).first() is None


def forget(session: Session, resource: str | None = None) -> None:
    """Forgets the windows of a resource, or of all: they are listed, or are to be listed anew."""
    gone = sa.delete(SyncWindow)
    session.connection().execute(
        gone if resource is None else gone.where(col(SyncWindow.resource) == resource)
    )
