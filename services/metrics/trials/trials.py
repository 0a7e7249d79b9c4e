"""What became of each trial, as of an instant? The one definition of the six states, as SQL.

A trial starts at the customer's first `trial_start`; staff extending it moves its end, not its start.
Six states that add up to the cohort: `converted` (over, or ended early, and the first invoice above zero
is paid), `missed_payment` (over, that invoice not paid; or voided, and the subscription has ended with no
other), `cancelled_in_trial`, `expired` (ended without a
card: canceled or paused by Stripe at the trial's end), `free` (over, active, nothing above zero was ever
due), `running` (also when the first invoice is still a draft). `missed_payment` becomes `converted` when it
is paid, out of band too; a later cancel does not undo a conversion. The $0 invoice at a trial's start is
not a conversion, nor is a one-off invoice that staff made: invoices of the trial's subscription count, and
of those that the customer began after it (a reactivation is a new subscription).

States of a past instant are reconstructed from what the tables say now. A subscription that is no longer in
the account stays in its cohort, as one that was canceled when it was deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from models import CustomerFacts, Invoice, Price, Subscription, SubscriptionItem
from services.clock import DAY
from services.metrics.statistics.sums import total

STATES = ("converted", "running", "missed_payment", "cancelled_in_trial", "expired", "free")
# Made once: an alias of a wide table takes a millisecond.
_FACTS, _DUE, _BILL, _OF = aliased(CustomerFacts), aliased(Invoice), aliased(Invoice), aliased(Subscription)
_ITEM, _PRICE = aliased(SubscriptionItem), aliased(Price)
EVER = 1 << 40  # later than all that the tables say
_ONE_OFF = ("manual", "automatic_pending_invoice_item_invoice")


@dataclass(frozen=True, slots=True)
class Running:
    """One currency's running trials: how many, how many end within a week, what they would bring (micros)."""

    running: int = 0
    ending: int = 0
    micros: int = 0


def running_now(session: Session, as_of: int) -> dict[str, Running]:
    """The subscriptions in trial now, by currency: what the Trials page lists."""
    return _running(session, (col(Subscription.status) == "trialing") & ~col(Subscription.deleted), as_of)


def running(session: Session, at: int) -> dict[str, Running]:
    """The subscriptions in trial at a past instant (UTC seconds), reconstructed, by currency."""
    return _running(session, in_trial(at), at)


def _running(session: Session, condition: sa.ColumnElement[bool], at: int) -> dict[str, Running]:
    s = Subscription
    ending = sa.case((col(s.trial_end) <= at + 7 * DAY, 1), else_=0)
    counted = sa.select(col(s.currency), sa.func.count(), sa.func.sum(ending), total(col(s.plan_micros)))
    rows = session.execute(counted.where(condition).group_by(col(s.currency)))
    return {code: Running(number, int(soon), int(micros)) for code, number, soon, micros in rows}


@lru_cache(maxsize=16)  # to build it takes 20 ms
def trials(as_of: int, *, whose: Any = None, now: Any = None) -> sa.CTE:
    """One row for each customer that started a trial by `as_of` (UTC seconds), or for those `whose`
    subscriptions a condition takes. `now`: the instant by which a trial's time has passed, where that is
    another: with a far `as_of` all counts that the tables say.

    Columns: customer, subscription, started, trial_end, first_trial_end, over_at (the trial's end, or the
    subscription's where that came first), in_trial (0/1), state, converted_at (of `converted` only), plan
    (product id), price (id), source, country, currency, plan_micros, on_invoice (0/1), card_on_file (0/1),
    due (the first invoice above zero that it led to), canceled_at.
    """
    first = _with_first_invoice(_first_trials(as_of, whose, as_of if now is None else now), as_of)
    facts, due, item = _FACTS, _DUE, _ITEM
    state = _state(first, due, as_of)
    rows = (
        sa.select(
            *(first.c[name] for name in _KEPT),
            state.label("state"),
            sa.case((state == "converted", sa.func.coalesce(due.paid_at, due.created))).label("converted_at"),
            sa.func.coalesce(item.product, "").label("plan"),
            sa.func.coalesce(item.price, "").label("price"),
            sa.func.coalesce(facts.source, "").label("source"),
            sa.func.coalesce(facts.country, "").label("country"),
            sa.case((col(facts.payment_method_on_file), 1), else_=0).label("card_on_file"),
        )
        .join_from(first, facts, col(facts.customer) == first.c.customer, isouter=True)
        .join(due, col(due.id) == first.c.due, isouter=True)
        .join(item, col(item.id) == first.c.item, isouter=True)
    )
    return rows.cte("trials").prefix_with("MATERIALIZED")


_KEPT = (
    "customer", "subscription", "started", "trial_end", "first_trial_end", "over_at", "in_trial", "currency",
    "plan_micros", "on_invoice", "due", "canceled_at",
)  # fmt: skip


def in_trial(as_of: Any) -> sa.ColumnElement[bool]:
    """SQL: whether a subscription is in its trial. One that Stripe has not ended yet still is; one that is
    paused is not, whatever end its trial still names."""
    begun = sa.func.coalesce(col(Subscription.trial_start), as_of + 1) <= as_of  # never NULL: it is negated
    to_come = sa.func.coalesce(col(Subscription.trial_end), 0) > as_of
    paused_at = sa.func.coalesce(col(Subscription.paused_at), col(Subscription.as_of))
    stopped = (col(Subscription.status) == "paused") & (paused_at <= as_of)
    still = (col(Subscription.status) == "trialing") | (to_come & ~stopped)
    running: sa.ColumnElement[bool] = begun & ~has_ended(as_of) & still
    return running


def has_ended(as_of: Any) -> sa.ColumnElement[bool]:
    """SQL: whether a subscription has ended. A tombstone, whose status says nothing any more, has."""
    over: sa.ColumnElement[bool] = sa.func.coalesce(_ended_at(), as_of + 1) <= as_of
    return over


def _ended_at() -> sa.ColumnElement[int | None]:
    return sa.func.coalesce(col(Subscription.ended_at), _deleted_at())


def _deleted_at() -> sa.ColumnElement[int | None]:
    return sa.case((col(Subscription.deleted), col(Subscription.as_of)))


def _first_trials(as_of: int, whose: Any, now: Any) -> sa.Subquery:
    """Each customer's first trial, with how the subscription stood at `as_of`."""
    s, mine = Subscription, sa.over
    trialing = sa.case((in_trial(now), 1), else_=0)
    order = (col(s.trial_start), col(s.created), col(s.id))
    ended = sa.case((has_ended(as_of), _ended_at()))
    every = (
        sa.select(
            col(s.customer),
            col(s.id).label("subscription"),
            col(s.created),
            col(s.status),
            col(s.currency),
            col(s.plan_micros),
            col(s.trial_start).label("started"),
            col(s.trial_end),
            col(s.first_trial_end),
            sa.func.coalesce(col(s.canceled_at), _deleted_at()).label("canceled_at"),
            ended.label("ended_at"),
            sa.case((ended < col(s.trial_end), ended), else_=col(s.trial_end)).label("over_at"),
            sa.case((col(s.collection_method) == "send_invoice", 1), else_=0).label("on_invoice"),
            trialing.label("in_trial"),
            mine(sa.func.max(trialing), partition_by=col(s.customer)).label("any_in_trial"),
            mine(sa.func.row_number(), partition_by=col(s.customer), order_by=order).label("place"),
        )
        .where(col(s.trial_start) <= as_of, sa.true() if whose is None else whose)
        .subquery()
    )
    return sa.select(every).where(every.c.place == 1).subquery()


def _with_first_invoice(first: sa.Subquery, as_of: int) -> sa.CTE:
    """Adds `due`, the first invoice above zero that the trial led to, `withdrawn` (0/1: one was voided), and
    `item`, its dearest one."""
    item, price = _ITEM, _PRICE
    dearest = (
        sa.select(col(item.id))
        .join(price, col(price.id) == col(item.price), isouter=True)
        .where(col(item.subscription) == first.c.subscription, ~col(item.deleted))
        .order_by(*dearest_first(item, price))  # an add-on is not the plan
        .limit(1)
        .scalar_subquery()
    )
    due = first_invoice(first.c.customer, first.c.created, as_of)
    withdrawn = sa.case((first.c.ended_at.is_not(None) & _was_voided(first.c, as_of), 1), else_=0)
    joined = sa.select(first, due.label("due"), withdrawn.label("withdrawn"), dearest.label("item"))
    # Without the fence the planner may look the first invoice up once for each column that needs it.
    return joined.cte("first_trials").prefix_with("MATERIALIZED")


def dearest_first(item: Any, price: Any) -> tuple[Any, Any, Any]:
    """SQL: the order of a subscription's items; the first one says which plan it is."""
    worth = sa.cast(sa.func.coalesce(col(price.unit_amount), 0), sa.Double) * col(item.quantity)
    return worth.desc(), col(item.created), col(item.id)


def first_invoice(customer: Any, since: Any, as_of: int) -> sa.ScalarSelect[Any]:
    """SQL: the id of the customer's first invoice above zero, of subscriptions created from `since` on."""
    i = _BILL
    asked = _above_zero(i, customer, since, as_of).where(~_is_voided(i, as_of))
    return asked.order_by(col(i.created), col(i.id)).limit(1).scalar_subquery()


def _was_voided(trial: Any, as_of: int) -> sa.ColumnElement[bool]:
    """SQL: whether an invoice above zero that came after the trial's start was voided."""
    i = _BILL
    asked = _above_zero(i, trial.customer, trial.created, as_of)
    return asked.where(col(i.created) >= trial.started, _is_voided(i, as_of)).exists()


def _above_zero(i: Any, customer: Any, since: Any, as_of: int) -> sa.Select[Any]:
    """SQL: the customer's invoices above zero, of subscriptions created from `since` on."""
    of = _OF
    return (
        sa.select(col(i.id))
        .join(of, col(of.id) == col(i.subscription))
        .where(
            col(i.customer) == customer,
            col(of.created) >= since,
            col(i.total) > 0,
            col(i.created) <= as_of,
            is_regular(i),
            ~col(i.deleted),
        )
    )


def _is_voided(i: Any, as_of: int) -> sa.ColumnElement[bool]:
    return sa.and_(col(i.status) == "void", sa.func.coalesce(col(i.voided_at), 0) <= as_of)


def is_regular(invoice: Any) -> sa.ColumnElement[bool]:
    """SQL: whether the subscription itself made the invoice, and not a member of staff a one-off."""
    return sa.func.coalesce(col(invoice.billing_reason), "").not_in(_ONE_OFF)


def is_paid(invoice: Any, as_of: int) -> sa.ColumnElement[bool]:
    """SQL: whether the invoice was paid by `as_of`."""
    return (col(invoice.status) == "paid") & (
        sa.func.coalesce(col(invoice.paid_at), col(invoice.created)) <= as_of
    )


def _state(first: sa.CTE, due: Any, as_of: int) -> sa.ColumnElement[str]:
    trial = first.c
    over = (trial.in_trial == 0) | (col(due.created) < trial.started)
    draft = (col(due.status) == "draft") | (col(due.finalized_at) > as_of)
    ended_at_the_end = trial.ended_at <= trial.trial_end + DAY
    return sa.case(
        (is_paid(due, as_of) & over, "converted"),
        (trial.any_in_trial == 1, "running"),
        (draft & trial.ended_at.is_(None), "running"),
        (col(due.id).is_not(None) | (trial.withdrawn == 1), "missed_payment"),
        (trial.ended_at.is_not(None) & (trial.canceled_at < trial.trial_end), "cancelled_in_trial"),
        (ended_at_the_end | (trial.status == "paused"), "expired"),
        else_="free",
    )
