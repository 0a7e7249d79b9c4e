"""What does the address ask for that is not understood? It is ignored, and a sentence on top says so.

Streamlit drops what a bound widget cannot take, without a word: whoever draws such a widget says before, by
`expect`, what it can take. What no widget holds is had by `read`; of any other name the page knows nothing.
The sentence stays until the page is left, the address says no longer what was ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import date

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.components import formats

Values = dict[str, str]
_FOUND, _TOLD, _KNOWN = "address_found", "address_told", "address_known"
_OF_MAILS = "utm_"  # how names begin that mail programs put behind every link
_LONGEST = 60  # characters of a value that are repeated


def expect(name: str, known: Collection[str] | Callable[[str], object]) -> None:
    """Says which values of a parameter are understood: these, or those that `known` takes (no ValueError)."""
    _known_here().add(name)
    for value in st.query_params.get_all(name):
        if value and not _takes(known, value):
            ignore(name, value)


def read(name: str) -> str:
    """What the address says of a parameter that no widget holds; "" for nothing."""
    _known_here().add(name)
    return st.query_params.get(name, "")


def ignore(name: str, value: str) -> None:
    """Notes that a parameter's value is not understood."""
    short = value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"
    st.session_state.setdefault(_FOUND, {})[name] = short


def understood(name: str) -> None:
    """Takes back what was noted: the parameter says something else by now."""
    page, told = st.session_state.get(_TOLD, ("", {}))
    st.session_state[_TOLD] = (page, {key: value for key, value in told.items() if key != name})


def day(text: str) -> date:
    """A parameter's value as a day. Raises ValueError."""
    return date.fromisoformat(text)


def whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a parameter's value as a number between the two. It raises ValueError."""

    def read(text: str) -> int:
        if not least <= int(text) <= most:
            raise ValueError(text)
        return int(text)

    return read


@contextmanager
def watched(page: str) -> Iterator[None]:
    """Around a page: draws what it ignored of its address, above it."""
    place = st.container()
    st.session_state[_KNOWN] = set()
    yield
    _clear()
    before, told = st.session_state.get(_TOLD, ("", {}))
    told = (told if before == page else {}) | st.session_state.pop(_FOUND, {})
    st.session_state[_TOLD] = (page, told)
    if told:
        place.info(_sentence(told), icon=":material/link_off:")


def _known_here() -> set[str]:
    names: set[str] = st.session_state.setdefault(_KNOWN, set())
    return names


def _clear() -> None:
    """Takes out of the address what is ignored: also every name that the page neither reads nor expects."""
    known = _known_here()
    for name in [one for one in st.query_params if not _is_held(one)]:
        if name not in known and not name.startswith(_OF_MAILS):
            ignore(name, st.query_params[name])
        if name in st.session_state.get(_FOUND, {}):
            del st.query_params[name]


def _is_held(name: str) -> bool:
    """Whether a widget holds the parameter: it puts right by itself what the address says of it."""
    context = get_script_run_ctx()
    if context is None:
        return False
    with context.session_state.query_params() as query:
        return query.is_bound(name)


def _takes(known: Collection[str] | Callable[[str], object], value: str) -> bool:
    if not callable(known):
        return value in known
    try:
        known(value)
    except ValueError:
        return False
    return True


def _sentence(values: Values) -> str:
    named = ", ".join(f"{formats.plain(name)} “{formats.plain(value)}”" for name, value in values.items())
    return f"The address asks for what the desk does not know; it is ignored: {named}."
