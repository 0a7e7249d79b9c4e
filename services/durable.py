"""How does work that was begun get finished, whatever happens to the process? DBOS, set up once, here.

On SQLite its tables live in a file of their own next to the desk's (its claims take the writer), on
PostgreSQL in a schema of their own. Each process holds a numbered slot under a lock that ends with the
process; the slot's name is the `executor_id`. A process that starts in a dead one's slot resumes its
work, and a keeper in every living process does the same for slots that nobody has taken again.

PostgreSQL drops a living process's lock too when it restarts or the connection breaks. The process claims
its slot again within a round of its keeper; so others wait that long before they take it for dead.

Rules for workflows: the body holds no clock, chance, database or network, those are steps; a step may
run twice; arguments and results are ids and small plain values. Import the rooms that declare
workflows before `launch`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID
from sqlalchemy import event

from services import database, locks
from services.durable_bells import ENDS, Bells
from services.errors import Unavailable
from services.locks import Lock, LockLost

APPLICATION_VERSION = "1"  # work begun under another version is never resumed: keep it
COMMANDS = "commands"
MESSAGES = "messages"
BULK = "bulk"

_FAULTED = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_SLOTS = 64
_KEEPER_SECONDS = 15.0
_ROUND_SECONDS = _KEEPER_SECONDS + 5  # with what it does in a round
_KEPT_DAYS = 7
_BATCH = 500
_POLL_SECONDS = 1.0  # for what other processes put on a queue or end; else the bells ring
_log = logging.getLogger(__name__)
_upkeep: list[Callable[[], None]] = []


class _Standing(Protocol):
    """How a piece of work stands."""

    @property
    def is_final(self) -> bool: ...


Reached = TypeVar("Reached", bound=_Standing)


@dataclass
class _Process:
    slot: Lock | None = None
    bells: Bells | None = None
    stop: threading.Event | None = None
    keeper: threading.Thread | None = None
    free: set[str] = field(default_factory=set)  # the slots with work that the last round found free
    stopping: bool = False


_process = _Process()


def launch() -> None:
    """Starts the queues and resumes unfinished work. Blocking: call it off the event loop.

    The desk's database must be open. Raises ConfigurationError where SQLite is too old, and LockUnusable.
    """
    if _process.slot is not None:
        return
    _let_the_living_go_first()
    _process.slot = _first_free_slot()
    try:
        DBOS(config=_config(_process.slot.name))
        DBOS.launch()
        _declare_queues()
        _process.bells = Bells((COMMANDS, MESSAGES, BULK))
    except BaseException:
        shutdown()
        raise
    _process.stop = threading.Event()
    _process.keeper = threading.Thread(
        target=_keep, args=(_process.stop,), name="durable-keeper", daemon=True
    )
    _process.keeper.start()
    _do_all(*_upkeep)


def shutdown(*, patience: int = 5) -> None:
    """Stops taking work, waits up to `patience` seconds for what runs; the rest resumes at the next start."""
    if _process.stop is not None and _process.keeper is not None:
        _process.stop.set()
        _process.keeper.join()
    busy = is_launched() and _running_here()
    _process.stopping = True
    if _process.bells is not None:
        _process.bells.end()
    DBOS.destroy(workflow_completion_timeout_sec=patience if busy else 0)
    if _process.slot is not None:
        _process.slot.close()
    _process.slot = _process.bells = _process.stop = _process.keeper = None
    _process.stopping, _process.free = False, set()


def is_launched() -> bool:
    """Whether work can be started in this process: not before `launch`, not once `shutdown` began."""
    return _process.slot is not None and not _process.stopping


def living() -> dict[str, bool]:
    """The slots of the processes that are alive on this database, and whether each is this one's."""
    mine = _process.slot.name if _process.slot is not None else ""
    slots = [_slot(number) for number in range(_SLOTS)]
    held = locks.held(slots)
    return {name: name == mine for name in slots if name in held}


def require() -> None:
    """Raises Unavailable where work cannot be started in this process."""
    if not is_launched():
        raise Unavailable("The desk is starting or stopping.", remedy="Try again in a few seconds.")


def upkeep(callback: Callable[[], None]) -> Callable[[], None]:
    """Registers what a room does at launch and every 15 s after (for example: take up loose ends)."""
    _upkeep.append(callback)
    return callback


def is_lost(id: str) -> bool:
    """Whether a workflow was never put on a queue, or ended by a fault: nobody will finish it."""
    status = DBOS.get_workflow_status(id)
    return status is None or status.status in _FAULTED


def start(
    queue: str, workflow: Callable[..., Any], *args: Any, id: str, partition: str | None = None
) -> None:
    """Puts a workflow on a queue, where it begins at once; a second call with the same id does nothing.

    `partition` is needed on COMMANDS: the work of one partition runs one after another.
    Raises Unavailable before `launch`.
    """
    require()
    with SetWorkflowID(id), SetEnqueueOptions(queue_partition_key=partition):
        DBOS.enqueue_workflow(queue, workflow, *args)
    if (bells := _process.bells) is not None:
        bells.ring(queue)


def settled(read: Callable[[], Reached], seconds: float, *, every: float) -> Reached:
    """What `read` finds as soon as it is final, or how it stands after `seconds`. Asked whenever work of this
    process has ended, and once in `every` s for what others do."""
    until = time.monotonic() + seconds
    while True:
        ended = ENDS.count
        reached, left = read(), until - time.monotonic()
        if reached.is_final or left <= 0:
            return reached
        ENDS.wait(ended, min(every, left))


def _declare_queues() -> None:
    DBOS.register_queue(
        COMMANDS, partition_concurrency=1, worker_concurrency=16, polling_interval_sec=_POLL_SECONDS
    )
    DBOS.register_queue(MESSAGES, worker_concurrency=4, polling_interval_sec=_POLL_SECONDS)
    DBOS.register_queue(BULK, worker_concurrency=3, polling_interval_sec=_POLL_SECONDS)
    DBOS.apply_schedules(
        [
            {
                "schedule_name": "forget-finished-work",
                "workflow_fn": _forget_finished,
                "schedule": "0 17 3 * * *",
            }
        ]
    )


@DBOS.workflow(name="forget_finished_work")
def _forget_finished(scheduled: datetime, _context: Any) -> None:
    while _forget_batch((scheduled - timedelta(days=_KEPT_DAYS)).astimezone(UTC).isoformat()) == _BATCH:
        pass


@DBOS.step(name="forget_batch")
def _forget_batch(finished_before: str) -> int:
    rows = DBOS.list_workflows(
        status=["SUCCESS", *_FAULTED],
        completed_before=finished_before,
        limit=_BATCH,
        load_input=False,
        load_output=False,
    )
    DBOS.delete_workflows([row.workflow_id for row in rows])
    return len(rows)


def _keep(stop: threading.Event) -> None:
    while not stop.wait(_KEEPER_SECONDS):
        _do_all(_hold_the_slot, _take_over_the_dead, *_upkeep)


def _do_all(*duties: Callable[[], None]) -> None:
    """Each duty, whatever becomes of the others; the keeper comes back to one that failed."""
    for duty in duties:
        try:
            duty()
        except Exception:
            _log.exception("%s failed; it is tried again.", duty.__name__)


def _hold_the_slot() -> None:
    """Claims the slot again where the database gave it away: else others take this process for dead."""
    assert _process.slot is not None
    try:
        _process.slot.confirm()
    except LockLost:
        again = locks.claim(_process.slot.name)
        if again is None:
            raise  # whoever has it takes our work over first; it is tried again
        lost, _process.slot = _process.slot, again
        lost.close()


def _take_over_the_dead() -> None:
    """Re-enqueues the running work of every slot whose process is gone: on PostgreSQL, of those that were
    free in two rounds running.
    """
    assert _process.slot is not None
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    names = {row.executor_id for row in pending if row.executor_id} - {_process.slot.name}
    free_before, _process.free = _process.free, set()
    for name in sorted(names):
        if slot := locks.claim(name):
            with contextlib.closing(slot):
                _process.free.add(name)
                if name in free_before or database.is_sqlite():
                    DBOS._recover_pending_workflows([name])


def _running_here() -> bool:
    assert _process.slot is not None
    return bool(
        DBOS.list_workflows(
            status="PENDING", executor_id=_process.slot.name, limit=1, load_input=False, load_output=False
        )
    )


def _config(executor_id: str) -> DBOSConfig:
    config: DBOSConfig = {
        "name": "trialdesk",
        "application_version": APPLICATION_VERSION,
        "executor_id": executor_id,
        "log_level": "WARNING",
        "notification_listener_polling_interval_sec": 0.5,
    }
    if database.is_sqlite():
        config["system_database_engine"] = _open_sqlite(database.beside("work.db"))
    else:
        config["system_database_url"] = database.engine().url.render_as_string(hide_password=False)
    return config


def _open_sqlite(path: Path) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///{path}", module=database.sqlite_module(), pool_size=20, max_overflow=40
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"  # as DBOS sets on engines of its own
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def _let_the_living_go_first() -> None:
    """Waits, where PostgreSQL has just started, until living processes have claimed their slots again."""
    if database.is_sqlite():
        return
    with database.session() as session:
        age = sa.func.clock_timestamp() - sa.func.pg_postmaster_start_time()
        up = session.connection().execute(sa.select(sa.extract("epoch", age))).scalar_one()
    time.sleep(max(0.0, _ROUND_SECONDS - float(up)))


def _first_free_slot() -> Lock:
    for number in range(_SLOTS):
        if slot := locks.claim(_slot(number)):
            return slot
    raise Unavailable(f"{_SLOTS} desks already run on this database.", remedy="Stop one of them.")


def _slot(number: int) -> str:
    return f"desk-{number}"
