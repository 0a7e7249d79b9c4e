"""How is a command carried out so that it happens once, whatever dies in between?

One durable workflow for each attempt: check (the object as it is now, the offer, conflicts), then each
request under its stored key, then the ledger. A request is repeated with the same key while its outcome
is open; what stays open is looked up on the object: done, not done, or unknown.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from dbos import DBOS

from models import Action, ActionStep
from models.ledger import OVERTAKEN
from services import clock, database, durable
from services.desk import catalog, checks, fresh, ledger, snapshots
from services.desk.command import Leftover, Step, Work
from services.desk.repeats import call, look
from services.errors import Conflict, TrialdeskError, Unavailable
from services.mirror import answers
from services.stripe_api.client import Answer
from services.stripe_api.failures import OutcomeUnknown

KEY_LIFE = 23 * 3600  # seconds; Stripe keeps keys for 24 hours at least
_ON_ACTIVITY = "Then choose “Check again” on the Activity page, or say there how it ended."
_log = logging.getLogger(__name__)


@DBOS.workflow(name="desk_command")
def carry_out(token: str, attempt: int) -> str:
    """Carries one attempt of a command out; returns the ledger's state. `attempt` counts from 1."""
    try:
        for name in check(token, attempt):
            if (state := take(token, name)) != "done":
                return state  # whoever saw it may have begun the next attempt: this one is over
        return close(token, attempt)
    except Exception as error:
        if not durable.is_launched():
            raise  # the process stops: whoever starts next goes on from here
        _log.exception("The action %s met a fault.", token)
        return give_up(token, attempt, type(error).__name__)


def carry_out_here(token: str) -> None:
    """The same for a command whose answer may not be stored: at once, in this thread."""
    if all(take(token, name) == "done" for name in check(token, 1)):
        close(token, 1)


@DBOS.step(name="desk_check")
def check(token: str, attempt: int) -> list[str]:
    """The names of the requests to make; [] where the command may not run (any more): the ledger says why."""
    with database.session() as session:
        row = ledger.get(session, token)
        begun = ledger.has_begun(session, token)
    if (row.state, row.attempt) != ("running", attempt):
        return []
    command = catalog.find(row.command)
    try:
        if not begun:  # once a request went out, what stands there may be our own doing
            now = fresh.subject(row.customer, row.object_id, debts=command.of_debts)
            checks.require_not_undone(row)
            checks.require_still_asked(row)
            checks.require_unchanged(row, command, now)
            if command.moves_money:
                checks.require_untried(row, now)
            checks.require_same_balance(row, now)
            checks.require_same_debts(row, command, now)
            _note_before(row, snapshots.of(now))
    except TrialdeskError as error:
        _finish(token, "failed", error)
        return []
    return [step.name for step in command.steps(row.params)]


def _note_before(row: Action, found: snapshots.Snapshot) -> None:
    if found != row.before:  # mostly it is what the dialog showed, and was kept with the confirmation
        with database.transaction() as session:
            ledger.note_before(session, row.token, found)


@DBOS.step(name="desk_request")
def take(token: str, name: str) -> str:
    """Makes one request; returns done, failed or unknown (the ledger has the rest)."""
    work, step, prepared = _prepare(token, name)
    if prepared.state in ("done", "refused"):
        return "done"
    sent = prepared.state == "sent"
    try:
        answer = _already(step, work) if sent else _unneeded(step, work)
        if answer is None and clock.now() - prepared.prepared_at > KEY_LIFE:
            raise OutcomeUnknown
        answer = answer or call(step, work, repeated=sent)
    except OutcomeUnknown as doubt:
        return _resolve(token, step, work, doubt)
    except TrialdeskError as error:
        if step.alone:
            return _passed_over(token, step, error)
        _refused(token, error)
        return "failed"
    _record(token, step, answer)
    return "done"


def _passed_over(token: str, step: Step, error: TrialdeskError) -> str:
    """Keeps why a request was refused whose refusal stops no other; the next one goes out."""
    with database.transaction() as session:
        row = ledger.get(session, token)
        ledger.refuse_step(session, token, step.name, request_id=getattr(error, "request_id", ""))
        row.result = {**row.result, step.kind: f"not paid. {error.message}"}
        session.add(row)
        customer = row.customer
    _mirror(token, lambda: fresh.subject(customer, step.object_id))
    return "done"


def _prepare(token: str, name: str) -> tuple[Work, Step, ActionStep]:
    """The work with its key, stored before the call, and the step's row as it was found."""
    with database.transaction() as session:
        row = ledger.get(session, token)
        prepared = ledger.prepare_step(session, token, name)
        made = ledger.made(session, token)
    steps = {step.name: step for step in catalog.find(row.command).steps(row.params)}
    work = Work(token, prepared.idempotency_key, row.customer, row.object_id, row.params, made)
    return work, steps[name], prepared


def _already(step: Step, work: Work) -> Answer | None:
    """The effect of a request that was sent before. Where there is none: raises Conflict where something
    stands against a repeat by now (to one that is `alone` Stripe says so), OutcomeUnknown where Stripe cannot
    be asked."""
    with database.session() as session:
        row = ledger.get(session, work.token)
    try:
        now = fresh.subject(row.customer, row.object_id)  # before the effect: what comes between is found
        found = step.effect(work)
        if not found and not step.alone:
            checks.require_undisturbed(row, catalog.find(row.command), now)
        return found
    except (Conflict, OutcomeUnknown):
        raise
    except TrialdeskError as error:
        _log.warning("What became of %s (%s) could not be read: %s", work.token, step.name, error)
        raise OutcomeUnknown from None


def _unneeded(step: Step, work: Work) -> Answer | None:
    """The effect where an earlier step may have brought it about."""
    return step.effect(work) if step.may_be_done else None


def answer_again(token: str, name: str) -> Answer:
    """The answer to a request that was done, once more: under the same key Stripe gives the same one."""
    work, step, _ = _prepare(token, name)
    return step.call(work)


def _resolve(token: str, step: Step, work: Work, doubt: OutcomeUnknown) -> str:
    """Looks for the effect of a request whose outcome is open: done where it is there.

    Where it is not there: failed, if every attempt was answered with a server error and to ask anew sets the
    same end of the same object. Else unknown. What got no answer may still run. And a server error does not
    say that nothing was done (for its key Stripe repeats the error that it stored): money that was moved
    after all would be moved twice by a new try, and what was made would be made twice.
    """
    try:
        found = look(step, work, doubt)
    except OutcomeUnknown:
        return _unknown(token, doubt)
    if found:
        _record(token, step, found)
        return "done"
    if doubt.status is None or _adds_up(token):
        return _unknown(token, doubt)
    fault = "Stripe reported a fault of its own, and there is no sign that it was done."
    _refused(token, Unavailable(fault, remedy="Try again later."), request_id=doubt.request_id)
    return "failed"


def _adds_up(token: str) -> bool:
    """Whether the same done twice is more than done once."""
    with database.session() as session:
        command = catalog.find(ledger.get(session, token).command)
    return command.moves_money or command.once_at_a_time


def _unknown(token: str, doubt: OutcomeUnknown) -> str:
    with database.session() as session:
        row = ledger.get(session, token)
    if not catalog.find(row.command).durable:
        return _refuse_link(token, doubt)
    remedy = f"Look at {row.object_id} in Stripe. {_ON_ACTIVITY}"
    _finish(token, "unknown", Unavailable(doubt.message, remedy=remedy), request_id=doubt.request_id)
    return "unknown"


def _refuse_link(token: str, doubt: OutcomeUnknown) -> str:
    """What leaves nothing behind in the account is not looked for: it is made anew."""
    error = Unavailable("Stripe did not say whether the link was made.", remedy="Make another one.")
    _finish(token, "failed", error, request_id=doubt.request_id)
    return "failed"


def _record(token: str, step: Step, answer: Answer) -> None:
    """The request is done: the step's row, what is known after it, and the object in the tables."""
    with database.transaction() as session:
        row = ledger.get(session, token)
        made = str(answer.object.get("id", ""))
        ledger.finish_step(session, token, step.name, request_id=answer.request_id, object_id=made)
        billed = step.billed(answer) if step.billed else None
        said = step.alone(answer) if step.alone else made
        row.result = {**row.result, step.kind: said, **({"invoice": billed} if billed else {})}
        row.after = snapshots.of_object(answer.object, row.object_id) or row.after
        row.request_id = answer.request_id or row.request_id
        session.add(row)
        about = (row.customer, row.object_id)
    _mirror(token, lambda: answers.apply(answer))
    if billed or step.read_after:
        _mirror(token, lambda: _look_after(token, *about, billed))


def _mirror(token: str, apply: Callable[[], object]) -> None:
    """Brings an object into the tables. Stripe has done it already: a fault here is left to the next poll."""
    try:
        apply()
    except Exception:
        _log.exception("The answer to %s did not reach the tables; the next poll brings it.", token)


def _refused(token: str, error: TrialdeskError, *, request_id: str = "") -> None:
    """The end of a command that Stripe did not carry through: what it left behind is said with the reason."""
    with database.session() as session:
        row = ledger.get(session, token)
        made = ledger.made(session, token)
    command = catalog.find(row.command)
    if made or command.moves_money:
        _mirror(token, lambda: _look_after(token, row.customer, row.object_id, row.result.get("invoice")))
    left = command.left_behind(made)
    _finish(token, "failed", error, left=left, request_id=request_id or getattr(error, "request_id", ""))


def _look_after(token: str, customer: str, object_id: str, invoice: str | None) -> None:
    """How the payment of an invoice went and what that made of its subscription; what a refusal changed all
    the same (an attempt was counted, an invoice stands there)."""
    if invoice:
        fresh.subject(customer, invoice)
    after = snapshots.of(fresh.subject(customer, object_id))
    with database.transaction() as session:
        ledger.note_after(session, token, after)


def _finish(
    token: str, state: str, error: TrialdeskError, *, left: Leftover | None = None, request_id: str = ""
) -> None:
    values: dict[str, Any] = {"error": ledger.describe(error)}
    if left:
        values["error"] |= {"left": left.said, "next": [left.command, left.object_id], OVERTAKEN: False}
    with database.transaction() as session:
        if state != "unknown":  # what may have to be repeated needs its parameters still
            values["params"] = _kept(ledger.get(session, token))
        ledger.finish(session, token, state, **values, **({"request_id": request_id} if request_id else {}))


@DBOS.step(name="desk_close")
def close(token: str, attempt: int) -> str:
    """Ends the command in the ledger where no request ended it before; returns its state.

    An attempt that was overtaken by a later one ends nothing.
    """
    with database.transaction() as session:
        row = ledger.get(session, token)
        if (row.state, row.attempt) != ("running", attempt):
            return row.state
        if ledger.is_all_refused(session, token):
            ledger.finish(session, token, "failed", error=_nothing_came_of(row))
            return "failed"
        ledger.finish(session, token, "done", after=row.after or _after(row), params=_kept(row))
        catalog.find(row.command).concluded(session, row)
        return "done"


def _nothing_came_of(row: Action) -> dict[str, Any]:
    told = " ".join(f"{called}: {said}" for called, said in row.result.items())
    return {"message": told, "remedy": "Send a card link, or the links of the invoices."}


def _kept(row: Action) -> dict[str, Any]:
    return catalog.find(row.command).kept(row.params)


def _after(row: Action) -> dict[str, Any]:
    """Without an answer about the object itself it stands as before (a charge leaves the subscription)."""
    return dict(row.before)


@DBOS.step(name="desk_give_up")
def give_up(token: str, attempt: int, fault: str) -> str:
    """A fault of our own: what Stripe did is not known here. Returns the ledger's state.

    An attempt that was overtaken by a later one, or that was ended before the fault, ends nothing.
    """
    remedy = f"Look at the object in Stripe. {_ON_ACTIVITY}"
    error = Unavailable(f"The desk met a fault of its own ({fault}).", remedy=remedy)
    with database.transaction() as session:
        ledger.give_up(session, token, attempt, error=ledger.describe(error))
        return ledger.get(session, token).state


def start(row: Action, attempt: int, partition: str) -> None:
    """Puts an attempt on the queue; the same attempt twice is one."""
    durable.start(
        durable.COMMANDS, carry_out, row.token, attempt, id=f"{row.token}:{attempt}", partition=partition
    )
