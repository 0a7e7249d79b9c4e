"""Has anything that the numbers are made of changed since they were last computed?"""

from __future__ import annotations

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Action, Event, SyncCursor
from services.clock import DAY

_LATE = 4 * DAY  # an event may come so much later than it happened


def data_version(session: Session) -> tuple[int, ...]:
    """A value that changes when a pull, an event or a staff action changed the tables; cheap to read."""
    pulled, finished = sa.func.sum(col(SyncCursor.fetched)), sa.func.max(col(SyncCursor.finished_at))
    fetched = session.execute(sa.select(sa.func.coalesce(pulled, 0), sa.func.coalesce(finished, 0))).one()
    newest = session.execute(sa.select(sa.func.coalesce(sa.func.max(col(Event.created)), 0))).scalar_one()
    recent = sa.select(sa.func.count()).where(col(Event.created) > newest - _LATE)
    acted = sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(col(Action.finished_at)), 0))
    done = session.execute(acted.where(col(Action.opened_at) > newest - _LATE)).one()
    return (int(fetched[0]), fetched[1], newest, session.execute(recent).scalar_one(), *done)
