"""Who counts, and when? Facts and cells follow the tables a moment later, a few customers at a time.

Whatever changes about customers is noted with the change (`waiting`); one process of the installation counts
them anew in short transactions, so that neither pages nor writers wait. Where the terms change (the zone that
days are cut in, or the definitions), everybody's facts are counted, a new generation of cells is made beside
the one that pages read, and takes its place when it is whole.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col

from models import MetricsState
from services import changes, clock, database, locks
from services.errors import TrialdeskError, Unforeseen
from services.metrics.counting import calendar, rollups, waiting
from services.metrics.counting.calendar import Calendar
from services.metrics.counting.rollups import Book, News
from services.metrics.revenue import mrr

VERSION = 1  # of the definitions: another one has everything counted anew
_LOCK = "counting"
_FEWEST, _MOST = 50, 1_000  # customers at once
_HOLD = 0.06  # seconds that a transaction may take: SQLite's other writers wait so long
_AGAIN = 3_600  # seconds until a customer is tried again with whom counting failed
_MARK = 5_000  # customers at once
_log = logging.getLogger(__name__)
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Progress:
    """`left` of `waiting` customers are to be counted. `is_building`: all of them anew; pages show what was
    counted before until then, where that `exists`."""

    left: int
    waiting: int
    is_building: bool
    exists: bool

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return 1 - self.left / self.waiting if self.waiting else 0.0


def progress(session: Session) -> Progress:
    """How far counting is."""
    state = session.get(MetricsState, 1) or MetricsState()
    left = waiting.left(session, clock.now())
    return Progress(left, max(left, state.waiting), is_building=not state.terms, exists=state.generation > 0)


def begin_exact(session: Session, at: int) -> None:
    """Notes, once, that from an instant (UTC seconds) on every change of a subscription is in the log."""
    state = _state(session)
    if state.exact_since is None:
        state.exact_since = at


def exact_since(session: Session) -> int | None:
    """From when on history is exact (UTC seconds); None before the whole account was read."""
    state = session.get(MetricsState, 1)
    return state.exact_since if state else None


def _state(session: Session) -> MetricsState:
    """The one row, made where it is missing."""
    state = session.get(MetricsState, 1)
    if state is None:
        state = MetricsState()
        session.add(state)
    return state


def is_due(zone: ZoneInfo) -> bool:
    """Whether there is anything to count."""
    with database.session() as session:
        state = session.get(MetricsState, 1)
        agreed = state is not None and state.terms == _terms(zone)
        return not agreed or waiting.left(session, clock.now()) > 0


def _terms(zone: ZoneInfo) -> str:
    return f"{VERSION} {zone.key} {' '.join(sorted(mrr.deducted()))}"


def work(books: Sequence[Book], zone: ZoneInfo, stop: Stop = lambda: False) -> int:
    """Counts everybody who is due; returns how many that were. Not while another process does."""
    with locks.alone(_LOCK) as lock:
        if lock is None:
            return 0
        _agree(_terms(zone), stop)
        work = _Work(books, calendar.of(zone), not _is_building(), lock.confirm)
        counted = _count_due(work, stop)
        if not stop() and not work.move:
            _rebuild(work, stop)
        return counted


def _agree(terms: str, stop: Stop) -> None:
    """Has everybody counted anew where what stands was counted under other terms."""
    with database.transaction() as session:
        if _state(session).wanted == terms:
            return
    last: str | None = ""
    while last is not None and not stop():
        with database.transaction() as session:
            last = waiting.mark_all(session, last, _MARK)
            if last is None:
                state = _state(session)
                state.wanted, state.terms = terms, ""  # facts and cells go apart until the rebuild


def _is_building() -> bool:
    with database.session() as session:
        state = session.get(MetricsState, 1)
        return state is not None and not state.terms


@dataclass(frozen=True, slots=True)
class _Work:
    """How to count: `days` are the workspace's, `move` whether cells move along, `confirm` as in locks."""

    books: Sequence[Book]
    days: Calendar
    move: bool
    confirm: locks.Confirm


def _count_due(work: _Work, stop: Stop) -> int:
    counted, many = 0, _FEWEST
    _note_waiting()
    while not stop():
        with database.session() as session:
            seen = waiting.due(session, clock.now(), many)
        if not seen:
            break
        held = _count(work, seen)
        counted += len(seen)
        many = max(_FEWEST, min(_MOST, round(len(seen) * _HOLD / max(held, 0.001))))
    return counted


def _note_waiting() -> None:
    with database.transaction() as session:
        _state(session).waiting = waiting.left(session, clock.now())


def _count(work: _Work, seen: Mapping[str, int]) -> float:
    """Counts those who are due; each by itself where it goes wrong with one of them. Returns for how long
    (seconds) it kept other writers waiting."""
    try:
        return _count_together(work, seen)
    except Exception as error:
        if _is_nobodys_fault(error):
            raise
        _count_apart(work, seen)
        return _HOLD


def _count_together(work: _Work, seen: Mapping[str, int]) -> float:
    """Each book is read before its transaction: others may write meanwhile, and mark what they change."""
    customers, now, held = sorted(seen), clock.now(), 0.0
    due: dict[str, int] = {}
    for book in work.books:
        with database.session() as session:
            news = rollups.compare(session, book, customers, now, work.days)
        if news.put or news.gone:
            held = max(held, _write(work, book, news))
        for customer, at in news.due.items():
            due[customer] = min(at, due.get(customer, at))
    with database.transaction() as session:
        waiting.settle(session, seen, due)
        work.confirm()
    return held


def _write(work: _Work, book: Book, news: News) -> float:
    """Returns for how long (seconds) it kept other writers waiting."""
    with database.transaction() as session:
        begun = time.monotonic()
        rollups.apply(session, book, news, work.days, move=work.move)
        if work.move:
            changes.note(session)
        work.confirm()
    return time.monotonic() - begun


def _count_apart(work: _Work, seen: Mapping[str, int]) -> None:
    """Where it goes wrong with all of several, no customer is to blame: raises what went wrong."""
    failed: dict[str, Exception] = {}
    for customer, mark in seen.items():
        try:
            _count_together(work, {customer: mark})
        except Exception as error:
            if _is_nobodys_fault(error):
                raise
            failed[customer] = error
            if len(failed) == len(seen) > 1:
                raise
    for customer, why in failed.items():
        _give_up(customer, seen[customer], why)


def _is_nobodys_fault(error: Exception) -> bool:
    of_database = database.is_passing(error) or database.is_ill(error)
    return isinstance(error, TrialdeskError) or of_database


def _give_up(customer: str, mark: int, error: Exception) -> None:
    """Counting goes on without the customer, of whom System tells, and who is tried again later."""
    problem = Unforeseen("The customer could not be counted: something went wrong in the desk", error)
    _log.error("%s could not be counted (reference %s).", customer, problem.reference, exc_info=error)
    with database.transaction() as session:
        waiting.settle(session, {customer: mark}, {customer: clock.now() + _AGAIN}, error=str(problem))


def _rebuild(work: _Work, stop: Stop) -> None:
    """Makes a new generation of cells of all facts, and has pages read it."""
    standing, begun = _begin(work)
    for book in work.books:
        for each in book.sums:
            rollups.keep_only(each.cells, standing, work.confirm)  # one that was not finished goes
        rollups.fill(book, begun, work.days, stop, work.confirm)
        if stop():
            return
    with database.transaction() as session:
        state = _state(session)
        state.generation, state.terms = begun, state.wanted
        changes.note(session)
        work.confirm()
    for each in (each for book in work.books for each in book.sums):
        rollups.keep_only(each.cells, begun, work.confirm)


def _begin(work: _Work) -> tuple[int, int]:
    """The generation that stands, and the number of a new one. None is given twice: whoever has lost the lock
    without knowing adds to cells that nobody will read."""
    s = MetricsState
    begin = sa.update(s).values(begun=col(s.begun) + 1).returning(col(s.generation), col(s.begun))
    with database.transaction() as session:
        standing, begun = session.execute(begin).one()
        work.confirm()
    return standing, begun


class Counter:
    """A thread that counts what is due, once a second, from the moment that `ready` says so."""

    def __init__(
        self, books: Sequence[Book], zone: ZoneInfo, ready: Callable[[], bool], every: float = 1.0
    ) -> None:
        self._books, self._zone, self._ready, self._every = books, zone, ready, every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="counting", daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the transaction under way. Blocking."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                if self._ready() and is_due(self._zone):
                    work(self._books, self._zone, self._stopping.is_set)
            except TrialdeskError as error:
                _log.warning("The numbers could not be counted: %s", error)
            except Exception as error:
                if away := database.absence(error):
                    _log.warning("The numbers could not be counted: %s", away)
                else:
                    _log.exception("Counting failed.")
