"""May a command (still) run? What its dialog showed, against what stands there now and what others did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from models import Action, PaymentMethod
from services import clock, database
from services.customers import names
from services.desk import asked, ledger, snapshots, words
from services.desk.command import Command, Quote
from services.desk.subject import MARK, Subject
from services.desk.undone import OVER, UNDOES, by
from services.errors import Conflict
from services.stripe_api import declines
from services.stripe_api.failures import OutcomeUnknown

_TRIES = ("attempt_count", "failed_charge")
_LOOK_AGAIN = "Nothing was done. Look at what has changed before you repeat it."


def require_unchanged(row: Action, command: Command, now: Subject) -> None:
    """Raises Conflict where the command is no longer offered, or what its dialog showed has changed."""
    with database.session() as session:
        twin = ledger.twin(session, row) if command.once_at_a_time else None
        other = twin or ledger.last_done(session, row)
    after = snapshots.of(now)
    changed = [name for name in command.watched if row.before.get(name) != after.get(name)]
    reason = command.offered(now) or command.moved_on(now, row.params)
    if not (reason or changed or twin):
        _require_same_quote(row, command, now)
        _require_same_card(row, now)
        return
    seen = {name: row.before.get(name) for name in (*command.watched, "currency") if name in row.before}
    differences = [f"{d.label}: {d.before} → {d.after}." for d in snapshots.differences(seen, after)]
    raise Conflict(" ".join([_who(other), *([reason] if reason else differences)]), remedy=_LOOK_AGAIN)


def require_untried(row: Action, now: Subject) -> None:
    """For a payment of which nothing was sent yet: raises Conflict where it was tried since the dialog opened
    and the invoice is open still. The dialog could not show that, and nothing else need have changed."""
    if now.invoice is None:
        return
    after = snapshots.of(now)
    tried = any(row.before[name] != after[name] for name in _TRIES if name in row.before)
    with database.session() as session:
        other = ledger.last_try(session, row)
    if not tried and (other is None or (other.finished_at or 0) <= row.opened_at):
        return
    who = f"{other.staff_name} tried" if other else "Somebody or Stripe itself tried"
    why = f" {declines.explain(now.last_failure.code).words}" if now.last_failure else ""
    open_still = "after this dialog was opened, and the invoice is still open."
    raise Conflict(f"{who} this payment {open_still}{why}", remedy=_LOOK_AGAIN)


def require_not_undone(row: Action) -> None:
    """For what takes an action back: raises Conflict where another did so already, or may have."""
    if UNDOES not in row.params:
        return
    with database.session() as session:
        undone = ledger.get(session, row.params[UNDOES])
        other = by(session, [undone], OVER, but=row.token).get(undone.token)
    if other:
        raise Conflict(_who(other), remedy=_LOOK_AGAIN)


def require_still_asked(row: Action) -> None:
    """For a cancel: raises Conflict where the customer has said something since its dialog opened, or a
    colleague has answered."""
    if asked.SEEN not in row.params:
        return
    with database.session() as session:
        other = asked.differs(session, row.object_id, row.params[asked.SEEN])
    if other:
        raise Conflict(other, remedy=_LOOK_AGAIN)


def require_same_debts(row: Action, command: Command, now: Subject) -> None:
    """For payments of which nothing was sent yet: raises Conflict where by now other invoices are overdue, or
    other amounts or cards than the dialog named."""
    if command.of_debts and command.parse(now, {}, clock.now()) != row.params:
        raise Conflict(
            "What is overdue has changed since the dialog was opened, or the card has.", remedy=_LOOK_AGAIN
        )


def require_same_balance(row: Action, now: Subject) -> None:
    """For a charge of which nothing was sent yet: raises Conflict where its dialog reckoned with another
    balance of the customer. Later its own invoice uses the balance up."""
    told, currency = row.params.get("balance"), row.params.get("currency")
    if told is None or not currency or told == now.balance(currency):
        return
    by_now = words.balance(now.balance(currency), currency)
    raise Conflict(
        f"The dialog reckoned with {words.balance(told, currency)}; by now the customer has {by_now}.",
        remedy=_LOOK_AGAIN,
    )


def require_undisturbed(row: Action, command: Command, now: Subject) -> None:
    """For a request that was sent and has no effect: raises Conflict (it was not done) where something stands
    against it by now, OutcomeUnknown where a later action of ours wrote over the mark of this one. An invoice
    of its own making does not stand against it."""
    mine = now.latest is not None and now.latest.id == row.result.get("invoice")
    try:
        require_unchanged(row, command, replace(now, latest=None) if mine else now)
    except Conflict as conflict:
        if _is_written_over(row, now):
            raise OutcomeUnknown from None
        raise Conflict(
            f"It was not done. {conflict.message}",
            remedy="It is not tried again. Open the dialog anew if it is still wanted.",
        ) from None


def told(quote: Quote | None) -> dict[str, Any] | None:
    """A quote as the ledger keeps it among the parameters."""
    return {"amount_due": quote.amount_due, "currency": quote.currency} if quote else None


def _who(other: Action | None) -> str:
    if other is None:
        return "This has changed in Stripe since the dialog was opened."
    did = f"“{names.of_action(other.command, other.params)}”"
    if other.state == "failed":
        began = f"{other.staff_name} began {did} after this dialog was opened; it failed halfway."
        return f"{began} {other.error.get('left', '')}".strip()
    if other.state != "done" or other.finished_at is None:
        began = words.moment(other.started_at or other.opened_at)
        return f"{other.staff_name} began {did} on {began}, and nobody knows yet whether it was done."
    return f"{other.staff_name} did {did} on {words.moment(other.finished_at)}, after this dialog was opened."


def _require_same_quote(row: Action, command: Command, now: Subject) -> None:
    if "quote" not in row.params:
        return
    said, asked = row.params["quote"], told(command.quote_for(now, row.params))
    if said != asked:
        raise Conflict(
            f"The dialog announced {_amount(said)}; Stripe would charge {_amount(asked)} by now.",
            remedy=_LOOK_AGAIN,
        )


def _require_same_card(row: Action, now: Subject) -> None:
    told = row.params.get("charged_to")
    if not told or told == now.charged_to:
        return
    with database.session() as session:
        named = words.card(session.get(PaymentMethod, *told.values()))
    by_now = words.card(now.card) if now.payment_method else "no card"
    another = by_now if by_now != named else "another one"
    raise Conflict(
        f"The dialog named {named}; by now Stripe would charge {another}.",
        remedy=_LOOK_AGAIN,
    )


def _amount(quote: dict[str, Any] | None) -> str:
    return words.money(quote["amount_due"], quote["currency"]) if quote else "nothing"


def _is_written_over(row: Action, now: Subject) -> bool:
    mark = now.subscription.metadata_.get(MARK) if now.subscription else None
    if not mark or mark == row.token:
        return False
    with database.session() as session:
        other = session.get(Action, mark)
    return other is not None and (other.started_at or 0) >= (row.started_at or 0)
