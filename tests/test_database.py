"""services.database: engines, transactions and what is said when it cannot open."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlmodel import select

from models import Note
from services import database as ground
from services.database import absence, is_ill, is_passing, open_engine
from services.errors import ConfigurationError

pytestmark = pytest.mark.both_databases

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def _note(body: str) -> Note:
    return Note(customer="cus_1", body=body, created_at=1)


def test_a_transaction_commits_at_its_end(database: ModuleType) -> None:
    with database.transaction() as writing:
        writing.add(_note("kept"))
    with database.session() as reading:
        assert [note.body for note in reading.exec(select(Note))] == ["kept"]


def test_a_transaction_that_fails_leaves_nothing(database: ModuleType) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as writing:
        writing.add(_note("lost"))
        writing.flush()
        _ = 1 / 0
    with database.session() as reading:
        assert reading.exec(select(Note)).all() == []


def test_a_snapshot_does_not_see_what_is_written_after_its_first_question(database: ModuleType) -> None:
    with database.snapshot() as reading:
        assert reading.exec(select(Note)).all() == []
        with database.transaction() as writing:
            writing.add(_note("late"))
        assert reading.exec(select(Note)).all() == []
    with database.snapshot() as reading:
        assert [note.body for note in reading.exec(select(Note))] == ["late"]


def test_capitals_of_every_script_have_small_letters(database: ModuleType) -> None:
    with database.session() as session:
        found = session.execute(sa.select(sa.func.lower("ÉLISE ΩΜΕΓΑ Ж 5"), sa.func.lower(sa.null()))).one()
    assert tuple(found) == ("élise ωμεγα ж 5", None)


def test_writers_wait_for_each_other(database: ModuleType) -> None:
    def write() -> None:
        for _ in range(10):
            with database.transaction() as writing:
                writing.exec(select(Note)).all()
                writing.add(_note("one of many"))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.session() as reading:
        assert len(reading.exec(select(Note)).all()) == 80


@sqlite_only
def test_threads_of_one_process_take_turns_instead_of_finding_the_file_locked(database: ModuleType) -> None:
    @sa.event.listens_for(database.engine(), "connect")
    def at_once(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA busy_timeout=0")

    database.engine().dispose()
    together = threading.Barrier(6)

    def write(name: str) -> None:
        together.wait()
        for _ in range(5):
            with database.transaction() as writing:
                writing.add(_note(name))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, "abcdef"))
    with database.session() as reading:
        assert len(reading.exec(select(Note)).all()) == 30


@sqlite_only
def test_who_waits_too_long_for_a_turn_is_told_by_sqlite(
    database: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ground, "_BUSY_TIMEOUT_MS", 50)
    database.engine().dispose()
    with ThreadPoolExecutor(1) as another, database.transaction() as held:
        held.connection()
        with pytest.raises(sa.exc.OperationalError, match="locked") as told:
            another.submit(_write_a_note).result()
    assert is_passing(told.value)
    _write_a_note()


def _write_a_note() -> None:
    with ground.transaction() as writing:
        writing.add(_note("late"))


@pytest.mark.parametrize("url", ["mysql://host/name", "not an address"])
def test_an_address_that_the_desk_does_not_speak_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="sqlite"):
        ground.open_engine(url)


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "desk.db"
    engine = ground.open_engine(f"sqlite:///{path}")
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(sa.text("CREATE TABLE a (b)"))
        found = {one.name: one.stat().st_mode & 0o777 for one in path.parent.iterdir()}
    engine.dispose()
    assert found == {"desk.db": 0o600, "desk.db-wal": 0o600, "desk.db-shm": 0o600}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(ConfigurationError, match="DATA_DIR"):
        ground.open_engine(f"sqlite:///{blocked}/desk.db")


@pytest.mark.parametrize(
    ("folder", "said"),
    [("file", "{0}: it is a file, not a folder."), ("file/a/b", "{0}/a/b: {0} is a file, not a folder.")],
)
def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path, folder: str, said: str) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(ConfigurationError) as caught:
        ground.require_folder(tmp_path / folder)
    assert caught.value.message == f"Cannot write to {said.format(blocked)}"
    assert caught.value.remedy == "Set DATA_DIR to a folder; one that is missing is made."


def test_a_damaged_file_is_told_apart_from_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    path.write_bytes(b"nothing that SQLite wrote" * 400)
    engine = open_engine(f"sqlite:///{path}")
    with pytest.raises(sa.exc.DatabaseError) as damaged:
        engine.connect()
    assert is_ill(damaged.value) and not is_passing(damaged.value)
    whole = open_engine(f"sqlite:///{tmp_path}/whole.db")
    with whole.connect() as connection, pytest.raises(sa.exc.DBAPIError) as mistaken:
        connection.execute(sa.text("SELECT nonsense"))
    assert not is_ill(mistaken.value) and not is_ill(ValueError("nonsense"))
    engine.dispose()
    whole.dispose()


@pytest.mark.parametrize(
    ("error", "ill"),
    [
        (psycopg.errors.DiskFull(), True),
        (psycopg.errors.DataCorrupted(), True),
        (psycopg.errors.IoError(), True),
        (psycopg.errors.TooManyConnections(), False),
        (psycopg.errors.InternalError_(), False),
        (psycopg.errors.UniqueViolation(), False),
    ],
)
def test_of_a_servers_errors_only_those_of_disk_memory_and_data_are_its_illness(
    error: psycopg.Error, ill: bool
) -> None:
    assert is_ill(sa.exc.DatabaseError("SELECT", {}, error)) is ill


def test_a_server_that_is_not_there_is_told_apart_from_a_mistake(database: ModuleType) -> None:
    nobody = open_engine("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(sa.exc.OperationalError) as refused:
        nobody.connect()
    away = absence(refused.value)
    assert away is not None and "Connection refused" in away.message
    with database.session() as session, pytest.raises(sa.exc.DBAPIError) as mistaken:
        session.execute(sa.text("SELECT nonsense"))
    assert absence(mistaken.value) is None
    assert absence(ValueError("nonsense")) is None
    assert is_passing(refused.value) and not is_passing(mistaken.value)
