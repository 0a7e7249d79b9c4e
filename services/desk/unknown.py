"""How does a person deal with a command whose outcome is unknown? It is looked at again, or ended by hand.

Like services/desk/commands, these open their own transactions.
"""

from __future__ import annotations

from models import Action
from services import clock, database, durable
from services.desk import catalog, ledger, loading, runner, words
from services.desk.commands import LONGEST_REASON, Outcome, wait
from services.errors import Conflict, InvalidInput
from services.staff.roles import Person


def try_again(person: Person, token: str) -> Outcome:
    """Looks again at a command whose outcome is unknown: done, or finished under its first keys where nothing
    stands against it. The ledger keeps who asked.

    Raises NotAllowed, NotFound, and Conflict where it is not unknown (any more).
    """
    durable.require()
    with database.transaction() as session:
        row = ledger.get(session, token)
        person.require(catalog.find(row.command).permission)
        if not ledger.begin_again(session, token, comment=_said(row, person, "checked again")):
            raise _not_unknown(row)
        session.refresh(row)
        partition = loading.load(session, row.customer, row.object_id).partition
    runner.start(row, row.attempt, partition)
    return wait(token)


def settle(person: Person, token: str, *, done: bool, note: str) -> Outcome:
    """Ends a command whose outcome is unknown as the person says who looked at it in Stripe.

    Raises NotAllowed, NotFound, InvalidInput without a note, and Conflict where it is not unknown (any more).
    """
    note = note.strip()
    if not 0 < len(note) <= LONGEST_REASON:
        raise InvalidInput(
            f"Say how you know, in up to {LONGEST_REASON} characters: it is kept with the action.",
            field="note",
        )
    with database.transaction() as session:
        row = ledger.get(session, token)
        command = catalog.find(row.command)
        person.require(command.permission)
        verdict = "done" if done else "not done"
        error = {} if done else {"message": f"{person.name} looked in Stripe: it was not done."}
        comment = _said(row, person, f"marked it as {verdict}: {note}")
        state = "done" if done else "failed"
        kept = command.kept(row.params)
        if not ledger.settle(session, token, state, comment=comment, error=error, params=kept):
            raise _not_unknown(row)
        if done:
            command.concluded(session, row)
    return Outcome(token, state, f"Marked as {verdict}.")


def _said(row: Action, person: Person, what: str) -> str:
    """What the row's comment is once this person has dealt with it too."""
    return "\n".join(filter(None, (row.comment, f"{words.moment(clock.now())}: {person.name} {what}")))


def _not_unknown(row: Action) -> Conflict:
    return Conflict(f"This action is {row.state}, not unknown.", remedy="Look at its row again.")
