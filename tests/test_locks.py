"""Does a lock keep all others out, and does a broken one say so?"""

from __future__ import annotations

from types import ModuleType

import pytest

from services import locks


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
