"""How is a row written once, however often and by however many it is asked for?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from models import Base
from services import database


def insert(session: Session, table: type[Base], values: dict[str, Any]) -> bool:
    """Whether the row is new; a row with the same primary key stays as it is."""
    make = sqlite.insert if database.is_sqlite() else postgresql.insert
    statement = make(table).values(values).on_conflict_do_nothing()
    # not rowcount, which PostgreSQL's driver leaves at -1 here
    return session.connection().execute(statement.returning(sa.literal(1))).first() is not None
