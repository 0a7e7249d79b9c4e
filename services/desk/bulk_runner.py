"""How is a run worked through, whatever dies in between? Row by row, several at once, each under its token.

A durable workflow takes some rows at a time; runs beside each other take turns, row by row. Tokens are
stored with the run, before anything is done: whoever goes on with a row whose process died finds by its token
whether it was begun. If so it is waited for, else it is opened anew, and of two who would begin it the ledger
lets one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import sqlalchemy as sa
from dbos import DBOS
from sqlmodel import Session, col, select

from models import Action, BulkRow, BulkRun
from services import changes, database, durable
from services.desk import bulk_kinds, bulk_progress, commands, ledger, undone
from services.errors import Conflict, InvalidInput, NotFound, TrialdeskError, Unforeseen
from services.staff import people

_AT_ONCE = 8  # rows of all runs, so that half of the workers of commands are left to people who wait
_BATCH = 100
_LOOK_EVERY = 0.2  # seconds, at a row that is under way
_GONE = "Who began this may not come in any more."
_CANNOT = (Conflict, InvalidInput, NotFound)  # before anything was begun: no other try will change it
_log = logging.getLogger(__name__)
_rows = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="bulk-row")  # first come, first served


def begin(run: str, attempt: int) -> None:
    """Puts an attempt at a run on the queue; the same attempt twice is one. Raises Unavailable."""
    durable.start(durable.BULK, _work_through, run, attempt, id=f"{run}:{attempt}")


@durable.upkeep
def take_up() -> None:
    """Goes on with runs that no queue knows, or whose work ended by a fault or with its process."""
    with database.session() as session:
        moving = select(BulkRun).where(col(BulkRun.state).in_(("running", "stopping")))
        lost = [run for run in session.exec(moving) if durable.is_lost(f"{run.id}:{run.attempt}")]
    for run in lost:
        try:
            _take_up(run)
        except TrialdeskError as problem:  # the others are taken up all the same
            _log.warning("The bulk run %s could not be taken up: %s", run.id, problem)


def _take_up(run: BulkRun) -> None:
    with database.transaction() as session:
        mine = _update(session, run, attempt=run.attempt + 1)  # of no session: `run` stays
    if mine:
        begin(run.id, run.attempt + 1)


@DBOS.workflow(name="desk_bulk_run")
def _work_through(run: str, attempt: int) -> None:
    while take_some(run, attempt):
        pass


@DBOS.step(name="desk_bulk_rows")
def take_some(id: str, attempt: int) -> bool:
    """Takes some rows to their end; whether there may be more. An attempt that was overtaken takes none."""
    durable.require()
    with database.session() as session:
        run = session.get_one(BulkRun, id)
        person = people.find(session, run.staff)
        why_not = bulk_progress.why_not(session, person, run) if person else _GONE
        rows = _due(session, run)
    if run.attempt != attempt or run.state not in ("running", "stopping"):
        return False
    if why_not:
        _leave(rows)
        _end(run, note=why_not)
        return False
    if not rows:
        _end(run)
        return False
    _take_all(run, rows)
    return True


def _take_all(run: BulkRun, rows: Sequence[BulkRow]) -> None:
    """Takes rows to their end, no more of them at once than there are turns: so a run that begins beside this
    one waits for a few of its rows only."""
    asked, taken = threading.Semaphore(_AT_ONCE), list[Future[None]]()
    for row in rows:
        asked.acquire()
        taken.append(_rows.submit(_take, run, row))
        taken[-1].add_done_callback(lambda _: asked.release())
    for each in wait(taken).done:
        each.result()


def _leave(rows: Sequence[BulkRow]) -> None:
    """What was begun comes to its end, also where its person may not go on; what was not, waits again."""
    for row in rows:
        if row.state == "running":
            _close(row, *(_end_of(row.token) if _has_begun(row.token) else ("waiting", "")))


def _due(session: Session, run: BulkRun) -> list[BulkRow]:
    """What was begun and did not get to its end comes first; once the run is to stop, nothing else."""
    states = ("running",) if run.state == "stopping" else ("running", "waiting")
    wanted = select(BulkRow).where(BulkRow.run == run.id, col(BulkRow.state).in_(states))
    order = (col(BulkRow.state), col(BulkRow.position))
    return list(session.exec(wanted.order_by(*order).limit(_BATCH)))


def _take(run: BulkRun, row: BulkRow) -> None:
    """Takes one row to its end, unless the run is stopped before its turn."""
    durable.require()
    if row.state == "running" or _claim(row):
        _close(row, *_carry_out(run, row))


def _close(row: BulkRow, state: str, message: str) -> None:
    """running -> what became of it."""
    with database.transaction() as session:
        changed = _of(row).where(col(BulkRow.state) == "running")
        session.execute(changed.values(state=state, message=message))


def _claim(row: BulkRow) -> bool:
    """waiting -> running. False where the run does not run any more."""
    runs = sa.select(col(BulkRun.id)).where(col(BulkRun.id) == row.run, col(BulkRun.state) == "running")
    with database.transaction() as session:
        mine = _of(row).where(col(BulkRow.state) == "waiting", runs.exists())
        return bool(session.execute(mine.values(state="running")).rowcount)  # type: ignore[attr-defined]


def _of(row: BulkRow) -> sa.Update:
    return sa.update(BulkRow).where(col(BulkRow.run) == row.run, col(BulkRow.token) == row.token)


def _carry_out(run: BulkRun, row: BulkRow) -> tuple[str, str]:
    """How the row ended, with a sentence; a refusal, and a fault of ours, is the end of this row alone. It
    waits again where its person may not do it any more."""
    try:
        if not _has_begun(row.token):
            with database.session() as session:
                person = people.find(session, run.staff)
            if person is None or not person.may(bulk_kinds.find(run.command).command.permission):
                return "waiting", ""
            if other := _meanwhile(run, row):
                return "skipped", f"After this run was begun came {undone.said(other)}."
            opened = commands.open(person, run.command, row.customer, row.object_id, token=row.token)
            commands.begin(opened, person, run.form, run.reason)
        return _end_of(row.token)
    except TrialdeskError as problem:
        durable.require()  # what the end of this process brings about is no end of the row's
        return "skipped" if isinstance(problem, _CANNOT) else "failed", str(problem)
    except Exception as error:
        if not durable.is_launched() or database.absence(error):
            raise
        fault = Unforeseen("Something went wrong in the desk", error)
        _log.exception("A row of a bulk run, %s, failed (reference %s).", row.token, fault.reference)
        return "failed", str(fault)


def _has_begun(token: str) -> bool:
    with database.session() as session:
        action = session.get(Action, token)
    return action is not None and action.state != "open"


def _meanwhile(run: BulkRun, row: BulkRow) -> Action | None:
    """The same, done to the same by somebody else since the run was begun, or under way: who began this run
    did not see that, and would do it twice."""
    asked = Action(
        token=row.token, command=run.command, customer=row.customer, object_id=row.object_id,
        opened_at=run.created_at,
    )  # fmt: skip
    with database.session() as session:
        return ledger.twin(session, asked)


def _end_of(token: str) -> tuple[str, str]:
    """The end of what was begun, however long it takes. Raises Unavailable where the process stops before."""
    while not (reached := commands.wait(token, 1.0, every=_LOOK_EVERY)).is_final:
        durable.require()
    state = "asked" if reached.state == "waiting" else reached.state
    return state, f"{reached.message} {reached.remedy}".strip()


def _end(run: BulkRun, *, note: str = "") -> None:
    """The end of a run, or its stop where rows are left; `note` is why it stops by itself."""
    left = sa.select(col(BulkRow.run)).where(
        col(BulkRow.run) == run.id, col(BulkRow.state).in_(("running", "waiting"))
    )
    with database.transaction() as session:
        _update(session, run, state=sa.case((left.exists(), "stopped"), else_="done"), note=note)


def _update(session: Session, run: BulkRun, **values: object) -> bool:
    """Changes what is under way, unless another attempt has begun."""
    changes.note(session)
    moving = col(BulkRun.state).in_(("running", "stopping"))
    found = sa.update(BulkRun).where(col(BulkRun.id) == run.id, col(BulkRun.attempt) == run.attempt, moving)
    return bool(session.execute(found.values(**values)).rowcount)  # type: ignore[attr-defined]
