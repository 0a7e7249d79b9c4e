"""Which questions does a piece of work put to the database?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


@contextmanager
def asked(engine: Any) -> Iterator[list[str]]:
    """The reading statements that are sent meanwhile, in order."""
    found: list[str] = []

    def note(*given: Any) -> None:
        if given[2].lstrip().startswith(("SELECT", "WITH")):
            found.append(given[2])

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
