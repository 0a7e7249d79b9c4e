"""What did invoices ask for each service period of subscriptions, as it was when these were first seen?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Charge, Invoice, InvoiceItem, InvoiceLine, InvoicePayment, Subscription
from services.among import among
from services.clock import DAY
from services.metrics.revenue import worth
from services.metrics.revenue.reconstruction import Line, Rate
from services.metrics.revenue.worth import PriceList
from services.metrics.trials.trials import is_regular

_MOST_BILLED = 10**14  # minor units; Stripe takes invoices of up to 12 digits
Values = tuple[Any, ...]
_THESE = "ids"


@dataclass(slots=True)
class Billed:
    """A subscription's `lines`. `was_owing`: when it ended an invoice was tried and not paid. `failed_at`:
    when its latest open invoice was last tried, or asked for, without being paid (UTC seconds)."""

    lines: list[Line] = field(default_factory=list)
    was_owing: bool = False
    failed_at: int | None = None


def of(session: Session, seen: Sequence[tuple[str, Any]]) -> dict[str, Billed]:
    """What these subscriptions were billed for, each with the state in which it was first seen."""
    firsts = dict(seen)
    if not firsts:
        return {}
    connection, these = session.connection(), {"ids": list(firsts)}
    lines = connection.execute(_lines(), these).all()
    changes = connection.execute(_changes(), these).all()
    rates = _rates(session, {row[1] for row in lines} | {row.price for row in changes} - {None})
    found: dict[str, Billed] = {id: Billed() for id in firsts}
    _add_lines(found, lines, firsts, rates)
    for row in changes:
        rate = rates(row.price, row.currency)
        if rate and rate.by_unit and _was_there(row, firsts[row.subscription].at):
            found[row.subscription].lines.append(_change(row, rate))
    _add_debts(session, found, firsts)
    return found


def _add_lines(
    found: Mapping[str, Billed], lines: Sequence[Values], firsts: Mapping[str, Any], rates: _Rates
) -> None:
    """Adds the lines, oldest first; one that says the same as the one before, and follows it, makes that
    longer. Rows are unpacked: there are millions of them, and each name that is looked up takes time."""
    asked = _asked(lines)
    for of, price, code, number, amount, discount, begins, ends, id, created, bill, item, *stood in lines:
        rate, mine = rates(price, code), found[of].lines
        if rate is None or not _counts(stood, firsts[of]):
            continue
        net = amount - discount if rate.by_unit else asked[bill, item]
        count = 1 if number is None else number
        last = mine[-1] if mine else None
        if last is not None and last.ends == begins and last.says(item, rate, count, amount, discount, net):
            last.ends = ends
        else:
            mine.append(Line(id, item, rate, count, amount, discount, net, begins, ends, created))


@cache
def _lines() -> Any:
    line, bill = InvoiceLine, Invoice
    columns = (
        line.subscription, line.price, line.currency, line.quantity, line.amount, line.discount_amount,
        line.period_start, line.period_end, line.id, line.created, line.invoice,
    )  # fmt: skip
    stood = (
        bill.status, bill.created, bill.finalized_at, bill.voided_at, bill.marked_uncollectible_at,
        bill.paid_at,
    )  # fmt: skip
    within = (
        one.between(-_MOST_BILLED, _MOST_BILLED) for one in (col(line.amount), col(line.discount_amount))
    )
    return (
        sa.select(
            *(col(one) for one in columns),
            sa.func.coalesce(col(line.subscription_item), col(line.price)),
            *(col(one) for one in stood),
        )
        .join(bill, col(bill.id) == col(line.invoice))
        .where(
            among(col(line.subscription), _THESE),
            col(line.period_end) > col(line.period_start),
            ~col(line.proration),
            *within,
            ~col(bill.deleted),
        )
        .order_by(col(line.subscription), col(line.period_start), col(line.created), col(line.id))
    )


@cache
def _changes() -> Any:
    """What changes in mid-period asked for the rest of it, billed by now or still waiting to be."""
    change = InvoiceItem
    columns = (
        change.id, change.subscription, change.price, change.currency, change.quantity, change.amount,
        change.period_start, change.period_end, change.created, change.deleted, change.as_of,
    )  # fmt: skip
    asks = (col(change.proration), col(change.amount) > 0, col(change.amount) <= _MOST_BILLED)
    return sa.select(*(col(one) for one in columns)).where(among(col(change.subscription), _THESE), *asks)


def _was_there(row: Any, at: int) -> bool:
    """Whether a change had been made by an instant, and was not taken back by then."""
    return row.created < at and not (row.deleted and row.as_of <= at)


def _counts(stood: Sequence[Any], first: Any) -> bool:
    """Whether a line's invoice was asked for when its subscription was first seen, whatever became of it
    later. A draft is within a day; while collection is paused, what was given up was not."""
    status, billed_at, finalized_at, voided_at, given_up_at, paid_at = stood
    if status == "draft" or (finalized_at or 0) > first.at:
        return bool(first.at - DAY < billed_at <= first.at and not first.pause_collection)
    if status == "void":
        return bool(voided_at is not None and voided_at > first.at)
    if not first.pause_collection or (status != "uncollectible" and given_up_at is None):
        return True
    return bool((given_up_at or 0) > first.at or (paid_at is not None and paid_at <= first.at))


def _asked(lines: Iterable[Values]) -> Mapping[tuple[str, str], int]:
    """What all lines of an item on an invoice ask for: tiers have a line each."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for _, _, _, _, amount, discount, _, _, _, _, bill, item, *_ in lines:
        found[bill, item] += amount - discount
    return found


def _change(row: Any, rate: Rate) -> Line:
    return Line(
        id=row.id,
        item="",
        rate=rate,
        quantity=row.quantity,
        amount=row.amount,
        discount=0,
        asked=row.amount,
        begins=max(row.period_start, row.created),
        ends=row.period_end,
        created=row.created,
        is_change=True,
    )


class _Rates:
    """The rates of prices in a currency, each made once; None for what does not recur."""

    def __init__(self, prices: PriceList) -> None:
        self._prices, self._made = prices, dict[tuple[str, str], Rate | None]()

    def __call__(self, price: str | None, currency: str) -> Rate | None:
        key = (price or "", currency)
        if key not in self._made:
            self._made[key] = self._make(*key)
        return self._made[key]

    def _make(self, price: str, currency: str) -> Rate | None:
        row = self._prices.prices.get(price)
        if row is None or not worth.recurs(row):
            return None
        return Rate(
            product=row.product,
            unit_amount=row.unit_amount,
            interval=row.interval,
            interval_count=row.interval_count or 1,
            tiered=row.billing_scheme == "tiered",
            by_unit=row.unit_amount is not None
            and row.currency == currency
            and row.transform_divide_by is None,
        )


def _rates(session: Session, prices: Iterable[str]) -> _Rates:
    return _Rates(worth.price_list(session, prices, ()))


def _add_debts(session: Session, found: Mapping[str, Billed], firsts: Mapping[str, Any]) -> None:
    for id in session.connection().execute(_owing(), {"ids": list(firsts)}).scalars().all():
        found[id].was_owing = True
    unpaid = [id for id, first in firsts.items() if first.status == "unpaid"]
    if unpaid:
        for row in session.connection().execute(_tries(), {"ids": unpaid}).all():
            at = firsts[row.id].at
            if _was_open(row, at):
                tried = row.tried_at is not None and row.tried_at <= at
                failed_at = row.tried_at if tried else row.asked_at
                found[row.id].failed_at = max(found[row.id].failed_at or 0, failed_at)


def _was_open(row: Any, at: int) -> bool:
    """Whether an invoice asked for money at an instant, whatever became of it later."""
    over = (row.paid_at, row.voided_at, row.marked_uncollectible_at)
    return row.asked_at <= at and all(end is None or end > at for end in over)


@cache
def _owing() -> Any:
    """The subscriptions that ended while an invoice that was tried was not paid."""
    bill, of = Invoice, Subscription
    return (
        sa.select(col(of.id))
        .join_from(of, bill, col(bill.subscription) == col(of.id))
        .where(
            among(col(of.id), _THESE),
            col(bill.created) < col(of.ended_at),
            col(bill.total) > 0,
            col(bill.attempted),
            col(bill.collection_method) != "send_invoice",
            col(bill.status).in_(("open", "uncollectible", "void")) | (col(bill.paid_at) > col(of.ended_at)),
            sa.func.coalesce(col(bill.voided_at), col(of.ended_at)) >= col(of.ended_at),
            ~col(bill.deleted),
        )
        .distinct()
    )


@cache
def _tries() -> Any:
    """The subscriptions' own invoices that were asked for, each with each time that it failed."""
    bill, pays, tried = Invoice, InvoicePayment, Charge
    return (
        sa.select(
            col(bill.subscription).label("id"),
            col(bill.finalized_at).label("asked_at"),
            col(bill.paid_at),
            col(bill.voided_at),
            col(bill.marked_uncollectible_at),
            col(tried.created).label("tried_at"),
        )
        .join_from(bill, pays, col(pays.invoice) == col(bill.id), isouter=True)
        .join(
            tried,
            (col(tried.payment_intent) == col(pays.payment_intent)) & (col(tried.status) == "failed"),
            isouter=True,
        )
        .where(
            among(col(bill.subscription), _THESE),
            col(bill.finalized_at).is_not(None),
            col(bill.total) > 0,
            is_regular(bill),
            ~col(bill.deleted),
        )
    )
