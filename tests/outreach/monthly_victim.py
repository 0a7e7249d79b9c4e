"""A desk's process that is killed (SIGKILL) while it sends the monthly report.

Its arguments: DATABASE_URL MOMENT NOW; it dies at the first mail that comes so far.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from services import clock, database, durable
from services.outreach import monthly, sending, smtp

MOMENTS: dict[str, tuple[Any, str]] = {
    "before they are written down": (monthly, "_row"),
    "before they are queued": (sending, "begin"),
    "before one is claimed": (sending, "_claim"),
    "before the server has it": (smtp, "deliver"),
    "before it is known that the server took it": (sending, "_settle"),
}


def main(arguments: list[str]) -> None:
    """Opens the desk on the database and dies."""
    url, moment, now = arguments
    database.configure(url)
    clock.follow(int(now) - int(time.time()))
    module, name = MOMENTS[moment]
    setattr(module, name, _die)
    durable.launch()
    time.sleep(60)
    raise SystemExit("the process was to die before this")


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
