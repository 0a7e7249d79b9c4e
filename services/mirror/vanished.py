"""Which rows did a new listing of the account not touch? What was deleted in a gap, and test clocks' objects.

Absence from a list proves nothing: each is read by id, and becomes up to date or a tombstone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import select

from models import SyncCursor
from services import clock, database
from services.database import chunks
from services.errors import TrialdeskError
from services.locks import Confirm, unguarded
from services.mirror import aside, complete, cursors, shapes
from services.mirror.batch import Batch
from services.mirror.shapes import UnreadableObject
from services.mirror.tables import table
from services.stripe_api import errands
from services.stripe_api.client import Answer

_READERS = 4
_LONG_BEFORE = clock.DAY  # a gap is of weeks; our clock may differ from Stripe's by less than this
_log = logging.getLogger(__name__)


def read_again(confirm: Confirm = unguarded) -> None:
    """Reads what is older than the listing of its resource; `confirm` is called before each commit.

    Raises Unavailable and KeyRejected.
    """
    with errands.pool(_READERS) as pool:
        for name, ids in _untouched().items():
            for some in chunks(ids, 100):
                batch = _together(one for one in pool.map(partial(_read, name), some) if one)
                aside.write(batch, confirm)


def _untouched() -> dict[str, list[str]]:
    """Ids by kind, of resources that were listed to their end. Hearsay (`as_of` 0) is in no list."""
    found: dict[str, list[str]] = {}
    with database.session() as session:
        listed = {row.resource: row for row in session.exec(select(SyncCursor)) if row.state == "complete"}
        for resource, name in cursors.RESOURCES.items():
            row = listed.get(resource)
            if not name or row is None or row.started_at is None:
                continue
            columns: Any = table(shapes.KINDS[name].model).c
            old = sa.and_(columns.as_of > 0, columns.as_of < row.started_at - _LONG_BEFORE)
            query = sa.select(columns.id).where(columns.deleted.is_(False), old)
            found[name] = list(session.connection().execute(query).scalars())
    return found


def _read(name: str, id: str) -> Answer | None:
    found = complete.read_or_why(name, id)
    if isinstance(found, TrialdeskError):
        _log.warning("The %s %s cannot be read: %s", name, id, found)
        return None
    return found


def _together(answers: Iterable[Answer]) -> Batch:
    batch = Batch()
    for answer in answers:
        try:
            batch.add(answer.object, answer.as_of)
        except UnreadableObject as error:
            _log.warning("An object is left as it was: %s", error)
    return batch
