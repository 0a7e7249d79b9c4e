"""What is an amount in the reporting currency? Only by rates that staff entered, each with its day.

All figures of a view are converted with the rates in force on one day, so that movements still add up:
nothing moves because a rate did. A currency without a rate is left out and named, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import sqlalchemy as sa
from sqlmodel import Session, col

from models import ExchangeRate, ReportingCurrency
from services.money import exponent


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of `currency` is in units of `into` (`rate`, decimal text) from `day` (ISO) on."""

    currency: str
    into: str
    day: str
    rate: str
    source: str = ""

    @property
    def weight(self) -> Fraction:
        """What a minor unit (or a micro) of `currency` is in those of `into`, exactly."""
        places = exponent(self.into) - exponent(self.currency)
        return Fraction(self.rate) * Fraction(10) ** places


def reporting(session: Session) -> str:
    """The reporting currency; "" where none is chosen."""
    return session.execute(sa.select(col(ReportingCurrency.currency))).scalar() or ""


def in_force(session: Session, into: str, day: str) -> list[Rate]:
    """The rates into a currency that hold on a day (ISO), by currency: of each the last one until then."""
    found = {rate.currency: rate for rate in reversed(entered(session, into)) if rate.day <= day}
    return [found[code] for code in sorted(found)]


def entered(session: Session, into: str) -> list[Rate]:
    """All rates into a currency, the latest first."""
    r = ExchangeRate
    asked = sa.select(col(r.currency), col(r.into), col(r.day), col(r.rate), col(r.source))
    latest_first = asked.where(col(r.into) == into).order_by(col(r.day).desc(), col(r.currency))
    return [Rate(*row) for row in session.execute(latest_first)]
