"""Fills and checks the tables from a terminal, beside a desk or without one.

    python -m services.mirror backfill          goes on with the pull of the account, to its end
    python -m services.mirror backfill --anew   lists the whole account again
    python -m services.mirror reconcile         compares the tables with the account, and puts them right
    python -m services.mirror replay FILE       takes events or objects, one JSON a line, through the inbox;
                                                reads what is piped to it where FILE is -

The last line of the output is one JSON object. Exit code 0 done, 1 not to the end, 2 refused with a sentence.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from services import config, memory, sandbox_process
from services.config import Settings
from services.errors import TrialdeskError
from services.mirror import backfill, opening, reconcile, replay
from services.mirror.progress import Progress
from services.stripe_api import reads
from services.stripe_api.sharing import Sharing

_BAR = 10  # characters: the whole line fits into 80
_REST_OF_LINE = "\x1b[K"  # cleared: a shorter line leaves nothing of the one before


def main(arguments: list[str] | None = None) -> int:
    """Does one thing and gives the exit code."""
    try:
        asked = _parser().parse_args(arguments)
        memory.share_one_arena()
        with _account(config.load()):
            try:
                with Sharing():
                    told = _do(asked)
            finally:
                reads.keep()
    except TrialdeskError as error:
        print(f"{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. What was done so far stays.", file=sys.stderr)
        return 1
    print(json.dumps(told))
    return 0 if told["complete"] else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.mirror", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    pull = commands.add_parser("backfill", help="pull the account to its end")
    pull.add_argument("--anew", action="store_true", help="list the whole account again")
    commands.add_parser("reconcile", help="compare the tables with the account and put them right")
    again = commands.add_parser("replay", help="take events or objects from a file")
    again.add_argument("file", metavar="FILE", type=_opened, help="one JSON a line; - for what is piped")
    return parser


def _opened(name: str) -> BinaryIO:
    if name == "-":
        return sys.stdin.buffer
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise replay.Unusable(f"{name} cannot be read: {error.strerror}.") from None


def _do(asked: argparse.Namespace) -> dict[str, Any]:
    if asked.command == "backfill":
        return backfill.run(anew=asked.anew, tell=_draw)
    if asked.command == "reconcile":
        return reconcile.run()
    with asked.file as lines:
        told = replay.run(lines)
    _name_unused(told)
    return told


def _name_unused(told: dict[str, Any]) -> None:
    """Says which lines of a file came to nothing, and why."""
    for one in told["first_refused"]:
        print(f"Line {one['line']}: {one['why']}", file=sys.stderr)
    if more := told["refused"] - len(told["first_refused"]):
        print(f"{more:,} more are of no use.", file=sys.stderr)
    if told["refused"]:
        print(replay.EXPECTED, file=sys.stderr)
    if kinds := told["passed_over"]:
        named = ", ".join(f"{kind} ({events:,})" for kind, events in sorted(kinds.items()))
        print(f"Events of kinds that the desk keeps no table of were passed over: {named}.", file=sys.stderr)


@contextmanager
def _account(settings: Settings) -> Iterator[None]:
    """The account and its tables; on the sandbox its process, which is left to a desk that uses it."""
    opening.require_database(settings)
    if settings.stripe_api_key is not None:
        key = settings.stripe_api_key.get_secret_value()
        opening.tables(settings, opening.account(settings, key, settings.stripe_api_base))
        yield
        return
    sandbox = sandbox_process.ensure(settings)
    try:
        sandbox_process.await_history(sandbox, lambda _share: None)
        opening.tables(settings, opening.account(settings, sandbox_process.KEY, sandbox.url))
        yield
    finally:
        sandbox_process.stop(sandbox)


def _draw(found: Progress, rate: float) -> None:
    """One line that is written over, where somebody looks; how far, how fast, how long still."""
    if not sys.stderr.isatty():
        return
    filled = round(found.share * _BAR)
    bar = "█" * filled + "░" * (_BAR - filled)
    kinds = f"{sum(one.share == 1 for one in found.resources)} of {len(found.resources)} kinds complete"
    read = f"{found.objects:,} objects, {rate:,.0f}/s{_left(found, rate)}"
    end = "\n" if found.complete else ""
    sys.stderr.write(f"\r{bar} {found.share:4.0%}  {kinds}, {read}{_REST_OF_LINE}{end}")
    sys.stderr.flush()


def _left(found: Progress, rate: float) -> str:
    if not (rate and found.share):
        return ""
    seconds = found.objects * (1 - found.share) / found.share / rate
    written = time.strftime("%H:%M:%S" if seconds >= 3600 else "%M:%S", time.gmtime(seconds))
    return f", {written} left"


if __name__ == "__main__":
    sys.exit(main())
