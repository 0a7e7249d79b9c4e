"""Do the tables fit this version of the desk? Brings them there, and writes the next step.

`python -m services.migrations new "what changes"` compares the models with a database at the newest
step and writes a migration to be read before it is committed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

import models
from services import database
from services.errors import ConfigurationError

_ONE_AT_A_TIME = 7_235_014  # any number: the advisory lock of those who migrate


def upgrade() -> None:
    """Brings the process's database to the newest step; does nothing when it is there.

    Raises ConfigurationError when the database was made by a newer version of the desk.
    """
    with _locked() as connection:
        try:
            command.upgrade(_config(connection), "head")
        except CommandError as error:
            raise ConfigurationError(
                f"The database was prepared by another version of Trialdesk ({error}).",
                remedy="Run that version or a newer one, or set DATABASE_URL to an empty database.",
            ) from error


def require() -> None:
    """Raises ConfigurationError where the process's database is not at the newest step; changes nothing."""
    with database.engine().connect() as connection:
        standing = MigrationContext.configure(connection).get_current_revision()
    if standing is None:
        raise ConfigurationError(
            "The database is empty.", remedy="Start the desk once: it reads the account."
        )
    if standing != newest():
        raise ConfigurationError(
            f"The database was prepared by another version of Trialdesk (step {standing}).",
            remedy="Start the desk of this version once, or run that version.",
        )


def newest() -> str:
    """The newest step that this version knows."""
    return ScriptDirectory.from_config(_config(None)).get_current_head() or ""


def new(message: str) -> None:
    """Writes the migration from the newest step to the models into models/migrations/versions."""
    with tempfile.TemporaryDirectory() as folder:
        database.configure(f"sqlite:///{folder}/compare.db")
        upgrade()
        with _locked() as connection:
            command.revision(_config(connection), message, autogenerate=True)


@contextmanager
def _locked() -> Iterator[sa.Connection]:
    writing = database.engine().execution_options(writes=True)
    with writing.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
        yield connection


def _config(connection: sa.Connection | None) -> Config:
    config = Config()
    folder = Path(models.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    config.attributes["connection"] = connection
    return config


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m services.migrations")
    parser.add_argument("what", choices=["new"])
    parser.add_argument("message", help="what changes, in a few words")
    new(parser.parse_args().message)
