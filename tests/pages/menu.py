"""Pages that hold links to other pages, as AppTest runs them: with the desk's menu around them."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from pages.components.navigation import ROOT


def open_in_menu(name: str, *, acting_as: str = "sam@trialdesk.test", **address: str) -> AppTest:
    """One run of a page under an address, for one of the sandbox's people."""
    app = AppTest.from_function(_with_menu, default_timeout=60, args=(str(ROOT / "pages" / f"{name}.py"),))
    app.session_state["as"] = acting_as
    for key, value in address.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception[0].value
    return app


def _with_menu(script: str) -> None:
    import runpy

    import streamlit as st

    from pages.components import address, guard, navigation

    st.navigation(navigation.menu(guard.current(), {}), position="hidden")
    with address.watched(script):
        runpy.run_path(script)
