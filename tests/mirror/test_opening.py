"""A database that lets nobody in is told at once, with what to do."""

from __future__ import annotations

import socket

import pytest
import sqlalchemy as sa

from services.config import Settings
from services.errors import ConfigurationError
from services.mirror import opening


def require(url: str) -> None:
    opening.require_database(Settings(_env_file=None, database_url=url))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:secret@127.0.0.1:9/x", "Connection refused"),
        ("postgresql://u:secret@127.0.0.1/x?colour=red", "colour"),
        ("postgresql://u:secret@127.0.0.1:port/x", "not a database address"),
    ],
)
def test_why_is_said_and_what_to_do(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as refused:
        require(url)
    assert refused.value.remedy and "secret" not in str(refused.value)


def test_a_server_that_turns_us_away_is_quoted(database_url: str) -> None:
    require(database_url)
    if not database_url.startswith("postgresql"):
        return
    with pytest.raises(ConfigurationError, match='role "stranger" does not exist'):
        require(sa.make_url(database_url).set(username="stranger").render_as_string(hide_password=False))


def test_one_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_ANSWERS_WITHIN", 2)  # the least that PostgreSQL's library takes
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(ConfigurationError, match="timeout"),
    ):
        require(f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/x")
