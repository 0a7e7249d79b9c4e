"""Has anything changed that pages show? One counter, moved by every transaction that changes it.

It moves as the last statement before the commit: its row is held for a moment only, and two writers that
wait for each other's rows never wait for this one in between.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Workspace

_NOTED = "changes_noted"


def note(session: Session) -> None:
    """The session's transaction changes what pages show."""
    session.info[_NOTED] = True


def count(session: Session) -> int:
    """Where the counter stands. Who holds the turn at the mirrored rows sees all that wrote there before."""
    found = session.connection().execute(sa.select(col(Workspace.changes))).scalar()
    return found or 0


@sa.event.listens_for(Session, "before_commit")
def _count(session: Session) -> None:
    if session.info.pop(_NOTED, False):
        session.connection().execute(sa.update(Workspace).values(changes=col(Workspace.changes) + 1))
