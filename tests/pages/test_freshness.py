"""A page that showed an old number draws itself again when the new one is there."""

from __future__ import annotations

from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from models import Workspace
from services.metrics import kept, version

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no SQL of its own


def _page() -> None:
    import time

    import streamlit as st
    from sqlmodel import Session

    from pages.components import freshness
    from services import database
    from services.metrics import kept, version

    def slow(session: Session) -> int:
        found = session.connection().exec_driver_sql("SELECT changes FROM workspace").scalar_one()
        time.sleep(kept.QUICK * 2)
        return int(found)

    freshness.begin()
    with database.session() as session:
        current = version.data_version(session)
    st.text(kept.ask("slow", current, slow))
    freshness.watch()


def test_a_slow_number_comes_by_itself(database: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "AT_MOST_EVERY", 0.0)
    kept.forget()
    for changes in (1, 2):
        with database.transaction() as session:
            session.merge(Workspace(account="acct_1", mode="test", changes=changes))
        if changes == 1:
            app = AppTest.from_function(_page, default_timeout=60).run()
            assert shown(app) == ("1", 1)
    app.run()
    assert shown(app) == ("1", None)  # which no version equals: the page comes again
    while shown(app)[0] == "1":
        app.run()
    app.run()
    assert shown(app) == ("2", 2)
    kept.forget()


def shown(app: AppTest) -> tuple[str, int | None]:
    """The number on the page, and the version that the page takes itself to show."""
    assert not app.exception
    return app.text[0].value, app.session_state["data_shown"]
