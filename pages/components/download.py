"""How do rows leave a page? As a CSV file of all of them, for who may export, made when it is asked for.

Who took it, and how many rows, is kept for Activity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import streamlit as st

from pages.components import formats
from services import database
from services.customers import audit
from services.staff import people
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

    def file() -> bytes:
        with database.session() as session:
            asking = people.anew(session, person)
            listed = list(lines(session, asking))
        with database.transaction() as session:
            kept = {"file": f"{name}.csv", "rows": len(listed) - 1}
            audit.record(session, asking, "export", after=kept)
        return "".join(listed).encode("utf-8-sig")

    st.download_button(
        "CSV", file, file_name=f"{name}.csv", mime="text/csv", icon=":material/download:",
        on_click="ignore", disabled=bool(why_not), key=key, help=formats.plain(why_not or help),
    )  # fmt: skip
