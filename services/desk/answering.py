"""How is a request to cancel approved? By the command itself, which begins as the customer wants it."""

from __future__ import annotations

from dataclasses import replace

from models import CancellationRequest
from services import database
from services.customers import names
from services.desk import commands, requests, words
from services.desk.asking import Answering, Opened
from services.staff.roles import Person

_LONGEST = 500  # characters of a comment that Stripe keeps


def open(person: Person, id: str) -> Opened:
    """Opens the dialog that ends the subscription of a request.

    Raises NotFound, Conflict where somebody has decided about it, and what `commands.open` raises.
    """
    with database.session() as session:
        row = requests.undecided(session, id)
    opened = commands.open(person, "cancel", row.customer, row.subscription)
    return replace(opened, answering=Answering(row.id, _said(row), _form(row)))


def _said(row: CancellationRequest) -> str:
    why = f": {names.FEEDBACK.get(row.reason, row.reason)}" if row.reason else ""
    return f"Asked for by the customer on {words.day(row.received_at)}{why}"


def _form(row: CancellationRequest) -> dict[str, str]:
    comment = " ".join(row.comment.split())
    return {"when": row.wish, "feedback": row.reason, "comment": comment[:_LONGEST]}
