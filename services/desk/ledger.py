"""Who did what? The rows of `actions` and `action_steps`, and every change that they go through.

open (dialog shown) -> running -> done | failed | unknown (look at Stripe); unknown -> running again. What is
above a limit of its person goes open -> waiting -> running, or failed where the second person says no.
A change of state is one guarded statement, so that of many who try at once one succeeds. Functions take
the writing session and never commit.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Action, ActionStep
from models.ledger import DECLINED, OVERTAKEN
from services import changes, clock, database
from services.desk.command import Command, Params
from services.desk.subject import Subject
from services.errors import Conflict, NotFound, TrialdeskError
from services.staff.roles import Person

FINAL = frozenset(("done", "failed", "unknown"))
REFUSED: Final = {  # failures in which nothing went wrong
    name: sa.func.coalesce(col(Action.error)[name].as_boolean(), sa.false()) for name in (OVERTAKEN, DECLINED)
}
BILLED = "billed"


def get(session: Session, token: str) -> Action:
    """The row of a token. Raises NotFound."""
    row = session.get(Action, token)
    if row is None:
        raise NotFound("action", token, remedy="Open the dialog again.")
    return row


def open_row(
    session: Session, token: str, person: Person, command: Command, subject: Subject, before: dict[str, Any]
) -> None:
    """Records that a dialog was opened, by whom, and what it showed; of one that is opened again under its
    token and was not confirmed, what it shows now."""
    row = Action(
        token=token,
        command=command.name,
        staff=person.id,
        staff_name=person.name,
        role=str(person.role),
        customer=subject.customer.id,
        object_id=subject.object_id,
        before=before,
        opened_at=clock.now(),
    )
    if not database.insert_once(session, Action, row.model_dump()):
        _move(session, token, "open", "open", before=before, opened_at=row.opened_at)


def begin(session: Session, token: str, *, params: Params, reason: str, preview: dict[str, Any]) -> bool:
    """open -> running. False where somebody has begun it already: nothing is changed then."""
    values: dict[str, Any] = {"params": params, "reason": reason, "preview": preview}
    return _move(session, token, "open", "running", attempt=1, started_at=clock.now(), **values)


def ask(session: Session, token: str, *, over: list[str], amounts: list[Any], **confirmed: Any) -> bool:
    """open -> waiting for a second person, as these `amounts` are `over` limits. False where it is not open.

    `confirmed` as in `begin`.
    """
    return _move(session, token, "open", "waiting", over=over, amounts=amounts, **confirmed)


def approve(session: Session, token: str, person: Person) -> bool:
    """waiting -> running, allowed by this person. False where it does not wait (any more)."""
    return _move(session, token, "waiting", "running", attempt=1, started_at=clock.now(), **_decided(person))


def decline(session: Session, token: str, person: Person, *, error: dict[str, Any]) -> bool:
    """waiting -> failed, as this person says no. False where it does not wait (any more)."""
    return _move(
        session, token, "waiting", "failed", error=error, finished_at=clock.now(), **_decided(person)
    )


def _decided(person: Person) -> dict[str, Any]:
    return {"decider": person.id, "decider_name": person.name}


def begin_again(session: Session, token: str, *, comment: str) -> bool:
    """unknown -> running, as the next attempt under the same keys; `comment` keeps who asked for it."""
    again: dict[str, Any] = {
        "attempt": Action.attempt + 1,
        "error": {},
        "finished_at": None,
        "comment": comment,
    }
    return _move(session, token, "unknown", "running", **again)


def settle(session: Session, token: str, state: str, **values: Any) -> bool:
    """unknown -> done or failed, because a person says so; the `comment` keeps who, and why."""
    return _move(session, token, "unknown", state, finished_at=clock.now(), **values)


def next_attempt(session: Session, token: str, attempt: int) -> bool:
    """running -> running as the attempt after `attempt`, whose work was lost."""
    return _move(session, token, "running", "running", of=attempt, attempt=attempt + 1)


def give_up(session: Session, token: str, attempt: int, *, error: dict[str, Any]) -> bool:
    """running -> unknown, as `attempt` met a fault. False where it is over or a later one is under way."""
    return _move(session, token, "running", "unknown", of=attempt, error=error, finished_at=clock.now())


def finish(session: Session, token: str, state: str, **values: Any) -> bool:
    """running -> done, failed or unknown. False where it was final already."""
    return _move(session, token, "running", state, finished_at=clock.now(), **values)


def note_before(session: Session, token: str, before: dict[str, Any]) -> None:
    """What the object looks like right before the first request: what others changed is not this action's."""
    session.execute(sa.update(Action).where(col(Action.token) == token).values(before=before))


def note_after(session: Session, token: str, after: dict[str, Any]) -> None:
    """What the object looks like after the action, as it was read after its requests."""
    session.execute(sa.update(Action).where(col(Action.token) == token).values(after=after))


def _move(
    session: Session, token: str, held: str, state: str, *, of: int | None = None, **values: Any
) -> bool:
    """Changes the state where it is `held`, and where it is one of the attempt `of` if that is given."""
    changes.note(session)
    statement = sa.update(Action).where(col(Action.token) == token, col(Action.state) == held)
    if of is not None:
        statement = statement.where(col(Action.attempt) == of)
    return bool(session.execute(statement.values(state=state, **values)).rowcount)  # type: ignore[attr-defined]


def prepare_step(session: Session, token: str, step: str) -> ActionStep:
    """The row of a request with its idempotency key, made before the first attempt.

    Returns it as it was found: `prepared` when new, `sent` where an attempt was made before, or `done`.
    """
    row = session.get(ActionStep, (token, step))
    if row is None:
        row = ActionStep(token=token, step=step, idempotency_key=f"{token}:{step}", prepared_at=clock.now())
        session.add(row)
        session.flush()
    found = ActionStep(**row.model_dump())
    if row.state == "prepared":
        row.state = "sent"
    return found


def finish_step(session: Session, token: str, step: str, *, request_id: str, object_id: str) -> None:
    """Records that a request was done, and what it made or changed."""
    values: dict[str, Any] = {
        "state": "done",
        "request_id": request_id,
        "object_id": object_id,
        "finished_at": clock.now(),
    }
    session.execute(
        sa.update(ActionStep)
        .where(col(ActionStep.token) == token, col(ActionStep.step) == step)
        .values(**values)
    )


def refuse_step(session: Session, token: str, step: str, *, request_id: str) -> None:
    """Records that a request was refused and is not made again."""
    session.execute(
        sa.update(ActionStep)
        .where(col(ActionStep.token) == token, col(ActionStep.step) == step)
        .values(state="refused", request_id=request_id, finished_at=clock.now())
    )


def is_all_refused(session: Session, token: str) -> bool:
    """Whether of an action's requests each was refused."""
    states = session.exec(select(ActionStep.state).where(ActionStep.token == token)).all()
    return bool(states) and set(states) == {"refused"}


def has_begun(session: Session, token: str) -> bool:
    """Whether a request of the action may have gone out."""
    return session.exec(select(ActionStep.step).where(ActionStep.token == token).limit(1)).first() is not None


def made(session: Session, token: str) -> dict[str, str]:
    """The requests that were done, with the ids of what they made or changed; `BILLED` is their invoice."""
    done = select(ActionStep).where(ActionStep.token == token, ActionStep.state == "done")
    invoice = get(session, token).result.get("invoice")
    return {row.step: row.object_id for row in session.exec(done)} | ({BILLED: invoice} if invoice else {})


def last_done(session: Session, row: Action) -> Action | None:
    """The latest action on the same object that was done since this one's dialog opened."""
    return session.exec(
        select(Action)
        .where(
            Action.customer == row.customer,
            Action.object_id == row.object_id,
            Action.state == "done",
            Action.token != row.token,
            col(Action.finished_at) >= row.opened_at,
        )
        .order_by(col(Action.finished_at).desc())
        .limit(1)
    ).first()


def twin(session: Session, row: Action) -> Action | None:
    """The same command on the same object: done since this one's dialog opened, wholly or in part, or sent
    and its end open."""
    sent, did = select(ActionStep.token), select(ActionStep.token).where(ActionStep.state == "done")
    state, token = col(Action.state), col(Action.token)
    is_open = sa.or_(state == "unknown", sa.and_(state == "running", token.in_(sent)))
    in_part = sa.and_(state == "failed", token.in_(did))
    was_done = sa.and_(sa.or_(state == "done", in_part), col(Action.finished_at) >= row.opened_at)
    return session.exec(
        select(Action)
        .where(Action.command == row.command, Action.customer == row.customer)
        .where(Action.object_id == row.object_id, Action.token != row.token, sa.or_(is_open, was_done))
        .order_by(col(Action.opened_at).desc())
        .limit(1)
    ).first()


def waiting(session: Session, command: str, customer: str, object_id: str) -> Action | None:
    """The latest action of this command on this object that waits for a second person."""
    return session.exec(
        select(Action)
        .where(Action.state == "waiting", Action.command == command)
        .where(Action.customer == customer, Action.object_id == object_id)
        .order_by(col(Action.opened_at).desc())
        .limit(1)
    ).first()


def last_try(session: Session, row: Action) -> Action | None:
    """The latest other action of the same command on the same object that sent something and failed since
    this one's dialog opened."""
    sent = select(ActionStep.token).where(col(ActionStep.state) != "prepared")
    return session.exec(
        select(Action)
        .where(Action.command == row.command, Action.object_id == row.object_id, Action.token != row.token)
        .where(Action.state == "failed", col(Action.finished_at) >= row.opened_at)
        .where(col(Action.token).in_(sent))
        .order_by(col(Action.finished_at).desc())
        .limit(1)
    ).first()


def running(session: Session) -> list[Action]:
    """Everything that is under way."""
    return list(session.exec(select(Action).where(Action.state == "running")))


def describe(error: Exception) -> dict[str, Any]:
    """An error as the ledger keeps it: the sentence, what to do, Stripe's codes, and whether it only says
    that things had changed. No personal data."""
    kept = {
        name: getattr(error, name)
        for name in ("code", "decline_code", "advice_code", "param", "right")
        if getattr(error, name, None)
    }
    if isinstance(error, Conflict):
        kept[OVERTAKEN] = True
    if isinstance(error, TrialdeskError):
        return {"message": error.message, "remedy": error.remedy, **kept}
    return {
        "message": f"The desk met a fault of its own ({type(error).__name__}).",
        "remedy": "Look at the object in Stripe, then check again.",
    }
