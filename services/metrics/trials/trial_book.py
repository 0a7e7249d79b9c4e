"""Which facts are kept of each customer's trial, and which cells are they part of?

What became of it is the definition of `trials`, of the customers that are counted; this adds what
people slice by. One row for a customer: the same first invoice would speak for all trials of a customer, so
that a count by subscription would call one payment several conversions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import (
    CallRequest,
    Charge,
    Customer,
    Message,
    PaymentMethod,
    Subscription,
    TrialCell,
    TrialFact,
    TrialRun,
)
from services.among import among
from services.clock import DAY
from services.metrics.counting.calendar import Calendar
from services.metrics.counting.rollups import Amounts, Book, Counted, Key, Row, Sum, dicts
from services.metrics.recovery import failures
from services.metrics.statistics.sums import MOST
from services.metrics.trials import slices
from services.metrics.trials.trials import EVER, trials

LOST = ("missed_payment", "cancelled_in_trial", "expired")  # the states that say why a trial brought nothing
LONGEST_RUN, LATEST_PAID = 61, 121  # days from which on it makes no difference to a forecast
SENT = ("accepted", "delivered", "outbox")  # `sent_at` says whether one in the outbox reached anybody
THESE = "customers"
NOW: Any = sa.bindparam("now", type_=sa.BigInteger)


def count(session: Session, customers: Sequence[str], now: int, _calendar: Calendar) -> Counted:
    """The trials of these customers, as the tables say; due again when their time is over."""
    connection = session.connection()
    rows = dicts(connection.execute(_found(), {"customers": list(customers), "now": now}))
    missed = [row["due"] for row in rows if row["state"] == "missed_payment" and row["due"]]
    told = failures.first_try(connection, missed)
    facts = [_fact(row, told) for row in rows]
    return Counted(facts, {row["customer"]: at for row in facts if (at := _next(row, now)) is not None})


def _next(fact: Row, now: int) -> int | None:
    """When time alone will change the fact: where the trial begins or ends."""
    return min((at for at in (fact["started"], fact["trial_end"]) if at and at > now), default=None)


def _fact(row: Any, told: dict[str, failures.Failure]) -> Row:
    fact = dict(row)
    due, cancelled = fact.pop("due"), fact.pop("cancelled")
    started, took = fact["started"], fact["converted_at"]
    given = fact["first_trial_end"] or fact["trial_end"] or started
    fact["days"] = -1 if took is None else max(0, _days(took - started))  # who pays may try something more
    fact["trial_days"] = _days(given - started)
    fact["extended"] = int((fact["trial_end"] or 0) > given)
    if fact["state"] == "missed_payment":
        fact["why"] = told[due].code if due in told else ""
    else:
        fact["why"] = cancelled if fact["state"] == "cancelled_in_trial" else ""
    return fact


def _days(seconds: int) -> int:
    """Whole days, rounded up; 0 for what came before the start."""
    return max(0, -(-seconds // DAY))


@cache
def _found() -> Any:
    """The facts as far as SQL has them, with `due` and why it was `cancelled`."""
    t = trials(EVER, whose=among(col(Subscription.customer), THESE), now=NOW).c
    s, c = Subscription, Customer
    kept = [column for column in t if column.name in TrialFact.model_fields or column.name == "due"]
    why = sa.func.coalesce(col(s.cancellation_feedback), col(s.cancellation_reason), "")
    commented = sa.func.coalesce(col(s.cancellation_comment), "") != ""
    return (
        sa.select(
            *kept,
            why.label("cancelled"),
            _flag(commented & (t.state == "cancelled_in_trial")).label("commented"),
            _card_at_start(t, c, s).label("card_at_start"),
            _flag(_called(t)).label("called"),
            _flag(_messaged(t)).label("messaged"),
        )
        .join(s, col(s.id) == t.subscription)
        .join(c, col(c.id) == t.customer, isouter=True)
    )


def _flag(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((condition, 1), else_=0)


def _card_at_start(t: Any, c: Any, s: Any) -> sa.ColumnElement[str]:
    """SQL: "1" where a payment method was there by a day after the trial's start: one of the customer's is
    that old (as Stripe says, or as a charge showed it), or was charged by then. "" cannot be told: there is
    one of the older kind only, a source, of which nothing says since when. Else "0"."""
    by = t.started + DAY
    known = sa.exists().where(col(PaymentMethod.customer) == t.customer, col(PaymentMethod.created) <= by)
    charged = sa.exists().where(col(Charge.customer) == t.customer, col(Charge.created) <= by)
    source = sa.func.coalesce(col(s.default_source), col(c.default_source)).is_not(None)
    return sa.case((known | charged, "1"), (source, ""), else_="0")


def _called(t: Any) -> sa.ColumnElement[bool]:
    """SQL: whether somebody spoke with the customer during the trial. No bare `state`: SQLite would go
    through all calls that took place by its index."""
    r = CallRequest
    return sa.exists().where(
        col(r.customer) == t.customer, col(r.state).concat("") == "done", _during(t, col(r.closed_at))
    )


def _messaged(t: Any) -> sa.ColumnElement[bool]:
    """SQL: whether a message of the desk reached the customer during the trial."""
    m = Message
    return sa.exists().where(
        col(m.customer) == t.customer, col(m.state).in_(SENT), _during(t, col(m.sent_at))
    )


def _during(t: Any, at: Any) -> sa.ColumnElement[bool]:
    within: sa.ColumnElement[bool] = (at >= t.started) & (at < t.over_at)
    return within


def sum_up(fact: Row, calendar: Calendar) -> Iterator[tuple[Key, Amounts]]:
    """The cells of a trial: where it brought nothing, also by why."""
    more = ("why",) if fact["state"] in LOST else ()
    amounts = (1, min(fact["plan_micros"], MOST))
    for key in slices.keys(fact, slices.TRIALS, calendar, more):
        yield key, amounts


def _run(fact: Row, _: Calendar) -> Iterator[tuple[Key, Amounts]]:
    """For how many days a trial was not decided, and after how many it was paid. A first invoice takes a day
    more than the trial."""
    started, over = fact["started"], fact["over_at"] or fact["trial_end"]
    billed = fact["state"] in ("converted", "missed_payment")
    ran = LONGEST_RUN if over is None else min(LONGEST_RUN, _days(over - started) + billed)
    yield (started - started % DAY, fact["plan"], ran, min(fact["days"], LATEST_PAID)), (1,)


BOOK = Book(TrialFact, count, (Sum(TrialCell, sum_up), Sum(TrialRun, _run)))
