"""What is each thing called that staff do? One name on its button, its dialog, in Activity and timelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from models.ledger import DECLINED

ACTIONS: Final[dict[str, str]] = {
    "extend_trial": "Extend trial",
    "end_trial": "End trial now",
    "add_charge": "Add charge",
    "retry_payment": "Retry payment",
    "card_link": "Card link",
    "undo_cancel": "Undo cancel",
    "reactivate": "Reactivate",
    "cancel": "Cancel",
    "pause_collection": "Pause collection",
    "start_trial": "Start trial",
    "account_credit": "Account credit",
    "change_contact": "Change email or name",
    "change_plan": "Change plan",
    "apply_coupon": "Apply coupon",
    "remove_coupon": "Remove coupon",
    "refund": "Refund",
    "void_invoice": "Void invoice",
    "mark_uncollectible": "Mark as uncollectible",
    "send_invoice": "Send invoice",
    "remove_charge": "Remove charge",
    "retry_all": "Retry all overdue",
    "take_back_extension": "Take back extension",
}
CAME_OF: Final[dict[str, str]] = {  # what is true once it is done, where neither object nor invoice tells
    "card_link": "A link was made to a page where the customer can enter a card.",
    "change_contact": "The customer's email or name was changed.",
    "send_invoice": "Stripe sent the invoice to the customer.",
}
RESUME_COLLECTION: Final = "Resume collection"  # the way of reactivating what runs
SEND_MESSAGE: Final = "Send message"
REQUEST_CALL: Final = "Request a call"
CALL_OUTCOME: Final = "Call outcome"
ADD_NOTE: Final = "Add note"
ADD_TASK: Final = "Add a task"
TASK_DONE: Final = "Mark task as done"
CALL_ENDS: Final[dict[str, str]] = {
    "done": "It took place",
    "no_show": "Nobody was there",
    "declined": "The customer declined",
}
OUTCOMES: Final[dict[str, str]] = {  # of a call that took place
    "will_subscribe": "Will subscribe",
    "will_pay": "Will pay",
    "thinking": "Is thinking about it",
    "needs_feature": "Needs something we do not have",
    "needs_help": "Needs help, given or promised",
    "too_expensive": "Too expensive",
    "will_leave": "Will leave",
    "other": "Something else",
}
FEEDBACK: Final[dict[str, str]] = {  # why a customer leaves, by Stripe's codes
    "": "Not said",
    "too_expensive": "Too expensive",
    "missing_features": "Features are missing",
    "switched_service": "Went to another service",
    "unused": "Did not use it",
    "customer_service": "Customer service",
    "too_complex": "Too complex",
    "low_quality": "Low quality",
    "other": "Another reason",
}
WISHES: Final[dict[str, str]] = {"period_end": "At the end of the period", "now": "Now"}
OFFERS: Final[dict[str, str]] = {  # to who wants to leave
    "pause": "A pause",
    "coupon": "A discount",
    "longer_trial": "A longer trial",
    "another_plan": "Another plan",
    "other": "Something else",
}


def of_action(command: str, params: Mapping[str, Any]) -> str:
    """What an action is called; reactivating by what it does, as on its button."""
    if command == "reactivate" and params.get("way") == "collect":
        return RESUME_COLLECTION
    return ACTIONS.get(command, command)


def with_purpose(happens: Sequence[str], params: Mapping[str, Any]) -> list[str]:
    """What an action does, with what it is for, as the customer reads it, where no sentence says that."""
    purpose = params.get("description")
    if not happens or not purpose or any(f"“{purpose}”" in said for said in happens):
        return list(happens)
    return [f"{happens[0]} It is for “{purpose}”.", *happens[1:]]


def of_those(staff_name: str, end: str, decider_name: str) -> str:
    """Who did an action: who asked for it, and who allowed it where a second person had to."""
    allowed = decider_name and end != DECLINED
    return f"{staff_name}, approved by {decider_name}" if allowed else staff_name


def of_outcome(state: str, outcome: str) -> str:
    """What came of a call, in words; a code that is not used any more as it is; "" while it is open."""
    return OUTCOMES.get(outcome, outcome) if state == "done" else CALL_ENDS.get(state, "")
