"""What share of failed payments is recovered by each day since the first failure?

Old months are read from the cells; of young ones, whose payments cannot all have been watched to the end, the
facts say how old each is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlmodel import Session, col

from models import FailureFact
from services.clock import DAY
from services.metrics.recovery.dunning import Asked, Numbers
from services.metrics.statistics.survival import Watched

CURVE_DAYS = 60


def watched(session: Session, numbers: Numbers) -> Watched:
    """How many of these payments could still be recovered on each day since the first failure, and were:
    position 0 is the first failure itself, position 1 the 24 hours after it. One that is not recovered is
    watched for as many whole days as have passed, whatever became of it. Ends after CURVE_DAYS."""
    recovered, until = [0] * (CURVE_DAYS + 1), [0] * (CURVE_DAYS + 1)
    young = numbers.as_of - (CURVE_DAYS + 1) * DAY
    of_old = [one for one in numbers.asked.periods if one.ends <= young]
    old = {one.begins for one in of_old}
    for (month, part, value, _), payments in numbers.cells.items():
        if month in old and part == "days" and int(value) <= CURVE_DAYS:
            recovered[int(value)] += payments.count
        elif month in old and part == "":
            until[CURVE_DAYS] += payments.count
    until[CURVE_DAYS] -= sum(recovered)
    for day, age, number in _young(session, numbers.asked, numbers.as_of, len(of_old)):
        if day is not None and day <= min(age, CURVE_DAYS):
            recovered[day] += number
        else:
            until[min(age, CURVE_DAYS)] += number
    return _watched(recovered, until)


def _watched(recovered: Sequence[int], until: Sequence[int]) -> Watched:
    """`until`: how many were watched through a day and no longer, without being recovered."""
    left, at_risk = sum(recovered) + sum(until), []
    for day, number in enumerate(recovered):
        at_risk.append(left)
        left -= number + until[day]
    last = max((day for day, number in enumerate(at_risk) if number), default=-1)
    return Watched(at_risk[: last + 1], list(recovered[: last + 1]))


def _young(session: Session, asked: Asked, as_of: int, after: int) -> Iterable[tuple[int | None, int, int]]:
    """How many payments of the periods after so many of them were recovered after how many days (None: not),
    and are how many whole days old."""
    if after == len(asked.periods):
        return []
    f = FailureFact
    failed, paid = col(f.failed_at), col(f.paid_at)
    day = sa.case((col(f.state) == "recovered", (paid - failed + DAY - 1) // DAY))
    age = (as_of - failed) // DAY
    wanted = [
        col(f.currency) == asked.currency,
        failed >= asked.periods[after].begins,
        failed < min(asked.periods[-1].ends, as_of),
        ~col(f.first_after_trial),
    ]
    if asked.plan is not None:
        wanted.append(col(f.plan) == asked.plan)
    rows = session.execute(sa.select(day, age, sa.func.count()).where(*wanted).group_by(day, age))
    return [(days, old, number) for days, old, number in rows]
