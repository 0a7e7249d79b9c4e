"""What conversion is counted from: each customer's trial and way as facts, and both summed up as cells.

All of it is derived (services/metrics/counting/rollups). Facts lie in the order of when they began: what is
asked is mostly of some months. Flags are 0 or 1. Days are whole days since the trial's
start, rounded up, -1 for a trial that did not convert.
"""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field

from models.base import CLUSTERED, Base, big, partial_index


class TrialFact(Base, table=True):
    """A customer's first trial and what became of it (see services/metrics/trials/trials); instants in UTC
    seconds.

    `plan` is the product and `price` the price of the dearest item, `trial_days` what the trial was given at
    its start. `card_at_start` is "1", "0", or "" where it cannot be told. `why` it did not convert: a decline
    code, or the feedback or reason of a cancellation, which came with a comment where `commented`.
    """

    __tablename__ = "trial_facts"
    __table_args__ = (
        Index("ix_trial_facts_ended", "over_at", "state", "plan", "source", "currency", "country"),
        partial_index("ix_trial_facts_commented", "commented = 1", "started", "canceled_at"),
        partial_index("ix_trial_facts_running", "state = 'running'", "started"),
        CLUSTERED,
    )

    started: int = big(primary_key=True)
    customer: str = Field(primary_key=True, index=True)
    state: str
    days: int = -1
    plan: str = ""
    source: str = ""
    currency: str = ""
    country: str = ""
    plan_micros: int = big(0, nullable=False)
    price: str = ""
    trial_days: int = 0
    card_at_start: str = ""
    extended: int = 0
    called: int = 0
    messaged: int = 0
    why: str = ""
    commented: int = 0
    subscription: str
    trial_end: int | None = big()
    first_trial_end: int | None = big()
    over_at: int | None = big()
    in_trial: int = 0
    converted_at: int | None = big()
    on_invoice: int = 0
    card_on_file: int = 0
    canceled_at: int | None = big()


class TrialCell(Base, table=True):
    """`trials` that started in a period and are alike, and what they would pay a month (`micros`).

    `period` is the first instant of the month or week (`grain`). With `dim` "" the cells are by plan, source
    and currency, in months and weeks. Any other `dim` has its `value` beside plan and currency, in months
    only: its cells hold no source.
    """

    __tablename__ = "trial_cells"
    __table_args__ = (CLUSTERED,)

    generation: int = Field(primary_key=True)
    dim: str = Field(primary_key=True)
    grain: str = Field(primary_key=True)
    period: int = big(primary_key=True)
    plan: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    state: str = Field(primary_key=True)
    days: int = Field(primary_key=True)
    trials: int = big(0, nullable=False)
    micros: int = big(0, nullable=False)


class TrialRun(Base, table=True):
    """`trials` of a plan that started on a day (its first instant UTC), were not decided for `ran` days and
    converted after `paid` days (-1: not): what a forecast is made from, which knows of no longer times."""

    __tablename__ = "trial_runs"
    __table_args__ = (CLUSTERED,)

    generation: int = Field(primary_key=True)
    day: int = big(primary_key=True)
    plan: str = Field(primary_key=True)
    ran: int = Field(primary_key=True)
    paid: int = Field(primary_key=True)
    trials: int = big(0, nullable=False)


class JourneyFact(Base, table=True):
    """How far a customer came (services/metrics/trials/funnel): `depth` is the place of the last step on
    `path`; `waits`: it is too early to tell about the step after it."""

    __tablename__ = "journey_facts"
    __table_args__ = (CLUSTERED,)

    created: int = big(primary_key=True)
    customer: str = Field(primary_key=True, index=True)
    path: str
    depth: int
    waits: int = 0
    plan: str = ""
    source: str = ""
    currency: str = ""
    country: str = ""
    extended: int = 0
    messaged: int = 0
    trial_end: int | None = big()
    paid_at: int | None = big()


class JourneyCell(Base, table=True):
    """`customers` who signed up in a period and came equally far; laid out like the cells of trials."""

    __tablename__ = "journey_cells"
    __table_args__ = (CLUSTERED,)

    generation: int = Field(primary_key=True)
    dim: str = Field(primary_key=True)
    grain: str = Field(primary_key=True)
    period: int = big(primary_key=True)
    plan: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    path: str = Field(primary_key=True)
    depth: int = Field(primary_key=True)
    waits: int = Field(primary_key=True)
    customers: int = big(0, nullable=False)
