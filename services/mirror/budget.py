"""How many reads does Stripe allow this account, and how many are used up?

500 for each transaction of the last 30 days, and 10,000 a month at least. We count transactions as charges
that succeeded, and months in UTC. The sandbox allows as many as one likes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Charge, StripeReads
from services import clock, config

EACH, LEAST = 500, 10_000
WARN_FROM = 0.8  # of the allowance
_DAYS = 30
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Budget:
    """Reads of this month and of today by purpose, and the month's allowance.

    `counts`: whether anybody holds us to it.
    """

    month: dict[str, int]
    today: dict[str, int]
    allowance: int
    counts: bool

    @property
    def used(self) -> int:
        """Reads of this month."""
        return sum(self.month.values())

    @property
    def share(self) -> float:
        """How much of the allowance is used up, 1 for all of it."""
        return self.used / self.allowance

    @property
    def is_short(self) -> bool:
        """Whether somebody should look; never on the sandbox."""
        return self.counts and self.share >= WARN_FROM


def read(session: Session, paid: int | None = None) -> Budget:
    """The budget as the table tells it: what was asked in the last seconds may still be missing.

    `paid`: the number of `payments`, from those who have counted them.
    """
    now = clock.now()
    today, month = now // clock.DAY * clock.DAY, clock.month_start(now, _UTC)
    rows = session.exec(select(StripeReads).where(StripeReads.day >= month)).all()
    by_purpose = Counter[str]()
    for row in rows:
        by_purpose[row.purpose] += row.reads
    return Budget(
        month=dict(by_purpose.most_common()),
        today={row.purpose: row.reads for row in rows if row.day == today},
        allowance=max(LEAST, EACH * (payments(session) if paid is None else paid)),
        counts=config.settings().mode != "sandbox",
    )


def payments(session: Session) -> int:
    """How many payments of the last 30 days came through."""
    since = clock.now() - _DAYS * clock.DAY
    paid = sa.select(sa.func.count(col(Charge.id))).where(
        col(Charge.created) >= since, col(Charge.status) == "succeeded", col(Charge.deleted).is_(False)
    )
    return int(session.scalar(paid) or 0)
