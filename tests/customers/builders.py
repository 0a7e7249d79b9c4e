"""Rows for tests of this room: a customer with facts, and whatever hangs on it, each with one call."""

from __future__ import annotations

from itertools import count
from typing import Any

from sqlmodel import Session

from models import Base, Customer, CustomerFacts, Staff
from services.customers import worklists
from services.customers.worklists import FailureFilter, FailureRow
from services.staff.roles import Person, Role
from services.text import folded, phone_key

NOW = 1_800_000_000
_numbers = count(1)


def person(role: Role = Role.SUPPORT, id: int = 1, read_only: str = "") -> Person:
    return Person(id, f"Person {id}", f"p{id}@desk.example", role, read_only)


def staff(session: Session, name: str, *, role: Role = Role.SUPPORT) -> int:
    row = Staff(name=name, email=f"{name.lower().replace(' ', '.')}@desk.example", role=role)
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def customer(session: Session, id: str = "", *, created: int = NOW, **given: Any) -> str:
    """A customer and its facts; values go to whichever of the two tables has the column."""
    id = id or f"cus_{next(_numbers):04d}"
    name, email = given.get("name"), given.get("email")
    keys = {
        "name_key": folded(name or ""),
        "search_key": folded(f"{name or ''}\n{email or ''}"),
        "email_key": (email or "").lower(),
        "email_domain": (email or "").lower().rpartition("@")[2],
        "phone_key": phone_key(given.get("phone") or ""),
    }
    session.add(Customer(id=id, created=created, **_columns(Customer, given)))
    session.add(CustomerFacts(customer=id, created=created, **{**keys, **_columns(CustomerFacts, given)}))
    return id


def _columns(table: type[Base], given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in table.model_fields}


def row(session: Session, table: type[Base], **given: Any) -> None:
    """A row of any table; mirrored ones are created now unless told otherwise."""
    if "as_of" in table.model_fields:
        given = {"created": NOW, "as_of": NOW, **given}
    session.add(table(**given))


def open_failures(session: Session, wanted: FailureFilter) -> list[FailureRow]:
    """The first page of the open failures that a filter finds."""
    where = worklists.failure_conditions(wanted)
    return worklists.failures(session, where, worklists.stakes(session, where), offset=0, limit=10)
