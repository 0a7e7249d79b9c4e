"""When is everything compared with the account by itself? Once a day, by one process of the installation;
a few times where it fails.

A thread of each process looks once a minute whether it is time; the lock says who does it, the table of
comparisons that it was done. It asks Stripe gently: all others come first.
"""

from __future__ import annotations

import logging
import threading
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

from services import database, locks
from services.errors import TrialdeskError
from services.mirror import comparisons, reconcile
from services.mirror.readers import Stop

_LOOK_EVERY = 60.0  # seconds
_log = logging.getLogger(__name__)


def look(at: time_of_day, zone: ZoneInfo, stop: Stop = lambda: False) -> bool:
    """Compares where it is time and nobody else does; returns whether it did. Raises what comparing does."""
    with locks.alone("nightly") as mine:
        if mine is None:
            return False
        _bury_the_dead()
        with database.session() as session:
            due = comparisons.is_due(session, at, zone)
        if due:
            reconcile.run(stop, gently=True)
        return due


def _bury_the_dead() -> None:
    with database.session() as session:
        if not comparisons.under_way(session):
            return
    with locks.alone(reconcile.LOCK) as nobody_compares:
        if nobody_compares is not None:
            with database.transaction() as session:
                comparisons.bury(session)


class Nightly:
    """The thread; `at` None never compares."""

    def __init__(self, at: time_of_day | None, zone: ZoneInfo, every: float = _LOOK_EVERY) -> None:
        self._at, self._zone, self._every = at, zone, every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="nightly", daemon=True)

    def start(self) -> None:
        """Begins to look."""
        if self._at is not None:
            self._thread.start()

    def stop(self) -> None:
        """Ends after the page under way; what was not compared is, at the next start. Blocking."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        assert self._at is not None
        while not self._stopping.wait(self._every):
            try:
                look(self._at, self._zone, self._stopping.is_set)
            except TrialdeskError as error:  # its row tells the System page
                _log.warning("The account could not be compared: %s", error)
            except Exception as error:
                if away := database.absence(error):
                    _log.warning("The account could not be compared: %s", away)
                else:
                    _log.exception("Comparing with the account failed.")
