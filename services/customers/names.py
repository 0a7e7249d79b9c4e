"""What is each thing called that staff do? One name on its button, its dialog, in Activity and timelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

ACTIONS: Final[dict[str, str]] = {
    "extend_trial": "Extend trial",
    "end_trial": "End trial now",
    "add_charge": "Add charge",
    "retry_payment": "Retry payment",
    "card_link": "Card link",
    "undo_cancel": "Undo cancel",
    "reactivate": "Reactivate",
    "cancel": "Cancel",
}
WAYS: Final[dict[str | None, str]] = {
    "resume": "Resume",
    "collect": "Resume collection",
    "anew": "Start again",
}
SEND_MESSAGE: Final = "Send message"
REQUEST_CALL: Final = "Request a call"
CALL_OUTCOME: Final = "Call outcome"
ADD_NOTE: Final = "Add note"
ADD_TASK: Final = "Add a task"
TASK_DONE: Final = "Mark task as done"
OUTCOMES: Final[dict[str, dict[str, str]]] = {
    "done": {
        "will_subscribe": "Will subscribe",
        "will_pay": "Will pay",
        "thinking": "Is thinking about it",
        "needs_feature": "Needs something we do not have",
        "needs_help": "Needs help, given or promised",
        "too_expensive": "Too expensive",
        "will_leave": "Will leave",
        "other": "Something else",
    },
    "no_show": {
        "no_answer": "Did not pick up",
        "wrong_number": "Wrong number",
        "postponed": "Asked for another time",
        "other": "Something else",
    },
    "declined": {
        "no_interest": "No interest",
        "prefers_writing": "Prefers writing",
        "bad_time": "Has no time for a call",
        "other": "Something else",
    },
}


def of_action(command: str, params: Mapping[str, Any]) -> str:
    """What an action is called; reactivating by what it does, as on its button."""
    way = params.get("way") if command == "reactivate" else None
    return WAYS.get(way) or ACTIONS.get(command) or command


def of_outcome(state: str, outcome: str) -> str:
    """What came of a call, in words; a code that is not used any more as it is."""
    return OUTCOMES.get(state, {}).get(outcome, outcome)
