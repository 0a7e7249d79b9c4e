"""Which views of a page did somebody keep, for themselves or for everybody?

A view is the page's address parameters. Keeping one for oneself needs no more than seeing the page;
sharing one needs SHARE_FILTERS. Only its owner changes or removes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import SavedFilter
from services import clock
from services.errors import InvalidInput, NotAllowed, NotFound
from services.staff.roles import Permission, Person

LONGEST_NAME: Final = 60


def available(session: Session, person: Person, page: str) -> list[SavedFilter]:
    """One's own views of a page and those that others share, by name."""
    mine_or_shared = sa.or_(col(SavedFilter.owner) == person.id, col(SavedFilter.shared))
    wanted = select(SavedFilter).where(col(SavedFilter.page) == page, mine_or_shared)
    return list(session.exec(wanted.order_by(sa.func.lower(col(SavedFilter.name)), col(SavedFilter.id))))


def save(
    session: Session,
    person: Person,
    page: str,
    name: str,
    query: Mapping[str, Sequence[str]],
    *,
    shared: bool = False,
) -> SavedFilter:
    """Keeps a view; one of one's own with the same name is replaced. Raises InvalidInput, NotAllowed."""
    person.require(Permission.SHARE_FILTERS if shared else Permission.SEE_CUSTOMERS)
    called = _name(name)
    row = session.exec(
        select(SavedFilter).where(
            col(SavedFilter.page) == page,
            col(SavedFilter.owner) == person.id,
            col(SavedFilter.name) == called,
        )
    ).first()
    if row is None:
        row = SavedFilter(page=page, name=called, owner=person.id)
        session.add(row)
    row.query = {key: list(values) for key, values in query.items()}
    row.shared, row.created_at = shared, clock.now()
    session.flush()
    return row


def delete(session: Session, person: Person, id: int) -> None:
    """Removes one of one's own views. Raises NotFound, and NotAllowed for another's."""
    row = session.get(SavedFilter, id)
    if row is None:
        raise NotFound("saved filter", str(id), remedy="It is gone already.")
    if row.owner != person.id:
        raise NotAllowed(
            Permission.SHARE_FILTERS,
            f"“{row.name}” is somebody else’s filter.",
            remedy="Save one of your own.",
        )
    session.delete(row)


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise InvalidInput(
            f"A filter’s name has 1 to {LONGEST_NAME} characters.", field="name", remedy="Change the name."
        )
    return name
