"""What the admins have decided about who may do what, and how much."""

from __future__ import annotations

from typing import Any

from sqlmodel import Field

from models.base import Base, json_column


class PolicyDocument(Base, table=True):
    """The one row, once an admin has saved something. `version` grows with each change.

    `grants`: permission name -> bool by role, where it is not as usual. `limits`: the most by role and
    `measure` or `measure:currency` (days, minor units). `approvals`: whether a second person may
    allow what is above a limit.
    """

    __tablename__ = "policy"

    id: int = Field(default=1, primary_key=True)
    version: int = 0
    grants: dict[str, Any] = json_column()
    limits: dict[str, Any] = json_column()
    approvals: bool = False
