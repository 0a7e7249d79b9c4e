"""How does a process get at the account's tables? For the desk, and for commands in a terminal."""

from __future__ import annotations

from services import database, migrations
from services.config import Settings
from services.errors import ConfigurationError, DatabaseAway
from services.mirror import facts, identity
from services.mirror.identity import Identity
from services.stripe_api import client

_ANSWERS_WITHIN = 5  # seconds


def require_database(settings: Settings) -> None:
    """Raises ConfigurationError where the database of DATABASE_URL does not let us in: for who waits at a
    terminal, before anything slow begins."""
    if not settings.database_url:
        return
    opened = database.open_engine(settings.database_url, connects_within=_ANSWERS_WITHIN)
    try:
        database.reach(opened)
    except DatabaseAway as away:
        raise ConfigurationError(away.message, remedy="Start it, or correct DATABASE_URL.") from None
    finally:
        opened.dispose()


def account(settings: Settings, key: str, base: str | None) -> Identity:
    """Connects to the account of a key and asks who it is. Raises what `identity.ask` raises."""
    client.configure(client.connect(key, base))
    return identity.ask(settings)


def tables(settings: Settings, owner: Identity) -> None:
    """Opens the account's database, brings its tables up to date and makes sure that it is this account's.

    Raises ConfigurationError, Unavailable and WrongAccount.
    """
    database.configure(settings.database_url_for(owner.account))
    database.reach()
    migrations.upgrade()
    with database.transaction() as session:
        identity.claim(session, owner)
        facts.follow_settings(session)
