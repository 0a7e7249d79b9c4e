"""Who works here: people, their role, and whether they may still sign in."""

from __future__ import annotations

from sqlmodel import Field

from models.base import Base, big


class Staff(Base, table=True):
    """A staff member. `role`: viewer, support, sales, founder, admin. `email` is lower case."""

    __tablename__ = "staff"

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    name: str = ""
    role: str = "viewer"
    active: bool = True
    created_at: int = big(0, nullable=False)
    last_seen_at: int | None = big()
