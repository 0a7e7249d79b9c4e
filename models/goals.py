"""What do the founders want to reach, and by when?"""

from __future__ import annotations

from sqlmodel import Field

from models.base import Base, big


class Goal(Base, table=True):
    """A number that is to be reached.

    `measure`: conversion, mrr or recovery; `currency` is that of MRR, "" of the others. `target` and `start`
    (the value when the goal was set) are micros of MRR, else basis points. The way goes from `begins` to
    `ends` (UTC seconds).
    """

    __tablename__ = "goals"

    id: int | None = Field(default=None, primary_key=True)
    measure: str
    currency: str = ""
    target: int = big(0, nullable=False)
    start: int = big(0, nullable=False)
    begins: int = big(0, nullable=False)
    ends: int = big(0, nullable=False)
    created_by: int = 0
    created_at: int = big(0, nullable=False)
