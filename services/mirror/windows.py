"""Which part of the account's time should be listed next?

A resource begins as one window over all of time. Whoever has nothing to do splits the window with most left
to list, by the density seen in it: the older half becomes a window of its own, to be listed at once.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
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
_KNOWN_BY = 8  # pages, before the density tells how far back an open end may reach
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

    def params(self) -> dict[str, Any]:
        """What asks a list for the window's next page."""
        created = {"gte": self.low or None, "lte": self.high}
        return {"created": created, "starting_after": self.cursor}

    def saved(self) -> Saved:
        """The row."""
        return {name: getattr(self, name) for name in _COLUMNS}

    def pages_left(self, listed: int) -> float:
        """About how many pages are left, by the density so far; at an open end, as many as the resource has
        `listed` objects for.
        """
        if self.done or self.reached is None or self.newest is None:
            return 0
        if not self.low:
            return listed / client.PAGE_SIZE if self.objects >= _KNOWN_BY * client.PAGE_SIZE else 0
        return (self.reached - self.low) / self._seconds_each() / client.PAGE_SIZE

    def split(self, number: int, listed: int) -> Window:
        """Gives the older half away as a new window; at an open end, what lies beyond the pages expected."""
        assert self.reached is not None
        middle = (self.reached + self.low) // 2
        if not self.low:
            middle = max(1, self.reached - math.ceil(listed * self._seconds_each()))
        older = Window(self.resource, number, self.low, middle)
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
    a window was split). It is called in the order in which they must be saved, and must not wait.
    """

    def __init__(self, windows: Iterable[Window], keep: Callable[[list[Saved], T | None], None]) -> None:
        self._open, self._keep = list[Window](), keep
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
        busy = Counter(one.resource for one in self._busy)
        free = [one for one in self._open if busy[one.resource] < AT_ONCE]
        if free:
            chosen = min(free, key=lambda one: busy[one.resource])
            self._open.remove(chosen)
            return chosen
        return self._split(one for one in self._busy if busy[one.resource] < AT_ONCE)

    def _split(self, among: Iterable[Window]) -> Window | None:
        left, _, longest = max(
            ((one.pages_left(self._listed[one.resource]), -at, one) for at, one in enumerate(among)),
            default=(0, 0, None),
        )
        if longest is None or left < _WORTH_SPLITTING:
            return None
        self._numbers[longest.resource] += 1
        older = longest.split(self._numbers[longest.resource], self._listed[longest.resource])
        self._keep([older.saved(), longest.saved()], None)
        return older


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
