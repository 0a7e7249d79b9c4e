"""Which messages were written, and what became of each?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Customer, CustomerFacts, Message
from services.text import folded

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class OutboxFilter:
    """Which messages. `text` is looked for in the address, the subject and the customer's name."""

    state: str = ""
    author: int | None = None
    customer: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message of the list, without its text."""

    token: str
    customer: str
    name: str
    to_address: str
    subject: str
    template: str
    state: str
    author: str
    created_at: int
    sent_at: int | None


def conditions(wanted: OutboxFilter) -> list[Condition]:
    """The filter as conditions on messages joined with customers."""
    found: list[Condition] = []
    if wanted.state:
        found.append(col(Message.state) == wanted.state)
    if wanted.author is not None:
        found.append(col(Message.staff) == wanted.author)
    if wanted.customer:
        found.append(col(Message.customer) == wanted.customer)
    if text := wanted.text.strip():
        found.append(
            sa.or_(
                col(Message.to_address).icontains(text, autoescape=True),
                col(Message.subject).icontains(text, autoescape=True),
                col(CustomerFacts.search_key).contains(folded(text), autoescape=True),
            )
        )
    return found


def count_by_state(session: Session, where: Sequence[Condition]) -> dict[str, int]:
    """How many messages match, by state."""
    found = session.execute(
        _messages(Message.state, sa.func.count()).where(*where).group_by(col(Message.state))
    )
    return dict(found.all())


def page(session: Session, where: Sequence[Condition], *, offset: int, limit: int) -> list[OutboxRow]:
    """One page of the messages that match `conditions`, the newest first."""
    wanted = _messages(
        Message.token,
        Message.customer,
        Customer.name,
        Message.to_address,
        Message.subject,
        Message.template,
        Message.state,
        Message.staff_name,
        Message.created_at,
        Message.sent_at,
    ).where(*where)
    order = (col(Message.created_at).desc(), col(Message.token))
    found = session.execute(wanted.order_by(*order).offset(offset).limit(limit))
    return [OutboxRow(token, customer, name or "", *rest) for token, customer, name, *rest in found]


def _messages(*columns: Any) -> Any:
    return (
        sa.select(*columns)
        .select_from(Message)
        .outerjoin(Customer, col(Customer.id) == col(Message.customer))
        .outerjoin(CustomerFacts, col(CustomerFacts.customer) == col(Message.customer))
    )
