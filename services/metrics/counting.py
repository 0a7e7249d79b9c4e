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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from models import MetricsState
from services import changes, clock, database, locks
from services.errors import TrialdeskError, Unforeseen
from services.metrics import calendar, mrr, rollups, waiting
from services.metrics.calendar import Calendar
from services.metrics.rollups import Book

VERSION = 1  # of the definitions: another one has everything counted anew
_LOCK = "counting"
_FEWEST, _MOST = 20, 1_000  # customers in a transaction
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
        days = calendar.of(zone)
        _agree(_terms(zone), stop)
        counted = _count_due(books, days, stop, lock.confirm)
        if not stop() and _is_building():
            _rebuild(books, days, stop, lock.confirm)
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


def _count_due(books: Sequence[Book], days: Calendar, stop: Stop, confirm: locks.Confirm) -> int:
    counted, many, building = 0, _FEWEST, _is_building()
    _note_waiting()
    while not stop():
        begun = time.monotonic()
        some = _count_some(books, days, many, building, confirm)
        if not some:
            break
        counted += some
        took = max(time.monotonic() - begun, 0.001)
        many = max(_FEWEST, min(_MOST, round(some * _HOLD / took)))
    return counted


def _note_waiting() -> None:
    with database.transaction() as session:
        _state(session).waiting = waiting.left(session, clock.now())


def _count_some(
    books: Sequence[Book], days: Calendar, many: int, building: bool, confirm: locks.Confirm
) -> int:
    customers: list[str] = []
    try:
        with database.transaction() as session:
            now = clock.now()
            customers = waiting.take(session, now, many)
            _count(session, books, customers, now, days, building)
            confirm()
    except sa.exc.OperationalError:
        raise
    except Exception:
        _count_apart(books, customers, days, building, confirm)
    return len(customers)


def _count_apart(
    books: Sequence[Book], customers: list[str], days: Calendar, building: bool, confirm: locks.Confirm
) -> None:
    """Counts each by itself, as it went wrong with one of them. Where it goes wrong with all of several, no
    customer is to blame: raises what went wrong."""
    failed: dict[str, Exception] = {}
    for customer in customers:
        try:
            with database.transaction() as session:
                waiting.drop(session, [customer])
                _count(session, books, [customer], clock.now(), days, building)
                confirm()
        except sa.exc.OperationalError:
            raise
        except Exception as error:
            failed[customer] = error
            if len(failed) == len(customers) > 1:
                raise
    for customer, why in failed.items():
        _give_up(customer, why)


def _count(
    session: Session, books: Sequence[Book], customers: list[str], now: int, days: Calendar, building: bool
) -> None:
    if not customers:
        return
    due: dict[str, int] = {}
    for book in books:
        for customer, at in rollups.recount(session, book, customers, now, days, move=not building).items():
            due[customer] = min(at, due.get(customer, at))
    waiting.put_off(session, due)
    changes.note(session)


def _give_up(customer: str, error: Exception) -> None:
    """Counting goes on without the customer, of whom System tells, and who is tried again later."""
    problem = Unforeseen("The customer could not be counted: something went wrong in the desk", error)
    _log.error("%s could not be counted (reference %s).", customer, problem.reference, exc_info=error)
    with database.transaction() as session:
        waiting.drop(session, [customer])
        later = {customer: clock.now() + _AGAIN}
        waiting.put_off(session, later, error=str(problem))


def _rebuild(books: Sequence[Book], days: Calendar, stop: Stop, confirm: locks.Confirm) -> None:
    """Makes the next generation of cells of all facts, and has pages read it."""
    with database.session() as session:
        standing = rollups.generation(session)
    for book in books:
        for each in book.sums:
            rollups.keep_only(each.cells, standing)  # one that was begun and not finished goes
        rollups.fill(book, standing + 1, days, stop)
        if stop():
            return
    with database.transaction() as session:
        state = _state(session)
        state.generation, state.terms = standing + 1, state.wanted
        changes.note(session)
        confirm()
    for each in (each for book in books for each in book.sums):
        rollups.keep_only(each.cells, standing + 1)


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
