"""How do the processes of one installation share what Stripe allows?

Each one that asks says so in a table every few seconds and counts who else does; everybody's limits are
divided by that number. Whoever falls silent leaves its part to the others. Two that begin at once may be too
fast for a moment: a 429 is waited out anyway.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from types import TracebackType

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col

from models import Asker
from services import database
from services.errors import TrialdeskError
from services.stripe_api import client
from services.stripe_api.pacing import Pacer

EVERY = 3.0  # seconds
SILENT_AFTER = 10  # seconds by the database's clock, which all of them have in common
_FORGOTTEN_AFTER = 86_400  # seconds, for what was killed; sooner, two that wake would wait for each other
_log = logging.getLogger(__name__)


class Sharing:
    """Divides a pacer's limits among those that ask, for as long as the block lasts.

    `pacer` is asked each time, as the account of a process may be another one by then: its own by default.
    """

    def __init__(self, pacer: Callable[[], Pacer] = lambda: client.account().pacer) -> None:
        self._pacer, self._id, self._sent = pacer, uuid.uuid4().hex, -1
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_looking, name="sharing", daemon=True)

    def __enter__(self) -> Sharing:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._try(self._leave)

    def look(self) -> None:
        """Takes the part that is ours by now; a process that has asked for nothing since stays silent."""
        pacer = self._pacer()
        if pacer.sent == self._sent:
            return
        self._sent = pacer.sent
        with database.transaction() as session:
            pacer.share_among(self._announce(session))

    def _announce(self, session: Session) -> int:
        """How many ask, this process among them."""
        connection = session.connection()
        now = database.epoch(connection.dialect.name)
        mine = database.insert(Asker, connection.dialect.name).values(id=self._id, asked_at=now)
        connection.execute(mine.on_conflict_do_update(index_elements=["id"], set_={"asked_at": now}))
        connection.execute(sa.delete(Asker).where(col(Asker.asked_at) < now - _FORGOTTEN_AFTER))
        asking = sa.select(sa.func.count(col(Asker.id))).where(col(Asker.asked_at) >= now - SILENT_AFTER)
        return int(connection.execute(asking).scalar_one())

    def _leave(self) -> None:
        with database.transaction() as session:
            session.connection().execute(sa.delete(Asker).where(col(Asker.id) == self._id))

    def _keep_looking(self) -> None:
        while True:
            self._try(self.look)
            if self._over.wait(EVERY):
                return

    def _try(self, step: Callable[[], None]) -> None:
        """Whatever goes wrong, the part stays as it was until it is over; mostly the database is away."""
        try:
            step()
        except (SQLAlchemyError, TrialdeskError) as error:
            _log.warning("Who else asks Stripe could not be told: %s", error)
