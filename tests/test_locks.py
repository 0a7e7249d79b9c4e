"""Does a lock keep all others out, and does a broken one say so?"""

from __future__ import annotations

import time
from types import ModuleType

import pytest
import sqlalchemy as sa

from services import locks
from tests.support.sandbox import free_port

pytestmark = pytest.mark.both_databases


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("broken", ["a folder", "no database"])
def test_a_lock_that_cannot_be_used_is_not_taken_for_one_that_somebody_holds(
    database: ModuleType, broken: str
) -> None:
    lock = database.beside("pull.lock")
    if broken == "a folder":
        lock.mkdir()
    else:
        lock.write_text("no database" * 500)
    with (
        pytest.raises(locks.LockUnusable, match=r"pull\.lock cannot be locked") as caught,
        locks.alone("pull"),
    ):
        pass
    assert "may be removed" in caught.value.remedy
    lock.rmdir() if lock.is_dir() else lock.unlink()
    with locks.alone("pull") as mine, locks.alone("pull") as another:
        assert mine and another is None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_that_does_not_answer_is_not_taken_for_one_where_somebody_holds_the_lock(
    database: ModuleType,
) -> None:
    database.configure(f"postgresql://me:s3cret@127.0.0.1:{free_port()}/desk")
    with pytest.raises(locks.LockUnusable, match="PostgreSQL cannot say who holds the lock “pull”") as caught:
        locks.claim("pull")
    assert "s3cret" not in str(caught.value) and "sqlalche.me" not in str(caught.value)
    assert "tries again" in caught.value.remedy


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_lock_that_the_server_refuses_leaves_no_connection(database: ModuleType) -> None:
    before = connections(database)
    with pytest.raises(locks.LockUnusable) as caught:
        locks.claim("no\x00name")
    until = time.monotonic() + 5
    while connections(database) > before and time.monotonic() < until:
        time.sleep(0.02)
    assert connections(database) == before
    assert caught.value  # an error that is kept keeps what its frames hold


def connections(database: ModuleType) -> int:
    """How many the server has open to this database."""
    ours = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    with database.session() as session:
        return int(session.connection().scalar(ours))


def test_who_holds_a_lock_is_told_without_taking_it(database: ModuleType) -> None:
    names = ["desk-0", "desk-1", "desk-2"]
    assert locks.held(names) == set()
    with locks.alone("desk-1") as mine:
        assert mine
        assert locks.held(names) == {"desk-1"}
        mine.confirm()
    until = time.monotonic() + 5  # the server notices a little later that a connection has gone
    while locks.held(names) and time.monotonic() < until:
        time.sleep(0.02)
    assert locks.held(names) == set()


def test_a_lock_that_was_let_go_is_free_at_once(database: ModuleType) -> None:
    """PostgreSQL lets a closed connection's lock go a moment later, by which a next look would do nothing."""
    for _ in range(20):
        with locks.alone("inbox") as mine:
            assert mine
        assert locks.held(["inbox"]) == set()
