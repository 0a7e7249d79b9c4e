"""Writes the monthly report from a terminal, beside a desk or without one. Changes nothing.

    python -m services.metrics report                    the last whole month
    python -m services.metrics report --month 2026-10    another one
    python -m services.metrics report --out report.html  into this file (- for the output)

Exit code 0 done, 2 refused with a sentence. Whoever can run this can read the database anyway, so nobody is
asked who they are.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sqlalchemy import make_url

from models import Workspace
from services import clock, config, database, migrations
from services.errors import ConfigurationError, DatabaseAway, InvalidInput, TrialdeskError
from services.metrics.report import made
from services.metrics.report.made import Made

_ANSWERS_WITHIN = 5  # seconds


def main(arguments: list[str] | None = None) -> int:
    """Does one thing and gives the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        _open(config.settings().standing_database_url())
        _write(made.make(asked.month), asked.out)
    except TrialdeskError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.metrics", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    report = commands.add_parser("report", help="write the monthly report as one HTML file")
    report.add_argument("--month", default="", metavar="2026-10", help="the last whole month without it")
    report.add_argument("--out", default="", metavar="FILE", help="monthly-report-MONTH.html without it")
    return parser


def _open(url: str) -> None:
    """Opens a database that is there and up to date, and follows its account's clock."""
    path = make_url(url).database if url.startswith("sqlite") else None
    if path and not Path(path).exists():
        raise ConfigurationError(
            f"There is no database at {path}.", remedy="Start the desk once: `make run`."
        )
    opened = database.configure(url, connects_within=_ANSWERS_WITHIN)
    try:
        database.reach(opened)
    except DatabaseAway as away:
        raise ConfigurationError(away.message, remedy="Start it, or correct DATABASE_URL.") from None
    migrations.require()
    with database.session() as session:
        held = session.get(Workspace, 1)
    clock.follow(held.clock_offset if held else 0)


def _write(report: Made, out: str) -> None:
    if out == "-":
        sys.stdout.buffer.write(report.html.encode())
        return
    path = Path(out or report.file_name)
    try:
        path.write_text(report.html, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.", field="out") from None
    print(path)


if __name__ == "__main__":
    sys.exit(main())
