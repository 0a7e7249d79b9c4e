"""Whose part does this tab play? On the sandbox one may act as anybody of its staff; nowhere else.

The part stands in the address (`?as=Vera Lind · viewer`), so that it outlives a reload and goes along to the
next page; the first of the staff needs no word there. Where the switch is not drawn, `as` means nothing.
Streamlit takes it along when a link is clicked, but not when it is opened in a new tab (its `href` is bare).
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.components import address
from services.staff.roles import Person

KEY = "as"
_IN_ADDRESS = "as_in_address"


def switch(everybody: Sequence[Person]) -> None:
    """Draws the choice; before anybody asks who is looking, because the address may say it."""
    labels = {one.email: f"{one.name} · {one.role}" for one in everybody}
    address.expect(KEY, labels.values())
    chosen = st.selectbox(
        "Acting as", list(labels), format_func=labels.__getitem__, key=KEY, bind="query-params",
        help="Only on the sandbox: see the desk as each role sees it.",
    )  # fmt: skip
    st.session_state[_IN_ADDRESS] = {} if chosen == everybody[0].email else {KEY: labels[chosen]}


def chosen(everybody: Sequence[Person]) -> Person:
    """Who was chosen, if they are still there; otherwise the first."""
    wanted = st.session_state.get(KEY)
    return next((one for one in everybody if one.email == wanted), everybody[0])


def in_address() -> dict[str, str]:
    """What the address of the next page must carry so that it is opened as the same person."""
    return dict(st.session_state.get(_IN_ADDRESS, {}))


def free_address() -> None:
    """Lets `st.switch_page` write the address, which it refuses while the switch is bound to it."""
    context = get_script_run_ctx()
    if context is None:
        return
    with context.session_state.query_params() as query:
        if binding := query.get_binding_for_param(KEY):
            query.unbind_widget(binding.widget_id)
