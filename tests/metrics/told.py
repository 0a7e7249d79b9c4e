"""What the desk says, customer by customer, in a shape in which the oracle can say the same."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import JourneyFact, RevenueMove, TrialFact
from services.metrics.recovery import recovery
from tests.metrics.oracle import failures, funnel, revenue, trials
from tests.metrics.oracle.reading import Seen

Rows = dict[Any, Any]
_NO_MOVES = ("", "switch")


def trials_told(session: Session) -> Rows:
    """What the desk says of each trial."""
    return {
        one.customer: (
            one.state, one.started, one.over_at, one.converted_at, one.days, one.plan, one.currency,
            one.source,
        )
        for one in session.execute(sa.select(TrialFact)).scalars()
    }  # fmt: skip


def trials_asked(seen: Seen) -> Rows:
    """What the oracle says of them."""
    return {
        one.customer: (
            one.state, one.started, one.over_at, one.converted_at,
            -1 if one.days is None else max(0, one.days), one.plan, one.currency, one.source,
        )
        for one in trials.trials(seen.last).values()
    }  # fmt: skip


def journeys_told(session: Session) -> Rows:
    """How far the desk says that each customer came."""
    return {
        one.customer: (one.created, one.path, one.depth, bool(one.waits))
        for one in session.execute(sa.select(JourneyFact)).scalars()
    }


def journeys_asked(seen: Seen) -> Rows:
    """What the oracle says of them."""
    return {
        one.customer: (one.created, one.path, len(one.reached) - 1, one.waits)
        for one in funnel.journeys(seen.last, seen.now).values()
    }


def moves_told(session: Session) -> Rows:
    """What the desk says each customer's MRR did, by customer, currency and day; all plans together."""
    rows: dict[Any, list[RevenueMove]] = defaultdict(list)
    for one in session.execute(sa.select(RevenueMove)).scalars():
        rows[one.customer, one.currency, one.day].append(one)
    found = {}
    for key, some in rows.items():
        mrr, trial = sum(one.mrr for one in some), sum(one.trial for one in some)
        kind = "".join({one.kind for one in some} - {*_NO_MOVES})
        cause = "".join({one.cause for one in some} - {""})
        if mrr or trial:
            found[key] = (kind, cause, mrr, trial, some[0].after, some[0].first_day)
    return found


def moves_asked(moves: list[revenue.Move]) -> Rows:
    """What the oracle says of them."""
    return {
        (one.customer, one.currency, one.day): (
            one.kind, one.cause, one.mrr, one.trial, one.after, one.first_day
        )
        for one in moves
        if one.mrr or one.trial
    }  # fmt: skip


def committed_told(session: Session, since: int) -> Rows:
    """The MRR that the desk says was not set to end, by customer and currency, at the end of days."""
    moved: dict[Any, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for one in session.execute(sa.select(RevenueMove)).scalars():
        moved[one.customer, one.currency][one.day] += one.committed
    return _levels(moved, since)


def committed_asked(moves: list[revenue.Move], since: int) -> Rows:
    """What the oracle says of it."""
    moved: dict[Any, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for one in moves:
        moved[one.customer, one.currency][one.day] += one.committed
    return _levels(moved, since)


def _levels(moved: dict[Any, dict[int, int]], since: int) -> Rows:
    """Where each stood on the days since an instant on which it changed, and on the first."""
    found = {}
    for key, days in moved.items():
        level, last = 0, 0
        for day in sorted(days):
            level += days[day]
            if day >= since and level != last:
                found[*key, day] = level
            last = level
    return found


def failures_told(session: Session, currencies: list[str], now: int) -> Rows:
    """What the desk says of each failed payment."""
    every = [one for code in currencies for one in recovery.failed(session, 0, now + 1, code)]
    return {one.invoice: (one.currency, one.amount, one.came_to, one.failed_at) for one in every}


def failures_asked(seen: Seen) -> Rows:
    """What the oracle says of them."""
    return {
        one.invoice: (one.currency, one.amount, one.came_to, one.failed_at)
        for one in failures.failed(seen).values()
        if not one.is_first_after_trial
    }
