"""Who is behind a number of the Revenue page: whose MRR moved, and who comes to any?

Rows are facts of `revenue_book` under the view's filters, in each customer's own currency, read a page at a
time. A customer who moved twice in a period has two rows; the rows of a number add up to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Customer, Product, RevenueMove
from services.metrics.revenue.revenue_history import View
from services.metrics.statistics.sums import total

SEVERAL = "Several"
Of = Literal["mrr", "committed", "trial"]


@dataclass(frozen=True, slots=True)
class Moves:
    """Whose MRR moved from `begins` to before `ends` (UTC seconds): by a movement of these kinds (see
    `movements.KINDS`; none given: of any), where it was churn for one cause (None for all)."""

    view: View
    begins: int
    ends: int
    kinds: tuple[str, ...] = ()
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Payers:
    """Who came to more than nothing before `until` (UTC seconds): of MRR, or of the MRR that is committed, or
    that trials would bring. `cohort`: only who first came to MRR between the two instants."""

    view: View
    until: int
    of: Of = "mrr"
    cohort: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """How many `rows` there are, and what they add up to: micros by currency, that of the
    view first."""

    rows: int
    amounts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Moved:
    """One customer on one day (its first instant). Micros of `currency`: the customer came to `before` and
    `after` in all, of which the view's plan (or all of them) moved by `change`. `plan` is its name."""

    customer: str
    name: str
    email: str
    currency: str
    plan: str
    country: str
    day: int
    kind: str
    cause: str
    before: int
    change: int
    after: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Payer:
    """One customer: micros of `currency`, `plan` the name of the one that comes to most, and the day on which
    it first came to any MRR (None: never yet)."""

    customer: str
    name: str
    email: str
    currency: str
    plan: str
    country: str
    mrr: int
    committed: int
    trial: int
    since: int | None


def whole(session: Session, chosen: Moves | Payers) -> Whole:
    """How many rows there are in all, and what they come to: by how much MRR moved, or what is asked for."""
    rows = (_moves(chosen) if isinstance(chosen, Moves) else _payers(chosen)).subquery().c
    amount = rows.change if isinstance(chosen, Moves) else rows[chosen.of]
    return whole_of(session, chosen.view, rows.currency, amount)


def whole_of(
    session: Session, view: View, currency: Any, amount: Any, *wanted: sa.ColumnElement[bool]
) -> Whole:
    """SQL: rows of a view that have a currency and an amount, counted and added up in one pass, unsorted."""
    codes = list(dict.fromkeys((view.currency, *view.weights)))
    sums = (total(sa.case((currency == code, amount), else_=sa.null())) for code in codes)
    rows, *found = session.execute(sa.select(sa.func.count(currency), *sums).where(*wanted)).one()
    amounts = {code: int(micros) for code, micros in zip(codes, found, strict=True) if micros is not None}
    return Whole(int(rows), amounts)


def moved(
    session: Session,
    chosen: Moves,
    *,
    largest_first: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> list[Moved]:
    """The movements, the latest first (or the largest one way or the other); `limit` None reads them all."""
    rows = _moves(chosen).subquery().c
    page = sa.select(*rows).order_by(*_order(rows, largest_first)).offset(offset).limit(limit).subquery().c
    m, c, plan = RevenueMove, Customer, Product
    whole = (
        sa.select(_whole(m.mrr))
        .where(col(m.customer) == page.customer, col(m.currency) == page.currency, col(m.day) == page.day)
        .scalar_subquery()
    )
    named = sa.case(
        (page.first_plan != page.last_plan, SEVERAL), else_=sa.func.coalesce(col(plan.name), page.first_plan)
    )
    asked = (
        sa.select(
            page.customer, *_called(c), page.currency, named, page.country, page.day, page.kind, page.cause,
            page.after - whole, page.change, page.after, page.reconstructed == 0,
        )
        .join(c, col(c.id) == page.customer, isouter=True)
        .join(plan, col(plan.id) == page.first_plan, isouter=True)
        .order_by(*_order(page, largest_first))
    )  # fmt: skip
    return [Moved(*row) for row in session.execute(asked)]


def payers(session: Session, chosen: Payers, *, offset: int = 0, limit: int | None = None) -> list[Payer]:
    """The customers, who comes to most first; `limit` None reads them all."""
    rows = _payers(chosen)
    p = rows.order_by(sa.text(f"{chosen.of} DESC"), sa.text("customer"), sa.text("currency"))
    found = p.offset(offset).limit(limit).subquery()
    page = sa.select(found, _largest_plan(found.c, chosen).label("plan")).subquery().c
    c, plan = Customer, Product
    asked = (
        sa.select(
            page.customer, *_called(c), page.currency, sa.func.coalesce(col(plan.name), page.plan),
            page.country, page.mrr, page.committed, page.trial, sa.func.nullif(page.since, 0),
        )
        .join(c, col(c.id) == page.customer, isouter=True)
        .join(plan, col(plan.id) == page.plan, isouter=True)
        .order_by(page[chosen.of].desc(), page.customer, page.currency)
    )  # fmt: skip
    return [Payer(*row) for row in session.execute(asked)]


def _order(rows: Any, largest_first: bool) -> list[Any]:
    latest = [rows.day.desc(), rows.customer, rows.currency]
    return [sa.func.abs(rows.change).desc(), *latest] if largest_first else latest


def _called(c: Any) -> tuple[Any, Any]:
    return sa.func.coalesce(col(c.name), ""), sa.func.coalesce(col(c.email), "")


def _whole(amount: Any) -> sa.ColumnElement[int]:
    """SQL: the sum, as an integer."""
    return sa.cast(total(col(amount)), sa.BigInteger)


def _moves(chosen: Moves) -> Any:
    m = RevenueMove
    key = (col(m.customer), col(m.currency), col(m.day))
    asked = sa.select(
        *key,
        sa.func.max(col(m.kind)).label("kind"),
        sa.func.max(col(m.cause)).label("cause"),
        sa.func.max(col(m.country)).label("country"),
        sa.func.min(col(m.plan)).label("first_plan"),
        sa.func.max(col(m.plan)).label("last_plan"),
        _whole(m.mrr).label("change"),
        sa.func.max(col(m.after)).label("after"),
        sa.func.sum(sa.case((col(m.exact), 0), else_=1)).label("reconstructed"),
    )
    wanted = [col(m.day) >= chosen.begins, col(m.day) < chosen.ends, *_within(chosen.view)]
    wanted.append(col(m.kind).in_(chosen.kinds) if chosen.kinds else col(m.kind) != "")
    if chosen.cause is not None:
        wanted.append(col(m.cause) == chosen.cause)
    found = asked.where(*wanted).group_by(*key)
    return found if chosen.kinds else found.having(total(col(m.mrr)) != 0)


def _payers(chosen: Payers) -> Any:
    m = RevenueMove
    key = (col(m.customer), col(m.currency))
    asked = sa.select(
        *key,
        sa.func.max(col(m.country)).label("country"),
        _whole(m.mrr).label("mrr"),
        _whole(m.committed).label("committed"),
        _whole(m.trial).label("trial"),
        sa.func.max(col(m.first_day)).label("since"),
    )
    # no bare currency: SQLite would take all rows by its index, and sort anew what lies by customer
    of_view = col(m.currency).concat("").in_(chosen.view.weights)
    wanted = [col(m.day) < chosen.until, of_view, *_filtered(chosen.view)]
    if chosen.cohort:
        wanted.append(col(m.first_day).between(chosen.cohort[0], chosen.cohort[1] - 1))
    return asked.where(*wanted).group_by(*key).having(total(col(getattr(m, chosen.of))) > 0)


def _largest_plan(page: Any, chosen: Payers) -> Any:
    """SQL: which of a customer's plans comes to most."""
    m, amount = RevenueMove, total(col(getattr(RevenueMove, chosen.of)))
    mine = (col(m.customer) == page.customer, col(m.currency) == page.currency, col(m.day) < chosen.until)
    plans = sa.select(col(m.plan)).where(*mine, *_within(chosen.view)).group_by(col(m.plan))
    return plans.order_by(amount.desc(), col(m.plan)).limit(1).scalar_subquery()


def _within(view: View) -> list[sa.ColumnElement[bool]]:
    return [col(RevenueMove.currency).in_(view.weights), *_filtered(view)]


def _filtered(view: View) -> list[sa.ColumnElement[bool]]:
    m = RevenueMove
    wanted = [col(m.plan) == view.plan] if view.plan else []
    return wanted + ([col(m.country) == view.country] if view.country else [])
