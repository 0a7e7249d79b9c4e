"""Which report do the mails of a month come with? One for all that were written down at once.

What they say and the page that goes with them are of one report, made once in each process that needs it.
"""

from __future__ import annotations

from functools import lru_cache
from threading import Lock

from services.metrics.report import made
from services.metrics.report.made import Made

_making = Lock()  # who asks at the same time waits, and does not make it once more


def of(month: str, written_at: int) -> Made:
    """The report of a month (`2026-10`) for the mails written down at an instant (UTC seconds).

    Raises what `made.make` raises.
    """
    with _making:
        return _made(month, written_at)


@lru_cache(maxsize=1)
def _made(month: str, _written_at: int) -> Made:
    return made.make(month)
