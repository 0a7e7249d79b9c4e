"""What the desk itself knows of a customer: owner, tags, notes, tasks, messages, calls, who changed it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from models.base import Base, big, instant_key, json_column, long_text


class CustomerProfile(Base, table=True):
    """What staff decide about a customer. `owner` is the staff member who looks after it."""

    __tablename__ = "customer_profiles"

    customer: str = Field(primary_key=True)
    owner: int | None = Field(default=None, index=True)


class CustomerTag(Base, table=True):
    """A tag on a customer (lower case)."""

    __tablename__ = "customer_tags"

    customer: str = Field(primary_key=True)
    tag: str = Field(primary_key=True, index=True)
    added_by: int | None = None
    added_at: int = big(0, nullable=False)


class Note(Base, table=True):
    """A note that staff wrote on a customer."""

    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_author_created_at", "author", "created_at"),)

    id: int | None = Field(default=None, primary_key=True)
    customer: str = Field(index=True)
    author: int | None = None
    author_name: str = ""
    body: str = long_text("")
    created_at: int = instant_key()
    edited_at: int | None = big()


class Task(Base, table=True):
    """A follow-up that somebody owes a customer; open while `done_at` is None. `done_by` ticked it off."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_created_by_created_at", "created_by", "created_at"),
        Index("ix_tasks_done_by_done_at", "done_by", "done_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    customer: str = Field(index=True)
    title: str = ""
    assignee: int | None = Field(default=None, index=True)
    created_by: int | None = None
    created_at: int = big(0, nullable=False, index=True)
    due_at: int | None = big()
    done_at: int | None = big(index=True)
    done_by: int | None = None


class FormSent(Base, table=True):
    """A form of a page that was sent: what it says is done once. `form` names it and its content."""

    __tablename__ = "forms_sent"

    form: str = Field(primary_key=True)
    at: int = instant_key()


class Message(Base, table=True):
    """One send. `attempt` counts the tries that people asked for, from 0.

    `state`: queued, sending (handed to the mail server at this moment), accepted, failed, unknown (may
    have gone out: a person decides), outbox (kept here, because no mail server is set).
    `report`: the month (`2026-10`) whose report goes with it; such a message is to no `customer` ("").
    """

    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_staff_created_at", "staff", "created_at"),)

    token: str = Field(primary_key=True)
    customer: str = Field(index=True)
    channel: str = "email"
    template: str = ""
    to_address: str = ""
    subject: str = ""
    body: str = long_text("")
    state: str = Field(default="queued", index=True)
    attempt: int = 0
    error: str = long_text("")
    staff: int | None = None
    staff_name: str = ""
    created_at: int = instant_key()
    sent_at: int | None = big()
    message_id: str = ""
    report: str = ""


class CallRequest(Base, table=True):
    """A one-on-one call that somebody should have with a customer.

    `state`: requested, scheduled, done, no_show, declined. `outcome` is a code where it was done.
    """

    __tablename__ = "call_requests"
    __table_args__ = (
        Index("ix_call_requests_requested_by_created_at", "requested_by", "created_at"),
        Index("ix_call_requests_closed_by_closed_at", "closed_by", "closed_at"),
    )

    token: str = Field(primary_key=True)
    customer: str = Field(index=True)
    state: str = Field(default="requested", index=True)
    assignee: int | None = Field(default=None, index=True)
    requested_by: int | None = None
    requested_by_name: str = ""
    note: str = long_text("")
    created_at: int = instant_key()
    due_at: int | None = big()
    outcome: str | None = None
    outcome_note: str = long_text("")
    closed_at: int | None = big(index=True)
    closed_by: int | None = None
    closed_by_name: str = ""


class AuditEntry(Base, table=True):
    """A change by staff that no other table keeps: what stood there before, and after.

    `kind` is one of services.customers.audit.TITLES; `customer` is "" where it is about none. Both
    snapshots hold the fields that changed; of a call that was scheduled also its time.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_kind_at", "kind", "at"),
        Index("ix_audit_entries_staff_at", "staff", "at"),
        Index("ix_audit_entries_customer_at", "customer", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    at: int = instant_key()
    kind: str
    staff: int | None = None
    staff_name: str = ""
    customer: str = ""
    object_id: str = ""
    before: dict[str, Any] = json_column()
    after: dict[str, Any] = json_column()


class SavedFilter(Base, table=True):
    """A filter of a page that somebody kept: `query` is the page's address parameters."""

    __tablename__ = "saved_filters"

    id: int | None = Field(default=None, primary_key=True)
    page: str = Field(index=True)
    name: str
    query: dict[str, Any] = json_column()
    owner: int | None = None
    shared: bool = False
    created_at: int = big(0, nullable=False)
