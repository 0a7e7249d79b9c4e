"""How do rows leave a page? As a CSV file of all of them, for who may export, made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import streamlit as st

from pages.components import formats
from services.customers import export
from services.staff.roles import Permission, Person


def csv(
    person: Person,
    lines: Callable[..., Iterable[str]],
    *,
    name: str,
    key: str,
    help: str = "All rows, not only this page.",
) -> None:
    """Draws the button. `lines` gives the file's lines, called with a session and who asks (as of then)."""
    why_not = person.why_not(Permission.EXPORT)
    st.download_button(
        "CSV", partial(export.file, person, lines, name=name), file_name=f"{name}.csv",
        mime="text/csv", icon=":material/download:", on_click="ignore", disabled=bool(why_not), key=key,
        help=formats.plain(why_not or help),
    )  # fmt: skip
