"""Who did what: each staff command is a row from the moment its dialog opens."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Index, func
from sqlmodel import Field, col

from models.base import Base, big, instant_key, json_column, long_text

OVERTAKEN: Final = "overtaken"
DECLINED: Final = "declined"


class Action(Base, table=True):
    """One command. `state`: open (dialog shown), waiting (for a second person), running, done, failed or
    unknown (look at Stripe).

    `error` is why it failed; with `OVERTAKEN` in it, because things had changed since the dialog was opened,
    with `DECLINED`, because the second person said no: nothing was done then. `over` says which limits it
    exceeds, `amounts` (measure, number, currency) by how much, and `decider` who decided about it. `undoes`
    among the `params` is the token of the action that it takes back.
    """

    __tablename__ = "actions"
    __table_args__ = (Index("ix_actions_staff_opened_at", "staff", "opened_at"),)

    token: str = Field(primary_key=True)
    command: str = Field(index=True)
    state: str = Field(default="open", index=True)
    attempt: int = 0
    staff: int | None = Field(default=None, index=True)
    staff_name: str = ""
    role: str = ""
    customer: str = Field(default="", index=True)
    object_id: str = ""
    reason: str = ""
    comment: str = long_text("")
    params: dict[str, Any] = json_column()
    before: dict[str, Any] = json_column()
    preview: dict[str, Any] = json_column()
    result: dict[str, Any] = json_column()
    after: dict[str, Any] = json_column()
    error: dict[str, Any] = json_column()
    request_id: str = ""
    over: list[str] = json_column(list)
    amounts: list[Any] = json_column(list)
    decider: int | None = None
    decider_name: str = ""
    opened_at: int = instant_key()
    started_at: int | None = big()
    finished_at: int | None = big()

    @property
    def end(self) -> str:
        """The state as people are told it: a failure in which nothing went wrong has a name of its own."""
        names = (name for name in (OVERTAKEN, DECLINED) if self.error.get(name))
        return next(names, self.state) if self.state == "failed" else self.state


# Activity reads the newest of these; an index of an expression can be named only once its columns exist.
Index("ix_actions_begun", func.coalesce(col(Action.started_at), col(Action.opened_at)))


class ActionStep(Base, table=True):
    """One POST of a command: its idempotency key, stored before the first attempt."""

    __tablename__ = "action_steps"

    token: str = Field(primary_key=True)
    step: str = Field(primary_key=True)
    idempotency_key: str
    state: str = "prepared"
    request_id: str = ""
    object_id: str = ""
    prepared_at: int = big(0, nullable=False)
    finished_at: int | None = big()
