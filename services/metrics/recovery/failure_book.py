"""Which payments of these customers failed, what became of each, and what does that come to by month?

Failed, recovered, in recovery, lost: as in `recovery`, whose definition this counts. Two books: what failed,
and what passed at the first try, beside which a rate of failures can be told. An invoice is paid once: one
that ever failed has failed at its first try. The first invoice after a trial is in neither: it is reported
as a missed payment with the trials.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import (
    CustomerFacts,
    FailureCell,
    FailureFact,
    Invoice,
    PassedCell,
    PassedFact,
    Price,
    Subscription,
    SubscriptionItem,
)
from services.among import among
from services.clock import DAY
from services.metrics.counting.calendar import Calendar
from services.metrics.counting.rollups import Amounts, Book, Counted, Key, Row, Sum
from services.metrics.recovery import failures, recovered_by, recovery
from services.metrics.recovery.recovery import is_first_after_trial
from services.metrics.trials.trials import dearest_first

_MOST = 10**14  # minor units that count of an invoice: Stripe takes 12 digits, and sums must fit their cells
_THEIRS = "customers"


def _count_failed(session: Session, customers: Sequence[str], _now: int, _calendar: Calendar) -> Counted:
    connection, theirs = session.connection(), {"customers": list(customers)}
    rows = connection.execute(_failed(), theirs).all()
    if not rows:
        return Counted([])
    invoices = [row.invoice for row in rows]
    first, last = failures.first_try(connection, invoices), failures.last(connection, invoices)
    whose = sorted({row.customer for row in rows})
    tries = recovered_by.known(connection, whose, invoices)
    plans, countries = _plans(connection, whose), _countries(connection, whose)
    return Counted(
        [
            {
                "invoice": row.invoice,
                "customer": row.customer,
                "subscription": row.subscription,
                "currency": row.currency,
                "plan": plans.get(row.subscription, ""),
                "country": countries.get(row.customer, ""),
                "amount": row.amount,
                "due": row.due,
                "failed_at": row.failed_at,
                "state": row.came_to,
                "paid_at": row.paid_at,
                "closed_at": row.closed_at,
                "code": first[row.invoice].code if row.invoice in first else "",
                "last_code": last[row.invoice].code if row.invoice in last else "",
                "attempts": _attempts(row, tries[row.invoice]),
                "recovered_by": _by(row, tries[row.invoice]),
                "first_after_trial": bool(row.first_after_trial),
            }
            for row in rows
        ]
    )


def _attempts(row: Any, tries: recovered_by.Tries) -> int:
    """Stripe leaves out tries by hand, and the charges those that came to none."""
    charged = len(tries.failed) + len(tries.succeeded)
    return max(int(row.attempt_count), charged)


def _by(row: Any, tries: recovered_by.Tries) -> str:
    if row.came_to != "recovered":
        return ""
    return recovered_by.tell(
        tries,
        failed_at=row.failed_at,
        attempt_count=row.attempt_count,
        collection_method=row.collection_method,
    )


def _sum_failed(row: Row, calendar: Calendar) -> Iterator[tuple[Key, Amounts]]:
    if row["first_after_trial"]:
        return
    alike = (row["currency"], calendar.month(row["failed_at"]), row["plan"])
    one = (1, min(row["amount"], _MOST))
    for part, value in _parts(row):
        yield (*alike, part, value, row["state"]), one


def _parts(row: Row) -> Iterator[tuple[str, str]]:
    yield "", ""
    yield "country", row["country"]
    yield "code", row["code"]
    if row["state"] == "recovered":
        yield "by", row["recovered_by"]
        if row["paid_at"] is not None:
            yield "days", str(days_to_recover(row["failed_at"], row["paid_at"]))


def days_to_recover(failed_at: int, paid_at: int) -> int:
    """Days from the first failure to the payment (UTC seconds), rounded up."""
    return max(0, -((failed_at - paid_at) // DAY))


def _count_passed(session: Session, customers: Sequence[str], _now: int, calendar: Calendar) -> Counted:
    connection, theirs = session.connection(), {"customers": list(customers)}
    plans, countries = _plans(connection, customers), _countries(connection, customers)
    sums: dict[str, dict[Key, list[int]]] = defaultdict(dict)
    for customer, subscription, currency, at, amount in connection.execute(_passed(), theirs).all():
        alike = (calendar.month(at), currency, plans.get(subscription, ""))
        held = sums[customer].setdefault(alike, [0, 0])
        held[0] += 1
        held[1] += min(amount, _MOST)
    return Counted(
        [
            {
                "customer": customer,
                "country": countries.get(customer, ""),
                "passed": [[*alike, *held] for alike, held in sorted(mine.items())],
            }
            for customer, mine in sums.items()
        ]
    )


def _sum_passed(row: Row, _calendar: Calendar) -> Iterator[tuple[Key, Amounts]]:
    for month, currency, plan, payments, amount in row["passed"]:
        yield (currency, month, plan, row["country"]), (payments, amount)


@cache
def _failed() -> Any:
    return recovery.payments(_THEIRS)


@cache
def _passed() -> Any:
    """Their invoices above zero that were paid at the first try, each with when that was.

    What Stripe charges by itself is tried once it is finalized, what was sent once it is paid. Reads which
    payments failed as `FAILED` has just counted them.
    """
    i, s, failed = Invoice, Subscription, FailureFact
    sent = col(i.collection_method) == "send_invoice"
    tried = sa.func.coalesce(sa.case((sent, col(i.paid_at))), col(i.finalized_at), col(i.created))
    have_failed = sa.select(col(failed.invoice)).where(among(col(failed.customer), _THEIRS))
    return (
        sa.select(col(i.customer), col(i.subscription), col(i.currency), tried, col(i.total))
        .join(s, col(s.id) == col(i.subscription), isouter=True)
        .where(
            among(col(i.customer), _THEIRS),
            col(i.status).concat("") == "paid",
            col(i.attempt_count) > 0,
            col(i.amount_due) > 0,
            col(i.total) + 0 > 0,
            ~col(i.deleted),
            col(i.id).not_in(have_failed),
            ~is_first_after_trial(i, s),
        )
    )


def _plans(connection: sa.Connection, customers: Sequence[str]) -> dict[str, str]:
    """The plan of each subscription: the product of its dearest item."""
    found: dict[str, str] = {}
    for subscription, product in connection.execute(_items(), {"customers": list(customers)}).all():
        found.setdefault(subscription, product)
    return found


@cache
def _items() -> Any:
    s, item, price = Subscription, SubscriptionItem, Price
    return (
        sa.select(col(s.id), col(item.product))
        .join_from(s, item, col(item.subscription) == col(s.id))
        .join(price, col(price.id) == col(item.price), isouter=True)
        .where(among(col(s.customer), _THEIRS), ~col(item.deleted))
        .order_by(*dearest_first(item, price))
    )


def _countries(connection: sa.Connection, customers: Sequence[str]) -> dict[str, str]:
    rows = connection.execute(_where_from(), {"customers": list(customers)}).all()
    return {row.customer: row.country for row in rows}


@cache
def _where_from() -> Any:
    f = CustomerFacts
    return sa.select(col(f.customer), col(f.country)).where(among(col(f.customer), _THEIRS))


FAILED = Book(FailureFact, _count_failed, (Sum(FailureCell, _sum_failed),))
PASSED = Book(PassedFact, _count_passed, (Sum(PassedCell, _sum_passed),))
