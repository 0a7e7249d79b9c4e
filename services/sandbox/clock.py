"""What time is it in the account?

Real time plus an offset that is kept: the clock runs, and it can be moved forward but never back.
"""

from __future__ import annotations

import time

from services.sandbox.errors import InvalidRequest
from services.sandbox.store import Store

_FARTHEST = 3 * 366 * 86_400


class Clock:
    """The account's clock, in whole seconds since 1970 UTC."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.offset: int = store.fact("offset", 0)

    def now(self) -> int:
        """The account's time."""
        return int(time.time()) + self.offset

    def move(self, *, to: int | None = None, advance: int | None = None) -> int:
        """Move forward by seconds, or to a time; answers the new time. Raises InvalidRequest for the past
        and for more than three years at once.
        """
        target = to if to is not None else self.now() + (advance or 0)
        step = target - self.now()
        if step < 0:
            raise InvalidRequest("The clock cannot be moved back.", "to")
        if step > _FARTHEST:
            raise InvalidRequest("The clock can be moved by up to three years at once.", "to")
        self.offset += step
        self._store.keep("offset", self.offset)
        return self.now()
