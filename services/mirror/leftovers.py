"""What of that which was put aside has been stored since? It goes, with its payload."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import InboxItem
from services.among import among
from services.database import chunks
from services.mirror.tables import THESE, table

_FEW = 40  # ids; to ask for more takes longer than to see first whether anything lies there
_INBOX: Any = table(InboxItem).c


def clear(session: Session, stored: Mapping[str, int | None]) -> None:
    """Forgets what was put aside of these objects: by id, as of when (s) each was stored.

    What was seen later than that stays. None is for what never changes.
    """
    connection = session.connection()
    if len(stored) > _FEW and connection.execute(_any()).first() is None:  # as mostly
        return
    for some in chunks(stored):
        mine = connection.execute(_lying(), {"ids": some}).all()
        over = [row.id for row in mine if (as_of := stored[row.id]) is None or as_of >= row.created]
        if over:
            connection.execute(sa.delete(table(InboxItem)).where(_INBOX.id.in_(over)))


_ASIDE = _INBOX.state.in_(("failed", "ignored")) & (_INBOX.source == "pull")


@cache
def _any() -> Any:
    return sa.select(_INBOX.id).where(_ASIDE).limit(1)


@cache
def _lying() -> Any:
    return sa.select(_INBOX.id, _INBOX.created).where(among(_INBOX.id, THESE), _ASIDE)
