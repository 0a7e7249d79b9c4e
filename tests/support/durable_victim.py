"""Workflows for tests of the queues, and what a desk's process does with them until it is killed."""

from __future__ import annotations

import time
from pathlib import Path

from dbos import DBOS, SetWorkflowID

from services import database, durable


@DBOS.step(name="test_write")
def write(path: str, text: str) -> None:
    """Adds a word to a file."""
    with Path(path).open("a") as out:
        out.write(f"{text}\n")


@DBOS.step(name="test_pause")
def pause(seconds: float) -> None:
    """Takes its time."""
    time.sleep(seconds)


@DBOS.step(name="test_hold")
def hold_on(path: str) -> None:
    """Waits for ever the first time, and for nobody after that."""
    first = "held" not in (Path(path).read_text() if Path(path).exists() else "")
    if first:
        write(path, "held")
        time.sleep(60)


@DBOS.workflow(name="test_note")
def note(path: str, text: str) -> None:
    """Writes one word."""
    write(path, text)


@DBOS.workflow(name="test_slow")
def slow(path: str, name: str) -> None:
    """Writes that it begins, and after a while that it ends."""
    write(path, f"{name}-begins")
    pause(0.3)
    write(path, f"{name}-ends")


@DBOS.workflow(name="test_hold_workflow")
def held(path: str) -> None:
    """Hangs in its process; another process goes on."""
    hold_on(path)
    write(path, "released")


def main(arguments: list[str]) -> None:
    """Begins so much work on a database and waits to be killed."""
    url, path, count, *how = arguments
    database.configure(url)
    durable._KEEPER_SECONDS = 3.0
    durable.launch()
    for number in range(int(count)):
        durable.start(durable.COMMANDS, slow, path, str(number), id=f"w{number}", partition=str(number))
    if "hold" in how:
        with SetWorkflowID("held"):  # here, not on a queue that another process reads too
            DBOS.start_workflow(held, path)
    write(path, "begun")
    time.sleep(120)
