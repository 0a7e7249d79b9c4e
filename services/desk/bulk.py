"""How does a person give one command to many? look -> preview -> start; stop, resume, retry.

What is more than they may take at once waits for a second person first (`bulk_approvals`).

Each row is a command of its own, with its own token, limits, ledger row and conflicts; a run only gives them,
several at once (`bulk_runner`), and outlives the page, the tab and the process.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import BulkRow, BulkRun
from services import changes, clock, database, durable
from services.desk import bulk_kinds, bulk_preview, bulk_progress, bulk_runner, commands
from services.desk.bulk_preview import Chosen, Totals
from services.desk.command import Form
from services.desk.commands import Outcome
from services.desk.limits import OverLimit
from services.errors import Conflict, NotAllowed, Unavailable
from services.staff.roles import Person

_log = logging.getLogger(__name__)


def start(token: str, person: Person, command: str, ids: Collection[str], form: Form, reason: str) -> Outcome:
    """Begins a run, or keeps it until a second person has allowed it, once for its token; rows to which it
    cannot be done are kept with the reason.

    Raises NotAllowed, InvalidInput where it can be done to none or they are too many, and Unavailable while
    the desk starts or stops; nothing is written then.
    """
    kind = bulk_kinds.find(command)
    person.require(kind.command.permission)
    durable.require()
    reason = commands.checked_reason(kind.command, reason)
    with database.session() as session:
        chosen = bulk_preview.look(session, command, ids)
    totals = bulk_preview.reckon(person, chosen, form)
    run = BulkRun(
        id=token, command=command, form=dict(form), reason=reason, staff=person.id, role=str(person.role),
        created_at=clock.now(), state="asked" if totals.over else "running", note=" ".join(totals.over),
    )  # fmt: skip
    with database.transaction() as session:
        if database.insert_once(session, BulkRun, run.model_dump()):
            session.execute(sa.insert(BulkRow), _rows(token, chosen, totals))
            changes.note(session)
    if totals.over:
        return commands.asked(token)
    begin(token, run.attempt)
    return Outcome(token, "running", "It has begun.")


def begin(id: str, attempt: int) -> None:
    """Begins a run that is kept, now or as soon as that can be."""
    try:
        bulk_runner.begin(id, attempt)
    except Unavailable as silence:  # it is taken up
        _log.warning("The bulk run %s begins later: %s", id, silence)


def _rows(run: str, chosen: Chosen, totals: Totals) -> list[dict[str, Any]]:
    why_not = {id: reason for reason, ids in totals.cannot.items() for id in ids}
    return [
        {
            "run": run,
            "position": position,
            "customer": subject.customer.id,
            "object_id": id,
            "token": commands.new_token(),
            "state": "skipped" if id in why_not else "waiting",
            "message": why_not.get(id, ""),
        }
        for position, (id, subject) in enumerate(chosen.subjects.items())
    ]


def stop(person: Person, id: str) -> None:
    """Begins no further row; those under way end. Raises NotAllowed, NotFound, and Conflict where it does not
    run (any more)."""
    with database.transaction() as session:
        run = bulk_progress.get(session, person, id)
        person.require(bulk_kinds.find(run.command).command.permission)
        move(session, run, "running", "stopping")
        if not bulk_progress.is_moving(session, id):  # it waits for another run: nobody else would end it
            move(session, run, "stopping", "stopped")


def resume(person: Person, id: str) -> None:
    """Goes on where a run was stopped. Raises NotAllowed to all but who began it, OverLimit where these are
    more accounts than they may take by now, NotFound, Conflict where it is not stopped (any more), and
    Unavailable."""
    durable.require()
    with database.transaction() as session:
        run = _own(session, person, id)
        attempt = move(session, run, "stopped", "running", further=1)
    bulk_runner.begin(id, attempt)


def retry(person: Person, id: str) -> None:
    """Does once more what failed, and nothing else. Raises as `resume`, and Conflict where nothing failed or
    the run is not over."""
    durable.require()
    with database.transaction() as session:
        run = _own(session, person, id)
        attempt = move(session, run, "done", "running", further=1)
        failed = bulk_progress.failed(session, id)
        if not failed:
            raise Conflict("None of these failed in a way that can be tried again.")
        for row, has_begun in failed:
            row.token = commands.new_token() if has_begun else row.token
            row.state, row.message = "waiting", ""
    bulk_runner.begin(id, attempt)


def _own(session: Session, person: Person, id: str) -> BulkRun:
    """The run, of which each row is in the name of who began it."""
    run = bulk_progress.get(session, person, id)
    person.require(bulk_kinds.find(run.command).command.permission)
    if run.staff != person.id:
        who = bulk_progress.name_of(session, run.staff)
        raise NotAllowed(
            "go on with another person's run",
            f"{who} began this run, and everything in it is done in that name.",
            remedy=f"Ask {who}, or begin one of your own.",
        )
    if over := bulk_progress.too_many(session, person, run):
        raise OverLimit(over)
    return run


def move(session: Session, run: BulkRun, held: str, state: str, *, further: int = 0, **values: object) -> int:
    """Changes the state where it is `held`, and returns which attempt it is now; raises Conflict elsewhere.
    One guarded statement, so that of many who click at once one succeeds."""
    changes.note(session)
    attempt = run.attempt + further  # the statement changes the run, too
    found = sa.update(BulkRun).where(
        col(BulkRun.id) == run.id, col(BulkRun.state) == held, col(BulkRun.attempt) == run.attempt
    )
    moved = session.execute(found.values(**{"state": state, "attempt": attempt, "note": "", **values}))
    if not moved.rowcount:  # type: ignore[attr-defined]
        session.refresh(run)  # the statement that did not change it has changed what the session knows
        raise Conflict(f"This run is {run.state} by now, not {held}.", remedy="Look at it again.")
    return attempt
