"""One command for many: the runs that staff began, and each row of them."""

from __future__ import annotations

from typing import Any

from sqlmodel import Field

from models.base import Base, instant_key, json_column, long_text


class BulkRun(Base, table=True):
    """A command given to many at once. `state`: running, stopping (what is under way ends), stopped or done;
    asked (it waits for a second person) or declined, where it is above a limit.

    `form` is what was typed, for all rows alike; `staff` who began it, with the role of then. `attempt`
    counts how often it was begun or taken up. `note` is why it waits, was declined, or stopped by itself;
    `decider` who allowed or declined it.
    """

    __tablename__ = "bulk_runs"

    id: str = Field(primary_key=True)
    command: str
    form: dict[str, Any] = json_column()
    reason: str = ""
    staff: int | None = Field(default=None, index=True)
    role: str = ""
    created_at: int = instant_key()
    state: str = Field(default="running", index=True)
    attempt: int = 1
    note: str = long_text("")
    decider: int | None = None
    decider_name: str = ""


class BulkRow(Base, table=True):
    """One object of a run. `token` names its action, and is here before anything is done.

    `state`: waiting (its turn has not come), running, done, failed, unknown, skipped (it cannot be done to
    this one, and nothing was tried), asked (its action waits for a second person) or declined (with its run).
    What the action has become since is in its own row.
    """

    __tablename__ = "bulk_rows"

    run: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    customer: str
    object_id: str
    token: str = Field(unique=True)
    state: str = "waiting"
    message: str = long_text("")
