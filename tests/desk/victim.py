"""A desk's process that dies at a named moment of a command (SIGKILL), or that finishes what is left.

Its arguments: DATABASE_URL ACCOUNT_URL MOMENT COMMAND CUSTOMER OBJECT FORM,
or DATABASE_URL ACCOUNT_URL finish.
A moment is one of MOMENTS, with `, request 2` behind it for the second request of a command that makes
several, or `before step 17`: whichever statement or request that is, counted from the confirmation on.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from services import database, durable
from services.desk import commands, ledger, loose_ends, runner  # noqa: F401 - takes up what was killed
from services.stripe_api import client
from services.stripe_api.transport import Transport
from tests.desk.bench import ANA
from tests.support.sandbox import KEY


def die(*_: Any, **__: Any) -> Any:
    """The end of this process."""
    os.kill(os.getpid(), signal.SIGKILL)


def after(module: Any, name: str, times: int) -> None:
    """Dies as soon as a function has returned so many times."""
    original: Callable[..., Any] = getattr(module, name)
    returned: list[Any] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        returned.append(original(*args, **kwargs))
        return die() if len(returned) == times else returned[-1]

    setattr(module, name, call)


def during(module: Any, name: str) -> None:
    """Dies while a function waits for an answer that takes longer."""
    original: Callable[..., Any] = getattr(module, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        threading.Timer(IN_THE_CALL, die).start()
        return original(*args, **kwargs)

    setattr(module, name, call)


def before(number: int) -> None:
    """Dies before that many statements and requests to Stripe, in whichever thread."""
    left = iter(range(number - 1))
    original = Transport._timed

    def step(*_: Any) -> None:
        if next(left, None) is None:
            die()

    def request(*given: Any) -> Any:
        step()
        return original(*given)

    Transport._timed = request  # type: ignore[method-assign]
    sa.event.listen(sa.Engine, "before_cursor_execute", step)


IN_THE_CALL = 0.3  # seconds after it began
OF_EACH_REQUEST: dict[str, tuple[Any, str]] = {
    "before the call": (runner, "_prepare"),
    "after Stripe did it": (runner, "call"),
    "before the checkpoint": (runner, "_record"),
}
MOMENTS: dict[str, Callable[[], None]] = {
    "before the queue": lambda: setattr(runner, "start", die),
    "during the call": lambda: during(runner, "call"),  # Stripe has done it, the answer is on its way
    "on its way": lambda: during(runner, "call"),  # Stripe has not begun
    "before the ledger": lambda: setattr(ledger, "finish", die),
}


def arm(moment: str) -> None:
    """Sees to it that this process dies at the moment."""
    name, _, number = moment.partition(", request ")
    if name in OF_EACH_REQUEST:
        after(*OF_EACH_REQUEST[name], int(number or 1))
    else:
        MOMENTS[name]()


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
    step = moment.removeprefix("before step ")
    if step == moment:
        arm(moment)
    durable.launch()
    command, customer, about, form = given
    opened = commands.open(ANA, command, customer, about)
    if step != moment:
        before(int(step))
    commands.submit(opened, ANA, json.loads(form), "asked for it")
    if step != moment:
        die()
    raise SystemExit("the process was to die before this")


def _wait_for_the_end() -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with database.session() as session:
            if not ledger.running(session):
                return
        time.sleep(0.05)
    raise SystemExit("something is still running")
