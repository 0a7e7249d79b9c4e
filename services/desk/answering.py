"""How is a request to cancel approved? By the command itself, which begins as the customer wants it."""

from __future__ import annotations

from dataclasses import replace

from models import CancellationRequest
from services import database
from services.customers import names
from services.desk import commands, hearing, requests, words
from services.desk.asking import Answering, Opened
from services.desk.cancellations import LONGEST_COMMENT
from services.staff.roles import Person


def open(person: Person, id: str) -> Opened:
    """Opens the dialog that ends the subscription of a request.

    Raises NotFound, Conflict where somebody has decided about it, and what `commands.open` raises.
    """
    with database.session() as session:
        row = requests.undecided(session, id)
    opened = commands.open(person, "cancel", row.customer, row.subscription)
    with database.session() as session:  # what is said from here on is not what `opened` has noted
        return replace(opened, answering=_answering(requests.undecided(session, id)))


def _answering(row: CancellationRequest) -> Answering:
    because = f"Asked for by the customer on {words.day(row.received_at)}"
    why = f" ({names.FEEDBACK.get(row.reason, row.reason).lower()})" if row.reason else ""
    comment = hearing.in_short(row)
    return Answering(
        row.id,
        said=f"{because}: {names.WISHES.get(row.wish, row.wish).lower()}{why}.",
        form={"when": row.wish, "feedback": row.reason, "comment": comment[:LONGEST_COMMENT]},
        because=because,
        last=hearing.sayings(row)[-1].id,
        cut=len(comment) > LONGEST_COMMENT,
    )
