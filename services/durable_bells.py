"""How does queued work begin at once, while an idle desk hardly looks at its queues?

DBOS polls a queue, and a poll costs 5 ms of CPU: often enough for a person who waits, it would take a tenth
of a core day and night. So its workers look once a second, and whoever puts work on a queue rings a bell:
one more of DBOS's own workers of that queue, which looks when it is rung and else sleeps. Work that ends
rings too, for what waited for its place. A lost ring (or one of another process) costs a second, never the
work: claims are made in the database, whoever looks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from dbos import DBOS
from dbos._core import QueueBucket
from dbos._dbos import _get_dbos_instance
from dbos._queue import queue_worker_thread


class _Bell(threading.Event):
    """What a worker waits on: it wakes when rung, whatever time it asked for, and ends when told to."""

    def __init__(self) -> None:
        super().__init__()
        self._rung = threading.Event()

    def ring(self) -> None:
        self._rung.set()

    def end(self) -> None:
        self.set()
        self._rung.set()

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the rings set the pace
        self._rung.wait()
        self._rung.clear()
        return self.is_set()


class Ends:
    """Tells those who wait when some work of this process has ended: to ask for each at short intervals costs
    more than the work, where several wait."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def note(self) -> None:
        """Some work has ended: whoever waits looks at its own."""
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def wait(self, seen: int, seconds: float) -> None:
        """Returns once there are others than the `seen` ones, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.count != seen, seconds)


ENDS = Ends()


class Bells:
    """A bell for each queue, from `DBOS.launch` to just before `DBOS.destroy`."""

    def __init__(self, queues: Iterable[str]) -> None:
        dbos = _get_dbos_instance()
        self._bells = {name: _Bell() for name in queues}
        self._leave = dbos._active_workflows_set._remove
        dbos._active_workflows_set._remove = self._ended  # type: ignore[method-assign]
        self._workers = [
            threading.Thread(
                target=queue_worker_thread, name=f"bell-{name}", daemon=True,
                args=(bell, dbos, DBOS.retrieve_queue(name)),
            )
            for name, bell in self._bells.items()
        ]  # fmt: skip
        for worker in self._workers:
            worker.start()

    def ring(self, queue: str) -> None:
        """Lets the queue be looked at now; call it once the work is on it."""
        self._bells[queue].ring()

    def _ended(self, key: str, bucket: QueueBucket) -> None:
        """Takes work off DBOS's list of what runs here, once its outcome is recorded, and rings its queue."""
        self._leave(key, bucket)
        ENDS.note()
        if bucket is not None and (bell := self._bells.get(bucket[0])) is not None:
            bell.ring()

    def end(self) -> None:
        """Ends the workers. Blocking, for as long as a look takes."""
        for bell in self._bells.values():
            bell.end()
        for worker in self._workers:
            worker.join()
