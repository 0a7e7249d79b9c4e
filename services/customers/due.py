"""May a call or a task be due then?"""

from __future__ import annotations

from services import clock
from services.errors import InvalidInput

_MINUTE = 60


def ahead(due_at: int | None) -> int | None:
    """The instant, if it lies ahead; the minute that runs counts as ahead, as people choose no seconds. None
    is no date.

    Raises InvalidInput.
    """
    now = clock.now()
    if due_at is not None and due_at < now - now % _MINUTE:
        raise InvalidInput("This time has passed.", field="due_at", remedy="Choose one that lies ahead.")
    return due_at
