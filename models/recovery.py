"""Which payments failed and what became of them, and which passed at once: facts, and the cells that charts
read (services/metrics/counting/rollups)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from models.base import Base, big, json_column


class FailureFact(Base, table=True):
    """An invoice above zero whose payment failed, and what became of it; `amount` is its total, `due` what it
    asked for. `closed_at`: since when it asks for nothing more (0: that is not known), None while it does.

    `state`: recovered, in_recovery or lost; `recovered_by` says what paid it (see
    services/metrics/recovery/recovered_by), "" while it is not. `code` is why the first try failed,
    `last_code` why the last one did, `attempts` how many tries are known. The first invoice after a
    trial is marked, and in no cell.
    """

    __tablename__ = "failure_facts"
    __table_args__ = (
        Index("ix_failure_facts_customer", "customer"),
        Index("ix_failure_facts_failed", "currency", "failed_at", "invoice"),
    )

    invoice: str = Field(primary_key=True)
    customer: str = ""
    subscription: str = ""
    currency: str = ""
    plan: str = ""
    country: str = ""
    amount: int = big(0, nullable=False)
    due: int = big(0, nullable=False)
    failed_at: int = big(0, nullable=False)
    state: str = ""
    paid_at: int | None = big()
    closed_at: int | None = big()
    code: str = ""
    last_code: str = ""
    attempts: int = 0
    recovered_by: str = ""
    first_after_trial: bool = False


class FailureCell(Base, table=True):
    """The payments that first failed in a month (its first instant), by what became of them.

    Each is in one cell for each `part`: "" (as a whole, `value` ""), country, code, and where it is recovered
    by (what paid it) and days (until it was paid, rounded up).
    """

    __tablename__ = "failure_cells"

    generation: int = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    month: int = big(0, primary_key=True)
    plan: str = Field(primary_key=True)
    part: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    state: str = Field(primary_key=True)
    payments: int = 0
    amount: int = big(0, nullable=False)


class PassedFact(Base, table=True):
    """A customer's payments that passed at the first try: a list of month (its first instant), currency,
    plan, how many, and their amount."""

    __tablename__ = "passed_facts"

    customer: str = Field(primary_key=True)
    country: str = ""
    passed: list[Any] = json_column(list)


class PassedCell(Base, table=True):
    """The payments of a month (its first instant) that passed at the first try."""

    __tablename__ = "passed_cells"

    generation: int = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    month: int = big(0, primary_key=True)
    plan: str = Field(primary_key=True)
    country: str = Field(primary_key=True)
    payments: int = 0
    amount: int = big(0, nullable=False)
