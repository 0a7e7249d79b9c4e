"""May this customer be written to or called, and where does the mail go?"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Customer
from services.errors import Conflict, InvalidInput, NotFound, TrialdeskError
from services.outreach import email


class Unreachable(InvalidInput):
    """The customer has no email address."""


def load(session: Session, ids: Sequence[str]) -> list[Customer]:
    """Many customers in one statement; `customer` asks no more about those that are held."""
    return list(session.exec(select(Customer).where(col(Customer.id).in_(ids))))


def refused(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """Of several customers those who may not be written to or called, with the reason."""
    kept = load(session, ids)  # the session forgets rows that nobody holds
    problems: dict[str, str] = {}
    for id in ids:
        try:
            customer(session, id)
        except TrialdeskError as problem:
            problems[id] = str(problem)
    del kept
    return problems


def without_phone(session: Session, ids: Sequence[str]) -> list[str]:
    """Of several customers those of whom no phone number is known, in the order given."""
    known = select(Customer.id).where(col(Customer.id).in_(ids), sa.func.coalesce(Customer.phone, "") != "")
    numbered = set(session.exec(known))
    return [id for id in ids if id not in numbered]


def customer(session: Session, id: str) -> Customer:
    """The customer, who may be written to or called. Raises NotFound, and Conflict for a deleted one."""
    row = session.get(Customer, id)
    if row is None:
        raise NotFound("customer", id, remedy="Look for the customer by name or email.")
    if row.deleted:
        raise Conflict(
            "This customer was deleted in Stripe.", remedy="Deleted customers take no messages and no calls."
        )
    return row


def address(row: Customer) -> str:
    """Where mail to the customer goes. Raises Unreachable without an address, InvalidInput for a bad one."""
    if not (row.email or "").strip():
        raise Unreachable(
            "This customer has no email address.",
            field="to_address",
            remedy="Add one with “Change email or name”, or request a call instead.",
        )
    return email.check_address(row.email or "")
