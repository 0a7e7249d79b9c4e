"""How does SQLite find what is asked: by which index, or by going through a whole table?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session


def of(session: Session, ask: Callable[[Session], object]) -> list[str]:
    """The steps of all statements that `ask(session)` sends, in its words (`SEARCH ... USING INDEX ...`)."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    connection = session.connection()
    sa.event.listen(connection, "before_cursor_execute", note)
    ask(session)
    sa.event.remove(connection, "before_cursor_execute", note)
    plans = (connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values) for asked, values in sent)
    return [row.detail for plan in plans for row in plan]
