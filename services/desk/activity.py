"""What have people done here? The ledger, filtered, sorted newest first and cut in SQL.

A person without the permission to see all activity sees their own actions. Dialogs that were opened and
never confirmed are left out unless they are asked for (`state` open). Instants are UTC seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Action, Customer, CustomerFacts
from services.customers import names
from services.desk import results, snapshots
from services.desk.snapshots import Difference
from services.staff.roles import Permission, Person


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """What to show. `since` is the first instant that counts, `until` the first that does not any more."""

    command: str = ""
    staff: int | None = None
    state: str = ""
    customer: str = ""
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One action as it is shown. `charged` says what it charged and whether that is paid."""

    token: str
    command: str
    title: str
    state: str
    staff_name: str
    role: str
    customer: str
    customer_name: str
    object_id: str
    reason: str
    at: int
    finished_at: int | None
    happens: tuple[str, ...]
    charged: str
    differences: tuple[Difference, ...]
    result: dict[str, str]
    request_id: str
    error: str
    remedy: str
    comment: str


def count(session: Session, person: Person, wanted: ActivityFilter) -> int:
    """How many actions the filter finds for this person."""
    counted = select(sa.func.count()).select_from(Action)
    return int(session.exec(_named(counted, wanted).where(*_conditions(person, wanted))).one())


def search(
    session: Session, person: Person, wanted: ActivityFilter, *, offset: int = 0, limit: int = 50
) -> list[Entry]:
    """One page of the actions that the filter finds, newest first."""
    found = _named(select(Action, Customer), wanted).where(*_conditions(person, wanted))
    newest = found.order_by(col(Action.opened_at).desc(), col(Action.token)).offset(offset).limit(limit)
    return _entries(session, newest)


def unknown(session: Session, person: Person, *, limit: int = 20) -> list[Entry]:
    """The actions whose outcome nobody knows yet, oldest first."""
    wanted = ActivityFilter(state="unknown")
    found = _named(select(Action, Customer), wanted).where(*_conditions(person, wanted))
    oldest = found.order_by(col(Action.opened_at), col(Action.token)).limit(limit)
    return _entries(session, oldest)


def people(session: Session, person: Person) -> dict[int, str]:
    """Who has done something that this person may see: id -> name."""
    shown = select(Action.staff, sa.func.max(Action.staff_name)).where(*_conditions(person, ActivityFilter()))
    rows = session.exec(shown.where(col(Action.staff).is_not(None)).group_by(col(Action.staff)))
    return dict(sorted(((id, name) for id, name in rows if id is not None), key=lambda row: row[1].lower()))


def _named(statement: Any, wanted: ActivityFilter) -> Any:
    """The statement with the customers beside it, and only those that the filter's text names."""
    joined = statement.outerjoin(Customer, col(Customer.id) == col(Action.customer))
    text = wanted.customer.strip()
    if not text:
        return joined
    keys = (col(CustomerFacts.name_key), col(CustomerFacts.email_key))  # SQLite lowers ASCII alone
    return joined.outerjoin(CustomerFacts, col(CustomerFacts.customer) == col(Action.customer)).where(
        sa.or_(
            col(Action.customer) == text,
            col(Action.object_id) == text,
            *(key.contains(text.lower(), autoescape=True) for key in keys),
        )
    )


def _conditions(person: Person, wanted: ActivityFilter) -> list[Any]:
    conditions: list[Any] = [Action.state == wanted.state if wanted.state else Action.state != "open"]
    if not person.may(Permission.SEE_ACTIVITY):
        conditions.append(Action.staff == person.id)
    if wanted.command:
        conditions.append(Action.command == wanted.command)
    if wanted.staff is not None:
        conditions.append(Action.staff == wanted.staff)
    if wanted.since is not None:
        conditions.append(Action.opened_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(Action.opened_at < wanted.until)
    return conditions


def _entries(session: Session, statement: Any) -> list[Entry]:
    found = [(action, customer) for action, customer in session.exec(statement)]
    charged = results.of(session, [action for action, _ in found])
    return [_entry(action, customer, charged.get(action.token, "")) for action, customer in found]


def _entry(action: Action, customer: Customer | None, charged: str) -> Entry:
    name = (customer.name or customer.email or "") if customer else ""
    remedy = " ".join(filter(None, (action.error.get("left"), action.error.get("remedy"))))
    return Entry(
        token=action.token,
        command=action.command,
        title=names.of_action(action.command, action.params),
        state=action.state,
        staff_name=action.staff_name,
        role=action.role,
        customer=action.customer,
        customer_name=name or action.customer,
        object_id=action.object_id,
        reason=action.reason,
        at=action.started_at or action.opened_at,
        finished_at=action.finished_at,
        happens=tuple(action.preview.get("happens", ())),
        charged=charged,
        differences=tuple(snapshots.differences(action.before, action.after)) if action.after else (),
        result={name: str(value) for name, value in action.result.items()},
        request_id=action.request_id,
        error=action.error.get("message", ""),
        remedy=remedy,
        comment=action.comment,
    )
