"""What of that which was put aside has been stored since? It goes, with its payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import InboxItem
from services.mirror.tables import chunks, table

_INBOX: Any = table(InboxItem).c


def clear(session: Session, stored: Mapping[str, int | None]) -> None:
    """Forgets what was put aside of these objects: by id, as of when (s) each was stored.

    What was seen later than that stays. None is for what never changes.
    """
    lie = sa.and_(_INBOX.state == "failed", _INBOX.source == "pull")
    found = session.connection().execute(sa.select(_INBOX.id, _INBOX.created).where(lie)).all()
    mine = {row.id: row.created for row in found if row.id in stored}
    over = [id for id, seen_at in mine.items() if (as_of := stored[id]) is None or as_of >= seen_at]
    for some in chunks(over):
        session.connection().execute(sa.delete(table(InboxItem)).where(lie, _INBOX.id.in_(some)))
