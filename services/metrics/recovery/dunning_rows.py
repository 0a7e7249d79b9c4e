"""Which payments are behind a number of `dunning`? The facts themselves, a page of them or all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Customer, FailureFact, Invoice, Product
from services.metrics.periods import within
from services.metrics.recovery.dunning import Asked, Payments
from services.metrics.recovery.recovery import CameTo
from services.metrics.statistics.sums import total

By = Literal["", "plan", "country", "code", "by"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The failed payments of a question that came to `state` (None: all), and whose plan, country, code or
    way of recovery (`by`, "" none) is `value`."""

    asked: Asked
    state: CameTo | None = None
    by: By = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class FailedPayment:
    """One payment that failed: `amount` in minor units; `failed_at` its first failure, in UTC seconds.

    `code` is why the first try failed, `last_code` why the last one did; `recovered_by` what paid it (see
    `recovered_by`), "" while it is not.
    """

    invoice: str
    number: str
    customer: str
    name: str
    email: str
    plan: str
    country: str
    currency: str
    amount: int
    state: CameTo
    recovered_by: str
    code: str
    last_code: str
    attempts: int
    failed_at: int
    paid_at: int | None


def count(session: Session, chosen: Chosen) -> Payments:
    """How many rows `read` would give in all, and what they come to."""
    f = FailureFact
    sums = sa.select(sa.func.count(), sa.func.coalesce(total(col(f.amount)), 0)).where(*_wanted(chosen))
    number, amount = session.execute(sums).one()
    return Payments(int(number), int(amount))


def read(
    session: Session,
    chosen: Chosen,
    *,
    largest_first: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> list[FailedPayment]:
    """The rows behind a number, the latest failure (or the largest) first; `limit` None reads them all."""
    f, i, c, p = FailureFact, Invoice, Customer, Product
    page = (
        sa.select(
            col(f.invoice),
            sa.func.coalesce(col(i.number), col(f.invoice)),
            col(f.customer),
            sa.func.coalesce(col(c.name), ""),
            sa.func.coalesce(col(c.email), ""),
            sa.func.coalesce(col(p.name), col(f.plan)),
            *(col(one) for one in (f.country, f.currency, f.amount, f.state, f.recovered_by, f.code)),
            *(col(one) for one in (f.last_code, f.attempts, f.failed_at, f.paid_at)),
        )
        .join(i, col(i.id) == col(f.invoice), isouter=True)
        .join(c, col(c.id) == col(f.customer), isouter=True)
        .join(p, col(p.id) == col(f.plan), isouter=True)
        .where(*_wanted(chosen))
        .order_by(*([col(f.amount).desc()] if largest_first else []), col(f.failed_at).desc(), col(f.invoice))
    )
    return [FailedPayment(*row) for row in session.execute(page.offset(offset).limit(limit))]


def _wanted(chosen: Chosen) -> list[sa.ColumnElement[bool]]:
    f, asked = FailureFact, chosen.asked
    columns: dict[str, Any] = {"plan": f.plan, "country": f.country, "code": f.code, "by": f.recovered_by}
    failed_at: Any = col(f.failed_at)
    wanted = [
        col(f.currency) == asked.currency,
        within(failed_at, asked.periods),
        ~col(f.first_after_trial),
    ]
    if asked.plan is not None:
        wanted.append(col(f.plan) == asked.plan)
    if chosen.state:
        wanted.append(col(f.state) == chosen.state)
    if chosen.by:
        wanted.append(col(columns[chosen.by]) == chosen.value)
    return wanted
