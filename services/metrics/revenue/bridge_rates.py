"""Why are our rates not Stripe's? Step by step from ours to what Stripe's page shows; see `bridge`.

Trial conversion: ours of the last 30 days counts each customer's first trial, and a conversion by whichever
invoice paid first. Stripe's counts every subscription's trial, by its own first invoice, once the trial is
over. Churn: ours is of a whole month, over who was active at its start. Stripe's is of a rolling 30 days,
over who was active at their start and who came meanwhile; collection that is paused is no churn to it.
(Sources: Stripe's support pages "Calculating trial conversion rate in Billing" and "Billing analytics".)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Invoice, RevenueCell, RevenueMove, Subscription, TrialFact
from services import clock
from services.clock import DAY
from services.metrics import periods
from services.metrics.counting import rollups
from services.metrics.trials import conversion
from services.metrics.trials.trials import is_regular

DAYS = 30


@dataclass(frozen=True, slots=True)
class Step:
    """A rate on the way, `part` of `whole`; `key` names what this step does otherwise than the one before."""

    key: str
    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """The rate; None is "no data"."""
        return self.part / self.whole if self.whole else None


def of_conversion(session: Session, as_of: int) -> list[Step]:
    """From our 30-day rate to Stripe's."""
    ours = conversion.period_rate(session, as_of=as_of)
    firsts, others = _ended(session, as_of, first=True), _ended(session, as_of, first=False)
    return [
        Step("ours", ours.part, ours.whole),
        Step("own_invoice", firsts.part, firsts.whole),
        Step("further_trials", firsts.part + others.part, firsts.whole + others.whole),
    ]


def _ended(session: Session, as_of: int, *, first: bool) -> Step:
    """The trials of subscriptions that ended in the last 30 days: customers' first ones, or all others; and
    those whose own first invoice is paid."""
    s = Subscription
    over_at = sa.case((col(s.ended_at) < col(s.trial_end), col(s.ended_at)), else_=col(s.trial_end))
    is_first = sa.exists().where(col(TrialFact.subscription) == col(s.id))
    asked = sa.select(sa.func.count(), sa.func.sum(sa.case((_first_is_paid(), 1), else_=0))).where(
        over_at > as_of - DAYS * DAY,
        over_at <= as_of,
        col(s.status) != "trialing",
        ~col(s.deleted),
        is_first if first else ~is_first,
    )
    whole, part = session.execute(asked).one()
    return Step("", int(part or 0), int(whole))


def _first_is_paid() -> sa.ColumnElement[bool]:
    """SQL: whether the first invoice above zero of a subscription is paid."""
    i = Invoice
    first = (
        sa.select(col(i.status))
        .where(col(i.subscription) == col(Subscription.id), col(i.total) > 0, is_regular(i))
        .where(~col(i.deleted), col(i.status) != "void")
        .order_by(col(i.created), col(i.id))
        .limit(1)
        .scalar_subquery()
    )
    return first == "paid"


def of_churn(session: Session, as_of: int, zone: ZoneInfo) -> list[Step]:
    """From our customer churn of the last whole month to Stripe's of the last 30 days, all currencies."""
    last = periods.last("month", 2, until=as_of, zone=zone)[0]
    since = clock.day_start(as_of, zone, plus_days=-DAYS)
    rolling = _churn(session, since, as_of + 1)
    month = _churn(session, last.begins, last.ends)
    waiting, resumed = _not_collected_from(session, since, as_of + 1)
    stayed = rolling.active + waiting + rolling.new - resumed
    return [
        Step("ours", month.churned, month.active),
        Step("rolling", rolling.churned, rolling.active),
        Step("newcomers", rolling.churned, rolling.active + rolling.new),
        Step("collection_paused", rolling.churned - rolling.paused, stayed),
    ]


@dataclass(frozen=True, slots=True)
class _Churn:
    """Customers: `active` before a time, and who was `new` (or came back), `churned`, and of these by paused
    collection, in it."""

    active: int
    new: int
    churned: int
    paused: int


def _churn(session: Session, begins: int, ends: int) -> _Churn:
    c = RevenueCell
    before, within = col(c.day) < begins, (col(c.day) >= begins) & (col(c.day) < ends)
    churned = within & (col(c.kind) == "churn")
    came = within & col(c.kind).in_(("new", "reactivation"))
    asked = sa.select(
        *(_people(one) for one in (before, came, churned, churned & (col(c.cause) == "collection_paused")))
    ).where(rollups.standing(c))
    active, new, gone, paused = session.execute(asked).one()
    return _Churn(int(active), int(new), -int(gone), -int(paused))


def _not_collected_from(session: Session, begins: int, ends: int) -> tuple[int, int]:
    """How many customers were gone to us before a time because their collection was paused, and how many came
    back from that in it: to Stripe all of them were there."""
    m = RevenueMove
    paused = sa.select(col(m.customer)).where(col(m.cause) == "collection_paused")
    asked = sa.select(col(m.customer), col(m.day), col(m.kind), col(m.cause)).where(
        col(m.customer).in_(paused), col(m.people) != 0, col(m.day) < ends
    )
    waiting, resumed = set[str](), 0
    last: dict[str, str] = {}
    for customer, day, kind, cause in session.execute(asked.order_by(col(m.customer), col(m.day))):
        was_paused = last.get(customer) == "collection_paused"
        last[customer] = cause if kind == "churn" else ""
        resumed += was_paused and day >= begins
        if day < begins:
            waiting.discard(customer)
            if last[customer] == "collection_paused":
                waiting.add(customer)
    return len(waiting), resumed


def _people(condition: Any) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, col(RevenueCell.people)), else_=0)), 0)
