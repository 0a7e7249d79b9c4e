"""Who may sign in? Adds, lists and shuts out staff from the command line.

    python -m services.staff add ana@company.com --role support --name "Ana Lima"
    python -m services.staff deactivate ana@company.com
    python -m services.staff list

Whoever can run this can read the key anyway, so nobody is asked who they are.
"""

from __future__ import annotations

import argparse
import sys

from services import config, database, migrations
from services.errors import TrialdeskError
from services.staff import people
from services.staff.roles import Role


def main(arguments: list[str] | None = None) -> int:
    """Does one thing and gives the exit code: 0 done, 2 refused with a sentence on stderr."""
    asked = _parser().parse_args(arguments)
    try:
        database.configure(config.load().standing_database_url())
        migrations.upgrade()
        _do(asked)
    except TrialdeskError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.staff", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="let a person in, or change their role")
    add.add_argument("email")
    add.add_argument("--role", choices=[role.value for role in Role], required=True)
    add.add_argument("--name", default="")
    commands.add_parser("deactivate", help="shut a person out at once").add_argument("email")
    commands.add_parser("list", help="show everybody")
    return parser


def _do(asked: argparse.Namespace) -> None:
    if asked.command == "list":
        with database.session() as session:
            for row in people.everyone(session):
                print(f"{row.email}\t{row.role}\t{row.name}\t{'active' if row.active else 'inactive'}")
        return
    with database.transaction() as session:
        if asked.command == "add":
            people.put(session, asked.email, role=Role(asked.role), name=asked.name)
        else:
            people.deactivate(session, asked.email)
    print("Done.")


if __name__ == "__main__":
    sys.exit(main())
