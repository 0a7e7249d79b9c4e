"""services.database: engines, transactions and what is said when it cannot open."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from models import Note
from services import database as ground
from services.errors import ConfigurationError

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
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            another.submit(_write_a_note).result()
    _write_a_note()


def _write_a_note() -> None:
    with ground.transaction() as writing:
        writing.add(_note("late"))


@pytest.mark.parametrize("url", ["mysql://host/name", "not an address"])
def test_an_address_that_the_desk_does_not_speak_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="sqlite"):
        ground.open_engine(url)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(ConfigurationError, match="DATA_DIR"):
        ground.open_engine(f"sqlite:///{blocked}/desk.db")
