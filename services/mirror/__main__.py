"""Fills and checks the tables from a terminal, beside a desk or without one.

    python -m services.mirror backfill          goes on with the pull of the account, to its end
    python -m services.mirror backfill --anew   lists the whole account again
    python -m services.mirror reconcile         compares the tables with the account, and puts them right
    python -m services.mirror replay FILE       takes events or objects, one JSON a line, through the inbox

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
from typing import Any

from services import config, memory, sandbox_process
from services.config import Settings
from services.errors import TrialdeskError
from services.mirror import backfill, opening, reconcile, replay
from services.mirror.progress import Progress
from services.stripe_api import reads
from services.stripe_api.sharing import Sharing

_BAR = 30  # characters


def main(arguments: list[str] | None = None) -> int:
    """Does one thing and gives the exit code."""
    asked = _parser().parse_args(arguments)
    memory.share_one_arena()
    try:
        with _account(config.load()):
            try:
                with Sharing():
                    told = _do(asked)
            finally:
                reads.keep()
    except TrialdeskError as error:
        print(f"{error}", file=sys.stderr)
        return 2
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
    commands.add_parser("replay", help="take events or objects from a file").add_argument("file", type=Path)
    return parser


def _do(asked: argparse.Namespace) -> dict[str, Any]:
    if asked.command == "backfill":
        return backfill.run(anew=asked.anew, tell=_draw)
    if asked.command == "reconcile":
        return reconcile.run()
    with asked.file.open("rb") if asked.file.is_file() else _missing(asked.file) as lines:
        return replay.run(lines)


def _missing(file: Path) -> Any:
    raise replay.Unusable(f"There is no file {file}.")


@contextmanager
def _account(settings: Settings) -> Iterator[None]:
    """The account and its tables; on the sandbox its process, which is left to a desk that uses it."""
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
    left, end = _left(found, rate), "\n" if found.complete else ""
    sys.stderr.write(f"\r{bar} {found.share:4.0%}  {found.objects:,} objects, {rate:,.0f}/s{left}   {end}")
    sys.stderr.flush()


def _left(found: Progress, rate: float) -> str:
    if not (rate and found.share):
        return ""
    seconds = found.objects * (1 - found.share) / found.share / rate
    written = time.strftime("%H:%M:%S" if seconds >= 3600 else "%M:%S", time.gmtime(seconds))
    return f", {written} left"


if __name__ == "__main__":
    sys.exit(main())
