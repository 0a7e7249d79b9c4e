"""What the numbers are made of: how subscriptions stood over time, and what is counted of it.

`SubscriptionState` is the log. All other tables here are derived, each customer's rows as *facts*, and facts
summed up as *cells*, which charts read (services/metrics/counting/rollups).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from models.base import CLUSTERED, Base, big, json_column, long_text


class SubscriptionState(Base, table=True):
    """How a subscription stood from `at` (UTC seconds, Stripe's clock) until its next state.

    `items` are `[price, quantity, discounts]`, the oldest first, `discounts` the subscription's own, all by
    id. `cancels`: it was set to end. `told`: the instants of late at which it was seen to stand so still.
    """

    __tablename__ = "subscription_states"

    subscription: str = Field(primary_key=True)
    at: int = big(0, primary_key=True)
    status: str = ""
    pause_collection: str | None = None
    cancels: bool = False
    cancellation_reason: str | None = None
    canceled_at: int | None = big()
    paused_at: int | None = big()
    trial_start: int | None = big()
    trial_end: int | None = big()
    items: list[Any] = json_column(list)
    discounts: list[str] = json_column(list)
    told: list[int] = json_column(list)


class Uncounted(Base, table=True):
    """A customer whose facts are to be counted anew: at once (0), or when the account's clock says so.

    `mark` is another number each time that something changed: who counted only what was before takes nothing
    off the list. `error` is why counting failed, "" where nothing went wrong.
    """

    __tablename__ = "uncounted"

    customer: str = Field(primary_key=True)
    due_at: int = Field(default=0, sa_type=BigInteger, index=True)
    mark: int = big(0, nullable=False)
    error: str = long_text("")


class MetricsState(Base, table=True):
    """The one row that says how the cells stand.

    Pages read the cells of `generation`, which were counted under `terms` (the zone that days are cut in, and
    the version of the definitions); "" while everybody is counted anew under the `wanted` ones and a next
    generation is made of it, the last that was `begun`. `exact_since` (UTC seconds): from then on states were
    kept as they changed; before, history is reconstructed. `waiting`: how many customers were to be counted
    when the work began.
    """

    __tablename__ = "metrics_state"

    id: int = Field(default=1, primary_key=True)
    generation: int = 0
    begun: int = 0
    terms: str = ""
    wanted: str = ""
    exact_since: int | None = big()
    waiting: int = 0


class RevenueMove(Base, table=True):
    """By how much a customer's MRR in a currency moved on a day (its first instant), plan by plan.

    `mrr`, `committed` and `trial` are differences in micros; `kind` is the movement of the customer's MRR in
    that currency as a whole: new, expansion, contraction, churn, reactivation, `switch` where plans changed
    and the sum did not, "" where MRR did not move; `cause` says why it churned. `customers`: by how many
    customers of the plan (1, 0, -1) it moved, `accounts` of the currency, and `people` of all currencies; the
    last two stand on one row of the day.
    `after` is the customer's MRR in the currency at the day's end. `first_day`: on which the customer first
    came to any (0: never). `exact`: nothing of it is reconstructed.
    """

    __tablename__ = "revenue_moves"
    __table_args__ = (Index("ix_revenue_moves_of_a_kind", "currency", "kind", "day"), CLUSTERED)

    customer: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    day: int = big(0, primary_key=True)
    plan: str = Field(primary_key=True)
    kind: str = ""
    cause: str = ""
    country: str = ""
    mrr: int = big(0, nullable=False)
    committed: int = big(0, nullable=False)
    trial: int = big(0, nullable=False)
    customers: int = 0
    accounts: int = 0
    people: int = 0
    after: int = big(0, nullable=False)
    first_day: int = big(0, nullable=False)
    exact: bool = True


class RevenueCell(Base, table=True):
    """What all moves of a day come to, by currency, plan, country, kind and cause (see RevenueMove)."""

    __tablename__ = "revenue_cells"

    generation: int = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    day: int = big(0, primary_key=True)
    plan: str = Field(primary_key=True)
    country: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    cause: str = Field(primary_key=True)
    mrr: int = big(0, nullable=False)
    committed: int = big(0, nullable=False)
    trial: int = big(0, nullable=False)
    customers: int = 0
    accounts: int = 0
    people: int = 0


class RevenueDay(Base, table=True):
    """The same for all plans and countries together: what most charts read."""

    __tablename__ = "revenue_days"

    generation: int = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    day: int = big(0, primary_key=True)
    kind: str = Field(primary_key=True)
    cause: str = Field(primary_key=True)
    mrr: int = big(0, nullable=False)
    committed: int = big(0, nullable=False)
    trial: int = big(0, nullable=False)
    customers: int = 0
    accounts: int = 0
    people: int = 0


class RevenueMonth(Base, table=True):
    """The same for all movements of a month (its first instant), by plan and country."""

    __tablename__ = "revenue_months"

    generation: int = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    month: int = big(0, primary_key=True)
    plan: str = Field(primary_key=True)
    country: str = Field(primary_key=True)
    mrr: int = big(0, nullable=False)
    committed: int = big(0, nullable=False)
    trial: int = big(0, nullable=False)
    customers: int = 0
    accounts: int = 0
    people: int = 0


class RetentionCell(Base, table=True):
    """By how much the MRR, and the number, of the customers who first came to any in the month `cohort` moved
    in a month (both by their first instant)."""

    __tablename__ = "retention_cells"

    generation: int = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    cohort: int = big(0, primary_key=True)
    month: int = big(0, primary_key=True)
    country: str = Field(primary_key=True)
    mrr: int = big(0, nullable=False)
    accounts: int = 0
