"""Which command takes back what an action did, and why can it not be taken back (any more)?

An undo is an ordinary command, opened with the part of its form that makes it one. It is refused where what
the action changed is not as it left it, so that nobody takes back what a colleague did after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlmodel import Session, col, select

from models import Action
from services import clock, database
from services.desk import (
    catalog,
    changing,
    commands,
    extensions,
    ledger,
    loading,
    reactivation,
    selling,
    undone,
    words,
)
from services.desk.asking import Opened, Undoing
from services.desk.command import Form
from services.desk.subject import Item, Subject
from services.errors import Conflict, NotFound
from services.staff.roles import Person

Moved = dict[str, tuple[Any, Any]]  # from what to what, by a field, a discount's id or an item's


@dataclass(frozen=True, slots=True)
class Undo:
    """How an action is taken back: a command on an object with a form. `what` must still be as the action
    left it ("": the command itself knows); `why_not` says why it cannot be, "" where it can."""

    command: str = ""
    object_id: str = ""
    form: Form = field(default_factory=dict)
    what: str = ""
    why_not: str = ""


def of(session: Session, person: Person, token: str) -> Undo | None:
    """How this person can take an action back, as the tables know it; None where there is nothing to say.
    Raises NotFound."""
    row = ledger.get(session, token)
    if row.state != "done":
        return None
    if row.command not in _INVERSES:
        reason = _FINAL.get(row.command, "")
        return Undo(why_not=reason) if reason else None
    undo = _INVERSES[row.command](row)
    return undo if undo.why_not else replace(undo, why_not=_why_not(session, person, row, undo))


def open(person: Person, token: str) -> Opened:
    """Opens the dialog that takes an action back.

    Raises Conflict with the reason why it cannot be, and what `commands.open` raises.
    """
    with database.session() as session:
        row, undo = ledger.get(session, token), of(session, person, token)
    if undo is None or undo.why_not:
        reason = undo.why_not if undo else "This action cannot be taken back."
        raise Conflict(reason, remedy="Close this and look at the row in Activity again.")
    opened = commands.open(person, undo.command, row.customer, undo.object_id)
    with database.session() as session:  # as Stripe has it by now
        reason = _changed(session, row, undo, opened.subject)
    if reason:
        raise Conflict(reason, remedy="Nothing was done.")
    return replace(opened, undoing=Undoing(token, undone.said(row), undo.form))


def _why_not(session: Session, person: Person, row: Action, undo: Undo) -> str:
    """Why an action cannot be taken back by this person in this way; "" where it can."""
    if other := undone.by(session, [row], undone.BEGUN).get(row.token):
        return _begun(other)
    command = catalog.find(undo.command)
    if reason := person.why_not(command.permission):
        return reason
    try:
        subject = loading.load(session, row.customer, undo.object_id)
    except NotFound:
        return "What it made is not in Stripe any more."
    return _changed(session, row, undo, subject) or command.offered(subject)


def _begun(other: Action) -> str:
    if other.state == "done":
        return f"{other.staff_name} took it back on {words.moment(other.finished_at or other.opened_at)}."
    return f"{other.staff_name} is about to take it back: {_STANDS[other.state]}"


_STANDS: Final = {
    "waiting": "that waits for approval.",
    "running": "that is under way.",
    "unknown": "whether it was done nobody knows yet; say so in its row first.",
}


def _changed(session: Session, row: Action, undo: Undo, subject: Subject) -> str:
    """What stands against it in how things are by now; "" for nothing."""
    if undo.what:
        if other := _later(session, row, undo.what):
            return f"It is not as this action left it: after it came {undone.said(other)}."
        if _standing(subject).get(undo.what) != _moved(row)[undo.what][1]:
            return "It is not as this action left it: it has changed since, in Stripe or by itself."
    return _against(session, row, undo, subject)


def _against(session: Session, row: Action, undo: Undo, subject: Subject) -> str:
    """What else stands against a command that would do more than take back, or that cannot any more."""
    if undo.command == "take_back_extension":
        old = extensions.end_before(row)
        return extensions.passed(old) if old <= clock.now() else ""
    if undo.command == "reactivate" and reactivation.way(subject) != "collect":
        return "The subscription does not run any more; “Reactivate” on the customer's page brings it back."
    if undo.command == "change_plan":
        return _not_sold(session, undo, subject)
    return ""


def _not_sold(session: Session, undo: Undo, subject: Subject) -> str:
    """That an item cannot go back to its old price."""
    found = changing.with_plans(subject, selling.plans(session, subject.currency))
    [item] = [each for each in subject.items if each.row.id == undo.form["item"]]
    sold = {plan.price.id for plan in changing.plans_for(found, item)}
    return "" if undo.form["price"] in (*sold, item.row.price) else "The old plan is not sold any more."


def _later(session: Session, row: Action, what: str) -> Action | None:
    """The latest action that changed the same after this one; not one that was taken back, nor its undo."""
    since = list(
        session.exec(
            select(Action)
            .where(Action.customer == row.customer, Action.object_id == row.object_id)
            .where(Action.state == "done", col(Action.finished_at) > row.finished_at)
            .order_by(col(Action.finished_at).desc())
        )
    )
    pairs = {each.params.get(undone.UNDOES): each.token for each in since}
    settled = {token for each in since if each.token in pairs for token in (each.token, pairs[each.token])}
    return next((each for each in since if each.token not in settled and what in _moved(each)), None)


def _standing(subject: Subject) -> dict[str, Any]:
    """What an action may have changed, as it is."""
    subscription = subject.subscription
    if subscription is None:
        return {}
    return {
        **{name: getattr(subscription, name) for name in _FIELDS},
        **dict.fromkeys(subscription.discounts, True),
        **{item.row.id: [item.row.price, _quantity(item)] for item in subject.items},
    }


def _quantity(item: Item) -> int | None:
    """How many there are of an item; None for what is billed by use."""
    return None if item.price and item.price.usage_type == "metered" else item.row.quantity


_FIELDS: Final = ("trial_end", "cancel_at_period_end", "cancel_at", "pause_collection")


def _moved(row: Action) -> Moved:
    """What an action changed, by what it is."""
    before, after = row.before, row.after
    fields = {name: (before.get(name), after[name]) for name in _FIELDS if name in after}
    had, has = (set(each.get("discounts") or ()) for each in (before, after))
    discounts = {id: (id in had, id in has) for id in had ^ has if "discounts" in after}
    moved = fields | discounts | _moved_item(row)
    return {what: (old, new) for what, (old, new) in moved.items() if old != new}


def _moved_item(row: Action) -> Moved:
    if row.command != "change_plan":
        return {}
    was, [becomes] = row.params["before"], row.params["items"]
    new = [becomes.get("price", was["price"]), becomes.get("quantity")]
    return {was["item"]: ([was["price"], was["quantity"]], new)}


# How each is taken back. Rows are told apart by what they changed, not by what was asked for.
_UNKNOWN: Final = "What it changed is not known here: look in Stripe."


def _back(row: Action, command: str, what: tuple[str, ...], **form: str) -> Undo:
    """The command on the same object, where it is known that the action changed one of `what`."""
    moved = _moved(row)
    found = next((each for each in what if each in moved), "")
    return Undo(command, row.object_id, form, found, "" if found else _UNKNOWN)


def _extension(row: Action) -> Undo:
    return _back(row, "take_back_extension", ("trial_end",), action=row.token)


def _cancellation(row: Action) -> Undo:
    if row.params["when"] == "now":
        return Undo(why_not="The subscription has ended: it can only be started anew, with “Reactivate”.")
    return _back(row, "undo_cancel", ("cancel_at_period_end", "cancel_at"))


def _pause(row: Action) -> Undo:
    return _back(row, "reactivate", ("pause_collection",))


def _coupon(row: Action) -> Undo:
    given = [id for id, (had, _) in _moved(row).items() if had is False and id not in _FIELDS]
    return _back(row, "remove_coupon", tuple(given), discount=given[0] if given else "")


def _charge(row: Action) -> Undo:
    if row.params["when"] != "next":
        return Undo(why_not="It was billed at once: refund its payment, or void its invoice.")
    made = row.result.get("invoice_item", "")
    return Undo("remove_charge", made, why_not="" if made else _UNKNOWN)


def _plan(row: Action) -> Undo:
    was = row.params["before"]
    old = {"item": was["item"], "price": was["price"], "quantity": str(was["quantity"])}
    return _back(row, "change_plan", (was["item"],), **old)


_INVERSES: Final[dict[str, Callable[[Action], Undo]]] = {
    "extend_trial": _extension,
    "cancel": _cancellation,
    "pause_collection": _pause,
    "apply_coupon": _coupon,
    "add_charge": _charge,
    "change_plan": _plan,
}
_FINAL: Final[dict[str, str]] = {  # what has none, and what to do instead
    "end_trial": "A trial that has ended cannot be given back.",
    "retry_payment": "Money was moved: refund the payment instead.",
    "retry_all": "Money was moved: refund the payments instead.",
    "refund": "Money was given back: add a charge instead.",
    "void_invoice": "An invoice that was voided stays void: add a charge instead.",
    "mark_uncollectible": "The invoice stays given up; it can still be paid by its link.",
    "reactivate": "“Cancel” or “Pause collection” on the customer's page stops it again.",
    "undo_cancel": "“Cancel” on the customer's page sets its end again.",
    "take_back_extension": "“Extend trial” on the customer's page extends it again.",
    "start_trial": "“Cancel” on the customer's page ends it.",
    "account_credit": "“Account credit” on the customer's page takes or gives it back.",
    "remove_coupon": "“Apply coupon” on the customer's page applies it anew, where it is still given out.",
    "remove_charge": "“Add charge” on the customer's page adds it anew.",
    "change_contact": "Activity keeps no addresses: change it back on the customer's page.",
}
