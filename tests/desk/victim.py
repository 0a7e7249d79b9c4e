"""A desk's process that dies at a named moment of a command (SIGKILL), or that finishes what is left.

Its arguments: DATABASE_URL ACCOUNT_URL MOMENT COMMAND CUSTOMER OBJECT, or DATABASE_URL ACCOUNT_URL finish.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from services import database, durable
from services.desk import commands, ledger, loose_ends, runner  # noqa: F401 - takes up what was killed
from services.stripe_api import client
from tests.desk.bench import ANA, FORMS
from tests.support.sandbox import KEY


def die(*_: Any, **__: Any) -> Any:
    """The end of this process."""
    os.kill(os.getpid(), signal.SIGKILL)


def after(module: Any, name: str) -> None:
    """Dies as soon as a function has returned."""
    original: Callable[..., Any] = getattr(module, name)
    setattr(module, name, lambda *args, **kwargs: die(original(*args, **kwargs)))


MOMENTS: dict[str, Callable[[], None]] = {
    "before the queue": lambda: setattr(runner, "start", die),
    "before the call": lambda: after(runner, "_prepare"),
    "after Stripe did it": lambda: after(runner, "call"),
    "before the checkpoint": lambda: after(runner, "_record"),
    "before the ledger": lambda: setattr(ledger, "finish", die),
}


def main(arguments: list[str]) -> None:
    """Opens the desk on the database and does as the arguments say."""
    url, account, moment, *given = arguments
    database.configure(url)
    client.configure(client.connect(KEY, account))
    if moment == "finish":
        durable.launch()
        _wait_for_the_end()
        durable.shutdown()
        return
    MOMENTS[moment]()
    durable.launch()
    command, customer, about = given
    opened = commands.open(ANA, command, customer, about)
    commands.submit(opened, ANA, FORMS[command], "asked for it")
    raise SystemExit("the process was to die before this")


def _wait_for_the_end() -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with database.session() as session:
            if not ledger.running(session):
                return
        time.sleep(0.05)
    raise SystemExit("something is still running")
