"""To whom does the monthly report go by mail, and when?"""

from __future__ import annotations

from sqlmodel import Field

from models.base import Base, big, json_column


class ReportMailing(Base, table=True):
    """The one row, once an admin has saved something. `version` grows with each change.

    The report of the last whole month goes to each of `recipients` on the 1st, at `at` (`08:00`, in the
    workspace's zone), while it is `active`; months whose time was before it became so (`since`, UTC seconds)
    do not. `sent_for` is the last month (`2026-10`) whose mails were written down.
    """

    __tablename__ = "report_mailing"

    id: int = Field(default=1, primary_key=True)
    version: int = 0
    active: bool = False
    recipients: list[str] = json_column(list)
    at: str = "08:00"
    since: int = big(0, nullable=False)
    sent_for: str = ""
