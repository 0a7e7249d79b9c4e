"""Which questions does a piece of work put to the database?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa


def asked(engine: Any) -> AbstractContextManager[list[str]]:
    """The reading statements that are sent meanwhile, in order."""
    return _sent(engine, ("SELECT", "WITH"))


def written(engine: Any) -> AbstractContextManager[list[str]]:
    """The writing statements that are sent meanwhile, in order."""
    return _sent(engine, ("INSERT", "UPDATE", "DELETE"))


def shaped(engine: Any) -> AbstractContextManager[list[str]]:
    """The statements that make or drop tables, which are sent meanwhile, in order."""
    return _sent(engine, ("CREATE", "DROP"))


@contextmanager
def _sent(engine: Any, words: tuple[str, ...]) -> Iterator[list[str]]:
    found: list[str] = []

    def note(*given: Any) -> None:
        if given[2].lstrip().startswith(words):
            found.append(given[2])

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
