"""How the mirror stands: whose account it is, where each pull is, what came in, what happened."""

from __future__ import annotations

from typing import Any

from sqlmodel import Field

from models.base import Base, big, instant_key, json_column, long_text


class Workspace(Base, table=True):
    """The one row that says whose data this database holds. `clock_offset`: account's clock less ours (s).

    `changes` grows with every transaction that changes what pages show. `source_metadata_key` and
    `mrr_deducts_repeating` are the settings that rates and facts were derived with.
    """

    __tablename__ = "workspace"

    id: int = Field(default=1, primary_key=True)
    account: str
    account_name: str = ""
    mode: str
    clock_offset: int = big(0, nullable=False)
    pulled_at: int | None = big()
    checked_at: int | None = big()
    last_error: str = long_text("")
    changes: int = big(0, nullable=False)
    source_metadata_key: str = ""
    mrr_deducts_repeating: bool = False


class SyncCursor(Base, table=True):
    """How the pull of one resource stands. `state`: waiting, running, complete, failed, denied.

    `cursor` is the feed's alone (see services/mirror/cursors). The row of refused deliveries counts them as
    `fetched`, from `started_at` to `finished_at`, with the last one's reason as `error`.
    """

    __tablename__ = "sync_cursors"

    resource: str = Field(primary_key=True)
    state: str = "waiting"
    cursor: str | None = None
    fetched: int = 0
    started_at: int | None = big()
    finished_at: int | None = big()
    error: str = long_text("")


class SyncWindow(Base, table=True):
    """A part of the account's time that the pull of a resource has to list.

    Lists run newest first: from `high` (None: from now) down to `low`, both included. `cursor` and `reached`
    (s) are of the last object that was stored, `newest` (s) of the first; `objects` counts them.
    """

    __tablename__ = "sync_windows"

    resource: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    low: int = big(0, nullable=False)
    high: int | None = big()
    cursor: str | None = None
    newest: int | None = big()
    reached: int | None = big()
    objects: int = 0
    done: bool = False


class InboxItem(Base, table=True):
    """A payload that came in, kept for its retention time (services/mirror/poll), and longer while it waits.

    `source` says how it came: `poll`, `webhook` and `replay` (from a file) are events; `pull` is an object or
    an event that could not be stored when it was listed, read or answered. `state`: pending, applied, failed
    (`error` says why), ignored (a person said that it does not matter). `received_at` is the first time that
    it came in, `delivered_at` the last time that Stripe delivered it when it was here already, `tried_at` the
    last time that it was tried.
    """

    __tablename__ = "inbox"

    id: str = Field(primary_key=True)
    source: str
    type: str = ""
    created: int = instant_key()
    received_at: int = big(0, nullable=False)
    delivered_at: int | None = big()
    payload: str = long_text("")
    state: str = Field(default="pending", index=True)
    attempts: int = 0
    error: str = long_text("")
    applied_at: int | None = big(index=True)
    tried_at: int | None = big()


class Underived(Base, table=True):
    """A change of an object (`kind` is its table) of whose users rates and facts are still to be derived.

    `error` is why that of a customer failed when it was `tried_at`, "" where nothing went wrong.
    """

    __tablename__ = "underived"

    id: str = Field(primary_key=True)
    kind: str
    object_id: str
    error: str = long_text("")
    tried_at: int | None = big()


class Drift(Base, table=True):
    """A difference between our tables and the account that a reconciliation found, and repaired.

    `what`: missing (we had no row), changed, gone (we had a row of what is not in the account). `fields`
    names the columns that differed, `as_of` is the row's age as it said itself, `cause` a sentence.
    """

    __tablename__ = "drifts"

    id: int | None = Field(default=None, primary_key=True)
    found_at: int = instant_key()
    resource: str
    object_id: str = Field(index=True)
    what: str
    fields: list[str] = json_column(list)
    as_of: int | None = big()
    cause: str = long_text("")


class Reconciliation(Base, table=True):
    """One comparison of the tables with the whole account.

    `state`: running, complete, incomplete (`skipped` holds the reasons by resource, or `aside` rows could not
    be stored), failed (`error` says why), stopped. `drifts` counts the differences that no event explains.
    """

    __tablename__ = "reconciliations"

    id: int | None = Field(default=None, primary_key=True)
    started_at: int = instant_key()
    finished_at: int | None = big()
    state: str = "running"
    objects: int = big(0, nullable=False)
    requests: int = big(0, nullable=False)
    drifts: int = big(0, nullable=False)
    aside: int = big(0, nullable=False)
    skipped: dict[str, list[str]] = json_column()
    error: str = long_text("")


class StripeReads(Base, table=True):
    """How many reads Stripe was asked for on a UTC day (its first second), for one purpose.

    The purposes are those of services/stripe_api/errands.
    """

    __tablename__ = "stripe_reads"

    day: int = big(0, primary_key=True)
    purpose: str = Field(primary_key=True)
    reads: int = big(0, nullable=False)


class Asker(Base, table=True):
    """A process that asks Stripe, and when it last said so, by the database's own clock (seconds UTC)."""

    __tablename__ = "askers"

    id: str = Field(primary_key=True)
    asked_at: int = big(0, nullable=False)


class Event(Base, table=True):
    """A Stripe event as the timeline shows it: what happened to which object of which customer.

    `facts` keeps the few values that the sentence needs (amounts, statuses, dates), no personal data.
    """

    __tablename__ = "events"

    id: str = Field(primary_key=True)
    created: int = instant_key()
    type: str = ""
    object_type: str = ""
    object_id: str = Field(default="", index=True)
    customer: str | None = Field(default=None, index=True)
    request_id: str | None = None
    api_version: str | None = None
    facts: dict[str, Any] = json_column()
