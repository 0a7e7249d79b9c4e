"""Who applies what came into the inbox, the moment it came?

One thread of each process: rung by whoever puts something there, it drains the inbox; what has to wait for a
second to be over it takes up a second later. The inbox is the queue: nothing is lost with the process, and
whichever looks next takes up what another left.
"""

from __future__ import annotations

import logging
import threading

from services import database
from services.errors import TrialdeskError, Unforeseen
from services.mirror import inbox

_GATHER = 0.2  # seconds from the bell to the drain: what comes in a burst is applied together
_CALM, _FLOOD = 0.05, 20  # so many rings within so many seconds are a flood
_RIGHT_OF_WAY = 1.0  # seconds that a batch waits for a flood to pass, at most
_BATCH = 100  # a delivery waits while a batch is written: with more, one in a hundred for more than 50 ms
_AGAIN = 1.0  # seconds, while something is left that cannot be applied yet
_LONGEST_PAUSE = 60.0  # seconds, while the account or the database does not let us
_log = logging.getLogger(__name__)


class Worker:
    """The thread. `ring` may be called from anywhere, as often as one likes."""

    def __init__(self) -> None:
        self._bell, self._stopping = threading.Event(), threading.Event()
        self._failures = self._rings = 0
        self._thread = threading.Thread(target=self._work, name="inbox", daemon=True)

    def start(self) -> None:
        """Begins, with what an earlier process may have left."""
        self._bell.set()
        self._thread.start()

    def ring(self) -> None:
        """Says that something has come in."""
        self._rings += 1
        self._bell.set()

    def stop(self) -> None:
        """Ends after the batch under way. Blocking."""
        self._stopping.set()
        self._bell.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        pause: float | None = None
        while not self._stopping.is_set():
            self._bell.wait(pause)
            self._stopping.wait(_GATHER)
            self._let_in()
            self._bell.clear()
            if not self._stopping.is_set():
                pause = self._drain()

    def _let_in(self) -> None:
        """Taking in has the right of way: Stripe waits for its answer, and both share one interpreter."""
        for _ in range(round(_RIGHT_OF_WAY / _CALM)):
            before = self._rings
            if self._stopping.wait(_CALM) or self._rings - before < _FLOOD:
                return

    def _drain(self) -> float | None:
        """Seconds until the next look even if nobody rings; None: not before."""
        try:
            inbox.drain(_BATCH, between=self._let_in)
            left = inbox.is_waiting()
        except TrialdeskError as error:
            return self._after(error)
        except Exception as error:
            if away := database.absence(error):
                return self._after(away)
            problem = Unforeseen("What came in could not be applied: something went wrong in the desk", error)
            _log.exception("Draining the inbox failed (reference %s).", problem.reference)
            return self._after(problem)
        self._failures = 0
        return _AGAIN if left else None

    def _after(self, error: TrialdeskError) -> float:
        """It is tried again, less and less often; the next poll fails alike and tells the banner."""
        _log.warning("The inbox could not be drained: %s", error)
        self._failures += 1
        return min(2.0**self._failures, _LONGEST_PAUSE)
