"""Where does the browser's Back lead after somebody opened a row of a filtered list?

Streamlit writes the next page's parameters into the history while the address is still the old page's,
so Back meets the list with parameters that are not its own. What stood there before is remembered, and
the list is shown with it again.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.components import acting

Query = dict[str, list[str]]
_HERE, _LEFT = "way_back_here", "way_back_left"
_REMEMBERED = 20  # pages that were left, the latest


def enter(key: str) -> Query | None:
    """Notes that this page is shown; gives the parameters to show it with where Back led astray."""
    st.session_state[_HERE] = key
    left: dict[str, Query] = st.session_state.get(_LEFT, {})
    return left.get(_mark(key, _present()))


def leave(parameters: Mapping[str, str]) -> None:
    """Remembers what stands in the address before another page is opened with `parameters`."""
    key = st.session_state.get(_HERE, "")
    left = dict(list(st.session_state.get(_LEFT, {}).items())[-_REMEMBERED:])
    present, astray = _present(), {name: [value] for name, value in parameters.items()}
    if present != astray:
        left[_mark(key, astray)] = present
    st.session_state[_LEFT] = left


def _present() -> Query:
    return {name: st.query_params.get_all(name) for name in st.query_params if name != acting.KEY}


def _mark(key: str, query: Query) -> str:
    return f"{key}?{sorted(query.items())}"
