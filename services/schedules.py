"""What runs when? Starts the desk's parts in order, keeps the tables fresh, and stops it all cleanly.

`running` is the lifespan of the process. The work is done by one thread, so that pages open at once and
say how far the start is; a start that fails is kept as a sentence and waits to be asked to try again.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from services import config, database, durable, locks, sandbox_process
from services.config import Settings
from services.desk import bulk_runner as _bulk_work
from services.desk import loose_ends as _desk_work
from services.errors import TrialdeskError, Unavailable, Unforeseen
from services.metrics.counting.books import BOOKS
from services.metrics.counting.counting import Counter
from services.mirror import cursors, health, opening, poll, progress, pull
from services.mirror.health import Deliveries
from services.mirror.nightly import Nightly
from services.mirror.poll import Pace
from services.mirror.worker import Worker
from services.outreach import monthly as _reports
from services.outreach import sending as _outreach_work
from services.sandbox_process import SandboxProcess
from services.staff import people
from services.stripe_api import client, reads
from services.stripe_api.sharing import Sharing

DURABLE_ROOMS = (_desk_work, _bulk_work, _outreach_work, _reports)  # known before the queues start
durable.upkeep(reads.keep)
_TRY_AGAIN_AFTER = 15.0  # seconds, when what we need did not answer
_LONGEST_PAUSE = 60.0  # seconds between two looks that fail
_TOLD_HERE = (
    Unforeseen,
    locks.LockLost,
    locks.LockUnusable,
)  # all other errors are in the tables for the banner
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Startup:
    """How far the start is. `share` (0 to 1) where the step knows it; `problem` is why it stands still."""

    step: str = "Starting"
    share: float | None = None
    problem: TrialdeskError | None = None
    ready: bool = False


class _Stopped(Exception):
    """The process ends while it starts."""


class Desk:
    """One desk's process: starts, keeps fresh, stops. `startup` is what pages read."""

    def __init__(self) -> None:
        self.startup = Startup()
        self._stopping = threading.Event()
        self._again = threading.Event()
        self._sandbox: SandboxProcess | None = None
        self._said = ""
        self.pace: Pace | None = None  # after what the last look found
        self._inbox: Worker | None = None
        self._thread = threading.Thread(target=self._work, name="desk", daemon=True)

    def start(self) -> None:
        """Begins to start in the background."""
        self._thread.start()

    def retry(self) -> None:
        """Tries again after a problem; does nothing when there is none."""
        if self.startup.problem is not None:
            self.startup = Startup()
            self._again.set()

    def ring(self) -> None:
        """Says that something has come into the inbox."""
        if self._inbox is not None:
            self._inbox.ring()

    def stop(self) -> None:
        """Stops everything that was started, the sandbox too. Blocking."""
        self._stopping.set()
        self._again.set()
        self._thread.join()
        durable.shutdown()
        _keep_reads()
        if self._sandbox is not None:
            sandbox_process.stop(self._sandbox)
        self.startup = Startup(step="Stopped")

    def _work(self) -> None:
        while not self._stopping.is_set():
            settings = self._started()
            if settings is not None:
                with Sharing(), self._applying(), _comparing(settings), _counting(settings):
                    self._keep_fresh(settings)
                return
            absent = isinstance(self.startup.problem, Unavailable)
            self._again.wait(_TRY_AGAIN_AFTER if absent else None)
            self._again.clear()

    def _started(self) -> Settings | None:
        try:
            config.settings.cache_clear()
            settings = config.settings()
            self._prepare(settings)
        except _Stopped:
            return None
        except TrialdeskError as problem:
            self._stand_still(problem)
            return None
        except Exception as error:  # whatever it is, pages must say so instead of waiting for ever
            unforeseen = Unforeseen("The desk could not start", error)
            _log.exception("The start failed (reference %s).", unforeseen.reference)
            self._stand_still(unforeseen)
            return None
        self.startup = Startup(step="Ready", ready=True)
        return settings

    def _stand_still(self, problem: TrialdeskError) -> None:
        if str(problem) != self._said:
            sys.stderr.write(f"{problem}\n")
            sys.stderr.flush()
        self._said = str(problem)
        if durable.is_launched():
            durable.shutdown()
        self.startup = replace(self.startup, problem=problem)

    def _prepare(self, settings: Settings) -> None:
        self._say("Connecting to the account")
        key, base = self._account_address(settings)
        owner = opening.account(settings, key, base)
        self._say("Preparing the database")
        opening.tables(settings, owner)
        with database.transaction() as session:
            people.prepare(session, settings.mode)
        self._say("Starting background work")
        durable.launch()

    def _account_address(self, settings: Settings) -> tuple[str, str | None]:
        if settings.stripe_api_key is not None:
            return settings.stripe_api_key.get_secret_value(), settings.stripe_api_base
        self._say("Preparing the sandbox account", 0.0)
        self._sandbox = sandbox_process.ensure(settings)
        sandbox_process.await_history(self._sandbox, self._history_so_far)
        return sandbox_process.KEY, self._sandbox.url

    def _history_so_far(self, share: float) -> None:
        if self._stopping.is_set():
            raise _Stopped
        self._say("Preparing the sandbox account", share)

    def _say(self, step: str, share: float | None = None) -> None:
        self.startup = Startup(step=step, share=share)

    @contextmanager
    def _applying(self) -> Iterator[None]:
        """What comes into the inbox is applied at once."""
        self._inbox = Worker()
        self._inbox.start()
        try:
            yield
        finally:
            self._inbox.stop()

    def _keep_fresh(self, settings: Settings) -> None:
        failures = 0
        while not self._stopping.is_set():
            failures = 0 if self._look() else failures + 1
            every = (self.pace or poll.pace(settings, Deliveries())).seconds
            if failures and self._sandbox is not None:
                _problem_of(partial(self._revive, settings, self._sandbox))
            self._stopping.wait(min(2.0**failures, _LONGEST_PAUSE) if failures else every)

    def _revive(self, settings: Settings, sandbox: SandboxProcess) -> None:
        self._sandbox = sandbox_process.revive(settings, sandbox)
        if self._sandbox.url != sandbox.url:
            client.configure(client.connect(sandbox_process.KEY, self._sandbox.url))

    def _look(self) -> bool:
        """Pulls what is missing, then takes in what has changed; False when the account did not let us.

        What has changed is looked for also while something cannot be pulled.
        """
        problems = [found for step in (self._pull, self._take_in) if (found := _problem_of(step))]
        for problem in problems:
            if isinstance(problem, _TOLD_HERE):  # told last, as a step that went well clears what was told
                _tell(problem)
        return not problems

    def _pull(self) -> None:
        if not cursors.complete():
            pull.whole_account(self._stopping.is_set)

    def _take_in(self) -> None:
        if cursors.begun():
            missed = poll.once().missed
            with database.session() as session:
                came = health.deliveries(session)
            self.pace = poll.pace(config.settings(), came, missed)


@contextmanager
def _comparing(settings: Settings) -> Iterator[None]:
    """Everything is compared with the account at its time."""
    nightly = Nightly(settings.reconcile_time, settings.zone)
    nightly.start()
    try:
        yield
    finally:
        nightly.stop()


@contextmanager
def _counting(settings: Settings) -> Iterator[None]:
    """What charts read follows what has changed."""
    counter = Counter(BOOKS, settings.zone, cursors.complete)
    counter.start()
    try:
        yield
    finally:
        counter.stop()


def _keep_reads() -> None:
    """What was read until now is in the table when the process has ended."""
    if not database.is_open():
        return
    try:
        reads.keep()
    except SQLAlchemyError:
        _log.exception("The last reads could not be counted.")


def _problem_of(step: Callable[[], object]) -> TrialdeskError | None:
    """Why the step did not get to its end; the loop lives on, the next look starts from what is stored."""
    try:
        step()
    except TrialdeskError as error:  # the tables hold it for the banner
        _log.warning("The account could not be read: %s", error)
        return error
    except Exception as error:
        if away := database.absence(error):
            _log.warning("The account could not be read: %s", away)
            return away
        problem = Unforeseen("The account could not be read: something went wrong in the desk", error)
        _log.exception("Reading the account failed (reference %s).", problem.reference)
        return problem
    return None


def _tell(problem: TrialdeskError) -> None:
    try:
        progress.trouble(str(problem))
    except SQLAlchemyError as error:  # the database itself may be what is wrong
        _log.warning("This could not be noted: %s (%s)", problem, error)


class _Process:
    desk: Desk | None = None


@asynccontextmanager
async def running() -> AsyncIterator[Desk]:
    """The desk's life: begins to start at once and yields, stops everything at the end."""
    desk = Desk()
    _Process.desk = desk
    desk.start()
    try:
        yield desk
    finally:
        _Process.desk = None
        await asyncio.to_thread(desk.stop)


def require_usable() -> None:
    """Raises ConfigurationError where no start can succeed, as far as this machine can tell by itself."""
    settings = config.load()
    if settings.mode == "sandbox" or not settings.database_url:
        database.require_folder(settings.data_dir.resolve())
    if settings.database_url:
        database.open_engine(settings.database_url).dispose()


def startup() -> Startup:
    """How far this process's start is. Without a desk (in tests) an open database is all that pages need."""
    if _Process.desk is None:
        return Startup(ready=database.is_open())
    return _Process.desk.startup


def pace() -> Pace:
    """How often this process looks for events, and why; before its first look, as if none was delivered."""
    known = _Process.desk.pace if _Process.desk is not None else None
    return known or poll.pace(config.settings(), Deliveries())


def ring() -> None:
    """Tells the desk that something has come into the inbox."""
    if _Process.desk is not None:
        _Process.desk.ring()


def retry() -> None:
    """Asks the desk to try its start again."""
    if _Process.desk is not None:
        _Process.desk.retry()
