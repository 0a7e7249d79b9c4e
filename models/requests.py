"""What customers ask for that staff decide about."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Index, text
from sqlmodel import Field

from models.base import Base, big, json_column, long_text

UNDECIDED: Final = ("open", "offered")
_IS_UNDECIDED = text("state IN ('open', 'offered')")


class CancellationRequest(Base, table=True):
    """A customer's wish that a subscription should end.

    `source`: customer, or staff where `received_by` heard it. `wish`: period_end or now; `reason` a code of
    Stripe's or ""; `comment` what the customer said first; `again` what was said since
    (services/desk/hearing). `state`: open, offered (something else: it waits for the customer), approved,
    refused, withdrawn (the customer stays) or elsewhere (the subscription ended or is set to end, and not by
    a cancel that did what was asked for). `note` is what staff said of it, a line each; `token` names the
    action that ended the subscription.
    """

    __tablename__ = "cancellation_requests"
    __table_args__ = (
        Index(
            "uq_cancellation_requests_undecided",
            "subscription",
            unique=True,
            sqlite_where=_IS_UNDECIDED,
            postgresql_where=_IS_UNDECIDED,
        ),
    )

    id: str = Field(primary_key=True)
    customer: str = Field(index=True)
    subscription: str = Field(index=True)
    received_at: int = big(0, nullable=False)
    received_by: int | None = None
    received_by_name: str = ""
    source: str
    wish: str
    reason: str = ""
    comment: str = long_text("")
    again: list[dict[str, Any]] = json_column(list)
    state: str = Field(default="open", index=True)
    note: str = long_text("")
    decided_by: int | None = None
    decided_by_name: str = ""
    decided_at: int | None = big()
    token: str = ""
