"""What paid a payment that had failed: Stripe, staff, the customer, or no charge at all?

- `staff`: a try that somebody made from this desk paid it (a step of a command is on record).
- `automatic`: Stripe's own retry, with a card that had failed before.
- `new_card`: Stripe's own retry, with a card that had not: somebody put in another one.
- `customer`: a try by hand outside the desk. It is the customer's, on the invoice's own page, or somebody's
  in Stripe's Dashboard: the tables do not tell these apart. Of an invoice that was sent, any charge.
- `credit`: no charge, and a credit note on it came after the failure.
- `out_of_band`: no charge and no credit note: somebody said that it was paid elsewhere.
- `unknown`: it was paid through Stripe, and what the tables say of the tries does not tell how. So where no
  charge had failed (no card, or the bank wanted a confirmation), or where cards are not named.

Stripe counts its own tries and the first one (`attempt_count`), and not those by hand after it: the try that
paid was Stripe's where Stripe counts more tries than failed without the desk's doing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlmodel import col

from models import Action, ActionStep, Charge, CreditNote, InvoicePayment
from services import database
from services.among import among

By = Literal["automatic", "new_card", "staff", "customer", "out_of_band", "credit", "unknown"]
BY: tuple[By, ...] = get_args(By)
_RETRIES = ("retry_payment", "retry_all")
_EACH = "pay "  # how the steps of a retry of all invoices begin, before the invoice's id
_P, _C, _N, _A, _S = InvoicePayment, Charge, CreditNote, Action, ActionStep
_THESE = "invoices"
_THEIRS = "customers"


@dataclass(slots=True)
class Tries:
    """What is known of the tries to charge one invoice: the cards that failed, in order (None: not named),
    the card of the last charge that succeeded, and how often staff tried in vain and with success."""

    failed: list[str | None] = field(default_factory=list)
    succeeded: list[str | None] = field(default_factory=list)
    refused: int = 0
    by_staff: int = 0
    asked_for: bool = False  # a payment through Stripe is marked as paid
    credited_at: int | None = None


def known(
    connection: sa.Connection, customers: Collection[str], invoices: Collection[str]
) -> Mapping[str, Tries]:
    """What the tables say of the tries to charge these invoices of these customers."""
    found: dict[str, Tries] = defaultdict(Tries)
    for some in database.chunks(invoices):
        these = {"invoices": some}
        for invoice, succeeded, card in connection.execute(_charges(), these).all():
            (found[invoice].succeeded if succeeded else found[invoice].failed).append(card)
        for invoice in connection.execute(_paid(), these).scalars().all():
            found[invoice].asked_for = True
        for invoice, at in connection.execute(_credits(), these).all():
            found[invoice].credited_at = at
    for (invoice, state), number in _by_staff(connection, customers).items():
        if state == "done":
            found[invoice].by_staff = number
        else:
            found[invoice].refused = number
    return found


def tell(tries: Tries, *, failed_at: int, attempt_count: int, collection_method: str) -> By:
    """What paid an invoice whose payment first failed at an instant (UTC seconds)."""
    if not tries.succeeded:
        if (tries.credited_at or 0) >= failed_at:
            return "credit"
        return "unknown" if tries.asked_for else "out_of_band"
    if tries.by_staff:
        return "staff"
    if collection_method == "send_invoice":
        return "customer"
    if not tries.failed:
        return "unknown"
    if attempt_count <= len(tries.failed) - tries.refused:
        return "customer"
    card = tries.succeeded[-1]
    if card is None or None in tries.failed:
        return "unknown"
    return "automatic" if card in tries.failed else "new_card"


def _by_staff(connection: sa.Connection, customers: Collection[str]) -> Counter[tuple[str, str]]:
    """How many tries the desk made of each invoice, done and refused."""
    found: Counter[tuple[str, str]] = Counter()
    for step, state, about in connection.execute(_steps(), {"customers": list(customers)}).all():
        invoice = step.removeprefix(_EACH) if step.startswith(_EACH) else about
        found[invoice, state] += 1
    return found


@cache
def _charges() -> Any:
    """The charges of the invoices that succeeded (1) or failed (0), oldest first, each with its card."""
    named = (col(_C.payment_intent) == col(_P.payment_intent), col(_C.id) == col(_P.charge))
    tried = sa.union(
        *(sa.select(col(_P.invoice), col(_C.id)).join_from(_P, _C, how).where(among(col(_P.invoice), _THESE))
          for how in named)
    ).subquery()  # fmt: skip
    succeeded = sa.case((col(_C.status) == "succeeded", 1), else_=0)
    return (
        sa.select(tried.c.invoice, succeeded, sa.func.coalesce(col(_C.payment_method), col(_C.card_last4)))
        .join_from(tried, _C, col(_C.id) == tried.c.id)
        .where(col(_C.status).in_(("succeeded", "failed")))
        .order_by(col(_C.created), col(_C.id))
    )


@cache
def _paid() -> Any:
    """The invoices of which a payment through Stripe is marked as paid."""
    through = col(_P.payment_intent).is_not(None) | col(_P.charge).is_not(None)
    return sa.select(col(_P.invoice)).where(among(col(_P.invoice), _THESE), col(_P.status) == "paid", through)


@cache
def _credits() -> Any:
    """When each invoice was last credited."""
    issued = sa.select(col(_N.invoice), sa.func.max(col(_N.created)))
    return issued.where(among(col(_N.invoice), _THESE), col(_N.status) != "void").group_by(col(_N.invoice))


@cache
def _steps() -> Any:
    """What the desk asked Stripe for to have these customers' invoices paid, and got an answer to."""
    return (
        sa.select(col(_S.step), col(_S.state), col(_A.object_id))
        .join_from(_A, _S, col(_S.token) == col(_A.token))
        .where(
            among(col(_A.customer), _THEIRS),
            col(_A.command).concat("").in_(_RETRIES),
            col(_S.state).in_(("done", "refused")),
        )
    )
