"""How many customers match, and what does the list say about each of one page?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Customer, CustomerFacts
from services.customers.conditions import Condition, customer
from services.metrics.recovery import recovery
from services.metrics.revenue import revenue
from services.staff import people

_FAR: Final = 2**62


@dataclass(frozen=True, slots=True)
class Row:
    """One customer of a list. `shares_email` counts the other customers with the same email."""

    facts: CustomerFacts
    name: str
    email: str
    owner: str
    shares_email: int


_NEWEST: Final = (col(CustomerFacts.created).desc(), customer.desc())
_ORDER: Final[dict[str, Sequence[Any]]] = {
    "Newest": _NEWEST,
    "Oldest": (col(CustomerFacts.created), customer),
    "Name": (col(CustomerFacts.name_key) == "", col(CustomerFacts.name_key), customer),
    "MRR": (
        col(CustomerFacts.mrr_micros) == 0,
        col(CustomerFacts.currency),
        col(CustomerFacts.mrr_micros).desc(),
        *_NEWEST,
    ),
    "Trial end": (
        col(CustomerFacts.status) != "trialing",
        sa.func.coalesce(col(CustomerFacts.trial_end), _FAR),
        customer,
    ),
    "Money at stake": (
        col(CustomerFacts.open_amount) == 0,
        col(CustomerFacts.open_currency),
        col(CustomerFacts.open_amount).desc(),
        *_NEWEST,
    ),
    "Last contact": (sa.func.coalesce(col(CustomerFacts.last_contact_at), 0).desc(), *_NEWEST),
}  # every order ends in the id: no two rows are equal, so no page repeats or skips one


def newest(session: Session) -> int:
    """The creation instant of the youngest customer; 0 without any. Lists hold on to it, see `page`."""
    return session.scalar(select(sa.func.max(col(CustomerFacts.created)))) or 0


def count(session: Session, where: Sequence[Condition], *, until: int | None = None) -> int:
    """How many customers match `conditions(...)`; `until` as in `page`."""
    counted = select(sa.func.count()).select_from(CustomerFacts).where(*_bounded(where, until))
    return session.scalar(counted) or 0


def mrr(session: Session, where: Sequence[Condition], *, until: int | None = None) -> dict[str, int]:
    """What all that match pay in a month: micros by currency, the largest first; `until` as in `page`."""
    return revenue.of_customers(session, sa.select(customer).where(*_bounded(where, until)))


def disputed(session: Session, where: Sequence[Condition], *, until: int | None = None) -> dict[str, int]:
    """What all that match dispute: minor units by currency; `until` as in `page`."""
    return recovery.disputed_of(session, sa.select(customer).where(*_bounded(where, until)))


def page(
    session: Session,
    where: Sequence[Condition],
    *,
    sort: str,
    offset: int,
    limit: int,
    until: int | None = None,
) -> list[Row]:
    """One page of the customers that match `conditions(...)`.

    `until` (from `newest`, taken with the first page) leaves out customers who came since, so that
    the pages after the first neither repeat nor skip a row.
    """
    # Sorting whole rows is several times slower than sorting ids.
    wanted = select(CustomerFacts.customer).where(*_bounded(where, until)).order_by(*_ORDER[sort])
    ids = session.exec(wanted.offset(offset).limit(limit)).all()
    rows = {row.customer: row for row in session.exec(select(CustomerFacts).where(customer.in_(ids)))}
    return described(session, [rows[id] for id in ids if id in rows])


def ids(session: Session, where: Sequence[Condition], *, sort: str, until: int | None = None) -> list[str]:
    """All customers that match, in the order of the list; `until` as in `page`."""
    wanted = select(CustomerFacts.customer).where(*_bounded(where, until)).order_by(*_ORDER[sort])
    return list(session.exec(wanted))


def every(session: Session, where: Sequence[Condition], *, sort: str, batch: int) -> Iterator[list[Row]]:
    """All customers that match, as of one moment, in batches that are read as they are asked for."""
    wanted = select(CustomerFacts).where(*where).order_by(*_ORDER[sort])
    for facts in session.exec(wanted.execution_options(yield_per=batch)).partitions():
        yield described(session, facts)


def _bounded(where: Sequence[Condition], until: int | None) -> list[Condition]:
    return [*where, *([] if until is None else [col(CustomerFacts.created) <= until])]


def described(session: Session, facts: Sequence[CustomerFacts]) -> list[Row]:
    """The facts with what people read beside them, in the same order."""
    if not facts:
        return []
    ids = [row.customer for row in facts]
    known = {
        id: (name or "", email or "")
        for id, name, email in session.exec(
            select(Customer.id, Customer.name, Customer.email).where(col(Customer.id).in_(ids))
        )
    }
    owners = people.names(session)
    living = _living(session, {row.email_key for row in facts if row.email_key})
    return [
        Row(
            facts=row,
            name=known.get(row.customer, ("", ""))[0],
            email=known.get(row.customer, ("", ""))[1],
            owner=owners.get(row.owner, "") if row.owner is not None else "",
            shares_email=max(0, living.get(row.email_key, 0) - (not row.deleted)),
        )
        for row in facts
    ]


def phones(session: Session, customers: Sequence[str]) -> dict[str, str]:
    """The phone numbers of many customers, those without one left out."""
    known = select(Customer.id, Customer.phone).where(col(Customer.id).in_(customers))
    return {id: phone for id, phone in session.exec(known) if phone}


def _living(session: Session, emails: set[str]) -> dict[str, int]:
    """How many customers each email has, deleted ones left out."""
    if not emails:
        return {}
    email = col(CustomerFacts.email_key)
    found = session.exec(
        select(CustomerFacts.email_key, sa.func.count())
        .where(email.in_(emails), col(CustomerFacts.deleted).is_(False))
        .group_by(email)
    )
    return dict(found.all())
