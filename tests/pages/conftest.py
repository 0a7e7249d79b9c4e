"""What tests of pages share: the settings of a workspace, and Streamlit told that pages/ is no menu."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager

from models import SyncCursor
from services import config, schedules
from services.metrics import kept
from services.mirror import cursors
from services.schedules import Startup
from services.staff import people
from services.staff.roles import Person
from tests.pages.work import whoever


@pytest.fixture(autouse=True)
def _no_pages_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without it AppTest skips dashboard.py from its second run on.
    monkeypatch.setattr(PagesManager, "uses_pages_directory", False)


@pytest.fixture(autouse=True)
def _no_search_for_components(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each AppTest would read the metadata of every installed package: most of a page's test. We use none.
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", list)


@pytest.fixture(autouse=True)
def _sandbox_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The settings are read anew: a sandbox with its data in a folder of the test."""
    for name in (
        "STRIPE_API_KEY",
        "STRIPE_API_BASE",
        "DATABASE_URL",
        "WORKSPACE_TIMEZONE",
        "WORKSPACE_LOCALE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    config.settings.cache_clear()
    yield
    config.settings.cache_clear()


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    kept.forget()


@pytest.fixture
def staffed(database: ModuleType) -> ModuleType:
    """An empty database with the sandbox's ten people: what a page needs to open."""
    with database.transaction() as session:
        people.prepare(session, "sandbox")
    return database


@pytest.fixture
def sam(staffed: ModuleType) -> Person:
    """A supporter of the sandbox."""
    return whoever(staffed, "sam@trialdesk.test")


@pytest.fixture
def pulled(staffed: ModuleType) -> ModuleType:
    """The same after the first pull."""
    with staffed.transaction() as session:
        for resource in (*cursors.RESOURCES, cursors.DERIVED):
            session.add(SyncCursor(resource=resource, state="complete"))
    return staffed


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's desk has started: pages open."""
    monkeypatch.setattr(schedules._Process, "desk", ReadyDesk())


class ReadyDesk:
    """Stands where the process's desk stands once it has started."""

    startup = Startup(ready=True)
    pace = None

    def ring(self) -> None:
        """Nobody drains an inbox here."""
