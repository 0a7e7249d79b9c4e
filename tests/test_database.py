"""services.database: engines, transactions and what is said when it cannot open."""

from __future__ import annotations

import threading
from pathlib import Path
from types import ModuleType

import pytest
from sqlmodel import select

from models import Note
from services import database as ground
from services.errors import ConfigurationError


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


@pytest.mark.parametrize("url", ["mysql://host/name", "not an address"])
def test_an_address_that_the_desk_does_not_speak_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="sqlite"):
        ground.open_engine(url)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(ConfigurationError, match="DATA_DIR"):
        ground.open_engine(f"sqlite:///{blocked}/desk.db")
