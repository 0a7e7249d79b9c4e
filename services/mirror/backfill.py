"""How is the pull run to its end while somebody watches?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from services import database
from services.errors import Conflict
from services.mirror import progress, pull
from services.mirror.progress import Progress
from services.stripe_api import client

_LOOK_EVERY = 0.5  # seconds
Tell = Callable[[Progress, float], None]


class AlreadyPulling(Conflict):
    """Another process pulls the account."""

    def __init__(self) -> None:
        super().__init__(
            "Another process pulls this account now, such as a running desk.",
            remedy="Its Overview shows how far it is. Wait for its end, or stop it first.",
        )


def run(*, anew: bool, tell: Tell) -> dict[str, Any]:
    """Pulls what is missing (`anew`: everything); `tell` is called twice a second with objects a second.

    Returns `{"complete", "objects", "requests", "seconds", "resources": {name: {"state", "objects"}}}`, where
    requests and seconds are of this run. Raises AlreadyPulling, and what a pull raises.
    """
    began, asked = time.monotonic(), client.account().pacer.sent
    with _Watched(tell, 0 if anew else _progress().objects):
        mine = pull.whole_account(anew=anew)
    found = _progress()
    if not mine and (anew or not found.complete):
        raise AlreadyPulling
    return {
        "complete": found.complete,
        "objects": found.objects,
        "requests": client.account().pacer.sent - asked,
        "seconds": round(time.monotonic() - began, 1),
        "resources": {one.resource: {"state": one.state, "objects": one.fetched} for one in found.resources},
    }


def _progress() -> Progress:
    with database.session() as session:
        return progress.read(session)


class _Watched:
    """Tells how far the pull is, until it ends; `before` are the objects that it need not read any more."""

    def __init__(self, tell: Tell, before: int) -> None:
        self._tell, self._before, self._over = tell, before, threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch")

    def __enter__(self) -> None:
        self._began = time.monotonic()
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()
        self._once()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_EVERY):
            self._once()

    def _once(self) -> None:
        found = _progress()
        self._tell(found, (found.objects - self._before) / max(0.001, time.monotonic() - self._began))
