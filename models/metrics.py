"""What the numbers are made of: how subscriptions stood over time, and what is counted of it.

`SubscriptionState` is the log. All other tables here are derived, each customer's rows as *facts*, and facts
summed up as *cells*, which charts read (services/metrics/rollups).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field

from models.base import Base, big, json_column, long_text


class SubscriptionState(Base, table=True):
    """How a subscription stood from `at` (UTC seconds, Stripe's clock) until its next state.

    `items` are `[price, quantity, discounts]`, `discounts` the subscription's own, both by id. `cancels`: it
    was set to end. `told`: the instants of late at which it was seen to stand so still.
    """

    __tablename__ = "subscription_states"

    subscription: str = Field(primary_key=True)
    at: int = big(0, primary_key=True)
    status: str = ""
    pause_collection: str | None = None
    cancels: bool = False
    cancellation_reason: str | None = None
    items: list[Any] = json_column(list)
    discounts: list[str] = json_column(list)
    told: list[int] = json_column(list)


class Uncounted(Base, table=True):
    """A customer whose facts are to be counted anew: at once (0), or when the account's clock says so.

    `error` is why counting failed, "" where nothing went wrong.
    """

    __tablename__ = "uncounted"

    customer: str = Field(primary_key=True)
    due_at: int = Field(default=0, sa_type=BigInteger, index=True)
    error: str = long_text("")


class MetricsState(Base, table=True):
    """The one row that says how the cells stand.

    Pages read the cells of `generation`, which were counted under `terms` (the zone that days are cut in, and
    the version of the definitions). Where `wanted` differs everybody is counted anew, and a next generation
    is made of it. `exact_since` (UTC seconds): from then on states were kept as they changed; before,
    history is reconstructed. `waiting`: how many customers were to be counted when the work began.
    """

    __tablename__ = "metrics_state"

    id: int = Field(default=1, primary_key=True)
    generation: int = 0
    terms: str = ""
    wanted: str = ""
    exact_since: int | None = big()
    waiting: int = 0
