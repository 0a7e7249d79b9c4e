"""How are many deliveries stored at once, and each answered only when it is safe?

Those that come while a transaction is being written wait for the next one together: a commit costs
milliseconds, and there is one writer. Belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services import database
from services.mirror import inbox
from services.mirror.shapes.reading import Object

_Waiting = tuple[Object, "asyncio.Future[None]"]


class Arrivals:
    """The deliveries that wait for the inbox."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def keep(self, event: Object) -> None:
        """Returns once the inbox has the event, now or from before. Raises what kept it out."""
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((event, kept))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await kept

    async def _write(self) -> None:
        try:
            while self._waiting:
                some, self._waiting = self._waiting, []
                await _keep_all(some)
        finally:
            self._writer = None


async def _keep_all(some: Sequence[_Waiting]) -> None:
    try:
        await asyncio.to_thread(_put, [event for event, _ in some])
    except Exception as error:
        _tell(some, error)
    else:
        _tell(some, None)


def _put(found: Sequence[Object]) -> None:
    with database.transaction() as session:
        inbox.put(session, found, "webhook")


def _tell(some: Sequence[_Waiting], error: Exception | None) -> None:
    for _, kept in some:
        if kept.done():  # its caller has gone
            continue
        if error is None:
            kept.set_result(None)
        else:
            kept.set_exception(error)
