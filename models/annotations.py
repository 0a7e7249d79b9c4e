"""What staff say about days, for charts to show."""

from __future__ import annotations

from sqlmodel import Field

from models.base import Base, big, instant_key


class Annotation(Base, table=True):
    """Something that happened at `at` (the first instant of its day, UTC seconds): a launch, a new price.

    `kind` is one of services.desk.annotating.KINDS; `author` is a staff id.
    """

    __tablename__ = "annotations"

    id: int | None = Field(default=None, primary_key=True)
    at: int = instant_key()
    kind: str
    text: str
    author: int | None = None
    created_at: int = big(0, nullable=False)
